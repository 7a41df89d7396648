//! Ports of `EXPOSE`: `[IP:][HOSTPORT:]PORT[-PORT][/PROTOCOL]`, of which the front is a mistake.

use std::net::IpAddr;

use coracle_words::port::{self, PortKey, PortRange, Protocol};

use crate::check::{Findings, Rule};
use crate::source::{Fault, Span};

/// The ports that a word names.
pub(super) fn read(
    port: &str,
    at: &[Span],
    findings: &mut Findings,
) -> Result<Vec<PortKey>, Fault> {
    let (ip, host, inside) = parts(port);
    let (inside, protocol) = port::split(inside);
    let invalid = |why: String| Fault::new(format!("invalid port: {port:?}: {why}"));
    if inside.is_empty() {
        return Err(invalid("no port specified".to_owned()));
    }
    if !protocol.is_empty() && Protocol::parse(protocol).is_none() {
        return Err(invalid(format!("invalid proto: {protocol}")));
    }
    if protocol != protocol.to_lowercase() {
        findings.add(Rule::ExposeProtoCasing { port }, at);
    }
    if !ip.is_empty() || !host.is_empty() {
        findings.add(Rule::ExposeInvalidFormat { port }, at);
    }
    let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    if !bare.is_empty() && bare.parse::<IpAddr>().is_err() {
        return Err(Fault::new(format!("invalid IP address: {bare}")));
    }
    let range = |what: &str, text: &str| {
        text.parse::<PortRange>().map_err(|_| Fault::new(format!("invalid {what}: {text}")))
    };
    let ports = range("containerPort", inside)?;
    if !host.is_empty() {
        let hosts = range("hostPort", host)?;
        if hosts.count() != ports.count() && !ports.is_single() {
            return Err(Fault::new(format!(
                "invalid ranges specified for container and host Ports: {inside} and {host}"
            )));
        }
    }
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_lowercase() };
    Ok(ports.keys(protocol).collect())
}

/// Address, port of the host, and what is left, cut at the last two colons.
fn parts(port: &str) -> (&str, &str, &str) {
    let Some((front, inside)) = port.rsplit_once(':') else { return ("", "", port) };
    let (ip, host) = front.rsplit_once(':').unwrap_or(("", front));
    (ip, host, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(port: &str) -> (Option<String>, Vec<&'static str>) {
        let mut findings = Findings::default();
        let result = read(port, &[Span::line(1)], &mut findings);
        let rules = findings.in_order().iter().map(|finding| finding.rule).collect();
        (result.err().map(|fault| fault.message), rules)
    }

    #[test]
    fn ports_and_what_is_none() {
        for port in ["80", "80-90/udp", "80/", "0"] {
            assert_eq!(check_one(port), (None, vec![]), "{port}");
        }
        assert_eq!(check_one("80/TCP"), (None, vec!["ExposeProtoCasing"]));
        for port in ["1.2.3.4:80:80", "8080:80", "[::1]:80:80", "8000-8010:80"] {
            assert_eq!(check_one(port), (None, vec!["ExposeInvalidFormat"]), "{port}");
        }
        let why = |port| check_one(port).0.unwrap();
        assert_eq!(why("bogus"), "invalid containerPort: bogus");
        assert_eq!(why("/tcp"), "invalid port: \"/tcp\": no port specified");
        assert_eq!(why("80/x"), "invalid port: \"80/x\": invalid proto: x");
        assert_eq!(why("x:80:80"), "invalid IP address: x");
        assert_eq!(why("x:80"), "invalid hostPort: x");
    }
}
