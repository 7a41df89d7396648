//! Addresses that the commands of a swarm are given: checked, and told to others; nothing listens on them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::CliError;

/// The port of managers.
pub(crate) const PORT: u16 = 2377;

/// An address that others are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advertised {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

/// An address or the name of an interface, perhaps with a port. `of_interface` gives the addresses of one.
pub(crate) fn advertised(
    text: &str,
    what: &str,
    of_interface: impl Fn(&str) -> Vec<IpAddr>,
) -> Result<Advertised, CliError> {
    let wrong = || {
        CliError::engine(format!(
            "{what} must be a non-zero IP address or network interface (with optional port number)"
        ))
    };
    let (host, port) = split(text, PORT).map_err(|_| wrong())?;
    let address = match host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => return Err(wrong()),
        Ok(address) => address,
        Err(_) => {
            let mut all = of_interface(&host);
            all.sort_by_key(|address| !address.is_ipv4());
            *all.first().ok_or_else(wrong)?
        }
    };
    Ok(Advertised { address, port })
}

/// `--listen-addr`: there must be a sense in it, though nothing travels.
pub(crate) fn check_listen(
    text: &str,
    of_interface: impl Fn(&str) -> Vec<IpAddr>,
) -> Result<(), CliError> {
    let wrong = |why: String| {
        CliError::engine(format!("manager stopped: failed to listen on remote API address: {why}"))
    };
    let (host, port) = split(text, PORT)
        .map_err(|port| wrong(format!("listen tcp: address {port}: invalid port")))?;
    let is_known =
        host.is_empty() || host.parse::<IpAddr>().is_ok() || !of_interface(&host).is_empty();
    if !is_known {
        return Err(CliError::engine(
            "listen address must be an IP address or network interface (with optional port number)",
        ));
    }
    if port == 0 {
        return Err(CliError::engine(format!("invalid port in listen address: {text}")));
    }
    Ok(())
}

/// Host and port; a port that is none is the error.
fn split(text: &str, otherwise: u16) -> Result<(String, u16), String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text.to_owned(), otherwise));
    }
    match text.rsplit_once(':') {
        Some((host, port)) => {
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            port.parse().map(|port| (host, port)).map_err(|_| port.to_owned())
        }
        None => Ok((text.trim_start_matches('[').trim_end_matches(']').to_owned(), otherwise)),
    }
}

/// The addresses of an interface of this machine; none when there is no such one.
pub(crate) fn of_interface(name: &str) -> Vec<IpAddr> {
    use coracle_netns::netlink::{Netlink, address};
    use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};
    let find = || {
        let socket =
            socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
        let device = netdevice::name_to_index(socket.ok()?, name).ok()?;
        let all = address::list(&Netlink::here().ok()?).ok()?;
        Some(
            all.into_iter()
                .filter(|one| one.device == device)
                .map(|one| one.prefix.address)
                .collect(),
        )
    };
    find().unwrap_or_default()
}

/// What a machine without a choice is told as: nobody else can reach it anyway.
pub(crate) const OWN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Vec<IpAddr> {
        match name {
            "lo" => vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()],
            _ => Vec::new(),
        }
    }

    #[test]
    fn addresses_and_interfaces_are_taken() {
        let of = |text: &str| advertised(text, "advertise address", known);
        let of =
            |text: &str| of(text).map(|a| (a.address.to_string(), a.port)).map_err(|e| e.message);
        assert_eq!(of("10.77.0.99"), Ok(("10.77.0.99".to_owned(), 2377)));
        assert_eq!(of("10.77.0.99:1"), Ok(("10.77.0.99".to_owned(), 1)));
        assert_eq!(of("lo"), Ok(("127.0.0.1".to_owned(), 2377)));
        assert_eq!(of("fd00::1"), Ok(("fd00::1".to_owned(), 2377)));
        assert_eq!(of("[fd00::1]:99"), Ok(("fd00::1".to_owned(), 99)));
        for wrong in ["nosuch.example.test", "bogus0", "0.0.0.0", "lo:x", ""] {
            assert_eq!(
                of(wrong),
                Err("Error response from daemon: advertise address must be a non-zero IP address or network \
                     interface (with optional port number)"
                    .to_owned()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_port_to_listen_on_is_one() {
        assert!(check_listen("0.0.0.0:2377", known).is_ok());
        assert!(check_listen("lo:2377", known).is_ok());
        assert_eq!(
            check_listen("10.77.0.21:99999", known).unwrap_err().message,
            "Error response from daemon: manager stopped: failed to listen on remote API address: listen tcp: \
             address 99999: invalid port"
        );
    }
}
