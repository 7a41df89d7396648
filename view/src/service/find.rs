//! A service or task by what a person typed.

use coracle_swarm::model::{Service, Task};
use coracle_swarm::state::State;

use crate::ViewError;
use crate::swarm::pick;

/// The service of an id, a name, or the beginning of an id.
///
/// # Errors
/// When there is none, or more than one.
pub fn find<'a>(state: &'a State, input: &str) -> Result<&'a Service, ViewError> {
    // One that was removed stands in the state until its tasks have gone.
    let there = state.services.values().filter(|service| !service.own.removed);
    let all = there.map(|service| (service.id.as_str(), service.spec.name.as_str(), service));
    pick("service", all, input)
}

/// The task of an id, a name (`web.1.ID`), or the beginning of an id.
///
/// # Errors
/// When there is none, or more than one.
pub fn find_task<'a>(state: &'a State, input: &str) -> Result<&'a Task, ViewError> {
    let names: Vec<String> = state.tasks.values().map(Task::name).collect();
    let all = state.tasks.values().zip(&names);
    pick("task", all.map(|(task, name)| (task.id.as_str(), name.as_str(), task)), input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_service_is_not_found() {
        let mut state = State::default();
        let mut service = Service { id: "xyz3".to_owned(), ..Service::default() };
        service.spec.name = "db".to_owned();
        state.services.insert(service.id.clone(), service);
        assert_eq!(find(&state, "db").unwrap().id, "xyz3");
        state.services.get_mut("xyz3").unwrap().own.removed = true;
        assert_eq!(find(&state, "db").unwrap_err().to_string(), "service db not found");
    }

    #[test]
    fn a_task_has_a_name_too() {
        let mut state = State::default();
        let mut task = Task { id: "z6uvo6".to_owned(), slot: 1, ..Task::default() };
        task.own.service_name = "s1".to_owned();
        state.tasks.insert(task.id.clone(), task);
        for input in ["z6uvo6", "z6", "s1.1.z6uvo6"] {
            assert_eq!(find_task(&state, input).unwrap().slot, 1, "{input}");
        }
        assert!(find_task(&state, "s1.1").is_err());
    }
}
