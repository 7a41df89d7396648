//! An IP address with the length of its network part, as `172.18.0.2/16`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address in a network, or, with no bit set after the prefix, the network itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    pub address: IpAddr,
    pub length: u8,
}

impl Prefix {
    /// `None` when no address of the family has so many bits.
    #[must_use]
    pub fn new(address: impl Into<IpAddr>, length: u8) -> Option<Self> {
        let address = address.into();
        (length <= bits_of(address)).then_some(Self { address, length })
    }

    /// The address and nothing else.
    #[must_use]
    pub fn host(address: impl Into<IpAddr>) -> Self {
        let address = address.into();
        Self { address, length: bits_of(address) }
    }

    #[must_use]
    pub fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// The network that the address is in: all later bits are zero.
    #[must_use]
    pub fn network(&self) -> Self {
        Self { address: self.with(self.number() & !self.host_mask()), ..*self }
    }

    /// The last address of the network; in IPv4 the one for broadcasts.
    #[must_use]
    pub fn last(&self) -> IpAddr {
        self.with(self.number() | self.host_mask())
    }

    /// Whether the network has the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && (self.number() ^ number_of(address)) & !self.host_mask() == 0
    }

    /// Whether the networks have an address in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.length <= other.length {
            self.contains(other.address)
        } else {
            other.contains(self.address)
        }
    }

    /// The address as a number.
    pub(crate) fn number(&self) -> u128 {
        number_of(self.address)
    }

    /// The bits that differ among addresses of the network.
    pub(crate) fn host_mask(&self) -> u128 {
        let free = u32::from(bits_of(self.address) - self.length);
        1_u128.checked_shl(free).map_or(u128::MAX, |bit| bit - 1)
    }

    /// The address of this family that has this number.
    pub(crate) fn with(&self, number: u128) -> IpAddr {
        if self.address.is_ipv4() {
            let number = u32::try_from(number & u128::from(u32::MAX)).expect("just cut");
            Ipv4Addr::from_bits(number).into()
        } else {
            Ipv6Addr::from_bits(number).into()
        }
    }
}

pub(crate) fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn bits_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
pub(crate) fn prefix(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').unwrap();
    Prefix::new(address.parse::<IpAddr>().unwrap(), length.parse().unwrap()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_and_last_address() {
        let address = prefix("172.18.3.4/16");
        assert_eq!(address.network(), prefix("172.18.0.0/16"));
        assert_eq!(address.last().to_string(), "172.18.255.255");
        assert_eq!(prefix("fd00:1::7/64").last().to_string(), "fd00:1::ffff:ffff:ffff:ffff");
        assert_eq!(prefix("0.0.0.0/0").last().to_string(), "255.255.255.255");
        assert_eq!(prefix("10.0.0.1/32").last().to_string(), "10.0.0.1");
        assert_eq!(prefix("::/0").host_mask(), u128::MAX);
    }

    #[test]
    fn no_prefix_is_longer_than_its_address() {
        assert_eq!(Prefix::new(Ipv4Addr::LOCALHOST, 33), None);
        assert_eq!(Prefix::new(Ipv6Addr::LOCALHOST, 129), None);
    }

    #[test]
    fn networks_overlap_when_one_holds_the_other() {
        let wide = prefix("172.16.0.0/12");
        assert!(wide.overlaps(&prefix("172.18.0.0/16")));
        assert!(prefix("172.18.0.0/16").overlaps(&wide));
        assert!(!prefix("172.18.0.0/16").overlaps(&prefix("172.19.0.0/16")));
        assert!(!prefix("0.0.0.0/0").overlaps(&prefix("::/0")));
    }
}
