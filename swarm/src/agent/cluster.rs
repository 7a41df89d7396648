//! The swarm as a whole: begun, ended, locked; nodes that come and go.

use coracle_runtime::clock;
use coracle_runtime::engine::RemoveOptions;
use coracle_words::ErrorKind;
use zeroize::Zeroizing;

use super::balance::Helper;
use super::runs::Run;
use super::serve::{Outcome, locked};
use super::{Agent, new_id};
use crate::SwarmError;
use crate::command;
use crate::journal::Sync;
use crate::model::node::{ManagerStatus, NodeStatus, Reachability};
use crate::model::{Cluster, ClusterSpec, JoinTokens, Node, NodeSpec, NodeState, Role};
use crate::protocol::{Init, Rotate};
use crate::seal::{Key, join_token};
use crate::state::Change;

/// What the data key is sealed as under the unlock key, and the other way round.
const DATA_KEY: &str = "data key";
const UNLOCK_KEY: &str = "unlock key";
/// Rehearsal nodes have the addresses 127.77.0.1 to 127.77.0.254.
const NODES_MAX: u8 = 254;
const MANAGER_PORT: u16 = 2377;

impl Agent<'_> {
    pub(super) fn init(&mut self, init: &Init) -> Result<Outcome, SwarmError> {
        if !self.journal.state.cluster.id.is_empty() {
            // `--force-new-cluster`: the state stays, this machine's node is its one manager.
            return Ok(Outcome::Done(self.own_node()));
        }
        let key = Key::random()?;
        key.save(&self.folder)?;
        let cluster_id = new_id();
        let mut cluster = Cluster {
            id: cluster_id.clone(),
            spec: init.spec.clone(),
            default_addr_pool: init.default_addr_pool.clone(),
            subnet_size: init.subnet_size,
            data_path_port: init.data_path_port,
            join_tokens: JoinTokens {
                worker: join_token(&cluster_id)?,
                manager: join_token(&cluster_id)?,
            },
            ..Cluster::default()
        };
        self.key = Some(key);
        if cluster.spec.encryption_config.auto_lock_managers {
            self.lock_up(&mut cluster)?;
        }
        let node = Node {
            id: new_id(),
            spec: NodeSpec {
                role: Role::Manager,
                availability: init.availability,
                ..NodeSpec::default()
            },
            description: init.node.clone(),
            status: NodeStatus {
                state: NodeState::Ready,
                addr: init.advertise_addr.clone(),
                ..NodeStatus::default()
            },
            manager_status: Some(ManagerStatus {
                leader: true,
                reachability: Reachability::Reachable,
                addr: format!("{}:{MANAGER_PORT}", init.advertise_addr),
            }),
            ..Node::default()
        };
        let id = node.id.clone();
        let mut changes = vec![Change::from(cluster), Change::from(node.clone())];
        let names = init.managers.iter().map(|name| (name, Role::Manager));
        let names = names.chain(init.workers.iter().map(|name| (name, Role::Worker)));
        for (number, (name, role)) in (2..=NODES_MAX).zip(names) {
            let spec = NodeSpec { role, ..NodeSpec::default() };
            changes.push(Change::from(rehearsal(number, name, spec, &node)));
        }
        self.make_networks(init)?;
        // The first transaction makes the file, and syncs it.
        self.commit(changes, Sync::Yes)?;
        Ok(Outcome::Done(id))
    }

    /// The id of the node that this machine itself is.
    fn own_node(&self) -> String {
        let own = self.journal.state.nodes.values().find(|node| node.own.number == 0);
        own.map(|node| node.id.clone()).unwrap_or_default()
    }

    /// Ends the swarm and all there is in it.
    pub(super) fn leave(&mut self, force: bool) -> Result<Outcome, SwarmError> {
        if !force {
            return Err(command::leave_refusal(&self.journal.state).into());
        }
        let mut runs = std::mem::take(&mut self.runs);
        if let Ok((engine, session)) = self.host.home_mut().engine_in_session() {
            let options = RemoveOptions { force: true, volumes: true };
            let removing: Vec<_> = runs
                .values()
                .filter(|run| !run.container.is_empty())
                .filter_map(|run| engine.begin_remove(&run.container, options).ok())
                .collect();
            for removing in removing {
                // What cannot be removed stays to be seen in `ps`.
                drop(engine.finish_remove(session, removing));
            }
        }
        runs.values_mut().for_each(Run::reap);
        self.journal.erase()?;
        self.unwritten.clear();
        Key::forget(&self.folder)?;
        self.key = None;
        self.unlocked = false;
        self.helper = Helper::default();
        self.remove_networks();
        self.forget_hostnames();
        Ok(Outcome::Done(String::new()))
    }

    pub(super) fn update_cluster(
        &mut self,
        version: u64,
        spec: ClusterSpec,
        rotate: Rotate,
    ) -> Result<Outcome, SwarmError> {
        let state = &self.journal.state;
        let id = state.cluster.id.clone();
        let worker = rotate.worker_token.then(|| join_token(&id)).transpose()?;
        let manager = rotate.manager_token.then(|| join_token(&id)).transpose()?;
        let mut cluster = command::update_cluster(state, version, spec, worker, manager)?;
        let locks = cluster.spec.encryption_config.auto_lock_managers;
        match (locks, cluster.own.locked_key.is_some()) {
            (true, false) => self.lock_up(&mut cluster)?,
            (false, true) => {
                self.key.as_ref().ok_or_else(locked)?.save(&self.folder)?;
                cluster.own.locked_key = None;
                cluster.own.unlock_key = None;
                self.unlocked = false;
            }
            _ => {}
        }
        Ok(Outcome::Changes(vec![Change::from(cluster)], id))
    }

    /// Puts the data key under a new unlock key. It stays on the disk until that is written down.
    fn lock_up(&mut self, cluster: &mut Cluster) -> Result<(), SwarmError> {
        let data = self.key.as_ref().ok_or_else(locked)?;
        let unlock = Key::random()?;
        cluster.own.locked_key = Some(unlock.wrap(DATA_KEY, data)?);
        cluster.own.unlock_key = Some(data.wrap(UNLOCK_KEY, &unlock)?);
        self.unlocked = true;
        Ok(())
    }

    /// With `--autolock`, what is written down now holds the key: it leaves the disk.
    pub(super) fn put_key_away(&mut self) {
        if self.journal.state.cluster.own.locked_key.is_some() {
            // Tried again with every request.
            drop(Key::forget(&self.folder));
        }
    }

    pub(super) fn unlock(&mut self, key: &str) -> Result<Outcome, SwarmError> {
        let refused = |words: &str| SwarmError::refused(ErrorKind::Conflict, words);
        let own = &self.journal.state.cluster.own;
        let (None, Some(sealed)) = (&self.key, &own.locked_key) else {
            return Err(refused("swarm is not locked"));
        };
        let wrong = || refused("swarm could not be unlocked: invalid key provided");
        let unlock = Key::from_unlock_key(key).ok_or_else(wrong)?;
        let data = unlock.unwrap(DATA_KEY, sealed).map_err(|_| wrong())?;
        self.key = Some(data);
        self.unlocked = true;
        Ok(Outcome::Done(String::new()))
    }

    pub(super) fn unlock_key(&mut self, rotate: bool) -> Result<Outcome, SwarmError> {
        let mut cluster = self.journal.state.cluster.clone();
        if rotate && cluster.own.locked_key.is_some() {
            self.lock_up(&mut cluster)?;
            let changes = vec![Change::from(cluster.clone())];
            self.commit(changes, Sync::Yes)?;
        }
        let Some(sealed) = &cluster.own.unlock_key else {
            return Ok(Outcome::Text(Zeroizing::default()));
        };
        let data = self.key.as_ref().ok_or_else(locked)?;
        Ok(Outcome::Text(data.unwrap(UNLOCK_KEY, sealed)?.to_unlock_key()))
    }

    pub(super) fn add_node(&mut self, name: &str, spec: NodeSpec) -> Result<Outcome, SwarmError> {
        let nodes = &self.journal.state.nodes;
        let taken = |number: &u8| nodes.values().any(|node| node.own.number == *number);
        if nodes.values().any(|node| node.description.hostname == name && !node.own.left) {
            let words =
                format!("there is a node {name} already; choose another name, or remove that one");
            return Err(SwarmError::refused(ErrorKind::Conflict, words));
        }
        // One that left and comes back has its address and its volumes as before.
        let before = nodes.values().find(|node| node.description.hostname == name);
        let before = before.map(|node| node.own.number).filter(|number| *number != 0);
        let number = before.or_else(|| (2..=NODES_MAX).find(|number| !taken(number)));
        let number = number.ok_or_else(|| {
            let words =
                format!("there are {NODES_MAX} nodes on this machine, and no more addresses");
            SwarmError::refused(ErrorKind::Conflict, words)
        })?;
        let own = nodes.values().find(|node| node.own.number == 0).cloned().unwrap_or_default();
        let node = rehearsal(number, name, spec, &own);
        let id = node.id.clone();
        Ok(Outcome::Changes(vec![Change::from(node)], id))
    }

    pub(super) fn node_leaves(&mut self, id: &str, force: bool) -> Result<Outcome, SwarmError> {
        let missing = || SwarmError::refused(ErrorKind::NotFound, format!("node {id} not found"));
        let node = self.journal.state.nodes.get(id).cloned().ok_or_else(missing)?;
        if node.own.number == 0 {
            return self.leave(force);
        }
        if node.spec.role == Role::Manager && !force {
            return Err(command::leave_refusal(&self.journal.state).into());
        }
        let changes = self.power(id, crate::protocol::Power::Stop)?;
        self.commit(changes, Sync::Yes)?;
        let mut node = self.journal.state.nodes.get(id).cloned().ok_or_else(missing)?;
        node.own.left = true;
        node.own.off_since = Some(clock::now());
        node.status.state = NodeState::Down;
        Ok(Outcome::Changes(vec![Change::from(node)], id.to_owned()))
    }
}

/// A node beside the machine itself, like it but for its name and address.
fn rehearsal(number: u8, name: &str, spec: NodeSpec, own: &Node) -> Node {
    let addr = format!("127.77.0.{number}");
    let mut node = Node { id: new_id(), spec, ..Node::default() };
    node.description = own.description.clone();
    name.clone_into(&mut node.description.hostname);
    node.description.engine.labels.clear();
    node.status =
        NodeStatus { state: NodeState::Ready, addr: addr.clone(), ..NodeStatus::default() };
    node.manager_status = (node.spec.role == Role::Manager).then(|| ManagerStatus {
        leader: false,
        reachability: Reachability::Reachable,
        addr: format!("{addr}:{MANAGER_PORT}"),
    });
    node.own.number = number;
    node
}
