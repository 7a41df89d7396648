//! Short syntax of ports: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, each side a number or a range.

use std::net::IpAddr;

use crate::limits::PORTS_MAX;

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) host_ip: String,
    /// A number or a range to choose from; empty when any will do.
    pub(crate) published: String,
    pub(crate) target: u16,
    pub(crate) protocol: String,
}

/// All ports of a specification, in the order in which Compose lists them: that of their texts.
pub(crate) fn parse(text: &str) -> Result<Vec<Port>, String> {
    let (ip, host, container) = parts(text);
    let (container, protocol) = match container.split_once('/') {
        Some((container, "")) => (container, "tcp"),
        Some(both) => both,
        None => (container, "tcp"),
    };
    let host_ip = address(&ip)?;
    if container.is_empty() {
        return Err(format!("no port specified: {text}<empty>"));
    }
    let (first, last) =
        range(container).ok_or_else(|| format!("invalid containerPort: {container}"))?;
    let published = match host {
        "" => None,
        host => Some(range(host).ok_or_else(|| format!("invalid hostPort: {host}"))?),
    };
    let count = usize::from(last - first) + 1;
    if let Some((from, to)) = published
        && usize::from(to - from) + 1 != count
        && count > 1
    {
        return Err(format!(
            "invalid ranges specified for container and host ports: {container} and {host}"
        ));
    }
    let protocol = protocol.to_lowercase();
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(format!("invalid proto: {protocol}"));
    }
    if count > PORTS_MAX {
        return Err(format!("more than {PORTS_MAX} ports: {text}"));
    }
    let mut ports: Vec<Port> = (first..=last)
        .map(|target| Port {
            host_ip: host_ip.clone(),
            published: published.map_or_else(String::new, |(from, to)| match count {
                1 if from != to => format!("{from}-{to}"),
                _ => (u32::from(from) + u32::from(target - first)).to_string(),
            }),
            target,
            protocol: protocol.clone(),
        })
        .collect();
    ports.sort_by_cached_key(|port| format!("{}/{}", port.target, port.protocol));
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

fn range(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| -> Option<u16> {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
    };
    match text.split_once('-') {
        None => number(text).map(|port| (port, port)),
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            (from <= to).then_some((from, to))
        }
    }
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
