//! The nodes of this machine: switched off, killed, switched on.

use coracle_runtime::clock;

use super::runs::Phase;
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

    /// Rehearses the loss of a node, or its return.
    pub(super) fn power(&mut self, id: &str, power: Power) -> Result<Vec<Change>, SwarmError> {
        let missing = || SwarmError::refused(ErrorKind::NotFound, format!("node {id} not found"));
        let mut node: Node = self.journal.state.nodes.get(id).cloned().ok_or_else(missing)?;
        if node.own.number == 0 {
            let words = "this node is the machine itself: only nodes that were made by `node add` or `swarm init \
                         --nodes` can be stopped and started";
            return Err(SwarmError::refused(ErrorKind::BadRequest, words));
        }
        let is_off = node.own.off_since.is_some();
        match power {
            Power::Start if is_off => node.own.off_since = None,
            Power::Stop | Power::Kill if !is_off => {
                // It has left the networks before anything on it ends: nobody is sent there any more.
                node.own.off_since = Some(clock::now());
                self.commit(vec![Change::from(node)], Sync::Yes)?;
                self.balance();
                self.end_all_of(id, power == Power::Kill);
                return Ok(Vec::new());
            }
            _ => return Ok(Vec::new()),
        }
        Ok(vec![Change::from(node)])
    }

    /// Ends what an agent that was killed in [`Self::power`] left running on nodes that are off.
    pub(super) fn finish_switching_off(&mut self) {
        let nodes = self.journal.state.nodes.values();
        let off: Vec<String> =
            nodes.filter(|node| node.own.off_since.is_some()).map(|node| node.id.clone()).collect();
        for id in off {
            self.end_all_of(&id, true);
        }
    }

    /// Ends the containers of a node as its machine would.
    fn end_all_of(&mut self, node: &str, kill: bool) {
        let grace = if kill { Some(0) } else { None };
        let Ok(engine) = self.host.home().engine() else { return };
        let mut endings = Vec::new();
        for (task, run) in &self.runs {
            let here = self.journal.state.tasks.get(task).is_some_and(|task| task.node_id == node);
            if here && run.is_live() {
                endings.extend(engine.stop(&run.container, None, grace));
            }
        }
        // What was run by hand there.
        for summary in engine.list().unwrap_or_default() {
            let labels = &summary.container.config.labels;
            let is_here = labels.get(NODE_LABEL).is_some_and(|label| label == node);
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
            let here = self.journal.state.tasks.get(task).is_some_and(|task| task.node_id == node);
            if here && run.is_live() {
                // Its end is seen when the node comes back.
                run.phase = Phase::Up;
            }
        }
    }
}
