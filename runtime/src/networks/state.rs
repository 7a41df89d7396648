//! What a running container has of its networks: kept, and as `inspect` shows it.

use std::net::IpAddr;

use coracle_netns::protocol::Connected;

use super::endpoint::show_mac;
use super::{BRIDGE, Member, dns_names};
use crate::model::{
    Container, Endpoint, EndpointSettings, LastAddress, NetworkSettings, NetworkState,
};

impl Endpoint {
    /// As `network inspect` lists it.
    #[must_use]
    pub fn member(&self, container: &str) -> Member {
        let Connected { endpoint, mac, ip, prefix, ip6, prefix6, .. } = &self.got;
        let shown = |ip: Option<IpAddr>, prefix: u8| {
            ip.map(|ip| format!("{ip}/{prefix}")).unwrap_or_default()
        };
        Member {
            name: container.to_owned(),
            endpoint_id: endpoint.clone(),
            mac_address: show_mac(*mac),
            ipv4_address: shown(ip.map(IpAddr::V4), *prefix),
            ipv6_address: shown(ip6.map(IpAddr::V6), *prefix6),
        }
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.got.ip.map(IpAddr::V4).into_iter().chain(self.got.ip6.map(IpAddr::V6))
    }
}

impl NetworkState {
    /// The container's own addresses, the first network's first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.by_device().into_iter().flat_map(Endpoint::addresses)
    }

    fn by_device(&self) -> Vec<&Endpoint> {
        let mut all: Vec<&Endpoint> = self.endpoints.values().collect();
        // `eth9` before `eth10`.
        all.sort_by_key(|endpoint| (endpoint.got.interface.len(), endpoint.got.interface.as_str()));
        all
    }

    /// A new endpoint; its addresses are wanted again next time.
    pub fn add(&mut self, name: &str, network: &str, got: Connected) {
        self.last.insert(network.to_owned(), LastAddress { ip: got.ip, ip6: got.ip6 });
        let network = network.to_owned();
        self.endpoints.insert(name.to_owned(), Endpoint { network, got });
    }

    /// The container no longer runs.
    pub fn clear(&mut self) {
        let last = std::mem::take(&mut self.last);
        *self = Self { last, ..Self::default() };
    }

    /// Fills what `inspect` shows of a container's networks.
    #[must_use]
    pub fn show(&self, container: &Container) -> NetworkSettings {
        let mut settings = container.network_settings.clone();
        for (name, endpoint) in &self.endpoints {
            let shown = settings.networks.entry(name.clone()).or_default();
            fill(shown, endpoint);
            if name != BRIDGE {
                shown.dns_names = Some(dns_names(container, shown));
            }
        }
        settings.ports.clone_from(&self.ports);
        if let Some(bridge) =
            self.endpoints.contains_key(BRIDGE).then(|| &settings.networks[BRIDGE])
        {
            let bridge = bridge.clone();
            settings.endpoint_id = bridge.endpoint_id;
            settings.gateway = bridge.gateway;
            settings.global_ipv6_address = bridge.global_ipv6_address;
            settings.global_ipv6_prefix_len = bridge.global_ipv6_prefix_len;
            settings.ip_address = bridge.ip_address;
            settings.ip_prefix_len = bridge.ip_prefix_len;
            settings.ipv6_gateway = bridge.ipv6_gateway;
            settings.mac_address = bridge.mac_address;
        }
        settings
    }
}

fn fill(shown: &mut EndpointSettings, endpoint: &Endpoint) {
    let text = |address: Option<IpAddr>| address.map(|a| a.to_string()).unwrap_or_default();
    let got = &endpoint.got;
    shown.network_id.clone_from(&endpoint.network);
    shown.endpoint_id.clone_from(&got.endpoint);
    shown.mac_address = show_mac(got.mac);
    shown.gateway = text(got.gateway.map(IpAddr::V4));
    shown.ip_address = text(got.ip.map(IpAddr::V4));
    shown.ip_prefix_len = if got.ip.is_some() { got.prefix } else { 0 };
    shown.ipv6_gateway = text(got.gateway6.map(IpAddr::V6));
    shown.global_ipv6_address = text(got.ip6.map(IpAddr::V6));
    shown.global_ipv6_prefix_len = if got.ip6.is_some() { got.prefix6 } else { 0 };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(ip: &str, interface: &str) -> Connected {
        Connected {
            endpoint: "465ab363c6da".to_owned(),
            interface: interface.to_owned(),
            mac: [0xd2, 0x4e, 0xa0, 0xed, 0x2d, 0xc3],
            ip: ip.parse().ok(),
            prefix: 16,
            gateway: "172.17.0.1".parse().ok(),
            ..Connected::default()
        }
    }

    fn container(network: &str) -> Container {
        let mut container = Container {
            id: "3e6e0bc2133707b6bff96efaa5080fdfc2ff358d9a3edd1495307a99917ffa77".to_owned(),
            name: "p1".to_owned(),
            ..Container::default()
        };
        let wish = EndpointSettings::default();
        container.network_settings.networks.insert(network.to_owned(), wish);
        container
    }

    #[test]
    fn the_default_bridge_is_shown_twice() {
        let mut state = NetworkState::default();
        state.add(BRIDGE, "8e6066b1507e", got("172.17.0.2", "eth0"));
        let shown = state.show(&container(BRIDGE));
        assert_eq!((shown.ip_address.as_str(), shown.ip_prefix_len), ("172.17.0.2", 16));
        assert_eq!(shown.mac_address, "d2:4e:a0:ed:2d:c3");
        let bridge = &shown.networks[BRIDGE];
        assert_eq!((bridge.network_id.as_str(), &bridge.dns_names), ("8e6066b1507e", &None));
        assert_eq!(bridge.gateway, "172.17.0.1");
        assert_eq!((bridge.global_ipv6_address.as_str(), bridge.global_ipv6_prefix_len), ("", 0));
        state.clear();
        let shown = state.show(&container(BRIDGE));
        assert_eq!(shown.ip_address, "");
        assert!(shown.networks.contains_key(BRIDGE) && shown.ports.is_empty());
        assert_eq!(state.last["8e6066b1507e"].ip, "172.17.0.2".parse().ok(), "wanted again");
    }

    #[test]
    fn names_are_shown_where_they_are_answered() {
        let mut state = NetworkState::default();
        state.add("n1", "9fe25c5032cd", got("172.18.0.2", "eth0"));
        let shown = state.show(&container("n1"));
        let names = shown.networks["n1"].dns_names.clone().unwrap();
        assert_eq!(names, ["p1", "3e6e0bc21337"]);
        assert_eq!(shown.ip_address, "");
    }

    #[test]
    fn addresses_come_in_the_order_of_devices() {
        let mut state = NetworkState::default();
        state.add("a", "1", got("172.19.0.2", "eth10"));
        state.add("b", "2", got("172.18.0.2", "eth9"));
        let shown: Vec<String> = state.addresses().map(|ip| ip.to_string()).collect();
        assert_eq!(shown, ["172.18.0.2", "172.19.0.2"]);
    }

    #[test]
    fn members_are_dockers() {
        let endpoint = Endpoint { network: "8e60".to_owned(), got: got("172.17.0.2", "eth0") };
        assert_eq!(
            serde_json::to_string(&endpoint.member("p1")).unwrap(),
            r#"{"Name":"p1","EndpointID":"465ab363c6da","MacAddress":"d2:4e:a0:ed:2d:c3","IPv4Address":"172.17.0.2/16","IPv6Address":""}"#
        );
    }
}
