//! The nodes that a list has, and the one that is named.

use std::collections::BTreeMap;

use coracle_swarm::model::{Node, Role};
use coracle_swarm::state::State;
use coracle_words::{ErrorKind, natural};

use crate::ViewError;
use crate::filter::{Filter, Filters};
use crate::swarm::{begins, labelled, pick, refused};

const KEYS: &[&str] = &["id", "label", "membership", "name", "node.label", "role"];

/// The machine itself.
#[must_use]
pub fn itself(state: &State) -> Option<&Node> {
    state.nodes.values().find(|node| node.own.number == 0 && !node.own.left)
}

/// The node that was chosen, by name or id, or a machine that is in no swarm; without a choice, the machine itself.
#[must_use]
pub fn chosen<'a>(state: &'a State, choice: Option<&str>) -> Option<&'a Node> {
    let Some(choice) = choice else { return itself(state) };
    let members = state.nodes.values().filter(|node| !node.own.left);
    members.chain(state.machines.values()).find(|node| name_of(node) == choice || node.id == choice)
}

/// The machines on this one, by number: those in the swarm as its nodes, the others as they are outside of it.
#[must_use]
pub fn machines(state: &State) -> Vec<&Node> {
    let members = state.nodes.values().filter(|node| node.own.number != 0 && !node.own.left);
    let mut all: BTreeMap<u8, &Node> =
        state.machines.values().map(|machine| (machine.own.number, machine)).collect();
    all.extend(members.map(|node| (node.own.number, node)));
    all.into_values().collect()
}

/// What names the machine of a node whatever becomes of the node: the id that it has outside of the swarm, if it was
/// outside before.
#[must_use]
pub fn lasting_id<'a>(state: &'a State, node: &'a Node) -> &'a str {
    let machine = state.machines.values().find(|it| it.own.number == node.own.number);
    &machine.unwrap_or(node).id
}

/// What a node is called: its host name.
#[must_use]
pub fn name_of(node: &Node) -> &str {
    match node.spec.name.as_str() {
        "" => &node.description.hostname,
        name => name,
    }
}

/// The node of an id, a name, or the beginning of an id; `self` is `this`.
///
/// # Errors
/// When there is none, or more than one.
pub fn find<'a>(state: &'a State, this: &'a Node, input: &str) -> Result<&'a Node, ViewError> {
    if input == "self" {
        return Ok(this);
    }
    let all = state.nodes.values();
    let all = all.map(|node| (node.id.as_str(), node.description.hostname.as_str(), node));
    pick("node", all, input)
}

/// The nodes that pass the filters of `node ls`, by name.
///
/// # Errors
/// For a filter that there is not.
pub fn list<'a>(state: &'a State, filters: &[Filter]) -> Result<Vec<&'a Node>, ViewError> {
    let filters = Filters::new(filters, KEYS)?;
    check(&filters, "role", &["worker", "manager"])?;
    check(&filters, "membership", &["pending", "accepted"])?;
    let passes = |node: &&Node| {
        let role = match node.spec.role {
            Role::Worker => "worker",
            Role::Manager => "manager",
        };
        begins(&filters, "id", &node.id)
            && begins(&filters, "name", &node.description.hostname)
            && labelled(&filters, "label", &node.description.engine.labels)
            && labelled(&filters, "node.label", &node.spec.labels)
            && is_one_of(&filters, "role", role)
            // Who is listed was accepted.
            && is_one_of(&filters, "membership", "accepted")
    };
    let mut nodes: Vec<&Node> = state.nodes.values().filter(passes).collect();
    nodes.sort_by_key(|node| natural(&node.description.hostname));
    Ok(nodes)
}

fn check(filters: &Filters, key: &str, known: &[&str]) -> Result<(), ViewError> {
    let unknown = |value: &&String| {
        !value.is_empty() && !known.iter().any(|known| value.eq_ignore_ascii_case(known))
    };
    match filters.values(key).iter().find(unknown) {
        Some(value) => {
            Err(refused(ErrorKind::BadRequest, format!("invalid {key} filter: '{value}'")))
        }
        None => Ok(()),
    }
}

fn is_one_of(filters: &Filters, key: &str, text: &str) -> bool {
    let mut values = filters.values(key).iter().filter(|value| !value.is_empty()).peekable();
    values.peek().is_none() || values.any(|value| value.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, name: &str, role: Role) -> Node {
        let mut node = Node { id: id.to_owned(), ..Node::default() };
        node.description.hostname = name.to_owned();
        node.spec.role = role;
        node.own.number = if name == "swm1" { 0 } else { 2 };
        node
    }

    fn state() -> State {
        let mut swm2 = node("nc1tu9fidywt8tvxrj9p9yfon", "swm2", Role::Worker);
        swm2.spec.labels =
            [("zone", "a"), ("disk", "ssd")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let nodes = [
            node("aaifzj4ue1cfxjz76a70k3wxy", "swm1", Role::Manager),
            swm2,
            node("fzlantl2rgbml4qfpvf6b6a10", "swm3", Role::Worker),
            node("i1x1nudnvteacq9p77wntn81r", "swm3", Role::Worker),
        ];
        State {
            nodes: nodes.into_iter().map(|node| (node.id.clone(), node)).collect(),
            ..State::default()
        }
    }

    #[test]
    fn filters_are_dockers() {
        let names = |filters: &[(&str, &str)]| {
            let filters: Vec<_> = filters
                .iter()
                .map(|(key, value)| Filter { key: (*key).to_owned(), value: (*value).to_owned() })
                .collect();
            let state = state();
            let names = list(&state, &filters);
            names.map_err(|error| error.to_string()).map(|nodes| {
                nodes
                    .iter()
                    .map(|node| node.description.hostname.clone())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
        };
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(names(&[]), ok("swm1 swm2 swm3 swm3"));
        assert_eq!(names(&[("role", "manager")]), ok("swm1"));
        assert_eq!(names(&[("membership", "pending")]), ok(""));
        assert_eq!(names(&[("membership", "accepted"), ("name", "swm2")]), ok("swm2"));
        assert_eq!(names(&[("node.label", "zone=a")]), ok("swm2"));
        assert_eq!(names(&[("node.label", "disk")]), ok("swm2"));
        // Labels of the engine, which has none.
        assert_eq!(names(&[("label", "zone=a")]), ok(""));
        assert_eq!(names(&[("bogus", "1")]), Err("invalid filter 'bogus'".to_owned()));
        assert_eq!(names(&[("role", "boss")]), Err("invalid role filter: 'boss'".to_owned()));
    }

    #[test]
    fn one_is_chosen() {
        let mut state = state();
        assert_eq!(chosen(&state, None).unwrap().description.hostname, "swm1");
        assert_eq!(chosen(&state, Some("swm2")).unwrap().id, "nc1tu9fidywt8tvxrj9p9yfon");
        assert!(chosen(&state, Some("outside")).is_none());
        let mut left = state.nodes["nc1tu9fidywt8tvxrj9p9yfon"].clone();
        left.own.left = true;
        let machine = Node { id: "out".to_owned(), ..left.clone() };
        state.nodes.insert(left.id.clone(), left);
        assert!(chosen(&state, Some("swm2")).is_none());
        state.machines.insert("out".to_owned(), machine);
        assert_eq!(chosen(&state, Some("swm2")).unwrap().id, "out");
    }

    #[test]
    fn machines_are_in_a_swarm_or_not() {
        let mut state = state();
        state.nodes.get_mut("i1x1nudnvteacq9p77wntn81r").unwrap().own.left = true;
        let nodes = state.nodes.values_mut();
        nodes.filter(|node| node.description.hostname == "swm3").for_each(|it| it.own.number = 3);
        for (number, name) in [(3, "swm3"), (4, "vm4")] {
            let mut machine = node(&format!("m{number}"), name, Role::Worker);
            machine.own.number = number;
            machine.own.left = true;
            state.machines.insert(machine.id.clone(), machine);
        }
        let all = machines(&state).into_iter();
        let all: Vec<_> = all.map(|it| (name_of(it), it.own.left)).collect();
        assert_eq!(all, [("swm2", false), ("swm3", false), ("vm4", true)]);
        let node = &state.nodes["fzlantl2rgbml4qfpvf6b6a10"];
        assert_eq!(lasting_id(&state, node), "m3");
        let node = &state.nodes["nc1tu9fidywt8tvxrj9p9yfon"];
        assert_eq!(lasting_id(&state, node), node.id);
    }

    #[test]
    fn one_is_named() {
        let state = state();
        let this = itself(&state).unwrap();
        let find = |input: &str| {
            find(&state, this, input).map(|node| node.id.clone()).map_err(|error| error.to_string())
        };
        assert_eq!(find("self"), Ok("aaifzj4ue1cfxjz76a70k3wxy".to_owned()));
        assert_eq!(find("nc1"), Ok("nc1tu9fidywt8tvxrj9p9yfon".to_owned()));
        assert_eq!(find("swm3"), Err("node swm3 is ambiguous (2 matches found)".to_owned()));
        assert_eq!(find("nosuch"), Err("node nosuch not found".to_owned()));
    }
}
