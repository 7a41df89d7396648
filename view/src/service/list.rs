//! The services that a list has.

use coracle_swarm::model::{Mode, Service};
use coracle_swarm::state::State;
use coracle_words::natural;

use crate::ViewError;
use crate::filter::{Filter, Filters};
use crate::swarm::{begins, labelled};

const KEYS: &[&str] = &["id", "label", "mode", "name", "runtime"];

/// All that were not removed: one that waits for the end of its tasks is nobody's any more.
pub fn all(state: &State) -> impl Iterator<Item = &Service> + Clone {
    state.services.values().filter(|service| !service.own.removed)
}

/// The services that pass the filters of `service ls`, by name.
///
/// # Errors
/// For a filter that there is not.
pub fn list<'a>(state: &'a State, filters: &[Filter]) -> Result<Vec<&'a Service>, ViewError> {
    let filters = Filters::new(filters, KEYS)?;
    let passes = |service: &&Service| {
        begins(&filters, "id", &service.id)
            && begins(&filters, "name", &service.spec.name)
            && labelled(&filters, "label", &service.spec.labels)
            && filters.exact("mode", mode(&service.spec.mode))
            // Plugins are not run as services.
            && filters.exact("runtime", "container")
    };
    let mut services: Vec<&Service> = all(state).filter(passes).collect();
    services.sort_by_key(|service| natural(&service.spec.name));
    Ok(services)
}

/// As a filter calls it.
fn mode(mode: &Mode) -> &'static str {
    match mode {
        Mode::Replicated(_) => "replicated",
        Mode::Global {} => "global",
        Mode::ReplicatedJob(_) => "replicated-job",
        Mode::GlobalJob {} => "global-job",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_dockers() {
        let mut state = State::default();
        for (name, mode) in
            [("s10", Mode::default()), ("s1", Mode::Global {}), ("gone", Mode::default())]
        {
            let mut service = Service { id: format!("id-{name}"), ..Service::default() };
            service.spec.name = name.to_owned();
            service.spec.mode = mode;
            service.own.removed = name == "gone";
            state.services.insert(service.id.clone(), service);
        }
        let names = |key: &str, value: &str| {
            let filters = [Filter { key: key.to_owned(), value: value.to_owned() }];
            let filters = if key.is_empty() { &filters[1..] } else { &filters[..] };
            list(&state, filters)
                .map(|all| all.iter().map(|s| s.spec.name.as_str()).collect::<Vec<_>>().join(" "))
                .map_err(|error| error.to_string())
        };
        assert_eq!(names("", ""), Ok("s1 s10".to_owned()));
        assert_eq!(names("name", "s1"), Ok("s1 s10".to_owned()));
        assert_eq!(names("mode", "global"), Ok("s1".to_owned()));
        assert_eq!(names("label", "zz"), Ok(String::new()));
        assert_eq!(names("bogus", "x"), Err("invalid filter 'bogus'".to_owned()));
    }
}
