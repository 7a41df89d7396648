//! Which name servers the host asks, from the text of its `resolv.conf`.
//!
//! # Limits
//!
//! Only what bears on forwarding: servers, `timeout:`, `attempts:`, `rotate`. A link-local
//! server counts only if its scope is a number: names of devices are for who can look them up.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use super::limits::{ATTEMPTS, ATTEMPTS_MAX, RESOLVERS_MAX, TIMEOUT, TIMEOUT_SECONDS_MAX};

const PORT: u16 = 53;

/// Name servers and how they are to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolvers {
    /// In the order to ask them; empty if there are none.
    pub servers: Vec<SocketAddr>,
    /// For an answer of one server.
    pub timeout: Duration,
    /// Times each server is asked while it does not answer.
    pub attempts: usize,
    /// Whether each question starts with another server.
    pub rotate: bool,
}

impl Default for Resolvers {
    fn default() -> Self {
        Self { servers: Vec::new(), timeout: TIMEOUT, attempts: ATTEMPTS, rotate: false }
    }
}

impl Resolvers {
    /// The servers `addresses` on the usual port, with what else `self` says.
    #[must_use]
    pub fn with_servers(&self, addresses: &[IpAddr]) -> Self {
        let servers = addresses.iter().take(RESOLVERS_MAX);
        let servers = servers.map(|&address| SocketAddr::new(address, PORT)).collect();
        Self { servers, ..self.clone() }
    }

    /// Reads the file's bytes; lines that make no sense are passed over, as resolvers do.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut resolvers = Self::default();
        for line in String::from_utf8_lossy(bytes).lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") if resolvers.servers.len() < RESOLVERS_MAX => {
                    resolvers.servers.extend(words.next().and_then(parse_server));
                }
                Some("options") => words.for_each(|word| resolvers.set_option(word)),
                _ => {}
            }
        }
        resolvers
    }

    fn set_option(&mut self, word: &str) {
        let number = |text: &str| text.parse::<u64>().ok();
        if let Some(seconds) = word.strip_prefix("timeout:").and_then(number) {
            self.timeout = Duration::from_secs(seconds.clamp(1, TIMEOUT_SECONDS_MAX));
        } else if let Some(count) = word.strip_prefix("attempts:").and_then(number) {
            let count = usize::try_from(count).unwrap_or(ATTEMPTS_MAX);
            self.attempts = count.clamp(1, ATTEMPTS_MAX);
        } else if word == "rotate" {
            self.rotate = true;
        }
    }
}

fn parse_server(word: &str) -> Option<SocketAddr> {
    match word.split_once('%') {
        None => Some(SocketAddr::new(word.parse().ok()?, PORT)),
        Some((address, scope)) => {
            let address: Ipv6Addr = address.parse().ok()?;
            Some(SocketAddrV6::new(address, PORT, 0, scope.parse().ok()?).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_servers_and_options() {
        let text = b"# c\nnameserver 127.0.0.53\n;nameserver 1.1.1.1\nnameserver fe80::1%3\n\
            nameserver fe80::1%eth0\nnameserver x\nnameserver\nsearch a b\n\
            options edns0 timeout:1 attempts:9 rotate\nnameserver fd00::1\nnameserver 9.9.9.9\n";
        let resolvers = Resolvers::parse(text);
        let servers: Vec<String> = resolvers.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["127.0.0.53:53", "[fe80::1%3]:53", "[fd00::1]:53"]);
        assert_eq!(resolvers.timeout, Duration::from_secs(1));
        assert_eq!((resolvers.attempts, resolvers.rotate), (5, true));
    }

    #[test]
    fn nothing_is_the_defaults() {
        assert_eq!(Resolvers::parse(b""), Resolvers::default());
        assert_eq!(
            Resolvers::parse(b"options timeout:0 attempts:0 timeout:x\n\xff\n"),
            Resolvers { timeout: Duration::from_secs(1), attempts: 1, ..Resolvers::default() }
        );
    }

    #[test]
    fn other_servers_keep_the_options() {
        let resolvers = Resolvers::parse(b"nameserver 1.1.1.1\noptions rotate\n");
        let others = resolvers.with_servers(&["9.9.9.9".parse().unwrap()]);
        assert_eq!(others.servers, ["9.9.9.9:53".parse().unwrap()]);
        assert!(others.rotate);
    }
}
