//! What `info` tells of the swarm.

use coracle_runtime::Home;
use coracle_swarm::client::{AgentStart, Client};
use coracle_swarm::command::{LOCKED, NO_LEADER};
use coracle_swarm::model::{Node, Role};
use coracle_swarm::state::State;
use serde_json::{Map, Value, json};

use crate::ViewError;
use crate::document::value_of;
use crate::node::{self, Standing};

/// What stands in `Warnings` when there are rehearsal nodes.
const REHEARSAL: &str = "rehearsal, no consensus";

/// `Swarm` of `info`, as the `chosen` node tells it. There are no certificates, and so nothing of them.
///
/// # Errors
/// When the engine cannot be opened, or the state of the swarm not be read.
pub(super) fn swarm(home: &Home, chosen: Option<&str>) -> Result<Value, ViewError> {
    let paths = home.engine()?.paths();
    let client = Client::new(&paths.data, &paths.run, AgentStart::default());
    let reader = client.read()?;
    let state = &reader.state;
    match node::chosen(state, chosen).filter(|node| reader.is_swarm() && !node.own.left) {
        None => Ok(stands("inactive", "")),
        Some(_) if client.is_locked(state) => Ok(stands("locked", LOCKED)),
        Some(node) => of(state, node),
    }
}

fn stands(local_state: &str, error: &str) -> Value {
    json!({
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": local_state,
        "ControlAvailable": false,
        "Error": error,
        "RemoteManagers": null,
    })
}

/// As `node` tells it.
fn of(state: &State, node: &Node) -> Result<Value, ViewError> {
    let standing = node::standing(state, node);
    let mut managers: Vec<&Node> =
        state.nodes.values().filter(|node| node.spec.role == Role::Manager).collect();
    managers.sort_by_key(|node| node.own.number);
    let address =
        |node: &Node| node.manager_status.as_ref().map_or(String::new(), |is| is.addr.clone());
    let remote: Vec<Value> =
        managers.iter().map(|node| json!({ "NodeID": node.id, "Addr": address(node) })).collect();
    let mut out = Map::new();
    let mut set = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    set("NodeID", node.id.as_str().into());
    set("NodeAddr", node.status.addr.as_str().into());
    set("LocalNodeState", "active".into());
    set("ControlAvailable", (standing != Standing::Worker).into());
    set("Error", if standing == Standing::NoQuorum { NO_LEADER } else { "" }.into());
    set("RemoteManagers", remote.into());
    if standing == Standing::Manager {
        set("Nodes", state.nodes.len().into());
        set("Managers", managers.len().into());
        set("Cluster", cluster(state)?);
    }
    if state.nodes.values().any(|node| node.own.number != 0) {
        set("Warnings", json!([REHEARSAL]));
    }
    Ok(out.into())
}

fn cluster(state: &State) -> Result<Value, ViewError> {
    let cluster = &state.cluster;
    let mut out = value_of(cluster)?;
    if let Value::Object(map) = &mut out {
        // Tokens are for `swarm join-token`.
        for key in ["Coracle", "JoinTokens"] {
            map.remove(key);
        }
        let tail =
            ["DefaultAddrPool", "SubnetSize", "DataPathPort"].map(|key| (key, map.remove(key)));
        map.insert("RootRotationInProgress".to_owned(), false.into());
        for (key, value) in tail {
            map.insert(key.to_owned(), value.unwrap_or_default());
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::node::ManagerStatus;

    use super::*;

    fn state() -> State {
        let mut state = State::default();
        state.cluster.id = "ml3ac3wc5xnzxs2gto0t6xdh2".to_owned();
        state.cluster.join_tokens.worker = "SWMTKN-1-secret".to_owned();
        state.cluster.subnet_size = 24;
        let mut node = Node { id: "mhexz1rvopqi5yzfkua5pcurc".to_owned(), ..Node::default() };
        node.spec.role = Role::Manager;
        node.status.addr = "127.0.0.1".to_owned();
        let addr = "127.0.0.1:2377".to_owned();
        node.manager_status =
            Some(ManagerStatus { leader: true, addr, ..ManagerStatus::default() });
        state.nodes.insert(node.id.clone(), node);
        state
    }

    #[test]
    fn a_manager_tells_of_the_cluster() {
        let mut state = state();
        let told = |state: &State| of(state, node::itself(state).unwrap()).unwrap();
        let document = told(&state);
        let keys: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "NodeID",
                "NodeAddr",
                "LocalNodeState",
                "ControlAvailable",
                "Error",
                "RemoteManagers",
                "Nodes",
                "Managers",
                "Cluster",
            ]
        );
        let cluster = document["Cluster"].as_object().unwrap();
        let last: Vec<_> = cluster.keys().map(String::as_str).skip(5).collect();
        assert_eq!(
            last,
            ["RootRotationInProgress", "DefaultAddrPool", "SubnetSize", "DataPathPort"]
        );
        assert!(!document.to_string().contains("secret"), "{document}");
        let other = Node { id: "w".to_owned(), ..Node::default() };
        state.nodes.insert("w".to_owned(), other);
        state.nodes.get_mut("w").unwrap().own.number = 2;
        assert_eq!(told(&state)["Warnings"], json!(["rehearsal, no consensus"]));
        assert_eq!(told(&state)["Nodes"], 2);
    }

    #[test]
    fn without_a_quorum_it_says_so() {
        let mut state = state();
        let mut gone = state.nodes["mhexz1rvopqi5yzfkua5pcurc"].clone();
        gone.id = "gone".to_owned();
        gone.own.number = 2;
        gone.own.off_since = Some("2026-11-20T12:00:00Z".parse().unwrap());
        state.nodes.insert("gone".to_owned(), gone);
        let document = of(&state, node::itself(&state).unwrap()).unwrap();
        assert_eq!(document["Error"], NO_LEADER);
        assert_eq!(document["ControlAvailable"], true);
        assert!(document.get("Cluster").is_none());
    }
}
