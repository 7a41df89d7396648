//! The swarm as a whole: begun, ended, locked; nodes that come and go.

use coracle_runtime::clock;
use coracle_words::ErrorKind;
use zeroize::Zeroizing;

use super::balance::Helper;
use super::machines::machine;
use super::runs::Run;
use super::serve::{Outcome, locked};
use super::{Agent, new_id};
use crate::SwarmError;
use crate::command;
use crate::journal::Sync;
use crate::model::node::{ManagerStatus, NodeDescription, NodeStatus, Reachability};
use crate::model::{Cluster, ClusterSpec, JoinTokens, Node, NodeSpec, NodeState, Role};
use crate::protocol::{Init, Rotate};
use crate::seal::{Key, join_token};
use crate::state::Change;

/// What the data key is sealed as under the unlock key, and the other way round.
const DATA_KEY: &str = "data key";
const UNLOCK_KEY: &str = "unlock key";
const MANAGER_PORT: u16 = 2377;

impl Agent<'_> {
    pub(super) fn init(&mut self, init: &Init) -> Result<Outcome, SwarmError> {
        if !self.journal.state.cluster.id.is_empty() {
            return self.begin_anew(init);
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
        let number = self.number_of(init)?;
        let spec = NodeSpec {
            role: Role::Manager,
            availability: init.availability,
            ..NodeSpec::default()
        };
        let mut node = match number {
            0 => Node { id: new_id(), spec, ..Node::default() },
            number => rehearsal(number, &init.node.hostname, spec, &init.node),
        };
        node.description = init.node.clone();
        node.status.state = NodeState::Ready;
        // The address of a machine here is its own, whatever others are told.
        if number == 0 {
            node.status.addr.clone_from(&init.advertise_addr);
        }
        node.manager_status = Some(leads(&init.advertise_addr));
        let id = node.id.clone();
        let names = init.managers.iter().map(|name| (name, Role::Manager));
        let names = names.chain(init.workers.iter().map(|name| (name, Role::Worker)));
        let mut nodes = vec![node];
        for (name, role) in names {
            let spec = NodeSpec { role, ..NodeSpec::default() };
            let number = self.free_number(name, &nodes)?;
            nodes.push(rehearsal(number, name, spec, &init.node));
        }
        let mut changes = vec![Change::from(cluster)];
        changes.extend(nodes.into_iter().map(Change::from));
        self.make_networks(init)?;
        // The first transaction makes the file, and syncs it.
        self.commit(changes, Sync::Yes)?;
        Ok(Outcome::Done(id))
    }

    /// `--force-new-cluster`: the state stays, and the node that is asked is its one manager. What became of the
    /// nodes that are away nobody knows.
    fn begin_anew(&mut self, init: &Init) -> Result<Outcome, SwarmError> {
        let number = self.number_of(init)?;
        let mut changes = Vec::new();
        let mut id = String::new();
        for mut node in self.journal.state.nodes.values().cloned() {
            let is_asked = node.own.number == number && !node.own.left;
            if is_asked {
                node.id.clone_into(&mut id);
                node.spec.role = Role::Manager;
                node.manager_status = Some(leads(&init.advertise_addr));
            } else if node.spec.role == Role::Manager {
                node.spec.role = Role::Worker;
                node.manager_status = None;
                if node.own.off_since.is_some() && !node.own.left {
                    node.status.state = NodeState::Unknown;
                    node.own.unknown_since = Some(clock::now());
                }
            } else {
                continue;
            }
            changes.push(Change::from(node));
        }
        Ok(Outcome::Changes(changes, id))
    }

    /// Ends the swarm and all there is in it.
    pub(super) fn leave(&mut self, force: bool) -> Result<Outcome, SwarmError> {
        if !force {
            return Err(command::leave_refusal(&self.journal.state).into());
        }
        let mut runs = std::mem::take(&mut self.runs);
        self.remove_containers(runs.values().map(|run| run.container.clone()).collect());
        runs.values_mut().for_each(Run::reap);
        let machines = self.journal.state.machines.values().filter(|machine| machine.own.made);
        self.journal.erase(machines.cloned().collect(), clock::now())?;
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
            (true, true) if rotate.unlock_key => self.lock_up(&mut cluster)?,
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
        let state = &self.journal.state;
        if state.member(name).is_some() {
            let words =
                format!("there is a node {name} already; choose another name, or remove that one");
            return Err(SwarmError::refused(ErrorKind::Conflict, words));
        }
        let number = match self.machine(name) {
            Some(machine) if machine.own.off_since.is_some() => {
                let words = format!("the machine {name} is switched off");
                return Err(SwarmError::refused(ErrorKind::Conflict, words));
            }
            // One that left and comes back has its address and its volumes as before.
            Some(machine) => machine.own.number,
            None => self.free_number(name, &[])?,
        };
        let like = state.nodes.values().min_by_key(|node| node.own.number);
        let like = like.map(|node| node.description.clone()).unwrap_or_default();
        let node = rehearsal(number, name, spec, &like);
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
        let others = self.journal.state.nodes.values().filter(|other| other.id != id);
        let is_last = !others.into_iter().any(|it| it.spec.role == Role::Manager && !it.own.left);
        if node.spec.role == Role::Manager && is_last {
            return self.leave(force);
        }
        self.part(node)?;
        Ok(Outcome::Done(id.to_owned()))
    }

    /// A node is none any more: it has left the networks before its tasks end, so that nobody is sent there.
    pub(super) fn part(&mut self, mut node: Node) -> Result<(), SwarmError> {
        let id = node.id.clone();
        let mut changes = Vec::new();
        if self.machine(&node.description.hostname).is_none() {
            let (number, name) = (node.own.number, node.description.hostname.clone());
            let machine = machine(number, &name, &node.description);
            changes.push(Change::PutMachine(Box::new(machine)));
        }
        node.own.left = true;
        node.own.off_since.get_or_insert(clock::now());
        changes.push(Change::from(node));
        self.commit(changes, Sync::Yes)?;
        self.balance();
        self.remove_tasks_of(&id);
        Ok(())
    }
}

/// What the one manager of a new swarm is.
fn leads(address: &str) -> ManagerStatus {
    ManagerStatus {
        leader: true,
        reachability: Reachability::Reachable,
        addr: format!("{address}:{MANAGER_PORT}"),
    }
}

/// A node beside the machine itself, like it but for its name and address.
pub(super) fn rehearsal(number: u8, name: &str, spec: NodeSpec, like: &NodeDescription) -> Node {
    let addr = format!("127.77.0.{number}");
    let mut node = Node { id: new_id(), spec, ..Node::default() };
    node.description = like.clone();
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
