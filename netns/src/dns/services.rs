//! Names of services: of a virtual address, or of whichever tasks are ready.
//!
//! # Limits
//!
//! What is known is replaced as a whole; nothing is known of who is ready but what was said.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::balance::Service;

/// The services of all networks, by network id.
#[derive(Debug, Default)]
pub struct Services {
    by_network: HashMap<String, Names>,
}

#[derive(Debug, Default)]
struct Names {
    /// By name in small letters; services may share one.
    addresses: HashMap<String, Vec<IpAddr>>,
    /// The name of each virtual address.
    vips: HashMap<IpAddr, String>,
}

impl Services {
    /// Adds a network's services.
    pub fn add(&mut self, network: &str, services: &[Service]) {
        let names = self.by_network.entry(network.to_owned()).or_default();
        for service in services {
            let virtual_one: Vec<IpAddr> = service.vip.into_iter().collect();
            let answer = if virtual_one.is_empty() { &service.ready } else { &virtual_one };
            for name in &service.names {
                names.put(name, answer);
            }
            for name in &service.task_names {
                names.put(name, &service.ready);
            }
            if let (Some(vip), Some(name)) = (service.vip, service.names.first()) {
                names.vips.insert(vip, name.clone());
            }
        }
    }

    /// The addresses of a name in a network; none though it is known when nobody is ready.
    pub(super) fn addresses(&self, network: &str, name: &str) -> Option<&[IpAddr]> {
        let names = self.by_network.get(network)?;
        names.addresses.get(&name.to_ascii_lowercase()).map(Vec::as_slice)
    }

    /// The name of a virtual address in a network.
    pub(super) fn name_of(&self, network: &str, vip: IpAddr) -> Option<&str> {
        self.by_network.get(network)?.vips.get(&vip).map(String::as_str)
    }
}

impl Names {
    fn put(&mut self, name: &str, addresses: &[IpAddr]) {
        let all = self.addresses.entry(name.to_ascii_lowercase()).or_default();
        for address in addresses {
            if !all.contains(address) {
                all.push(*address);
            }
        }
    }
}
