//! The nodes of this machine: switched off, killed, switched on.

use std::collections::BTreeMap;

use coracle_runtime::clock;
use coracle_runtime::engine::RemoveOptions;

use super::runs::{Phase, Run};
use super::{Agent, TASK_LABEL};
use crate::SwarmError;
use crate::journal::Sync;
use crate::model::Node;
use crate::protocol::Power;
use crate::state::Change;
use coracle_words::ErrorKind;

/// Says which node a container is on.
pub const NODE_LABEL: &str = "com.docker.swarm.node.id";

impl Agent<'_> {
    /// Whether a node is lost to us: what its containers do is not seen, nor can they be told anything.
    pub(super) fn is_off(&self, node: &str) -> bool {
        self.journal.state.nodes.get(node).is_some_and(|node| node.own.off_since.is_some())
    }

    /// Rehearses the loss of a node or of a machine outside of the swarm, or its return.
    pub(super) fn power(&mut self, id: &str, power: Power) -> Result<Vec<Change>, SwarmError> {
        let missing = || SwarmError::refused(ErrorKind::NotFound, format!("node {id} not found"));
        let state = &self.journal.state;
        let node = state.nodes.get(id).or_else(|| state.machines.get(id));
        let mut node: Node = node.cloned().ok_or_else(missing)?;
        if node.own.number == 0 {
            let words = "this node is the machine itself: only nodes that were made by `node add` or `swarm init \
                         --nodes` can be stopped and started";
            return Err(SwarmError::refused(ErrorKind::BadRequest, words));
        }
        let is_off = node.own.off_since.is_some();
        let is_member = state.nodes.contains_key(id);
        let put = |node: Node| match is_member {
            true => Change::from(node),
            false => Change::PutMachine(Box::new(node)),
        };
        match power {
            Power::Start if is_off => node.own.off_since = None,
            Power::Stop | Power::Kill if !is_off => {
                // It has left the networks before anything on it ends: nobody is sent there any more.
                node.own.off_since = Some(clock::now());
                let number = node.own.number;
                self.commit(vec![put(node)], Sync::Yes)?;
                self.balance();
                self.end_all_of(number, power == Power::Kill);
                return Ok(Vec::new());
            }
            _ => return Ok(Vec::new()),
        }
        Ok(vec![put(node)])
    }

    /// Ends what an agent that was killed in [`Self::power`] left running on machines that are off, and on nodes that
    /// left.
    pub(super) fn finish_switching_off(&mut self) {
        let state = &self.journal.state;
        let members = state.nodes.values().filter(|node| !node.own.left);
        let off = members.chain(state.machines.values().filter(|it| state.is_outside(it)));
        let off: Vec<u8> =
            off.filter(|node| node.own.off_since.is_some()).map(|node| node.own.number).collect();
        let left = state.nodes.values().filter(|node| node.own.left);
        let left: Vec<String> = left.map(|node| node.id.clone()).collect();
        for number in off {
            self.end_all_of(number, true);
        }
        for id in left {
            self.remove_tasks_of(&id);
        }
    }

    /// Ends the containers of a machine as its end would.
    pub(super) fn end_all_of(&mut self, number: u8, kill: bool) {
        let grace = if kill { Some(0) } else { None };
        let ids = self.journal.state.ids_of(number);
        let Ok(engine) = self.host.home().engine() else { return };
        let tasks = &self.journal.state.tasks;
        let is_here =
            |task: &String| tasks.get(task).is_some_and(|task| ids.contains(&task.node_id));
        let mut endings = Vec::new();
        for (task, run) in &self.runs {
            if is_here(task) && run.is_live() {
                endings.extend(engine.stop(&run.container, None, grace));
            }
        }
        // What was run by hand there.
        for summary in engine.list().unwrap_or_default() {
            let labels = &summary.container.config.labels;
            let is_here = labels.get(NODE_LABEL).is_some_and(|label| ids.contains(label));
            if is_here && !labels.contains_key(TASK_LABEL) && summary.life.state.status.is_running()
            {
                endings.extend(engine.stop(&summary.container.id, None, grace));
            }
        }
        for ending in endings {
            // One that does not end is met again when the node comes back.
            drop(ending.wait());
        }
        for (task, run) in &mut self.runs {
            if is_here(task) && run.is_live() {
                // Its end is seen when the node comes back.
                run.phase = Phase::Up;
            }
        }
    }

    /// Ends and removes the containers of the tasks of a node that leaves. What was run by hand there stays.
    pub(super) fn remove_tasks_of(&mut self, node: &str) {
        let tasks = &self.journal.state.tasks;
        let is_here = |task: &String| tasks.get(task).is_some_and(|task| task.node_id == node);
        let (here, others) =
            std::mem::take(&mut self.runs).into_iter().partition(|(task, _)| is_here(task));
        self.runs = others;
        let mut here: BTreeMap<String, Run> = here;
        if let Ok(engine) = self.host.home().engine() {
            let live = here.values().filter(|run| run.is_live());
            let endings: Vec<_> =
                live.filter_map(|run| engine.stop(&run.container, None, None).ok()).collect();
            for ending in endings {
                drop(ending.wait());
            }
        }
        self.remove_containers(here.values().map(|run| run.container.clone()).collect());
        here.values_mut().for_each(Run::reap);
    }

    /// Removes containers, running or not, with their nameless volumes.
    pub(super) fn remove_containers(&mut self, containers: Vec<String>) {
        let Ok((engine, session)) = self.host.home_mut().engine_in_session() else { return };
        let options = RemoveOptions { force: true, volumes: true };
        let removing: Vec<_> = containers
            .into_iter()
            .filter(|container| !container.is_empty())
            .filter_map(|container| engine.begin_remove(&container, options).ok())
            .collect();
        for removing in removing {
            // What cannot be removed stays to be seen in `ps`.
            drop(engine.finish_remove(session, removing));
        }
    }
}
