//! What a transaction is told as: the events of services, nodes, secrets and configs. Pure.
//!
//! Names and attributes are those of Docker's daemon. An update says what changed, old and new.

use coracle_runtime::events::Kind;

use crate::model::node::{NodeState, Reachability};
use crate::model::{Mode, Node, Secret, Service, UpdateState};
use crate::state::{Change, Object, State};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    pub kind: Kind,
    pub action: &'static str,
    pub id: String,
    pub attributes: Vec<(&'static str, String)>,
}

/// What `changes` of that state are told as.
#[must_use]
pub(crate) fn happenings(before: &State, changes: &[Change]) -> Vec<Happening> {
    changes.iter().filter_map(|change| happening(before, change)).collect()
}

fn happening(before: &State, change: &Change) -> Option<Happening> {
    match change {
        Change::Put(Object::Service(new)) => service(before.services.get(&new.id), new),
        Change::Put(Object::Node(new)) => node(before.nodes.get(&new.id), new),
        Change::Put(Object::Secret(new)) => {
            Some(kept(Kind::Secret, before.secrets.contains_key(&new.id), new))
        }
        Change::Put(Object::Config(new)) => {
            Some(kept(Kind::Config, before.configs.contains_key(&new.id), new))
        }
        Change::RemoveNode(id) => {
            let name = before.nodes.get(id).map(name_of)?;
            Some(told(Kind::Node, "remove", id, vec![("name", name)]))
        }
        // One that was removed before was told of then.
        Change::RemoveService(id) => {
            let gone = before.services.get(id).filter(|service| !service.own.removed)?;
            Some(told(Kind::Service, "remove", id, vec![("name", gone.spec.name.clone())]))
        }
        Change::RemoveSecret(id) => {
            let name = before.secrets.get(id)?.spec.name.clone();
            Some(told(Kind::Secret, "remove", id, vec![("name", name)]))
        }
        Change::RemoveConfig(id) => {
            let name = before.configs.get(id)?.spec.name.clone();
            Some(told(Kind::Config, "remove", id, vec![("name", name)]))
        }
        Change::Put(Object::Cluster(_) | Object::Task(_))
        | Change::RemoveTask(_)
        | Change::PutMachine(_)
        | Change::RemoveMachine(_) => None,
    }
}

fn told(
    kind: Kind,
    action: &'static str,
    id: &str,
    attributes: Vec<(&'static str, String)>,
) -> Happening {
    Happening { kind, action, id: id.to_owned(), attributes }
}

fn kept(kind: Kind, was_there: bool, new: &Secret) -> Happening {
    let action = if was_there { "update" } else { "create" };
    told(kind, action, &new.id, vec![("name", new.spec.name.clone())])
}

fn service(old: Option<&Service>, new: &Service) -> Option<Happening> {
    let mut attributes = vec![("name", new.spec.name.clone())];
    let Some(old) = old else {
        return Some(told(Kind::Service, "create", &new.id, attributes));
    };
    if new.own.removed {
        let action = "remove";
        return (!old.own.removed).then(|| told(Kind::Service, action, &new.id, attributes));
    }
    let image = |service: &Service| service.spec.task_template.container_spec.image.clone();
    pair(&mut attributes, ["image.old", "image.new"], image(old), image(new));
    if let (Mode::Replicated(old), Mode::Replicated(new)) = (old.spec.mode, new.spec.mode) {
        let count = |replicas: Option<u64>| replicas.unwrap_or(1).to_string();
        let (old, new) = (count(old.replicas), count(new.replicas));
        pair(&mut attributes, ["replicas.old", "replicas.new"], old, new);
    }
    let state = |service: &Service| service.update_status.as_ref().map(|status| status.state);
    if let Some(now) = state(new).filter(|now| Some(*now) != state(old)) {
        attributes.extend(state(old).map(|old| ("updatestate.old", update_word(old).to_owned())));
        attributes.push(("updatestate.new", update_word(now).to_owned()));
    }
    Some(told(Kind::Service, "update", &new.id, attributes))
}

fn node(old: Option<&Node>, new: &Node) -> Option<Happening> {
    let mut attributes = vec![("name", name_of(new))];
    let Some(old) = old else {
        return Some(told(Kind::Node, "create", &new.id, attributes));
    };
    let all = &mut attributes;
    let availability = |node: &Node| node.spec.availability.to_string();
    pair(all, ["availability.old", "availability.new"], availability(old), availability(new));
    let role = |node: &Node| node.spec.role.to_string();
    pair(all, ["role.old", "role.new"], role(old), role(new));
    let state = |node: &Node| state_word(node.status.state).to_owned();
    pair(all, ["state.old", "state.new"], state(old), state(new));
    if let (Some(old), Some(new)) = (&old.manager_status, &new.manager_status) {
        pair(all, ["leader.old", "leader.new"], old.leader.to_string(), new.leader.to_string());
        let word = |reachability| reachability_word(reachability).to_owned();
        let (old, new) = (word(old.reachability), word(new.reachability));
        pair(all, ["reachability.old", "reachability.new"], old, new);
    }
    Some(told(Kind::Node, "update", &new.id, attributes))
}

/// Old and new, where they differ.
fn pair(
    attributes: &mut Vec<(&'static str, String)>,
    names: [&'static str; 2],
    old: String,
    new: String,
) {
    if old != new {
        attributes.extend([(names[0], old), (names[1], new)]);
    }
}

fn name_of(node: &Node) -> String {
    let name = &node.spec.name;
    if name.is_empty() { node.description.hostname.clone() } else { name.clone() }
}

fn state_word(state: NodeState) -> &'static str {
    match state {
        NodeState::Unknown => "unknown",
        NodeState::Down => "down",
        NodeState::Ready => "ready",
        NodeState::Disconnected => "disconnected",
    }
}

fn reachability_word(reachability: Reachability) -> &'static str {
    match reachability {
        Reachability::Unknown => "unknown",
        Reachability::Unreachable => "unreachable",
        Reachability::Reachable => "reachable",
    }
}

fn update_word(state: UpdateState) -> &'static str {
    match state {
        UpdateState::Updating => "updating",
        UpdateState::Paused => "paused",
        UpdateState::Completed => "completed",
        UpdateState::RollbackStarted => "rollback_started",
        UpdateState::RollbackPaused => "rollback_paused",
        UpdateState::RollbackCompleted => "rollback_completed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Availability;
    use crate::model::service::Replicated;

    fn text(happening: &Happening) -> String {
        let pairs: Vec<_> =
            happening.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!(
            "{} {} {} ({})",
            happening.kind.as_str(),
            happening.action,
            happening.id,
            pairs.join(", ")
        )
    }

    fn tell(before: &State, change: Change) -> Vec<String> {
        happenings(before, &[change]).iter().map(text).collect()
    }

    #[test]
    fn services_tell_what_changed() {
        let mut state = State::default();
        let mut web = Service { id: "s".to_owned(), ..Service::default() };
        web.spec.name = "web".to_owned();
        web.spec.task_template.container_spec.image = "a:1".to_owned();
        assert_eq!(tell(&state, web.clone().into()), ["service create s (name=web)"]);
        state.services.insert("s".to_owned(), web.clone());
        let mut changed = web.clone();
        changed.spec.mode = Mode::Replicated(Replicated { replicas: Some(3) });
        changed.spec.task_template.container_spec.image = "a:2".to_owned();
        assert_eq!(
            tell(&state, changed.into()),
            [
                "service update s (name=web, image.old=a:1, image.new=a:2, replicas.old=1, replicas.new=3)"
            ]
        );
        let mut removed = web;
        removed.own.removed = true;
        assert_eq!(tell(&state, removed.clone().into()), ["service remove s (name=web)"]);
        state.services.insert("s".to_owned(), removed.clone());
        assert!(tell(&state, removed.into()).is_empty());
        assert!(tell(&state, Change::RemoveService("s".to_owned())).is_empty());
    }

    #[test]
    fn nodes_and_what_is_kept_tell_too() {
        let mut state = State::default();
        let mut node = Node { id: "n".to_owned(), ..Node::default() };
        node.description.hostname = "host1".to_owned();
        assert_eq!(tell(&state, node.clone().into()), ["node create n (name=host1)"]);
        state.nodes.insert("n".to_owned(), node.clone());
        node.spec.availability = Availability::Drain;
        assert_eq!(
            tell(&state, node.into()),
            ["node update n (name=host1, availability.old=active, availability.new=drain)"]
        );
        let mut secret = Secret { id: "x".to_owned(), ..Secret::default() };
        secret.spec.name = "pw".to_owned();
        let put = Change::Put(Object::Secret(Box::new(secret.clone())));
        assert_eq!(tell(&state, put), ["secret create x (name=pw)"]);
        state.secrets.insert("x".to_owned(), secret);
        assert_eq!(
            tell(&state, Change::RemoveSecret("x".to_owned())),
            ["secret remove x (name=pw)"]
        );
        assert!(tell(&state, Change::RemoveConfig("x".to_owned())).is_empty());
    }
}
