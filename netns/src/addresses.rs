//! Which addresses an endpoint gets: one of each family that its network has subnets of.
//!
//! # How it works
//!
//! An address that the user asked for is had or refused. Otherwise the one from last time, if
//! it is still free, so that a container keeps its address when it starts again; otherwise the
//! first that is free, from the bottom of the subnet's range, as Docker does. Never given out:
//! the network's own address, in IPv4 the one for broadcasts, the gateway's, and those that
//! the network keeps for others. Addresses that are reserved for somebody are had only by who
//! asks for that very one.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::prefix::{Prefix, number_of};
use crate::protocol::{Network, Subnet};

/// The longest IPv4 prefix that has addresses of its own for the network and for broadcasts
/// (RFC 3021).
const V4_PREFIX_WITH_EDGES_MAX: u8 = 30;

/// What an endpoint would like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// This one or an error.
    pub ip: Option<Ipv4Addr>,
    pub ip6: Option<Ipv6Addr>,
    /// This one if it is free.
    pub last_ip: Option<Ipv4Addr>,
    pub last_ip6: Option<Ipv6Addr>,
}

/// Why an endpoint gets no address; in Docker's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    #[error("Address already in use")]
    InUse,
    #[error("no configured subnet contains IP address {0}")]
    NoSubnet(IpAddr),
    #[error("no available {family} addresses on this network's address pools: {network} ({id})")]
    Exhausted { family: &'static str, network: String, id: String },
}

/// Picks addresses for an endpoint in `network`, of which `taken` are others' and `reserved` are
/// for who asks for them; each comes with the length of its subnet's prefix.
///
/// # Errors
/// When what was asked for cannot be had, or everything is taken.
pub fn pick(
    network: &Network,
    wish: &Wish,
    taken: &[IpAddr],
    reserved: &[IpAddr],
) -> Result<Vec<Prefix>, AddressError> {
    let asked: HashSet<_> = taken.iter().copied().collect();
    let mut any = asked.clone();
    any.extend(reserved);
    let taken = |is_asked: bool| if is_asked { &asked } else { &any };
    let v4 = pick_one(network, "IPv4", taken(wish.ip.is_some()), wish.ip, wish.last_ip)?;
    let v6 = pick_one(network, "IPv6", taken(wish.ip6.is_some()), wish.ip6, wish.last_ip6)?;
    Ok(v4.into_iter().chain(v6).collect())
}

fn pick_one<A: Into<IpAddr>>(
    network: &Network,
    family: &'static str,
    taken: &HashSet<IpAddr>,
    asked: Option<A>,
    last: Option<A>,
) -> Result<Option<Prefix>, AddressError> {
    let is_v4 = family == "IPv4";
    let pools: Vec<_> = network
        .subnets
        .iter()
        .filter(|subnet| subnet.address.is_ipv4() == is_v4)
        .filter_map(|subnet| Pool::of(subnet, taken))
        .collect();
    let pool_of = |ip: IpAddr| pools.iter().find(|pool| pool.subnet.contains(ip));
    if let Some(ip) = asked.map(Into::into) {
        let pool = pool_of(ip).ok_or(AddressError::NoSubnet(ip))?;
        return if pool.is_free(ip) { Ok(Some(pool.give(ip))) } else { Err(AddressError::InUse) };
    }
    if let Some(ip) = last.map(Into::into)
        && let Some(pool) = pool_of(ip)
        && pool.is_free(ip)
    {
        return Ok(Some(pool.give(ip)));
    }
    if pools.is_empty() {
        return Ok(None);
    }
    pools.iter().find_map(Pool::first_free).map(Some).ok_or_else(|| AddressError::Exhausted {
        family,
        network: network.name.clone(),
        id: network.id.clone(),
    })
}

/// A subnet and what is in use of it.
struct Pool<'a> {
    subnet: Prefix,
    range: Prefix,
    of: &'a Subnet,
    taken: &'a HashSet<IpAddr>,
}

impl<'a> Pool<'a> {
    /// `None` when the subnet is no subnet.
    fn of(of: &'a Subnet, taken: &'a HashSet<IpAddr>) -> Option<Self> {
        let subnet = Prefix::new(of.address, of.prefix)?.network();
        let range = match of.range {
            Some((address, length)) => Prefix::new(address, length)?.network(),
            None => subnet,
        };
        Some(Self { subnet, range, of, taken })
    }

    fn give(&self, address: IpAddr) -> Prefix {
        Prefix { address, length: self.subnet.length }
    }

    fn is_free(&self, ip: IpAddr) -> bool {
        ip != self.of.gateway
            && !self.is_edge(ip)
            && !self.of.reserved.contains(&ip)
            && !self.taken.contains(&ip)
    }

    fn is_edge(&self, ip: IpAddr) -> bool {
        if self.subnet.is_v4() {
            self.subnet.length <= V4_PREFIX_WITH_EDGES_MAX
                && (ip == self.subnet.address || ip == self.subnet.last())
        } else {
            // Any router answers to it (RFC 4291, 2.6.1).
            self.subnet.length < 127 && ip == self.subnet.address
        }
    }

    /// Ends after as many steps as addresses are in use, however large the subnet is.
    fn first_free(&self) -> Option<Prefix> {
        let (first, last) = (self.range.number(), number_of(self.range.last()));
        (first..=last)
            .map(|number| self.range.with(number))
            .find(|ip| self.is_free(*ip))
            .map(|ip| self.give(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::prefix;

    /// `subnet gateway [range [reserved]]`, as recorded of Docker.
    fn network(subnets: &[&str]) -> Network {
        let subnet = |text: &&str| {
            let words: Vec<_> = text.split(' ').collect();
            let Prefix { address, length } = prefix(words[0]);
            Subnet {
                address,
                prefix: length,
                gateway: words[1].parse().unwrap(),
                range: words.get(2).map(|range| prefix(range)).map(|it| (it.address, it.length)),
                reserved: words.get(3).map(|ip| ip.parse().unwrap()).into_iter().collect(),
            }
        };
        Network {
            id: "ecdc17941e1f".into(),
            name: "n2".into(),
            subnets: subnets.iter().map(subnet).collect(),
            ..Network::default()
        }
    }

    fn picked(network: &Network, wish: Wish, taken: &[&str]) -> Result<Vec<String>, String> {
        let taken: Vec<_> = taken.iter().map(|ip| ip.parse().unwrap()).collect();
        pick(network, &wish, &taken, &[])
            .map(|prefixes| prefixes.iter().map(ToString::to_string).collect())
            .map_err(|error| error.to_string())
    }

    fn asked(ip: &str) -> Wish {
        Wish { ip: Some(ip.parse().unwrap()), ..Wish::default() }
    }

    fn last(ip: &str) -> Wish {
        Wish { last_ip: Some(ip.parse().unwrap()), ..Wish::default() }
    }

    const RANGED: &str = "172.30.0.0/24 172.30.0.254 172.30.0.128/25 172.30.0.129";

    #[test]
    fn the_first_free_from_the_bottom() {
        let plain = network(&["172.18.0.0/16 172.18.0.1"]);
        let any = Wish::default();
        assert_eq!(picked(&plain, any, &[]).unwrap(), ["172.18.0.2/16"]);
        assert_eq!(picked(&plain, any, &["172.18.0.2", "172.18.0.4"]).unwrap(), ["172.18.0.3/16"]);
        // The range begins with its first address, and what is reserved is left out.
        let ranged = network(&[RANGED]);
        assert_eq!(picked(&ranged, any, &[]).unwrap(), ["172.30.0.128/24"]);
        assert_eq!(picked(&ranged, any, &["172.30.0.128"]).unwrap(), ["172.30.0.130/24"]);
    }

    #[test]
    fn one_address_of_each_family() {
        let both = network(&["fd00:1::/64 fd00:1::1", "172.22.0.0/16 172.22.0.1"]);
        let any = Wish::default();
        assert_eq!(picked(&both, any, &[]).unwrap(), ["172.22.0.2/16", "fd00:1::2/64"]);
        let asked = Wish { ip6: Some("fd00:1::77".parse().unwrap()), ..any };
        assert_eq!(picked(&both, asked, &[]).unwrap(), ["172.22.0.2/16", "fd00:1::77/64"]);
        let nothing = network(&[]);
        assert_eq!(picked(&nothing, any, &[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_address_that_was_asked_for_is_had_or_refused() {
        let ranged = network(&[RANGED]);
        // Outside of the range, inside of the subnet.
        assert_eq!(picked(&ranged, asked("172.30.0.5"), &[]).unwrap(), ["172.30.0.5/24"]);
        for used in ["172.30.0.254", "172.30.0.129", "172.30.0.0", "172.30.0.255", "172.30.0.7"] {
            let error = picked(&ranged, asked(used), &["172.30.0.7"]).unwrap_err();
            assert_eq!(error, "Address already in use", "{used}");
        }
        assert_eq!(
            picked(&ranged, asked("10.0.0.1"), &[]).unwrap_err(),
            "no configured subnet contains IP address 10.0.0.1"
        );
        let second = network(&["172.18.0.0/16 172.18.0.1", "10.7.0.0/24 10.7.0.1"]);
        assert_eq!(picked(&second, asked("10.7.0.9"), &[]).unwrap(), ["10.7.0.9/24"]);
    }

    #[test]
    fn the_last_address_again_if_it_is_free() {
        let plain = network(&["172.18.0.0/16 172.18.0.1"]);
        assert_eq!(picked(&plain, last("172.18.0.9"), &[]).unwrap(), ["172.18.0.9/16"]);
        let taken = ["172.18.0.9"];
        assert_eq!(picked(&plain, last("172.18.0.9"), &taken).unwrap(), ["172.18.0.2/16"]);
        // The network is another one since.
        assert_eq!(picked(&plain, last("10.0.0.9"), &[]).unwrap(), ["172.18.0.2/16"]);
    }

    #[test]
    fn what_is_reserved_is_for_who_asks_for_it() {
        let plain = network(&["10.0.1.0/24 10.0.1.1"]);
        let reserved: [IpAddr; 2] = ["10.0.1.2", "10.0.1.3"].map(|ip| ip.parse().unwrap());
        let got = |wish: Wish, taken: &[IpAddr]| {
            pick(&plain, &wish, taken, &reserved).map(|prefixes| prefixes[0].to_string())
        };
        assert_eq!(got(Wish::default(), &[]).unwrap(), "10.0.1.4/24");
        assert_eq!(got(last("10.0.1.3"), &[]).unwrap(), "10.0.1.4/24");
        assert_eq!(got(asked("10.0.1.3"), &[]).unwrap(), "10.0.1.3/24");
        assert_eq!(got(asked("10.0.1.3"), &reserved), Err(AddressError::InUse));
    }

    #[test]
    fn everything_taken_is_an_error_and_a_second_subnet_helps() {
        let small = ["10.7.0.0/30 10.7.0.1"];
        let any = Wish::default();
        assert_eq!(picked(&network(&small), any, &[]).unwrap(), ["10.7.0.2/30"]);
        assert_eq!(
            picked(&network(&small), any, &["10.7.0.2"]).unwrap_err(),
            "no available IPv4 addresses on this network's address pools: n2 (ecdc17941e1f)"
        );
        let more = network(&[small[0], "10.8.0.0/24 10.8.0.1"]);
        assert_eq!(picked(&more, any, &["10.7.0.2"]).unwrap(), ["10.8.0.2/24"]);
        // A link of two has no edges.
        let pair = network(&["10.7.0.0/31 10.7.0.0"]);
        assert_eq!(picked(&pair, any, &[]).unwrap(), ["10.7.0.1/31"]);
    }
}
