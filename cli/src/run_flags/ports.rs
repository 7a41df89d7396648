//! Ports: `-p` and `--expose`.
//!
//! `-p [IP:][HOST:]CONTAINER[/PROTO]`, where ports may be ranges.

use std::net::IpAddr;

use coracle_runtime::model::{PortBinding, PortMap};
use coracle_words::port::{self, PortKey, PortRange, Protocol};

use crate::error::CliError;

/// `--expose`: each port as `80/tcp`.
pub(super) fn exposed(given: &[String]) -> Result<Vec<PortKey>, CliError> {
    let mut out = Vec::new();
    for text in given {
        let (ports, protocol) = port::split(text);
        let range: PortRange = ports.parse().map_err(|_| {
            let why = range_error(text, ports);
            CliError::plain(format!("invalid range format for --expose: {why}"))
        })?;
        out.extend(range.keys(self::protocol(protocol)?));
    }
    Ok(out)
}

/// What is wrong with a range of ports.
fn range_error(text: &str, ports: &str) -> String {
    if text.is_empty() {
        return "invalid port range: value is empty".to_owned();
    }
    let (start, end) = ports.split_once('-').unwrap_or((ports, ports));
    for (word, which) in [(start, "start"), (end, "end")] {
        if let Some(why) = port_error(word) {
            return format!("invalid {which} port '{word}': {why}");
        }
    }
    format!("invalid port range: {text}")
}

/// Why a word is no port.
pub(crate) fn port_error(word: &str) -> Option<&'static str> {
    match word {
        "" => Some("value is empty"),
        _ if word.parse::<u16>().is_ok() => None,
        _ if word.bytes().all(|byte| byte.is_ascii_digit()) => Some("value out of range (0–65535)"),
        _ => Some("invalid syntax"),
    }
}

fn protocol(text: &str) -> Result<Protocol, CliError> {
    Protocol::parse(text).ok_or_else(|| CliError::plain(format!("invalid proto: {text}")))
}

/// `-p`: the bindings by container port.
pub(crate) fn published(given: &[String]) -> Result<PortMap, CliError> {
    let mut out = PortMap::new();
    for text in given {
        for (port, binding) in publication(text)? {
            out.entry(port).or_default().get_or_insert_default().push(binding);
        }
    }
    Ok(out)
}

fn publication(text: &str) -> Result<Vec<(PortKey, PortBinding)>, CliError> {
    let fail = |message: String| Err(CliError::plain(message));
    let (ports, protocol) = port::split(text);
    let (rest, container) = ports.rsplit_once(':').map_or(("", ports), |(r, c)| (r, c));
    let (ip, host) = match rest.rsplit_once(':') {
        Some((ip, host)) => (ip, host),
        // `[::1]::80` leaves the address alone before the colon.
        None if rest.starts_with('[') => (rest, ""),
        None => ("", rest),
    };
    let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
        return fail(format!("invalid IP address: {ip}"));
    }
    if container.is_empty() {
        return fail(format!("no port specified: {text}<empty>"));
    }
    let Ok(inner) = container.parse::<PortRange>() else {
        return fail(format!("invalid containerPort: {container}"));
    };
    let protocol = self::protocol(protocol)?;
    let outer = match host {
        "" => None,
        host => match host.parse::<PortRange>() {
            Ok(outer) => Some(outer),
            Err(_) => return fail(format!("invalid hostPort: {host}")),
        },
    };
    if let Some(outer) = outer
        && outer.count() != inner.count()
        && !inner.is_single()
    {
        return fail(format!(
            "invalid ranges specified for container and host Ports: {container} and {host}"
        ));
    }
    let binding = |port: u16| {
        let host_port = match outer {
            None => String::new(),
            // One container port and a host range: any free one of the range.
            Some(outer) if inner.is_single() && !outer.is_single() => host.to_owned(),
            Some(outer) => (outer.first() + (port - inner.first())).to_string(),
        };
        (PortKey::new(port, protocol), PortBinding { host_ip: ip.to_owned(), host_port })
    };
    Ok(inner.numbers().map(binding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Vec<(String, String, String)> {
        publication(text)
            .unwrap()
            .into_iter()
            .map(|(port, b)| (port.to_string(), b.host_ip, b.host_port))
            .collect()
    }

    #[test]
    fn specifications() {
        let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(one("80"), [row("80/tcp", "", "")]);
        assert_eq!(one("8080:80/udp"), [row("80/udp", "", "8080")]);
        assert_eq!(one("127.0.0.1:8080:80"), [row("80/tcp", "127.0.0.1", "8080")]);
        assert_eq!(one("[::1]:8080:80"), [row("80/tcp", "::1", "8080")]);
        assert_eq!(one("127.0.0.1::80"), [row("80/tcp", "127.0.0.1", "")]);
        assert_eq!(one("8088-8090:80"), [row("80/tcp", "", "8088-8090")]);
        assert_eq!(one("81-82:91-92"), [row("91/tcp", "", "81"), row("92/tcp", "", "82")]);
    }

    #[test]
    fn wrong_specifications() {
        for (text, message) in [
            ("bogus", "invalid containerPort: bogus"),
            ("80:bogus", "invalid containerPort: bogus"),
            ("99999:80", "invalid hostPort: 99999"),
            ("8088:80/bogus", "invalid proto: bogus"),
            (
                "8088-8089:80-82",
                "invalid ranges specified for container and host Ports: 80-82 and 8088-8089",
            ),
            ("8090-8088:80-82", "invalid hostPort: 8090-8088"),
            ("1.2.3:80:80", "invalid IP address: 1.2.3"),
            ("", "no port specified: <empty>"),
        ] {
            assert_eq!(publication(text).unwrap_err().message, message);
        }
    }

    #[test]
    fn exposed_ranges() {
        let given = ["80".to_owned(), "90-91/udp".to_owned()];
        assert_eq!(exposed(&given).unwrap(), ["80/tcp", "90/udp", "91/udp"].map(PortKey::from));
        assert_eq!(
            exposed(&["bogus".to_owned()]).unwrap_err().message,
            "invalid range format for --expose: invalid start port 'bogus': invalid syntax"
        );
    }
}
