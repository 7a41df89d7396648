//! Nodes: changed and removed.

use crate::model::{Node, NodeSpec, NodeState, Role};
use crate::state::{Change, State};

use super::{Code, CommandError};

fn find<'a>(state: &'a State, id: &str) -> Result<&'a Node, CommandError> {
    state.nodes.get(id).ok_or_else(|| CommandError::not_found("node", id))
}

/// The managers, and how many of them are reachable.
pub(super) fn managers(state: &State) -> (usize, usize) {
    let managers = state.nodes.values().filter(|node| node.spec.role == Role::Manager);
    let (mut all, mut reachable) = (0, 0);
    for node in managers {
        all += 1;
        if node.own.off_since.is_none() && !node.own.left {
            reachable += 1;
        }
    }
    (all, reachable)
}

/// Another role, availability, name or other labels.
///
/// # Errors
/// When no manager would be left, or too few, and when the node is not the one that was seen.
pub fn update_node(
    state: &State,
    id: &str,
    version: u64,
    spec: NodeSpec,
) -> Result<Vec<Change>, CommandError> {
    let mut node = find(state, id)?.clone();
    if node.spec.role == Role::Manager && spec.role == Role::Worker {
        let (all, reachable) = managers(state);
        if all == 1 {
            let words = "attempting to demote the last manager of the swarm";
            return Err(CommandError::rpc(Code::FailedPrecondition, words));
        }
        let here = usize::from(node.own.off_since.is_none() && !node.own.left);
        if (reachable - here) * 2 < all {
            let words = "can't remove member from the raft: this would result in a loss of quorum";
            return Err(CommandError::rpc(Code::FailedPrecondition, words));
        }
    }
    if node.meta.version.index != version {
        return Err(CommandError::out_of_sequence());
    }
    node.spec = spec;
    Ok(vec![Change::from(node)])
}

/// Takes a node off the list. Its tasks are orphaned.
///
/// # Errors
/// When it is a manager, or not down and `force` is not given.
pub fn remove_node(state: &State, id: &str, force: bool) -> Result<Vec<Change>, CommandError> {
    let node = find(state, id)?;
    let words = if node.spec.role == Role::Manager {
        format!(
            "node {id} is a cluster manager and is a member of the raft cluster. It must be \
             demoted to worker before removal"
        )
    } else if !force && node.status.state == NodeState::Ready {
        format!("node {id} is not down and can't be removed")
    } else {
        return Ok(vec![Change::RemoveNode(id.to_owned())]);
    };
    Err(CommandError::rpc(Code::FailedPrecondition, words))
}
