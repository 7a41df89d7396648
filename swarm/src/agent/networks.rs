//! The networks of tasks, as the decisions and the containers need to know them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use coracle_netns::prefix::Prefix;
use coracle_netns::protocol::Connected;
use coracle_runtime::EngineError;
use coracle_runtime::networks::{CreateNetwork, SwarmNetwork};
use coracle_words::ErrorKind;

use super::Agent;
use super::adopt::TASK_LABEL;
use super::serve::told;
use crate::SwarmError;
use crate::client;
use crate::container::Facts;
use crate::model::Node;
use crate::protocol::Init;
use crate::reconcile::{Addresses, NetworkFacts, Surroundings};

/// Files with the names of nodes begin with it.
const HOST_NAME: &str = "hostname-";
const INGRESS: &str = "ingress";
/// The network that Docker has on every node for the way out.
pub const GWBRIDGE: &str = "docker_gwbridge";
const GWBRIDGE_OPTIONS: [(&str, &str); 3] = [
    ("com.docker.network.bridge.enable_icc", "false"),
    ("com.docker.network.bridge.enable_ip_masquerade", "true"),
    ("com.docker.network.bridge.name", "docker_gwbridge"),
];

impl Agent<'_> {
    /// What the state does not say.
    pub(super) fn surroundings(&self) -> Surroundings {
        let mut networks = BTreeMap::new();
        let Ok(engine) = self.host.home().engine() else { return Surroundings { networks } };
        for network in engine.networks.list().unwrap_or_default() {
            let subnets = network.for_helper().subnets;
            let subnet = subnets.iter().find(|subnet| subnet.address.is_ipv4());
            let facts = NetworkFacts {
                subnet: subnet.and_then(|it| Prefix::new(it.address, it.prefix)),
                gateway: subnet.map(|subnet| subnet.gateway),
                ingress: network.ingress,
            };
            // Docker's three are on every node, and services name them by their names.
            if network.is_predefined() {
                networks.insert(network.name, facts.clone());
            }
            networks.insert(network.id, facts);
        }
        Surroundings { networks }
    }

    /// The addresses that containers of nobody's service hold: all their files are read.
    pub(super) fn addresses_of_others(&self) -> Addresses {
        let mut taken = Addresses::new();
        let Ok(engine) = self.host.home().engine() else { return taken };
        let tasks: BTreeSet<&str> = self.runs.values().map(|run| run.container.as_str()).collect();
        for id in engine.records.ids().unwrap_or_default() {
            if tasks.contains(id.as_str()) {
                continue;
            }
            let Ok(life) = engine.records.life_as_written(&id) else { continue };
            let others = life.network.endpoints.values();
            for endpoint in others.filter(|_| !self.is_of_task(&id)) {
                let held = taken.entry(endpoint.network.clone()).or_default();
                held.extend(addresses(&endpoint.got));
            }
        }
        taken
    }

    fn is_of_task(&self, container: &str) -> bool {
        let engine = self.host.home().engine().ok();
        let container = engine.and_then(|engine| engine.records.load(container).ok());
        container.is_some_and(|container| container.config.labels.contains_key(TASK_LABEL))
    }

    /// What containers of tasks need to know.
    pub(super) fn container_facts(&self, node: &Node) -> Facts {
        let engine = self.host.home().engine();
        let networks = engine.and_then(|engine| Ok(engine.networks.list()?)).unwrap_or_default();
        Facts {
            defaults: self.host.defaults(),
            networks: networks.into_iter().map(|network| (network.id, network.name)).collect(),
            shared_machine: self.journal.state.nodes.len() > 1,
            hostname_file: self.hostname_file(node),
        }
    }

    fn own_files(&self) -> Option<PathBuf> {
        Some(client::door(&self.host.home().engine().ok()?.paths().run).folder)
    }

    /// Takes the names of nodes away, which nobody mounts any more.
    pub(super) fn forget_hostnames(&self) {
        let entries = self.own_files().and_then(|folder| std::fs::read_dir(folder).ok());
        for entry in entries.into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(HOST_NAME) {
                // What is left is gone with this boot.
                drop(std::fs::remove_file(entry.path()));
            }
        }
    }

    /// The file that a bind of `/etc/hostname` shows on a rehearsal node; it is of this boot, as the containers are.
    fn hostname_file(&self, node: &Node) -> Option<String> {
        if node.own.number == 0 {
            return None;
        }
        let path = self.own_files()?.join(format!("{HOST_NAME}{}", node.own.number));
        let content = format!("{}\n", node.description.hostname);
        if !std::fs::read_to_string(&path).is_ok_and(|there| there == content) {
            std::fs::write(&path, content).ok()?;
        }
        Some(path.to_str()?.to_owned())
    }
}

fn addresses(got: &Connected) -> impl Iterator<Item = IpAddr> {
    got.ip.map(IpAddr::from).into_iter().chain(got.ip6.map(IpAddr::from))
}

impl Agent<'_> {
    /// The network of published ports, and the one that Docker has for the way out.
    pub(super) fn make_networks(&self, init: &Init) -> Result<(), SwarmError> {
        let failed = |error: EngineError| SwarmError::refused(ErrorKind::Internal, told(&error));
        let engine = self.host.home().engine().map_err(failed)?;
        let there = engine.networks.list().map_err(|error| failed(error.into()))?;
        let missing = |name: &str| !there.iter().any(|network| network.name == name);
        if missing(INGRESS) {
            let request = CreateNetwork {
                name: INGRESS.to_owned(),
                driver: "overlay".to_owned(),
                ipv4: true,
                swarm: Some(SwarmNetwork { ingress: true, pools: pools(init), id: None }),
                ..CreateNetwork::default()
            };
            engine.create_network(request).map_err(failed)?;
        }
        if missing(GWBRIDGE) {
            let options = GWBRIDGE_OPTIONS.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let request = CreateNetwork {
                name: GWBRIDGE.to_owned(),
                ipv4: true,
                options: options.into(),
                ..CreateNetwork::default()
            };
            engine.create_network(request).map_err(failed)?;
        }
        Ok(())
    }

    /// What is the swarm's ends with it. One that a container is still in is removed by hand.
    pub(super) fn remove_networks(&self) {
        let Ok(engine) = self.host.home().engine() else { return };
        for network in engine.networks.list().unwrap_or_default() {
            if network.swarm {
                drop(engine.remove_network(&network.id, false));
            }
        }
    }
}

/// What networks of the swarm are cut from.
pub(super) fn pools(init: &Init) -> Vec<(Prefix, u8)> {
    let size = u8::try_from(init.subnet_size).unwrap_or(24);
    let pools = init.default_addr_pool.iter().flatten();
    pools.filter_map(|pool| Some((pool.parse().ok()?, size))).collect()
}
