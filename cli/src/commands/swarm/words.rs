//! What the commands of a swarm say, as recorded.

use coracle_swarm::model::{Node, Role};
use coracle_swarm::state::State;
use coracle_view::node;

/// How to join: the paragraph that `swarm init` and `swarm join-token` have in common.
pub(crate) fn join(program: &str, state: &State, role: Role, at: &Node) -> String {
    let token = token(state, role);
    let address = at.manager_status.as_ref().map_or("", |status| status.addr.as_str());
    format!(
        "To add a {role} to this swarm, run the following command:\n\n    {program} swarm join --token {token} \
         {address}\n\n"
    )
}

pub(crate) fn token(state: &State, role: Role) -> &str {
    match role {
        Role::Worker => &state.cluster.join_tokens.worker,
        Role::Manager => &state.cluster.join_tokens.manager,
    }
}

/// What `init` says when it is done.
pub(crate) fn initialized(program: &str, state: &State, at: &Node) -> String {
    let mut out = format!("Swarm initialized: current node ({}) is now a manager.\n\n", at.id);
    out.push_str(&join(program, state, Role::Worker, at));
    out.push_str(&format!(
        "To add a manager to this swarm, run '{program} swarm join-token manager' and follow the instructions.\n"
    ));
    out
}

/// The nodes beside the first one that a new swarm has.
pub(crate) fn others(state: &State, at: &Node) -> String {
    let mut others: Vec<_> = state.nodes.values().filter(|node| node.id != at.id).collect();
    others.sort_by_key(|node| node.own.number);
    match others.as_slice() {
        [] => String::new(),
        others => {
            let names: Vec<_> = others.iter().map(|node| node::name_of(node)).collect();
            format!("\nNodes on this machine, for rehearsal: {}\n", names.join(", "))
        }
    }
}

/// The unlock key, and what it is for.
pub(crate) fn unlock(program: &str, key: &str) -> String {
    format!(
        "To unlock a swarm manager after it restarts, run the `{program} swarm unlock`\ncommand and provide the \
         following key:\n\n    {key}\n\nRemember to store this key in a password manager, since without it you\nwill \
         not be able to restart the manager.\n"
    )
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::node::ManagerStatus;

    use super::*;

    fn state() -> State {
        let mut state = State::default();
        state.cluster.join_tokens.worker = "SWMTKN-1-a-w".to_owned();
        state.cluster.join_tokens.manager = "SWMTKN-1-a-m".to_owned();
        let mut node = Node { id: "mhexz1rvopqi5yzfkua5pcurc".to_owned(), ..Node::default() };
        let addr = "127.0.0.1:2377".to_owned();
        node.manager_status = Some(ManagerStatus { addr, ..ManagerStatus::default() });
        state.nodes.insert(node.id.clone(), node);
        state
    }

    #[test]
    fn a_new_swarm_says_how_to_join_it() {
        let mut state = state();
        let at = state.nodes["mhexz1rvopqi5yzfkua5pcurc"].clone();
        assert_eq!(
            initialized("docker", &state, &at),
            "Swarm initialized: current node (mhexz1rvopqi5yzfkua5pcurc) is now a manager.\n\n\
             To add a worker to this swarm, run the following command:\n\n    \
             docker swarm join --token SWMTKN-1-a-w 127.0.0.1:2377\n\n\
             To add a manager to this swarm, run 'docker swarm join-token manager' and follow the instructions.\n"
        );
        assert_eq!(others(&state, &at), "");
        assert!(join("coracle", &state, Role::Manager, &at).contains("--token SWMTKN-1-a-m "));
        for (number, name) in [(3, "node3"), (2, "node2")] {
            let mut node = Node { id: name.to_owned(), ..Node::default() };
            node.description.hostname = name.to_owned();
            node.own.number = number;
            state.nodes.insert(node.id.clone(), node);
        }
        assert_eq!(others(&state, &at), "\nNodes on this machine, for rehearsal: node2, node3\n");
    }

    #[test]
    fn the_unlock_key_is_told_as_recorded() {
        assert_eq!(
            unlock("docker", "SWMKEY-1-x"),
            "To unlock a swarm manager after it restarts, run the `docker swarm unlock`\n\
             command and provide the following key:\n\n    SWMKEY-1-x\n\n\
             Remember to store this key in a password manager, since without it you\n\
             will not be able to restart the manager.\n"
        );
    }
}
