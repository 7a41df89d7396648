//! The tasks that a list has.

use coracle_swarm::model::{Node, Service, Task};
use coracle_swarm::state::State;
use coracle_words::ErrorKind;

use crate::filter::{Filter, Filters};
use crate::swarm::{begins, labelled, refused};
use crate::{ViewError, node, service};

const KEYS: &[&str] = &["desired-state", "id", "label", "name", "node", "service"];

/// States by the names that a filter may have.
const STATES: &[&str] = &[
    "new",
    "pending",
    "assigned",
    "accepted",
    "preparing",
    "ready",
    "starting",
    "running",
    "complete",
    "shutdown",
    "failed",
    "rejected",
    "remove",
    "orphaned",
];

/// The tasks that pass the filters of `service ps`, `node ps` and `stack ps`; `this` is the node that is asked.
///
/// # Errors
/// For a filter that there is not, or that names a service or node that is not there.
pub fn list<'a>(
    state: &'a State,
    this: &Node,
    filters: &[Filter],
) -> Result<Vec<&'a Task>, ViewError> {
    let filters = Filters::new(filters, KEYS)?;
    let wanted_states = filters.values("desired-state");
    let unknown = |value: &&String| {
        !value.is_empty() && !STATES.iter().any(|known| known.eq_ignore_ascii_case(value))
    };
    if let Some(value) = wanted_states.iter().find(unknown) {
        return Err(refused(
            ErrorKind::BadRequest,
            format!("Invalid desired-state filter: '{value}'"),
        ));
    }
    let mut services = Vec::new();
    for input in filters.values("service") {
        services.push(service::find(state, input)?.id.as_str());
    }
    let mut nodes = Vec::new();
    for input in filters.values("node") {
        nodes.push(match input.as_str() {
            "self" => this.id.clone(),
            input => node::find(state, this, input)?.id.clone(),
        });
    }
    let passes = |task: &&Task| {
        let desired = task.desired_state.to_string();
        begins(&filters, "id", &task.id)
            && begins(&filters, "name", &task.name())
            && labelled(&filters, "label", &task.own.service_labels)
            && (services.is_empty() || services.contains(&task.service_id.as_str()))
            && (nodes.is_empty() || nodes.contains(&task.node_id))
            && (wanted_states.iter().all(String::is_empty)
                || wanted_states.iter().any(|wanted| wanted.eq_ignore_ascii_case(&desired)))
    };
    Ok(state.tasks.values().filter(passes).collect())
}

/// The services that the arguments of `service ps` name, and what is to be said of those that are not there.
///
/// # Errors
/// When a beginning of an id fits several, or none of them is there.
pub fn of_services<'a>(
    state: &'a State,
    names: &[String],
) -> Result<(Vec<&'a Service>, Vec<String>), ViewError> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        let all = || service::all(state);
        let whole = all()
            .find(|service| service.id == *name)
            .or_else(|| all().find(|s| s.spec.name == *name));
        if let Some(service) = whole {
            found.push(service);
            continue;
        }
        let mut beginning = all().filter(|service| service.id.starts_with(name.as_str()));
        match (beginning.next(), beginning.next()) {
            (Some(service), None) => found.push(service),
            (Some(_), Some(_)) => {
                let words = format!("multiple services found with provided prefix: {name}");
                return Err(ViewError::OfClient(words));
            }
            (None, _) => missing.push(format!("no such service: {name}")),
        }
    }
    match found.is_empty() && !missing.is_empty() {
        true => Err(ViewError::OfClient(missing.join("\n"))),
        false => Ok((found, missing)),
    }
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::TaskState;

    use super::*;

    fn state() -> State {
        let mut state = State::default();
        for (id, name) in [("rl2ss5vguf4i", "s1"), ("rl9aaaaaaaaa", "s10")] {
            let mut service = Service { id: id.to_owned(), ..Service::default() };
            service.spec.name = name.to_owned();
            state.services.insert(id.to_owned(), service);
        }
        for (id, service, slot) in
            [("z6", "rl2ss5vguf4i", 1), ("jo", "rl2ss5vguf4i", 2), ("mv", "rl9aaaaaaaaa", 1)]
        {
            let mut task = Task { id: id.to_owned(), slot, ..Task::default() };
            task.service_id = service.to_owned();
            task.own.service_name = state.services[service].spec.name.clone();
            task.own.service_labels =
                [("com.docker.stack.namespace".to_owned(), "x".to_owned())].into();
            task.desired_state = TaskState::Running;
            task.node_id = "mhexz1".to_owned();
            state.tasks.insert(id.to_owned(), task);
        }
        let mut node = Node { id: "mhexz1".to_owned(), ..Node::default() };
        node.description.hostname = "host1".to_owned();
        state.nodes.insert(node.id.clone(), node);
        state
    }

    #[test]
    fn filters_are_dockers() {
        let state = state();
        let of = |filters: &[(&str, &str)]| {
            let filters: Vec<_> = filters
                .iter()
                .map(|(key, value)| Filter { key: (*key).to_owned(), value: (*value).to_owned() })
                .collect();
            list(&state, &state.nodes["mhexz1"], &filters)
                .map(|tasks| {
                    tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>().join(" ")
                })
                .map_err(|error| error.to_string())
        };
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(of(&[]), ok("jo mv z6"));
        assert_eq!(of(&[("name", "s1.2")]), ok("jo"));
        assert_eq!(of(&[("service", "s1"), ("node", "host1")]), ok("jo z6"));
        assert_eq!(of(&[("desired-state", "shutdown")]), ok(""));
        assert_eq!(of(&[("desired-state", "Running"), ("node", "self")]), ok("jo mv z6"));
        assert_eq!(of(&[("label", "com.docker.stack.namespace=x"), ("id", "m")]), ok("mv"));
        let error = |text: &str| Err(text.to_owned());
        assert_eq!(
            of(&[("desired-state", "bogus")]),
            error("Invalid desired-state filter: 'bogus'")
        );
        assert_eq!(of(&[("bogus", "1")]), error("invalid filter 'bogus'"));
        assert_eq!(of(&[("node", "nosuch")]), error("node nosuch not found"));
        assert_eq!(of(&[("service", "nosuch")]), error("service nosuch not found"));
    }

    #[test]
    fn services_are_named_by_id_name_or_beginning() {
        let state = state();
        let of = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            of_services(&state, &names)
                .map(|(found, missing)| {
                    (found.iter().map(|s| s.spec.name.as_str()).collect::<Vec<_>>(), missing)
                })
                .map_err(|error| error.to_string())
        };
        assert_eq!(of(&["s1", "rl9"]), Ok((vec!["s1", "s10"], vec![])));
        assert_eq!(of(&["nosuch"]), Err("no such service: nosuch".to_owned()));
        assert_eq!(of(&["s1", "no"]), Ok((vec!["s1"], vec!["no such service: no".to_owned()])));
        assert_eq!(of(&["rl"]), Err("multiple services found with provided prefix: rl".to_owned()));
    }
}
