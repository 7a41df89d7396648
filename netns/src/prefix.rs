//! An IP address with the length of its network part, as `172.18.0.2/16`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address in a network, or, with no bit set after the prefix, the network itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    pub address: IpAddr,
    pub length: u8,
}

/// The text is no address with a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid CIDR block notation")]
pub struct InvalidPrefix;

impl Prefix {
    /// For tables: the length is one that there is.
    #[must_use]
    pub const fn v4(octets: [u8; 4], length: u8) -> Self {
        let [a, b, c, d] = octets;
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), length }
    }

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

    /// The address after the network's own, where Docker puts the gateway.
    #[must_use]
    pub fn first_host(&self) -> IpAddr {
        self.with(self.network().number().saturating_add(1))
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

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let (address, length) = text.split_once('/').ok_or(InvalidPrefix)?;
        let address: IpAddr = address.parse().map_err(|_| InvalidPrefix)?;
        let digits = length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|_| digits).ok_or(InvalidPrefix)?;
        Self::new(address, length).ok_or(InvalidPrefix)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
pub(crate) fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
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
        assert_eq!(prefix("fd00:1::9/64").network(), prefix("fd00:1::/64"));
        assert_eq!(prefix("10.1.0.5/0").network(), prefix("0.0.0.0/0"));
        assert_eq!(prefix("172.18.3.0/16").first_host().to_string(), "172.18.0.1");
        assert_eq!(prefix("fd00:1::/64").first_host().to_string(), "fd00:1::1");
    }

    #[test]
    fn prefixes_are_read_and_written() {
        for text in ["172.18.0.0/16", "0.0.0.0/0", "10.1.0.5/24", "fd00:1::/64", "::/0"] {
            assert_eq!(prefix(text).to_string(), text);
        }
        for text in ["", "bogus", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/+8", "fd00::/129", "/8"] {
            assert_eq!(text.parse::<Prefix>(), Err(InvalidPrefix), "{text}");
        }
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
