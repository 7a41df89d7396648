//! Networks and volumes are made, and made anew.

use std::collections::BTreeMap;

use coracle_runtime::EngineError;
use coracle_runtime::networks::{CreateNetwork, IpamConfig, NetworkError};
use coracle_runtime::volumes::CreateVolume;

use super::{Apply, ApplyError, Kind};
use crate::plan::{Action, Step};
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
            // Or somebody was faster.
            Ok(_) | Err(EngineError::Network(NetworkError::NameTaken { .. })) => {
                self.watcher.tell(Kind::Network, name, "Created");
            }
            Err(error) => {
                self.watcher.fails(Kind::Network, name, &error.to_string());
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// The containers on it do not run any more, and remember how they are on it: their names,
    /// addresses and options there are those of the next start.
    pub(super) fn replace_network(&mut self, key: &str, name: &str) -> Result<(), ApplyError> {
        self.watcher.tell(Kind::Network, name, "Removing");
        match self.engine.remove_network(name, false) {
            // Somebody was faster.
            Ok(()) | Err(EngineError::Network(NetworkError::NotFound { .. })) => {}
            Err(error) => return Err(error.into()),
        }
        self.watcher.tell(Kind::Network, name, "Removed");
        self.create_network(key, name)
    }

    /// The old one goes first, because the new one may want its addresses.
    pub(super) fn rename_network(&mut self, step: &Step) -> Result<(), ApplyError> {
        let (key, name, old) = (&step.id, &step.object, &step.from);
        match self.engine.remove_network(old, false) {
            Ok(()) => self.watcher.tell(Kind::Network, old, "Removed"),
            Err(EngineError::Network(NetworkError::NotFound { .. })) => {}
            Err(EngineError::Network(NetworkError::InUse { .. })) => self.watcher.warn(&format!(
                "network {old} is still in use and was left in place; remove it manually once \
                 no container is attached"
            )),
            Err(error) => return Err(error.into()),
        }
        self.create_network(key, name)?;
        let uses = |service: &&crate::project::Service| service.networks.contains_key(key);
        let services: Vec<String> =
            self.project.services.values().filter(uses).map(|one| one.name.clone()).collect();
        let wanted = Wanted { services, stopped: true, ..Wanted::default() };
        for summary in found::containers(self.engine.list()?, &self.project.name, &wanted) {
            if summary.container.network_settings.networks.contains_key(old) {
                self.engine.move_to_network(&summary.container.id, old, name)?;
            }
        }
        Ok(())
    }

    /// Nothing is stopped for a network that cannot be replaced, because containers that are not
    /// of these services are on it.
    pub(super) fn refuse_others_on_networks(&self, steps: &[Step]) -> Result<(), ApplyError> {
        for step in steps.iter().filter(|step| step.action == Action::ReplaceNetwork) {
            let Ok(network) = self.engine.networks.find(&step.object) else { continue };
            let ends = |name: &str| {
                let ends = [Action::Stop, Action::Remove, Action::Recreate];
                steps.iter().any(|step| ends.contains(&step.action) && step.object == name)
            };
            let mut users = self.engine.network_users(&network);
            users.retain(|user| !ends(&user.name));
            if !users.is_empty() {
                return Err(NetworkError::InUse { name: network.name, users }.into());
            }
        }
        Ok(())
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
                self.watcher.fails(Kind::Volume, name, &error.to_string());
                return Err(error.into());
            }
        }
        Ok(())
    }

    pub(super) fn replace_volume(&mut self, key: &str, name: &str) -> Result<(), ApplyError> {
        let wanted = Wanted { stopped: true, ..Wanted::default() };
        for summary in found::containers(self.engine.list()?, &self.project.name, &wanted) {
            let mut names = summary.container.mounts.iter().map(|mount| &mount.point.name);
            let known = self.project.services.contains_key(found::label(&summary, labels::SERVICE));
            if known && names.any(|volume| volume == name) {
                self.stop_and_remove(&summary.container.id, &summary.container.name, false)?;
            }
        }
        self.watcher.tell(Kind::Volume, name, "Removing");
        self.engine.remove_volume(name, false)?;
        self.watcher.tell(Kind::Volume, name, "Removed");
        self.create_volume(key, name)
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
        bare_ipam: false,
    }
}
