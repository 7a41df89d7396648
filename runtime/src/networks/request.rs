//! A network as asked for: what Docker's engine checks before it makes one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use coracle_netns::prefix::Prefix;

use super::record::{BRIDGE, IpamConfig, PREDEFINED};
use super::{NetworkError, options};

/// A network to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateNetwork {
    pub name: String,
    /// Empty means `bridge`.
    pub driver: String,
    pub ipv4: bool,
    pub ipv6: bool,
    pub ipam: Vec<IpamConfig>,
    pub internal: bool,
    pub attachable: bool,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// It is a swarm's.
    pub swarm: Option<SwarmNetwork>,
    /// Options for giving out addresses were not as much as named, which is what its document then says.
    pub bare_ipam: bool,
}

/// What a swarm's network has besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwarmNetwork {
    /// 25 digits of base 36; made here when there is none.
    pub id: Option<String>,
    /// It is the one of ports that services publish; there is one at most.
    pub ingress: bool,
    /// Blocks that it is cut from, and how long the prefix of a piece is; `10.0.0.0/8` and 24 when
    /// there are none.
    pub pools: Vec<(Prefix, u8)>,
}

/// Drivers of Docker that need the host's own devices.
const HOST_DRIVERS: [&str; 2] = ["macvlan", "ipvlan"];

/// The driver of a swarm's networks.
pub const OVERLAY: &str = "overlay";

/// The length of ids that swarms make.
pub(super) const SWARM_ID_DIGITS: usize = 25;

/// The longest part of a DNS name.
const DNS_LABEL_MAX: usize = 63;

pub(super) fn is_swarm_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_lowercase()
}

/// Longer than any name that somebody types.
const NAME_BYTES_MAX: usize = 255;

impl CreateNetwork {
    /// Refuses what is wrong by itself; what depends on other networks is left to the store.
    pub(super) fn check(&self) -> Result<(), NetworkError> {
        if self.name.trim().is_empty() {
            return Err(NetworkError::EmptyName);
        }
        if self.name.len() > NAME_BYTES_MAX {
            let name = self.name.chars().take(32).collect();
            return Err(NetworkError::LongName { name, limit: NAME_BYTES_MAX });
        }
        // As a mode `default` is the bridge, so no network can have that name.
        if self.name == "default" || PREDEFINED.iter().any(|(name, _)| *name == self.name) {
            return Err(NetworkError::Predefined { name: self.name.clone() });
        }
        if let Some(swarm) = &self.swarm {
            self.check_swarm(swarm)?;
        }
        match self.driver.as_str() {
            "" | BRIDGE | OVERLAY => {}
            driver @ ("host" | "null") => {
                return Err(NetworkError::OneInstance { driver: driver.to_owned() });
            }
            driver if HOST_DRIVERS.contains(&driver) => {
                return Err(NetworkError::Unsupported {
                    what: format!("driver {driver}"),
                    why: "it needs a device of the host, which takes root; use bridge",
                });
            }
            driver => return Err(NetworkError::UnknownDriver { driver: driver.to_owned() }),
        }
        if !self.ipv4 && !self.ipv6 {
            return Err(NetworkError::NoFamily);
        }
        options::check(&self.options)?;
        let errors: Vec<String> =
            self.ipam.iter().flat_map(|config| self.check_block(config)).collect();
        if errors.is_empty() { Ok(()) } else { Err(NetworkError::InvalidConfig(errors)) }
    }

    fn check_swarm(&self, swarm: &SwarmNetwork) -> Result<(), NetworkError> {
        if !matches!(self.driver.as_str(), "" | OVERLAY) {
            return Err(NetworkError::Unsupported {
                what: format!("driver {} for a network of a swarm", self.driver),
                why: "it is an overlay network",
            });
        }
        let is_id = |id: &String| id.len() == SWARM_ID_DIGITS && id.bytes().all(is_swarm_digit);
        if !swarm.id.as_ref().is_none_or(is_id) {
            return Err(NetworkError::NotFound { reference: swarm.id.clone().unwrap_or_default() });
        }
        // A letter or digit at both ends, and between any of them also `-` and `_`.
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let ends = self.name.bytes().next().into_iter().chain(self.name.bytes().last());
        let mut ends = ends.map(|byte| byte.is_ascii_alphanumeric());
        let is_name = ends.all(|it| it) && self.name.bytes().all(inner);
        if !is_name || self.name.len() > DNS_LABEL_MAX {
            return Err(NetworkError::InvalidSwarmName);
        }
        Ok(())
    }

    fn check_block(&self, config: &IpamConfig) -> Vec<String> {
        let text = &config.subnet;
        let subnet: Prefix = match text.parse() {
            Ok(subnet) => subnet,
            Err(error) => return vec![format!("invalid subnet {text}: {error}")],
        };
        let mut errors = Vec::new();
        if subnet != subnet.network() {
            errors.push(format!("invalid subnet {text}: it should be {}", subnet.network()));
        }
        let (enabled, family) =
            if subnet.is_v4() { (self.ipv4, "IPv4") } else { (self.ipv6, "IPv6") };
        if !enabled {
            errors.push(format!("invalid subnet {text}: {family} is not enabled"));
        }
        errors.extend(range_error(&config.ip_range, subnet));
        let outside = |kind: &str, address: &str| match address.parse::<IpAddr>() {
            Err(_) => Some(format!("invalid {kind} {address}: invalid address")),
            Ok(parsed) if !subnet.contains(parsed) => Some(format!(
                "invalid {kind} {address}: parent subnet {subnet} doesn't contain this address"
            )),
            Ok(_) => None,
        };
        if !config.gateway.is_empty() {
            errors.extend(outside("gateway", &config.gateway));
        }
        for address in config.auxiliary_addresses.values() {
            errors.extend(outside("auxiliary address", address));
        }
        errors
    }
}

fn range_error(text: &str, subnet: Prefix) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let why = match text.parse::<Prefix>() {
        Err(error) => error.to_string(),
        Ok(range) if range != range.network() => format!("it should be {}", range.network()),
        Ok(range) if range.length < subnet.length => {
            format!("CIDR block is bigger than its parent subnet {subnet}")
        }
        Ok(range) if !subnet.contains(range.address) => {
            format!("parent subnet {subnet} doesn't contain ip-range")
        }
        Ok(_) => return None,
    };
    Some(format!("invalid ip-range {text}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str) -> CreateNetwork {
        CreateNetwork { name: name.to_owned(), ipv4: true, ..CreateNetwork::default() }
    }

    fn block(subnet: &str) -> IpamConfig {
        IpamConfig { subnet: subnet.to_owned(), ..IpamConfig::default() }
    }

    fn complaint(request: &CreateNetwork) -> String {
        request.check().unwrap_err().to_string()
    }

    #[test]
    fn names_and_drivers_in_dockers_words() {
        assert!(request("bad name").check().is_ok());
        assert_eq!(complaint(&request("")), "invalid name: name is empty");
        assert_eq!(
            complaint(&request("host")),
            "operation is not permitted on predefined host network"
        );
        let driver = |driver: &str| CreateNetwork { driver: driver.to_owned(), ..request("n") };
        assert_eq!(complaint(&driver("nosuch")), "plugin \"nosuch\" not found");
        assert_eq!(complaint(&driver("host")), "only one instance of \"host\" network is allowed");
        assert!(complaint(&driver("macvlan")).starts_with("driver macvlan: not supported"));
        assert!(driver("overlay").check().is_ok());
    }

    #[test]
    fn address_blocks_in_dockers_words() {
        let with = |config: IpamConfig| CreateNetwork { ipam: vec![config], ..request("n") };
        assert_eq!(
            complaint(&with(block("bogus"))),
            "invalid network config:\ninvalid subnet bogus: invalid CIDR block notation"
        );
        assert_eq!(
            complaint(&with(block("10.1.0.5/24"))),
            "invalid network config:\ninvalid subnet 10.1.0.5/24: it should be 10.1.0.0/24"
        );
        let range = IpamConfig { ip_range: "10.0.0.0/8".to_owned(), ..block("10.1.0.0/24") };
        assert_eq!(
            complaint(&with(range)),
            "invalid network config:\ninvalid ip-range 10.0.0.0/8: CIDR block is bigger than its \
             parent subnet 10.1.0.0/24"
        );
        let gateway = IpamConfig { gateway: "10.2.0.1".to_owned(), ..block("10.1.0.0/24") };
        assert_eq!(
            complaint(&with(gateway)),
            "invalid network config:\ninvalid gateway 10.2.0.1: parent subnet 10.1.0.0/24 doesn't \
             contain this address"
        );
        assert!(complaint(&with(block("fd00::/64"))).ends_with("IPv6 is not enabled"));
        assert!(with(block("10.1.0.0/24")).check().is_ok());
    }

    #[test]
    fn what_a_swarm_asks_for() {
        let swarm = |name: &str, swarm: SwarmNetwork| CreateNetwork {
            driver: OVERLAY.to_owned(),
            swarm: Some(swarm),
            ..request(name)
        };
        let plain = SwarmNetwork::default();
        assert!(swarm("my_net-1", plain.clone()).check().is_ok());
        for name in ["bad name_front", "-a", "a-", "a.b", &"a".repeat(64)] {
            assert_eq!(
                complaint(&swarm(name, plain.clone())),
                "rpc error: code = InvalidArgument desc = name must be valid as a DNS name component"
            );
        }
        let bridge = CreateNetwork { driver: BRIDGE.to_owned(), ..swarm("n", plain) };
        assert!(complaint(&bridge).contains("not supported"));
        let id = |id: &str| SwarmNetwork { id: Some(id.to_owned()), ..SwarmNetwork::default() };
        assert!(swarm("n", id("812f2kxwdnfjygsn9bkp0do62")).check().is_ok());
        assert!(swarm("n", id("../812f2kxwdnfjygsn9bkp0d")).check().is_err());
    }

    #[test]
    fn a_network_has_a_family() {
        let none = CreateNetwork { ipv4: false, ..request("n") };
        assert_eq!(complaint(&none), "IPv4 or IPv6 must be enabled");
    }
}
