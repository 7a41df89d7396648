//! What `network inspect` tells.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use coracle_runtime::Home;
use coracle_runtime::networks::{IpamConfig, Member, Network};
use serde_json::{Map, Value, json};

use crate::document::value_of;
use crate::{Api, ViewError};

/// What Docker tells of a network, in its order.
///
/// # Errors
/// When there is none of that name or id, or its record cannot be read.
pub fn document(home: &Home, name: &str, api: Api) -> Result<Value, ViewError> {
    let network = super::find(home, name)?;
    let members = super::find::members(home, &network)?;
    of(&network, members, api)
}

fn of(network: &Network, members: BTreeMap<String, Member>, api: Api) -> Result<Value, ViewError> {
    let status = status(network, &members);
    let document = value_of(&network.inspect(members))?;
    Ok(match (api, document) {
        (Api::V1_55, Value::Object(mut document)) => {
            // Docker 29 has them at the end.
            let members = document.shift_remove("Containers").filter(|members| !members.is_null());
            document.insert("Containers".to_owned(), members.unwrap_or_else(|| json!({})));
            document.insert("Status".to_owned(), status);
            document.into()
        }
        (_, document) => document,
    })
}

/// How many addresses are used, and how many there are to be given out.
///
/// # Limits
///
/// Only of IPv4 subnets.
fn status(network: &Network, members: &BTreeMap<String, Member>) -> Value {
    let mut subnets = Map::new();
    for config in network.ipam.config.iter().flatten() {
        let Some(subnet) = Subnet::parse(&config.subnet) else { continue };
        let pool = Subnet::parse(&config.ip_range).unwrap_or(subnet);
        let used: BTreeSet<u32> =
            used(subnet, config, members).filter(|address| subnet.contains(*address)).collect();
        let in_pool = used.iter().filter(|address| pool.contains(**address)).count() as u64;
        let numbers = json!({
            "IPsInUse": used.len(),
            "DynamicIPsAvailable": pool.count().saturating_sub(in_pool),
        });
        subnets.insert(config.subnet.clone(), numbers);
    }
    match subnets.is_empty() {
        true => json!({ "IPAM": {} }),
        false => json!({ "IPAM": { "Subnets": subnets } }),
    }
}

/// The first and last address, the gateway, those kept back, and the containers'.
fn used<'a>(
    subnet: Subnet,
    config: &'a IpamConfig,
    members: &'a BTreeMap<String, Member>,
) -> impl Iterator<Item = u32> + 'a {
    let kept = config.auxiliary_addresses.values().map(String::as_str);
    let members = members.values().filter_map(|m| m.ipv4_address.split('/').next());
    let address = |text: &str| text.parse::<Ipv4Addr>().ok().map(u32::from);
    // The network gives itself one that nobody has named.
    let gateway = address(&config.gateway).unwrap_or(subnet.first.saturating_add(1));
    let named = kept.chain(members).filter_map(address);
    [subnet.first, subnet.last, gateway].into_iter().chain(named)
}

/// An IPv4 subnet, both ends included.
#[derive(Debug, Clone, Copy)]
struct Subnet {
    first: u32,
    last: u32,
}

impl Subnet {
    fn parse(text: &str) -> Option<Self> {
        let prefix: coracle_runtime::networks::Prefix = text.parse().ok()?;
        match (prefix.network().address, prefix.last()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Some(Self { first: first.into(), last: last.into() })
            }
            _ => None,
        }
    }

    fn contains(self, address: u32) -> bool {
        (self.first..=self.last).contains(&address)
    }

    fn count(self) -> u64 {
        u64::from(self.last - self.first) + 1
    }
}

#[cfg(test)]
mod tests {
    use coracle_runtime::networks::Ipam;

    use super::*;

    fn network(config: IpamConfig) -> Network {
        Network {
            name: "n1".to_owned(),
            id: "9fe25c5032cd".to_owned(),
            created: "2026-11-20T23:59:02.691678802Z".parse().unwrap(),
            driver: "bridge".to_owned(),
            enable_ipv4: true,
            ipam: Ipam {
                driver: "default".to_owned(),
                options: Some(BTreeMap::new()),
                config: Some(vec![config]),
            },
            ..Network::default()
        }
    }

    fn plain() -> Network {
        network(IpamConfig {
            subnet: "172.17.0.0/16".to_owned(),
            gateway: "172.17.0.1".to_owned(),
            ..IpamConfig::default()
        })
    }

    fn one_member() -> BTreeMap<String, Member> {
        let member = Member {
            name: "p1".to_owned(),
            ipv4_address: "172.17.0.2/16".to_owned(),
            ..Member::default()
        };
        [("48fc".to_owned(), member)].into()
    }

    fn keys(document: &Value) -> Vec<&str> {
        document.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn docker_28_ends_with_the_labels() {
        let document = of(&plain(), one_member(), Api::V1_51).unwrap();
        assert_eq!(
            keys(&document),
            [
                "Name",
                "Id",
                "Created",
                "Scope",
                "Driver",
                "EnableIPv4",
                "EnableIPv6",
                "IPAM",
                "Internal",
                "Attachable",
                "Ingress",
                "ConfigFrom",
                "ConfigOnly",
                "Containers",
                "Options",
                "Labels",
            ]
        );
        assert_eq!(document["Containers"]["48fc"]["IPv4Address"], "172.17.0.2/16");
    }

    #[test]
    fn docker_29_adds_how_many_addresses_are_used() {
        let document = of(&plain(), one_member(), Api::V1_55).unwrap();
        assert_eq!(keys(&document)[13..], ["Options", "Labels", "Containers", "Status"]);
        // As recorded for one container on the default bridge.
        assert_eq!(
            document["Status"],
            json!({ "IPAM": { "Subnets": { "172.17.0.0/16": {
                "IPsInUse": 4, "DynamicIPsAvailable": 65532,
            } } } })
        );
        let empty = of(&plain(), BTreeMap::new(), Api::V1_55).unwrap();
        let subnet = &empty["Status"]["IPAM"]["Subnets"]["172.17.0.0/16"];
        assert_eq!(*subnet, json!({ "IPsInUse": 3, "DynamicIPsAvailable": 65533 }));
    }

    #[test]
    fn a_range_is_what_is_given_out_of() {
        let network = network(IpamConfig {
            subnet: "10.99.0.0/24".to_owned(),
            ip_range: "10.99.0.128/25".to_owned(),
            gateway: "10.99.0.1".to_owned(),
            auxiliary_addresses: [("r".to_owned(), "10.99.0.130".to_owned())].into(),
        });
        let document = of(&network, BTreeMap::new(), Api::V1_55).unwrap();
        // As recorded: of the 128 addresses the last and the one kept back are used.
        assert_eq!(
            document["Status"]["IPAM"]["Subnets"]["10.99.0.0/24"],
            json!({ "IPsInUse": 4, "DynamicIPsAvailable": 126 })
        );
    }

    #[test]
    fn a_gateway_that_nobody_named_is_used_too() {
        let subnet = "10.97.0.0/28".to_owned();
        let network = network(IpamConfig { subnet, ..IpamConfig::default() });
        let document = of(&network, BTreeMap::new(), Api::V1_55).unwrap();
        assert_eq!(
            document["Status"]["IPAM"]["Subnets"]["10.97.0.0/28"],
            json!({ "IPsInUse": 3, "DynamicIPsAvailable": 13 })
        );
    }
}
