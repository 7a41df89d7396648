//! A network on disk, and as `network inspect` shows it.

use std::collections::BTreeMap;

use coracle_netns::prefix::Prefix;
use coracle_netns::protocol;
use serde::{Deserialize, Serialize};

use super::NetworkError;
use super::options::Settings;
use crate::model::Timestamp;

/// Version of the record this code writes.
pub(super) const RECORD_VERSION: u32 = 1;

/// The name of the network of containers that ask for none.
pub const BRIDGE: &str = "bridge";
/// Names that no other network can have, each with its driver.
pub(super) const PREDEFINED: [(&str, &str); 3] =
    [(BRIDGE, BRIDGE), ("host", "host"), ("none", "null")];

/// A network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Network {
    pub name: String,
    /// 64 hexadecimal digits, or 25 of base 36 for a swarm's.
    pub id: String,
    pub created: Timestamp,
    pub driver: String,
    #[serde(rename = "EnableIPv4")]
    pub enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    pub enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    pub ipam: Ipam,
    pub internal: bool,
    /// Containers that are no tasks may join, though it is a swarm's.
    pub attachable: bool,
    /// It is a swarm's.
    pub swarm: bool,
    /// It is the one of ports that services publish.
    pub ingress: bool,
    /// As given with `--opt`.
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// The session of the Engine API that it was made in, and goes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Where its addresses come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Ipam {
    pub driver: String,
    pub options: Option<BTreeMap<String, String>>,
    pub config: Option<Vec<IpamConfig>>,
}

/// One address block, in the user's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct IpamConfig {
    pub subnet: String,
    #[serde(rename = "IPRange", skip_serializing_if = "String::is_empty")]
    pub ip_range: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub auxiliary_addresses: BTreeMap<String, String>,
}

/// The content of `networks/ID.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) network: Network,
}

impl Network {
    /// Whether it is one of Docker's three that are always there.
    #[must_use]
    pub fn is_predefined(&self) -> bool {
        PREDEFINED.iter().any(|(name, _)| *name == self.name)
    }

    /// Whose it is, as Docker says it.
    #[must_use]
    pub fn scope(&self) -> &'static str {
        if self.swarm { "swarm" } else { "local" }
    }

    /// Whether a container may join; `is_task` when the swarm made it.
    pub(crate) fn admits(&self, is_task: bool) -> Result<(), NetworkError> {
        if self.swarm && !self.attachable && !is_task {
            return Err(NetworkError::NotAttachable { name: self.name.clone() });
        }
        Ok(())
    }

    /// Whether containers get devices and addresses in it.
    #[must_use]
    pub fn has_endpoints(&self) -> bool {
        !matches!(self.driver.as_str(), "host" | "null")
    }

    /// Whether members find each other by name.
    #[must_use]
    pub fn has_names(&self) -> bool {
        self.has_endpoints() && self.name != BRIDGE
    }

    /// Its address blocks.
    pub fn subnets(&self) -> impl Iterator<Item = Prefix> + '_ {
        self.ipam.config.iter().flatten().filter_map(|config| config.subnet.parse().ok())
    }

    /// What the network helper is told about it.
    #[must_use]
    pub fn for_helper(&self) -> protocol::Network {
        let settings = Settings::of(&self.options);
        protocol::Network {
            id: self.id.clone(),
            name: self.name.clone(),
            subnets: self.ipam.config.iter().flatten().filter_map(subnet).collect(),
            internal: self.internal,
            names: self.has_names(),
            talk: settings.talk,
            mtu: settings.mtu,
            routed: self.swarm,
        }
    }

    /// As `network inspect` shows it.
    #[must_use]
    pub fn inspect(&self, containers: BTreeMap<String, Member>) -> NetworkInspect<'_> {
        let absent = |is_empty: bool| self.swarm && is_empty;
        NetworkInspect {
            name: &self.name,
            id: &self.id,
            created: self.created,
            scope: self.scope(),
            driver: &self.driver,
            enable_ipv4: self.enable_ipv4,
            enable_ipv6: self.enable_ipv6,
            ipam: &self.ipam,
            internal: self.internal,
            attachable: self.attachable,
            ingress: self.ingress,
            config_from: ConfigFrom { network: "" },
            config_only: false,
            containers: (!absent(containers.is_empty())).then_some(containers),
            options: &self.options,
            labels: (!absent(self.labels.is_empty() && !self.ingress)).then_some(&self.labels),
        }
    }
}

fn subnet(config: &IpamConfig) -> Option<protocol::Subnet> {
    let subnet: Prefix = config.subnet.parse().ok()?;
    let range: Option<Prefix> = config.ip_range.parse().ok();
    Some(protocol::Subnet {
        address: subnet.address,
        prefix: subnet.length,
        gateway: config.gateway.parse().unwrap_or_else(|_| subnet.first_host()),
        range: range.map(|range| (range.address, range.length)),
        reserved: config
            .auxiliary_addresses
            .values()
            .filter_map(|address| address.parse().ok())
            .collect(),
    })
}

/// What `network inspect` prints, in Docker's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkInspect<'a> {
    name: &'a str,
    id: &'a str,
    created: Timestamp,
    scope: &'static str,
    driver: &'a str,
    #[serde(rename = "EnableIPv4")]
    enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    ipam: &'a Ipam,
    internal: bool,
    attachable: bool,
    ingress: bool,
    config_from: ConfigFrom,
    config_only: bool,
    containers: Option<BTreeMap<String, Member>>,
    options: &'a BTreeMap<String, String>,
    labels: Option<&'a BTreeMap<String, String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConfigFrom {
    network: &'static str,
}

/// A container in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Member {
    pub name: String,
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    pub mac_address: String,
    #[serde(rename = "IPv4Address")]
    pub ipv4_address: String,
    #[serde(rename = "IPv6Address")]
    pub ipv6_address: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inspect_is_dockers() {
        let config = IpamConfig {
            subnet: "172.18.0.0/16".to_owned(),
            gateway: "172.18.0.1".to_owned(),
            ..IpamConfig::default()
        };
        let network = Network {
            name: "n1".to_owned(),
            id: "9fe25c5032cd".to_owned(),
            created: "2026-11-20T23:59:02.691678802Z".parse().unwrap(),
            driver: BRIDGE.to_owned(),
            enable_ipv4: true,
            ipam: Ipam {
                driver: "default".to_owned(),
                options: Some(BTreeMap::new()),
                config: Some(vec![config]),
            },
            ..Network::default()
        };
        assert_eq!(
            serde_json::to_string(&network.inspect(BTreeMap::new())).unwrap(),
            r#"{"Name":"n1","Id":"9fe25c5032cd","Created":"2026-11-20T23:59:02.691678802Z","Scope":"local","Driver":"bridge","EnableIPv4":true,"EnableIPv6":false,"IPAM":{"Driver":"default","Options":{},"Config":[{"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}]},"Internal":false,"Attachable":false,"Ingress":false,"ConfigFrom":{"Network":""},"ConfigOnly":false,"Containers":{},"Options":{},"Labels":{}}"#
        );
        let told = network.for_helper();
        assert_eq!(told.subnets[0].gateway.to_string(), "172.18.0.1");
        assert!(told.names && told.talk && told.mtu == 0);
    }

    #[test]
    fn the_helper_gets_what_the_user_left_out() {
        let aux = [("r".to_owned(), "fd00:1::5".to_owned())].into();
        let config = IpamConfig {
            subnet: "fd00:1::/64".to_owned(),
            ip_range: "fd00:1::/80".to_owned(),
            auxiliary_addresses: aux,
            ..IpamConfig::default()
        };
        let subnet = subnet(&config).unwrap();
        assert_eq!(subnet.gateway.to_string(), "fd00:1::1");
        assert_eq!(subnet.range, Some(("fd00:1::".parse().unwrap(), 80)));
        assert_eq!(subnet.reserved, ["fd00:1::5".parse::<std::net::IpAddr>().unwrap()]);
    }
}
