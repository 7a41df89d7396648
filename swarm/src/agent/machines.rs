//! Machines that are in no swarm: made, removed, given a number.
//!
//! # How it works
//!
//! A machine is a [`Node`] apart from those of the swarm ([`crate::state::State::machines`]), marked as one that left.
//! What it has here, its address 127.77.0.N, its containers and its volumes, goes by its number, which the node has
//! too that it becomes when it joins. Its record stays: it is the same machine when it leaves. What the swarm made by
//! itself goes with the swarm; what `machine create` made stays.

use std::collections::BTreeSet;

use coracle_runtime::clock;
use coracle_words::ErrorKind;

use super::cluster::rehearsal;
use super::serve::Outcome;
use super::{Agent, NODE_LABEL};
use crate::SwarmError;
use crate::container::volumes;
use crate::model::node::NodeDescription;
use crate::model::{Node, NodeSpec, Role};
use crate::protocol::Init;
use crate::state::Change;

/// Machines have the addresses 127.77.0.1 to 127.77.0.254; the first is nobody's.
const NUMBER_MAX: u8 = 254;

impl Agent<'_> {
    /// The machine of that name, in the swarm or not, if it was outside of one before.
    pub(super) fn machine(&self, name: &str) -> Option<&Node> {
        self.journal.state.machines.values().find(|it| it.description.hostname == name)
    }

    /// A number for a machine of a new name. `more` are not in the state yet.
    pub(super) fn free_number(&self, name: &str, more: &[Node]) -> Result<u8, SwarmError> {
        let refused = |words| SwarmError::refused(ErrorKind::Conflict, words);
        let state = &self.journal.state;
        if self.machine(name).is_some() || state.member(name).is_some() {
            return Err(refused(format!("there is a machine {name} already; choose another name")));
        }
        let all = || state.nodes.values().chain(state.machines.values()).chain(more);
        let mut free: Vec<u8> = (2..=NUMBER_MAX).collect();
        free.retain(|number| !all().any(|node| node.own.number == *number));
        // What is left of a machine that is gone is not the next one's.
        let haunted = self.numbers_of_volumes();
        let empty = free.iter().find(|number| !haunted.contains(number));
        empty.or(free.first()).copied().ok_or_else(|| {
            refused(format!("there are {NUMBER_MAX} machines here, and no more addresses"))
        })
    }

    /// The numbers that volumes have, of machines that are there or were.
    fn numbers_of_volumes(&self) -> BTreeSet<u8> {
        let engine = self.host.home().engine().ok();
        let all = engine.and_then(|engine| engine.volumes.list().ok()).unwrap_or_default();
        let labels = all.into_iter().filter_map(|volume| volume.labels);
        labels.filter_map(|labels| volumes::on_node(&labels).map(|(number, _)| number)).collect()
    }

    /// The number of the machine that a swarm begins on.
    pub(super) fn number_of(&self, init: &Init) -> Result<u8, SwarmError> {
        let Some(name) = init.machine.as_deref() else { return Ok(0) };
        let state = &self.journal.state;
        let node = state.member(name).or_else(|| self.machine(name));
        let missing =
            || SwarmError::refused(ErrorKind::NotFound, format!("there is no machine {name}"));
        Ok(node.ok_or_else(missing)?.own.number)
    }

    pub(super) fn create_machine(
        &self,
        name: &str,
        description: &NodeDescription,
    ) -> Result<Outcome, SwarmError> {
        let mut machine = machine(self.free_number(name, &[])?, name, description);
        machine.own.made = true;
        let id = machine.id.clone();
        Ok(Outcome::Changes(vec![Change::PutMachine(Box::new(machine))], id))
    }

    /// Takes a machine away with all that is on it. In the list of its swarm it is down from now on; with the last
    /// manager the swarm ends.
    pub(super) fn remove_machine(&mut self, name: &str) -> Result<Outcome, SwarmError> {
        let state = &self.journal.state;
        let member = state.member(name).cloned();
        let Some(number) = member.as_ref().or_else(|| self.machine(name)).map(|it| it.own.number)
        else {
            let words = format!("there is no machine {name}");
            return Err(SwarmError::refused(ErrorKind::NotFound, words));
        };
        if number == 0 {
            let words = format!("{name} is this machine itself");
            return Err(SwarmError::refused(ErrorKind::BadRequest, words));
        }
        let ids = self.journal.state.ids_of(number);
        if let Some(node) = member {
            let others = self.journal.state.nodes.values().filter(|other| other.id != node.id);
            let manages = |node: &Node| node.spec.role == Role::Manager && !node.own.left;
            if manages(&node) && !others.into_iter().any(manages) {
                self.leave(true)?;
            } else {
                self.part(node)?;
            }
        }
        self.remove_all_of(number, &ids);
        let state = &self.journal.state;
        let machine = self.machine(name).map(|machine| machine.id.clone());
        if state.cluster.id.is_empty()
            && state.machines.keys().all(|id| machine.as_ref() == Some(id))
        {
            self.journal.erase(Vec::new(), clock::now())?;
            return Ok(Outcome::Done(String::new()));
        }
        let changes = machine.map(Change::RemoveMachine).into_iter().collect();
        Ok(Outcome::Changes(changes, String::new()))
    }

    /// Removes what was run by hand on a machine, and its volumes.
    fn remove_all_of(&mut self, number: u8, ids: &[String]) {
        let Ok(engine) = self.host.home().engine() else { return };
        let all = engine.list().unwrap_or_default();
        let here = all.into_iter().map(|summary| summary.container).filter(|container| {
            let node = container.config.labels.get(NODE_LABEL);
            node.is_some_and(|node| ids.contains(node))
        });
        let here = here.map(|container| container.id).collect();
        self.remove_containers(here);
        let Ok(engine) = self.host.home().engine() else { return };
        for volume in engine.volumes.list().unwrap_or_default() {
            let labels = volume.labels.unwrap_or_default();
            if volumes::on_node(&labels).is_some_and(|(owner, _)| owner == number) {
                // One that cannot be removed is seen in `volume ls`.
                drop(engine.remove_volume(&volume.name, true));
            }
        }
    }
}

/// A machine in no swarm.
pub(super) fn machine(number: u8, name: &str, description: &NodeDescription) -> Node {
    let mut machine = rehearsal(number, name, NodeSpec::default(), description);
    machine.own.left = true;
    machine
}
