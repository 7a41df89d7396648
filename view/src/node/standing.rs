//! What a node may do in its swarm, in the words of who may not.

use coracle_swarm::model::{Node, Role};
use coracle_swarm::state::State;

pub const NO_SWARM: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect \
                            this node to swarm and try again.";
pub const NO_MANAGER: &str = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. \
                              Please run this command on a manager node or promote the current node to a manager.";
pub const NO_LEADER: &str = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few \
                             managers are online. Make sure more than half of the managers are online.";

/// What may be asked on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Manager,
    Worker,
    /// A manager, and half of the managers or more are gone.
    NoQuorum,
}

/// What may be asked on `node`.
#[must_use]
pub fn standing(state: &State, node: &Node) -> Standing {
    if node.spec.role != Role::Manager {
        return Standing::Worker;
    }
    let (reachable, gone) = managers(state);
    if reachable > gone { Standing::Manager } else { Standing::NoQuorum }
}

/// Whether a node is switched off, or left.
#[must_use]
pub fn is_gone(node: &Node) -> bool {
    node.own.off_since.is_some() || node.own.left
}

/// Managers that are there, and those that are not.
fn managers(state: &State) -> (usize, usize) {
    let managers = state.nodes.values().filter(|node| node.spec.role == Role::Manager);
    let (gone, there): (Vec<_>, Vec<_>) = managers.partition(|node| is_gone(node));
    (there.len(), gone.len())
}

/// Why `node` does not leave its swarm without `--force`.
#[must_use]
pub fn leave_refusal(state: &State, node: &Node) -> Option<String> {
    if node.spec.role != Role::Manager {
        return None;
    }
    let (reachable, gone) = managers(state);
    let mut words =
        "You are attempting to leave the swarm on a node that is participating as a manager. "
            .to_owned();
    let has_leader = reachable > gone;
    if has_leader && (reachable, gone) == (1, 0) {
        words.push_str(
            "Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message.",
        );
        return Some(words);
    }
    // One less would be no majority.
    if has_leader && reachable <= gone + 2 {
        words.push_str(&format!(
            "Removing this node leaves {} managers out of {}. Without a Raft quorum your swarm will be inaccessible. ",
            reachable - 1,
            reachable + gone
        ));
    }
    words.push_str(
        "The only way to restore a swarm that has lost consensus is to reinitialize it with `--force-new-cluster`. \
         Use `--force` to suppress this message.",
    );
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(managers: &[bool]) -> State {
        let mut state = State::default();
        for (number, there) in (0..).zip(managers) {
            let mut node = Node { id: format!("n{number}"), ..Node::default() };
            node.spec.role = Role::Manager;
            node.own.number = number;
            node.own.off_since = (!there).then(|| "2026-11-20T12:00:00Z".parse().unwrap());
            state.nodes.insert(node.id.clone(), node);
        }
        state
    }

    #[test]
    fn a_leader_needs_more_than_half() {
        let of = |managers: &[bool]| {
            let state = state(managers);
            standing(&state, &state.nodes["n0"])
        };
        assert_eq!(of(&[true]), Standing::Manager);
        assert_eq!(of(&[true, true, false]), Standing::Manager);
        assert_eq!(of(&[true, false, false]), Standing::NoQuorum);
        assert_eq!(of(&[true, false]), Standing::NoQuorum);
    }

    #[test]
    fn a_manager_is_told_what_its_leaving_means() {
        let told = |managers: &[bool]| {
            let state = state(managers);
            leave_refusal(&state, &state.nodes["n0"]).unwrap()
        };
        // Recorded: one manager, two, three, one of three.
        assert!(told(&[true]).ends_with("Use `--force` to ignore this message."));
        assert!(told(&[true, true]).contains("Removing this node leaves 1 managers out of 2."));
        let rest = "participating as a manager. The only way to restore a swarm that has lost consensus is to \
                    reinitialize it with `--force-new-cluster`. Use `--force` to suppress this message.";
        assert!(told(&[true, true, true]).ends_with(rest));
        assert!(told(&[true, false, false]).ends_with(rest));
        let mut worker = Node::default();
        worker.spec.role = Role::Worker;
        assert_eq!(leave_refusal(&state(&[true]), &worker), None);
    }
}
