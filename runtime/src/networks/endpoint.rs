//! What a container asks of a network: checked as Docker does, and put to the helper.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use coracle_netns::protocol::Connect;

use super::{Network, NetworkError};
use crate::model::{Container, EndpointIpam, EndpointSettings, LastAddress};

/// What the device is called in the container.
const IF_NAME: &str = "com.docker.network.endpoint.ifname";

/// Refuses addresses that a network cannot give.
pub(crate) fn check_endpoint(
    network: &Network,
    wish: &EndpointSettings,
) -> Result<(), NetworkError> {
    let Some(ipam) = &wish.ipam_config else { return Ok(()) };
    let asked = [&ipam.ipv4_address, &ipam.ipv6_address];
    let addresses: Vec<IpAddr> =
        asked.into_iter().filter_map(|address| address.parse().ok()).collect();
    let mut errors = wrong_family(ipam);
    if addresses.is_empty() || !errors.is_empty() {
        return if errors.is_empty() { Ok(()) } else { Err(NetworkError::InvalidEndpoint(errors)) };
    }
    if network.is_predefined() {
        errors.push(
            "user-specified IP address is supported on user-defined networks only".to_owned(),
        );
    }
    for address in addresses {
        if !network.subnets().any(|subnet| subnet.contains(address)) {
            errors.push(format!("no configured subnet contains IP address {address}"));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(NetworkError::InvalidEndpoint(errors)) }
}

/// Addresses that are not of the family that their flag names.
fn wrong_family(ipam: &EndpointIpam) -> Vec<String> {
    let mut errors = Vec::new();
    let v4 = &ipam.ipv4_address;
    if !v4.is_empty() && !v4.parse::<Ipv4Addr>().is_ok_and(|ip| !ip.is_unspecified()) {
        errors.push(format!("invalid IPv4 address: {v4}"));
    }
    let v6 = &ipam.ipv6_address;
    let fits = |ip: Ipv6Addr| !ip.is_unspecified() && ip.to_ipv4_mapped().is_none();
    if !v6.is_empty() && !v6.parse().is_ok_and(fits) {
        errors.push(format!("invalid IPv6 address: {v6}"));
    }
    errors
}

/// The names other members find a container by, in Docker's order.
#[must_use]
pub fn dns_names(container: &Container, wish: &EndpointSettings) -> Vec<String> {
    let mut names = vec![container.name.clone()];
    names.extend(wish.aliases.iter().flatten().cloned());
    names.push(container.short_id().to_owned());
    names.push(container.config.hostname.clone());
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}

/// The request that makes the endpoint. `last` is what it had before.
pub(crate) fn for_connect(
    container: &Container,
    network: &Network,
    wish: &EndpointSettings,
    last: Option<&LastAddress>,
) -> Connect {
    let ipam = wish.ipam_config.clone().unwrap_or_default();
    let names = if network.has_names() { dns_names(container, wish) } else { Vec::new() };
    Connect {
        network: network.for_helper(),
        names,
        links: links(wish),
        ip: ipam.ipv4_address.parse().ok(),
        ip6: ipam.ipv6_address.parse().ok(),
        last_ip: last.and_then(|last| last.ip),
        last_ip6: last.and_then(|last| last.ip6),
        mac: parse_mac(&wish.mac_address),
        interface: wish.driver_opts.as_ref().and_then(|options| options.get(IF_NAME).cloned()),
        gateway_priority: wish.gw_priority,
        again: false,
    }
}

/// What the container calls others, as the helper takes it.
fn links(wish: &EndpointSettings) -> Vec<(String, String)> {
    let pair = |text: &String| {
        let (name, alias) = super::links::parse(text);
        (alias.to_owned(), name.to_owned())
    };
    wish.links.iter().flatten().map(pair).collect()
}

/// `02:42:ac:11:00:02`, also with dashes.
pub(crate) fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut octets = [0u8; 6];
    let mut parts = text.split([':', '-']);
    for octet in &mut octets {
        let part = parts.next().filter(|part| part.len() == 2)?;
        let digits = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        *octet = u8::from_str_radix(part, 16).ok().filter(|_| digits)?;
    }
    parts.next().is_none().then_some(octets)
}

pub(crate) fn show_mac(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EndpointIpam;
    use crate::networks::{Ipam, IpamConfig};

    fn network(name: &str, subnet: &str) -> Network {
        let block = IpamConfig { subnet: subnet.to_owned(), ..IpamConfig::default() };
        Network {
            name: name.to_owned(),
            driver: "bridge".to_owned(),
            ipam: Ipam { config: Some(vec![block]), ..Ipam::default() },
            ..Network::default()
        }
    }

    fn wish(address: &str) -> EndpointSettings {
        let ipam = EndpointIpam { ipv4_address: address.to_owned(), ..EndpointIpam::default() };
        EndpointSettings { ipam_config: Some(ipam), ..EndpointSettings::default() }
    }

    #[test]
    fn fixed_addresses_in_dockers_words() {
        let complaint = |network: &Network, address: &str| {
            check_endpoint(network, &wish(address)).unwrap_err().to_string()
        };
        let n2 = network("n2", "172.30.0.0/24");
        assert!(check_endpoint(&n2, &wish("172.30.0.5")).is_ok());
        assert!(check_endpoint(&n2, &wish("")).is_ok());
        assert_eq!(
            complaint(&n2, "10.0.0.1"),
            "invalid endpoint settings:\nno configured subnet contains IP address 10.0.0.1"
        );
        let bridge = network("bridge", "172.17.0.0/16");
        assert_eq!(
            complaint(&bridge, "172.17.0.9"),
            "invalid endpoint settings:\nuser-specified IP address is supported on user-defined \
             networks only"
        );
        assert_eq!(
            complaint(&bridge, "1.2.3.4"),
            "invalid endpoint settings:\n* user-specified IP address is supported on user-defined \
             networks only\n* no configured subnet contains IP address 1.2.3.4"
        );
    }

    #[test]
    fn names_come_once_and_only_where_they_are_answered() {
        let mut container = Container {
            id: "3e6e0bc2133707b6bff96efaa5080fdfc2ff358d9a3edd1495307a99917ffa77".to_owned(),
            name: "u1".to_owned(),
            ..Container::default()
        };
        container.config.hostname = "3e6e0bc21337".to_owned();
        let mut wish = EndpointSettings::default();
        assert_eq!(dns_names(&container, &wish), ["u1", "3e6e0bc21337"]);
        container.config.hostname = "hosty".to_owned();
        wish.aliases = Some(vec!["al".to_owned(), "u1".to_owned()]);
        assert_eq!(dns_names(&container, &wish), ["u1", "al", "3e6e0bc21337", "hosty"]);
        let named = for_connect(&container, &network("n1", ""), &wish, None);
        assert_eq!(named.names.len(), 4);
        let default = for_connect(&container, &network("bridge", ""), &wish, None);
        assert!(default.names.is_empty() && !default.network.names);
    }

    #[test]
    fn hardware_addresses() {
        let mac = [0x92, 0xd0, 0xc6, 0x0a, 0x29, 0x33];
        assert_eq!(parse_mac("92:d0:c6:0a:29:33"), Some(mac));
        assert_eq!(parse_mac("92-D0-C6-0A-29-33"), Some(mac));
        assert_eq!(show_mac(mac), "92:d0:c6:0a:29:33");
        for text in ["", "92:d0:c6:0a:29", "92:d0:c6:0a:29:33:00", "92:d0:c6:0a:29:+3"] {
            assert_eq!(parse_mac(text), None, "{text}");
        }
    }
}
