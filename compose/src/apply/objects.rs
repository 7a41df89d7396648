//! Networks and volumes are made, and made anew.

use std::collections::BTreeMap;

use coracle_runtime::networks::{CreateNetwork, IpamConfig};
use coracle_runtime::volumes::CreateVolume;

use super::{Apply, ApplyError, Kind};
use crate::project::found::{self, Wanted};
use crate::project::{Network, labels};

impl Apply<'_> {
    fn labels(
        &self,
        own: &BTreeMap<String, String>,
        kind: &str,
        key: &str,
        hash: String,
    ) -> BTreeMap<String, String> {
        let mut all = own.clone();
        let mut put = |name: &str, value: String| all.insert(name.to_owned(), value);
        put(labels::PROJECT, self.project.name.clone());
        put(labels::VERSION, labels::COMPOSE_VERSION.to_owned());
        put(labels::CONFIG_HASH, hash);
        put(kind, key.to_owned());
        all
    }

    pub(super) fn create_network(&mut self, key: &str, name: &str) -> Result<(), ApplyError> {
        let network = self.project.networks.get(key).cloned().unwrap_or_default();
        self.watcher.tell(Kind::Network, name, "Creating");
        let labels = self.labels(&network.labels, labels::NETWORK, key, network.hash());
        match self.engine.create_network(request(&network, name, labels)) {
            Ok(_) => self.watcher.tell(Kind::Network, name, "Created"),
            Err(error) => {
                self.watcher.tell(Kind::Network, name, "Error");
                return Err(error.into());
            }
        }
        Ok(())
    }

    pub(super) fn replace_network(&mut self, key: &str, name: &str) -> Result<(), ApplyError> {
        for summary in self.everything()? {
            let joins = summary.container.network_settings.networks.contains_key(name);
            if joins && summary.life.state.status.is_running() {
                self.stop_one(&summary.container.id, &summary.container.name)?;
            }
        }
        self.engine.remove_network(name, false)?;
        self.watcher.tell(Kind::Network, name, "Removed");
        self.create_network(key, name)
    }

    pub(super) fn create_volume(&mut self, key: &str, name: &str) -> Result<(), ApplyError> {
        let volume = self.project.volumes.get(key).cloned().unwrap_or_default();
        self.watcher.tell(Kind::Volume, name, "Creating");
        let labels = self.labels(&volume.labels, labels::VOLUME, key, volume.hash());
        let request = CreateVolume {
            name: Some(name.to_owned()),
            driver: volume.driver,
            labels,
            options: volume.driver_opts,
            passing: false,
        };
        match self.engine.create_volume(request) {
            Ok(_) => self.watcher.tell(Kind::Volume, name, "Created"),
            Err(error) => {
                self.watcher.tell(Kind::Volume, name, "Error");
                return Err(error.into());
            }
        }
        Ok(())
    }

    pub(super) fn replace_volume(&mut self, key: &str, name: &str) -> Result<(), ApplyError> {
        for summary in self.everything()? {
            let mut names = summary.container.mounts.iter().map(|mount| &mount.point.name);
            if names.any(|volume| volume == name) {
                self.stop_and_remove(&summary.container.id, &summary.container.name, false)?;
            }
        }
        self.engine.remove_volume(name, false)?;
        self.create_volume(key, name)
    }

    fn everything(&self) -> Result<Vec<coracle_runtime::engine::Summary>, ApplyError> {
        let wanted = Wanted { stopped: true, one_off: true, ..Wanted::default() };
        Ok(found::containers(self.engine.list()?, &self.project.name, &wanted))
    }
}

fn request(network: &Network, name: &str, labels: BTreeMap<String, String>) -> CreateNetwork {
    let block = |block: &crate::project::IpamBlock| IpamConfig {
        subnet: block.subnet.clone(),
        gateway: block.gateway.clone(),
        ip_range: block.ip_range.clone(),
        auxiliary_addresses: block.aux_addresses.clone(),
    };
    CreateNetwork {
        name: name.to_owned(),
        driver: network.driver.clone(),
        ipv4: network.enable_ipv4.unwrap_or(true),
        ipv6: network.enable_ipv6.unwrap_or(false),
        ipam: network.ipam.config.iter().map(block).collect(),
        internal: network.internal,
        attachable: network.attachable,
        options: network.driver_opts.clone(),
        labels,
        swarm: None,
    }
}
