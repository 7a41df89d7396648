//! An address block such as `172.18.0.0/16`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address and how many of its leading bits count. The other bits may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix: u8,
}

/// The text is no address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid CIDR block notation")]
pub struct InvalidCidr;

impl Cidr {
    pub(crate) const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix }
    }

    /// The block with all bits beyond the prefix cleared.
    #[must_use]
    pub fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        };
        Self { address, prefix: self.prefix }
    }

    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Self { address, prefix: self.prefix }.masked() == self.masked()
    }

    /// Whether an address is in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let wider = if self.prefix <= other.prefix { self } else { other };
        let narrower = if self.prefix <= other.prefix { other } else { self };
        wider.contains(narrower.address)
    }

    #[must_use]
    pub fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    /// The address after the block's own, where Docker puts the gateway.
    #[must_use]
    pub fn first_host(self) -> IpAddr {
        match self.masked().address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits().saturating_add(1))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits().saturating_add(1))),
        }
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let (address, prefix) = text.split_once('/').ok_or(InvalidCidr)?;
        let address: IpAddr = address.parse().map_err(|_| InvalidCidr)?;
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| digits).ok_or(InvalidCidr)?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        if prefix > bits_max { Err(InvalidCidr) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn blocks_are_read_and_written() {
        for text in ["172.18.0.0/16", "0.0.0.0/0", "10.1.0.5/24", "fd00:1::/64", "::/0"] {
            assert_eq!(cidr(text).to_string(), text);
        }
        for text in ["", "bogus", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/+8", "fd00::/129", "/8"] {
            assert_eq!(text.parse::<Cidr>(), Err(InvalidCidr), "{text}");
        }
    }

    #[test]
    fn masks_cut_the_rest() {
        assert_eq!(cidr("10.1.0.5/24").masked(), cidr("10.1.0.0/24"));
        assert_eq!(cidr("10.1.0.5/32").masked(), cidr("10.1.0.5/32"));
        assert_eq!(cidr("10.1.0.5/0").masked(), cidr("0.0.0.0/0"));
        assert_eq!(cidr("fd00:1::9/64").masked(), cidr("fd00:1::/64"));
        assert_eq!(cidr("172.18.0.0/16").first_host().to_string(), "172.18.0.1");
        assert_eq!(cidr("fd00:1::/64").first_host().to_string(), "fd00:1::1");
    }

    #[test]
    fn blocks_that_share_addresses() {
        assert!(cidr("172.30.0.0/24").overlaps(cidr("172.30.0.0/16")));
        assert!(cidr("172.30.0.0/16").overlaps(cidr("172.30.9.0/24")));
        assert!(!cidr("172.30.0.0/16").overlaps(cidr("172.31.0.0/16")));
        assert!(!cidr("0.0.0.0/0").overlaps(cidr("::/0")));
        assert!(cidr("172.30.0.0/16").contains("172.30.200.1".parse().unwrap()));
    }
}
