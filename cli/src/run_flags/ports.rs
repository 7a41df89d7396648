//! Ports: `-p` and `--expose`.
//!
//! `-p [IP:][HOST:]CONTAINER[/PROTO]`, where ports may be ranges.

use std::net::IpAddr;

use coracle_runtime::model::{PortBinding, PortMap};

use crate::error::CliError;

/// A range of ports, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    fn count(self) -> u16 {
        self.last - self.first
    }

    fn numbers(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }
}

fn range(text: &str) -> Option<Ports> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let ports = Ports { first: first.parse().ok()?, last: last.parse().ok()? };
    (ports.first <= ports.last).then_some(ports)
}

/// `--expose`: each port as `80/tcp`.
pub(super) fn exposed(given: &[String]) -> Result<Vec<String>, CliError> {
    let mut out = Vec::new();
    for text in given {
        if text.contains(':') {
            return Err(CliError::plain(format!("invalid port format for --expose: {text}")));
        }
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let range = range(ports).ok_or_else(|| {
            let word = ports.split('-').find(|w| w.parse::<u16>().is_err()).unwrap_or(ports);
            CliError::plain(format!(
                "invalid range format for --expose: {text}, error: \
                 strconv.ParseUint: parsing {word:?}: invalid syntax"
            ))
        })?;
        let protocol = protocol_name(protocol)?;
        out.extend(range.numbers().map(|port| format!("{port}/{protocol}")));
    }
    Ok(out)
}

fn protocol_name(text: &str) -> Result<String, CliError> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "tcp" | "udp" | "sctp" => Ok(lower),
        _ => Err(CliError::plain(format!("Invalid proto: {text}"))),
    }
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

fn publication(text: &str) -> Result<Vec<(String, PortBinding)>, CliError> {
    let fail = |message: String| Err(CliError::plain(message));
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (rest, container) = ports.rsplit_once(':').map_or(("", ports), |(r, c)| (r, c));
    let (ip, host) = match rest.rsplit_once(':') {
        Some((ip, host)) => (ip, host),
        // `[::1]::80` leaves the address alone before the colon.
        None if rest.starts_with('[') => (rest, ""),
        None => ("", rest),
    };
    let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
        return fail(format!("Invalid ip address: {ip}"));
    }
    if container.is_empty() {
        return fail(format!("No port specified: {text}<empty>"));
    }
    let Some(inner) = range(container) else {
        return fail(format!("Invalid containerPort: {container}"));
    };
    let protocol = protocol_name(protocol)?;
    let outer = match host {
        "" => None,
        host => match range(host) {
            Some(outer) => Some(outer),
            None => return fail(format!("Invalid hostPort: {host}")),
        },
    };
    if let Some(outer) = outer
        && outer.count() != inner.count()
        && inner.count() != 0
    {
        return fail(format!(
            "Invalid ranges specified for container and host Ports: {container} and {host}"
        ));
    }
    let binding = |port: u16| {
        let host_port = match outer {
            None => String::new(),
            // One container port and a host range: any free one of the range.
            Some(outer) if inner.count() == 0 && outer.count() != 0 => host.to_owned(),
            Some(outer) => (outer.first + (port - inner.first)).to_string(),
        };
        (format!("{port}/{protocol}"), PortBinding { host_ip: ip.to_owned(), host_port })
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
            .map(|(port, b)| (port, b.host_ip, b.host_port))
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
            ("bogus", "Invalid containerPort: bogus"),
            ("80:bogus", "Invalid containerPort: bogus"),
            ("99999:80", "Invalid hostPort: 99999"),
            ("8088:80/bogus", "Invalid proto: bogus"),
            (
                "8088-8089:80-82",
                "Invalid ranges specified for container and host Ports: 80-82 and 8088-8089",
            ),
            ("8090-8088:80-82", "Invalid hostPort: 8090-8088"),
            ("1.2.3:80:80", "Invalid ip address: 1.2.3"),
            ("", "No port specified: <empty>"),
        ] {
            assert_eq!(publication(text).unwrap_err().message, message);
        }
    }

    #[test]
    fn exposed_ranges() {
        let given = ["80".to_owned(), "90-91/udp".to_owned()];
        assert_eq!(exposed(&given).unwrap(), ["80/tcp", "90/udp", "91/udp"]);
        assert_eq!(
            exposed(&["bogus".to_owned()]).unwrap_err().message,
            "invalid range format for --expose: bogus, error: \
             strconv.ParseUint: parsing \"bogus\": invalid syntax"
        );
    }
}
