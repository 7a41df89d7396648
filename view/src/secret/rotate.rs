//! A new version of a secret or config takes the place of the one before. Pure.
//!
//! # How it works
//!
//! Version N of `NAME` is an object of its own, called `NAME.vN`, with the labels of the one before and one
//! ([`VERSION_OF`]) that says whose version it is. All that stand for the name are old: also what a rotation left that
//! was killed. Services keep the file's name, owner and mode; what they used before is remembered, to be put back.

use coracle_swarm::model::container::{ContainerSpec, FileTarget};
use coracle_swarm::model::secret::VERSION_OF;
use coracle_swarm::model::{Secret, SecretSpec, UpdateState};
use coracle_swarm::state::State;

use super::{Kind, find};
use crate::ViewError;
use crate::service;
use crate::service::progress::Next;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name that is stood for.
    pub name: String,
    /// Of the new one.
    pub spec: SecretSpec,
    /// The ids of those that it replaces.
    pub old: Vec<String>,
    /// The ids of the services that use one of them, by name.
    pub services: Vec<String>,
}

/// A use that was changed: its file, and the id and name of what it used.
pub type Before = (Option<FileTarget>, String, String);

/// Plans the rotation of what `input` names.
///
/// # Errors
/// When there is none, or more than one.
pub fn plan(state: &State, kind: Kind, input: &str) -> Result<Plan, ViewError> {
    let found = find(state, kind, input)?;
    let name = found.stands_for().to_owned();
    let all: Vec<&Secret> =
        kind.all(state).values().filter(|one| one.stands_for() == name).collect();
    let last = all.iter().map(|one| one.version()).max().unwrap_or(1);
    let mut spec = found.spec.clone();
    spec.name = format!("{name}.v{}", last + 1);
    spec.labels.insert(VERSION_OF.to_owned(), name.clone());
    let old: Vec<String> = all.iter().map(|one| one.id.clone()).collect();
    let uses = |spec: &ContainerSpec| {
        let mut spec = spec.clone();
        !switch(kind, &mut spec, &old, "", "").is_empty()
    };
    let mut services: Vec<_> = service::all(state)
        .filter(|service| uses(&service.spec.task_template.container_spec))
        .map(|service| (service.spec.name.as_str(), service.id.clone()))
        .collect();
    services.sort();
    let services = services.into_iter().map(|(_, id)| id).collect();
    Ok(Plan { name, spec, old, services })
}

/// Uses the new one in place of the old ones; gives what was changed.
pub fn switch(
    kind: Kind,
    spec: &mut ContainerSpec,
    old: &[String],
    id: &str,
    name: &str,
) -> Vec<Before> {
    let mut before = Vec::new();
    each(kind, spec, |file, used, called| {
        if old.contains(used) {
            let was = (
                std::mem::replace(used, id.to_owned()),
                std::mem::replace(called, name.to_owned()),
            );
            before.push((file.clone(), was.0, was.1));
        }
    });
    before
}

/// Uses again what was used before `id`; gives what was changed.
pub fn put_back(kind: Kind, spec: &mut ContainerSpec, id: &str, before: &[Before]) -> Vec<Before> {
    let mut changed = Vec::new();
    each(kind, spec, |file, used, called| {
        if used == id
            && let Some(was) = before.iter().find(|(was, ..)| was == file)
        {
            used.clone_from(&was.1);
            called.clone_from(&was.2);
            changed.push(was.clone());
        }
    });
    changed
}

fn each(
    kind: Kind,
    spec: &mut ContainerSpec,
    mut look: impl FnMut(&Option<FileTarget>, &mut String, &mut String),
) {
    match kind {
        Kind::Secret => spec
            .secrets
            .iter_mut()
            .for_each(|used| look(&used.file, &mut used.secret_id, &mut used.secret_name)),
        Kind::Config => spec
            .configs
            .iter_mut()
            .for_each(|used| look(&used.file, &mut used.config_id, &mut used.config_name)),
    }
}

/// How the update of a service ended, once its tasks were as asked for, or not.
#[must_use]
pub fn outcome(state: &State, id: &str) -> Next {
    let found = service::all(state).find(|service| service.id == id);
    // Who removed it wants nothing of it any more.
    let Some(service) = found else { return Next::Done };
    let status = service.update_status.as_ref();
    let failed = |words: String| Next::Failed(words);
    match status.map(|status| (status.state, &status.message)) {
        Some((UpdateState::Updating | UpdateState::RollbackStarted, _)) => Next::Wait(None),
        Some((UpdateState::Paused | UpdateState::RollbackPaused, message)) => {
            failed(message.clone())
        }
        Some((UpdateState::RollbackCompleted, message)) => failed(message.clone()),
        Some((UpdateState::Completed, _)) | None => {
            match service::why::is_converged(state, service) {
                true => Next::Done,
                false => failed("its tasks do not run".to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::{SecretUse, Service};

    use super::*;

    fn state() -> State {
        let mut state = State::default();
        let mut secret = Secret { id: "old".to_owned(), ..Secret::default() };
        secret.spec.name = "pw".to_owned();
        secret.spec.labels.insert("k".to_owned(), "v".to_owned());
        state.secrets.insert("old".to_owned(), secret);
        for name in ["b", "a", "other"] {
            let mut service = Service { id: format!("id-{name}"), ..Service::default() };
            service.spec.name = name.to_owned();
            let file = FileTarget { name: "pw".to_owned(), ..FileTarget::default() };
            let used = SecretUse {
                file: Some(file),
                secret_id: if name == "other" { "x" } else { "old" }.to_owned(),
                secret_name: "pw".to_owned(),
            };
            service.spec.task_template.container_spec.secrets = vec![used];
            state.services.insert(service.id.clone(), service);
        }
        state
    }

    #[test]
    fn versions_follow_each_other_and_a_name_stands_for_the_last() {
        let mut state = state();
        let first = plan(&state, Kind::Secret, "pw").unwrap();
        assert_eq!(first.spec.name, "pw.v2");
        assert_eq!(first.old, ["old"]);
        assert_eq!(first.services, ["id-a", "id-b"]);
        assert_eq!(first.spec.labels["k"], "v");
        let new = Secret { id: "new".to_owned(), spec: first.spec, ..Secret::default() };
        state.secrets.insert("new".to_owned(), new);
        // What a rotation left that was killed is old too.
        let second = plan(&state, Kind::Secret, "pw").unwrap();
        assert_eq!((second.spec.name.as_str(), second.old.len()), ("pw.v3", 2));
        state.secrets.remove("old");
        for input in ["pw", "pw.v2", "new"] {
            let second = plan(&state, Kind::Secret, input).unwrap();
            assert_eq!((second.name.as_str(), second.spec.name.as_str()), ("pw", "pw.v3"));
            assert_eq!(second.old, ["new"]);
        }
        assert!(plan(&state, Kind::Config, "pw").is_err());
    }

    #[test]
    fn what_was_switched_is_put_back() {
        let state = state();
        let mut spec = state.services["id-a"].spec.task_template.container_spec.clone();
        let was = spec.clone();
        let before = switch(Kind::Secret, &mut spec, &["old".to_owned()], "new", "pw.v2");
        assert_eq!(before.len(), 1);
        assert_eq!(spec.secrets[0].secret_name, "pw.v2");
        assert_eq!(spec.secrets[0].file, was.secrets[0].file);
        assert_eq!(put_back(Kind::Secret, &mut spec, "new", &before).len(), 1);
        assert_eq!(spec, was);
        assert!(put_back(Kind::Secret, &mut spec, "new", &before).is_empty());
    }
}
