//! What a node may do in its swarm, in the words of who may not.

use coracle_swarm::model::{Node, Role};
use coracle_swarm::state::State;

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
}
