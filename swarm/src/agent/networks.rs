//! The networks of tasks, as the decisions and the containers need to know them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use coracle_netns::prefix::Prefix;
use coracle_netns::protocol::Connected;

use super::Agent;
use super::adopt::TASK_LABEL;
use crate::container::Facts;
use crate::reconcile::{NetworkFacts, Surroundings};

impl Agent<'_> {
    /// What the state does not say: subnets, and addresses that containers of nobody's service hold.
    pub(super) fn surroundings(&self) -> Surroundings {
        let mut networks = BTreeMap::new();
        let Ok(engine) = self.host.home().engine() else { return Surroundings { networks } };
        for network in engine.networks.list().unwrap_or_default() {
            let subnets = network.for_helper().subnets;
            let subnet = subnets.iter().find(|subnet| subnet.address.is_ipv4());
            let facts = NetworkFacts {
                subnet: subnet.and_then(|it| Prefix::new(it.address, it.prefix)),
                gateway: subnet.map(|subnet| subnet.gateway),
                taken: BTreeSet::new(),
                ingress: false,
            };
            networks.insert(network.id, facts);
        }
        let tasks: BTreeSet<&str> = self.runs.values().map(|run| run.container.as_str()).collect();
        for id in engine.records.ids().unwrap_or_default() {
            if tasks.contains(id.as_str()) {
                continue;
            }
            let Ok(life) = engine.records.life_as_written(&id) else { continue };
            let others = life.network.endpoints.values();
            for endpoint in others.filter(|_| !self.is_of_task(&id)) {
                if let Some(facts) = networks.get_mut(&endpoint.network) {
                    facts.taken.extend(addresses(&endpoint.got));
                }
            }
        }
        Surroundings { networks }
    }

    fn is_of_task(&self, container: &str) -> bool {
        let engine = self.host.home().engine().ok();
        let container = engine.and_then(|engine| engine.records.load(container).ok());
        container.is_some_and(|container| container.config.labels.contains_key(TASK_LABEL))
    }

    /// What containers of tasks need to know.
    pub(super) fn container_facts(&self) -> Facts {
        let engine = self.host.home().engine();
        let networks = engine.and_then(|engine| Ok(engine.networks.list()?)).unwrap_or_default();
        Facts {
            defaults: self.host.defaults(),
            networks: networks.into_iter().map(|network| (network.id, network.name)).collect(),
            shared_machine: self.journal.state.nodes.len() > 1,
            hostname_file: None,
        }
    }
}

fn addresses(got: &Connected) -> impl Iterator<Item = IpAddr> {
    got.ip.map(IpAddr::from).into_iter().chain(got.ip6.map(IpAddr::from))
}

impl Agent<'_> {
    pub(super) fn make_networks(
        &self,
        _init: &crate::protocol::Init,
    ) -> Result<(), crate::SwarmError> {
        Ok(())
    }

    pub(super) fn remove_networks(&self) {}
}
