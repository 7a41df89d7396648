//! Networks as commands see them: who is in which, and containers that come and go.

use std::collections::BTreeMap;

use super::Engine;
use super::hold::Held;
use crate::error::EngineError;
use crate::events::Kind;
use crate::model::{Container, Endpoint, EndpointSettings, HostConfig};
use crate::networks::{
    BRIDGE, CreateNetwork, Filter, Helper, Member, Network, NetworkError, User, check_endpoint,
};
use crate::spec::NetworkMode;
use crate::wire::Request;

/// How the network helper does its work now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperStatus {
    /// How it sees the packets of containers' connections.
    pub path: String,
    pub members: usize,
}

/// The network helper stays as long as this lives, though no container may be on a network.
#[derive(Debug)]
pub struct KeptHelper(Helper);

impl KeptHelper {
    /// Whether it is still there: it may have been killed.
    pub fn is_alive(&self) -> bool {
        self.0.is_alive()
    }
}

const SHARES_NAMESPACE: &str = "container sharing network namespace with another container or \
                                host cannot be connected to any other network";
const PRIVATE: &str = "container cannot be connected to multiple networks with one of the \
                       networks in private (none) mode";

impl Engine {
    /// Keeps the network helper that is there, so that containers that come one after the other need not each start one.
    pub fn keep_helper(&self) -> Option<KeptHelper> {
        // Without it the next container starts another.
        Helper::present(&self.paths).ok().flatten().map(KeptHelper)
    }

    /// Makes a network.
    ///
    /// # Errors
    /// As [`crate::networks::Networks::create`].
    pub fn create_network(&self, request: CreateNetwork) -> Result<Network, EngineError> {
        let network = self.networks.create(request)?;
        self.tell_of_network(&network, "create");
        Ok(network)
    }

    /// Removes a network that nobody is connected to; with `force`, one of a newer version.
    ///
    /// # Errors
    /// As [`crate::networks::Networks::remove`].
    pub fn remove_network(&self, reference: &str, force: bool) -> Result<(), EngineError> {
        self.remove_network_unless(reference, force, |_| None)
    }

    /// The same, unless a swarm's network is in use there: `in_swarm` gives by whom, as
    /// `service ID`.
    ///
    /// # Errors
    /// As [`crate::networks::Networks::remove`].
    pub fn remove_network_unless(
        &self,
        reference: &str,
        force: bool,
        in_swarm: impl FnOnce(&Network) -> Option<String>,
    ) -> Result<(), EngineError> {
        let users = |network: &Network| self.network_users(network);
        let network = self.networks.remove(reference, force, in_swarm, users)?;
        self.tell_of_network(&network, "destroy");
        Ok(())
    }

    /// Removes networks of the user's that nobody is connected to, nor a swarm uses (as
    /// [`Engine::remove_network_unless`]); gives their names.
    ///
    /// # Errors
    /// When one cannot be removed; those before it are gone.
    pub fn prune_networks(
        &self,
        filter: &Filter,
        in_swarm: impl Fn(&Network) -> Option<String>,
    ) -> Result<Vec<String>, EngineError> {
        let mut gone = Vec::new();
        for network in self.networks.list()? {
            if network.is_predefined() || network.ingress || !filter.matches(&network, || false) {
                continue;
            }
            match self.remove_network_unless(&network.id, false, &in_swarm) {
                Ok(()) => gone.push(network.name),
                // In use, or somebody was faster.
                Err(EngineError::Network(
                    NetworkError::InUse { .. }
                    | NetworkError::InSwarmUse { .. }
                    | NetworkError::NotFound { .. },
                )) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(gone)
    }

    fn tell_of_network(&self, network: &Network, action: &str) {
        let attributes = [("name", network.name.as_str()), ("type", network.driver.as_str())];
        self.events.object(Kind::Network, action, &network.id, &attributes);
    }

    /// The containers connected to a network now, by name.
    #[must_use]
    pub fn network_users(&self, network: &Network) -> Vec<User> {
        let user = |(container, endpoint): (Container, Endpoint)| User {
            name: container.name,
            endpoint: endpoint.got.endpoint,
        };
        let mut users: Vec<User> = self.connected(network).into_iter().map(user).collect();
        users.sort();
        users
    }

    /// The same as `network inspect` shows them.
    #[must_use]
    pub fn network_members(&self, network: &Network) -> BTreeMap<String, Member> {
        let member = |(container, endpoint): (Container, Endpoint)| {
            let member = endpoint.member(&container.name);
            (container.id, member)
        };
        let addressless = match network.driver.as_str() {
            "host" | "null" => self.in_mode(&network.name),
            _ => Vec::new(),
        };
        self.connected(network).into_iter().map(member).chain(addressless).collect()
    }

    /// The containers that run in one of the modes `host` and `none`.
    fn in_mode(&self, mode: &str) -> Vec<(String, Member)> {
        let one = |id: String| {
            let life = self.records.life(&id).ok()?;
            self.records.watcher(&life)?;
            let container = self.records.load(&id).ok()?;
            let Container { id: endpoint_id, name, host_config, .. } = container;
            (host_config.network_mode == mode)
                .then_some((id, Member { name, endpoint_id, ..Member::default() }))
        };
        self.records.ids().unwrap_or_default().into_iter().filter_map(one).collect()
    }

    fn connected(&self, network: &Network) -> Vec<(Container, Endpoint)> {
        let one = |id: String| {
            // What is being removed or made is in no network.
            let life = self.records.life(&id).ok()?;
            self.records.watcher(&life)?;
            let mut endpoints = life.network.endpoints.into_values();
            let endpoint = endpoints.find(|endpoint| endpoint.network == network.id)?;
            // It is there, though nobody can read how it is called.
            Some((self.what_is_left(&id), endpoint))
        };
        self.records.ids().unwrap_or_default().into_iter().filter_map(one).collect()
    }

    /// Connects a container to a network, now or when it starts.
    ///
    /// # Errors
    /// In Docker's words, when there is no such network or container, or they do not go
    /// together.
    pub fn connect_network(
        &self,
        reference: &str,
        container: &str,
        wish: EndpointSettings,
    ) -> Result<(), EngineError> {
        let network = self.networks.find(reference)?;
        let id = self.records.find(container)?;
        let container = self.records.load(&id)?;
        let refuse = |text: &str| Err(EngineError::Refuse(text.to_owned()));
        let aliased = wish.aliases.as_ref().is_some_and(|list| !list.is_empty());
        if aliased && network.is_predefined() {
            return refuse("network-scoped aliases are only supported for user-defined networks");
        }
        match (NetworkMode::parse(&container.host_config.network_mode), network.driver.as_str()) {
            (_, "host") => {
                return refuse(
                    "cannot connect container to host network - container must be created in \
                     host network mode",
                );
            }
            (NetworkMode::Host | NetworkMode::Container(_), _) => return refuse(SHARES_NAMESPACE),
            (NetworkMode::None, _) | (_, "null") => return refuse(PRIVATE),
            (NetworkMode::Network(_), _) => {}
        }
        network.admits(container.is_task)?;
        check_endpoint(&network, &wish)?;
        if network.name == BRIDGE && wish.links.as_ref().is_some_and(|list| !list.is_empty()) {
            return refuse(
                "links by `network connect` are only supported for user-defined networks",
            );
        }
        let ask = Request::JoinNetwork { network: network.id, wish: Box::new(wish.clone()) };
        let Some(_held) = self.ask_monitor_or_hold(&id, &ask)? else { return Ok(()) };
        let _lock = self.records.lock()?;
        let mut container = self.records.load(&id)?;
        container.network_settings.networks.insert(network.name, wish);
        Ok(self.records.save(&container)?)
    }

    /// Takes a container out of a network, now or for its next start.
    ///
    /// # Errors
    /// In Docker's words, when it is not in there.
    pub fn disconnect_network(
        &self,
        reference: &str,
        container: &str,
        force: bool,
    ) -> Result<(), EngineError> {
        let id = match self.records.find(container) {
            Err(_) if force => {
                return Err(EngineError::Refuse(format!("endpoint {container} not found")));
            }
            found => found?,
        };
        let network = match self.networks.find(reference) {
            // It was removed, and the container would have been in it at its next start.
            Err(NetworkError::NotFound { .. }) if force => {
                let _held = self.records.lock_container(&id, crate::file_lock::PATIENCE)?;
                return self.forget_network(&id, reference);
            }
            found => found?,
        };
        let container = self.records.load(&id)?;
        if network.driver == "host"
            && NetworkMode::parse(&container.host_config.network_mode) == NetworkMode::Host
        {
            return Err(EngineError::Refuse(
                "cannot disconnect container from host network - container was created in host \
                 network mode"
                    .to_owned(),
            ));
        }
        let ask = Request::LeaveNetwork { network: network.id };
        match self.ask_monitor_or_hold(&id, &ask)? {
            Some(_held) => self.forget_network(&id, &network.name),
            None => Ok(()),
        }
    }

    /// Puts a container that does not run on one network instead of another, with the same names
    /// and wishes, for its next start.
    ///
    /// # Errors
    /// When it runs, is not on the first network, or asks for what the other one cannot give.
    pub fn move_to_network(&self, id: &str, from: &str, to: &str) -> Result<(), EngineError> {
        let network = self.networks.find(to)?;
        let Held { lock: _held, monitor, .. } = self.hold(id)?;
        if monitor.is_some() {
            let text = format!("container {id} runs: it cannot be moved to network {to}");
            return Err(EngineError::Refuse(text));
        }
        let _lock = self.records.lock()?;
        let mut container = self.records.load(id)?;
        let Some(wish) = container.network_settings.networks.remove(from) else {
            let text = format!("container {id} is not connected to network {from}");
            return Err(EngineError::Refuse(text));
        };
        check_endpoint(&network, &wish)
            .map_err(|why| EngineError::NetworkConfig { name: network.name.clone(), why })?;
        if container.host_config.network_mode == from {
            container.host_config.network_mode.clone_from(&network.name);
        }
        container.network_settings.networks.insert(network.name, wish);
        Ok(self.records.save(&container)?)
    }

    /// Takes a network from the record of a container whose lock the caller holds.
    fn forget_network(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let _lock = self.records.lock()?;
        let mut container = self.records.load(id)?;
        if container.network_settings.networks.remove(name).is_none() {
            let text = format!("container {id} is not connected to network {name}");
            return Err(EngineError::Refuse(text));
        }
        Ok(self.records.save(&container)?)
    }

    /// Has the monitor of a running container do something; holds a container that has none,
    /// so that its record can be changed instead.
    fn ask_monitor_or_hold(&self, id: &str, ask: &Request) -> Result<Option<Held>, EngineError> {
        /// A container that ends meanwhile is looked at again.
        const TRIES: usize = 5;
        for _ in 0..TRIES {
            let Held { lock, container, life, monitor } = self.hold(id)?;
            let Some(mut connection) = monitor else {
                return Ok(Some(Held { lock, container, life, monitor: None }));
            };
            drop(lock);
            match connection.ask(ask) {
                Err(EngineError::MonitorGone { .. }) => {}
                answer => return answer.map(|()| None).map_err(in_plain_words),
            }
        }
        Err(EngineError::MonitorGone { id: id.to_owned() })
    }

    /// What the network helper does; `None` when no container needs it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn network_helper(&self) -> Result<Option<HelperStatus>, EngineError> {
        use coracle_netns::protocol::{Reply, Request as Ask};
        let failed = super::balance::failed;
        let Some(helper) = Helper::present(&self.paths).map_err(failed)? else { return Ok(None) };
        match helper.ask(&Ask::Status, &[]).map_err(failed)? {
            Reply::Status(status) => {
                Ok(Some(HelperStatus { path: status.path, members: status.members.len() }))
            }
            _ => Ok(None),
        }
    }

    /// Checks what a new container wants of networks, and names them as they are called.
    /// One that does not exist is an error only when the container starts, as in Docker.
    pub(super) fn wanted_networks(
        &self,
        host: &mut HostConfig,
        wanted: Vec<(String, EndpointSettings)>,
    ) -> Result<BTreeMap<String, EndpointSettings>, EngineError> {
        let mut all = BTreeMap::new();
        let mode = NetworkMode::parse(&host.network_mode);
        if !matches!(mode, NetworkMode::Network(_)) {
            let asks = |(_, wish): &(String, EndpointSettings)| has_address(wish);
            if wanted.iter().any(asks) {
                let text = "user-specified IP address is supported on user-defined networks only";
                return Err(EngineError::NetworkConfig {
                    name: host.network_mode.clone(),
                    why: NetworkError::InvalidEndpoint(vec![text.to_owned()]),
                });
            }
            if let NetworkMode::Container(other) = mode
                && let Ok(id) = self.records.find(&other)
            {
                host.network_mode = format!("container:{id}");
            }
            return Ok(all);
        }
        for (reference, wish) in wanted {
            let name = match self.networks.find(&reference) {
                Ok(network) => {
                    check_endpoint(&network, &wish).map_err(|why| EngineError::NetworkConfig {
                        name: reference.clone(),
                        why,
                    })?;
                    network.name
                }
                Err(NetworkError::NotFound { .. }) => reference.clone(),
                Err(error) => return Err(error.into()),
            };
            if host.network_mode == reference {
                host.network_mode.clone_from(&name);
            }
            all.insert(name, wish);
        }
        Ok(all)
    }
}

fn has_address(wish: &EndpointSettings) -> bool {
    let ipam = wish.ipam_config.as_ref();
    ipam.is_some_and(|ipam| !ipam.ipv4_address.is_empty() || !ipam.ipv6_address.is_empty())
}

/// What the monitor refused is the user's business, not the monitor's.
fn in_plain_words(error: EngineError) -> EngineError {
    match error {
        EngineError::Refused { message, .. } => EngineError::Refuse(message),
        other => other,
    }
}
