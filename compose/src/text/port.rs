//! Short syntax of ports: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, each side a number or a range.

use std::net::IpAddr;

use coracle_words::port::{self, PortKey, PortRange, Protocol};

use crate::limits::PORTS_MAX;

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) host_ip: String,
    /// A number or a range to choose from; empty when any will do.
    pub(crate) published: String,
    pub(crate) target: u16,
    pub(crate) protocol: Protocol,
}

/// All ports of a specification, in the order in which Compose lists them: that of their texts.
pub(crate) fn parse(text: &str) -> Result<Vec<Port>, String> {
    let (ip, host, container) = parts(text);
    let (container, protocol) = port::split(container.strip_suffix('/').unwrap_or(container));
    let host_ip = address(&ip)?;
    if container.is_empty() {
        return Err(format!("no port specified: {text}<empty>"));
    }
    let inner: PortRange =
        container.parse().map_err(|_| format!("invalid containerPort: {container}"))?;
    let published = match host {
        "" => None,
        host => Some(host.parse::<PortRange>().map_err(|_| format!("invalid hostPort: {host}"))?),
    };
    if let Some(published) = published
        && published.count() != inner.count()
        && !inner.is_single()
    {
        return Err(format!(
            "invalid ranges specified for container and host ports: {container} and {host}"
        ));
    }
    let Some(protocol) = Protocol::parse(protocol) else {
        return Err(format!("invalid proto: {}", protocol.to_lowercase()));
    };
    if inner.count() > PORTS_MAX {
        return Err(format!("more than {PORTS_MAX} ports: {text}"));
    }
    let mut ports: Vec<Port> = inner
        .numbers()
        .map(|target| Port {
            host_ip: host_ip.clone(),
            published: match published {
                None => String::new(),
                Some(outer) if inner.is_single() => outer.to_string(),
                Some(outer) => (outer.first() + (target - inner.first())).to_string(),
            },
            target,
            protocol,
        })
        .collect();
    ports.sort_by_cached_key(|port| PortKey::new(port.target, port.protocol));
    Ok(ports)
}

/// Address, host and container port. An address may have colons.
fn parts(text: &str) -> (String, &str, &str) {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        [container] => (String::new(), "", container),
        [host, container] => (String::new(), host, container),
        [ref ip @ .., host, container] => (ip.join(":"), host, container),
        [] => (String::new(), "", ""),
    }
}

fn address(ip: &str) -> Result<String, String> {
    let bare = match ip.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(|| format!("invalid ip address {ip}"))?,
        None => ip,
    };
    if !bare.is_empty() && bare.parse::<IpAddr>().is_err() {
        return Err(format!("invalid ip address: {ip}"));
    }
    Ok(bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn shown(text: &str) -> String {
        let ports = parse(text).unwrap();
        let one =
            |p: &super::Port| format!("{}|{}|{}/{}", p.host_ip, p.published, p.target, p.protocol);
        ports.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn forms() {
        for (text, ports) in [
            ("80", "||80/tcp"),
            ("8080:80/UDP", "|8080|80/udp"),
            ("127.0.0.1::80", "127.0.0.1||80/tcp"),
            ("[::1]:1:2", "::1|1|2/tcp"),
            ("::1:1:2", "::1|1|2/tcp"),
            ("8000-8001:80", "|8000-8001|80/tcp"),
            ("8-10:9-11", "|9|10/tcp |10|11/tcp |8|9/tcp"),
        ] {
            assert_eq!(shown(text), ports, "{text}");
        }
    }

    #[test]
    fn mistakes() {
        for (text, message) in [
            ("foo", "invalid containerPort: foo"),
            ("web:80", "invalid hostPort: web"),
            ("80:80/xyz", "invalid proto: xyz"),
            ("300.1.1.1:80:80", "invalid ip address: 300.1.1.1"),
            ("1-2:1-3", "invalid ranges specified for container and host ports: 1-3 and 1-2"),
            ("3-1", "invalid containerPort: 3-1"),
            ("99999", "invalid containerPort: 99999"),
            ("80:", "no port specified: 80:<empty>"),
        ] {
            assert_eq!(parse(text).unwrap_err(), message);
        }
    }
}
