//! What an update or a deploy would change, as a value that can be shown, kept and compared. Pure.
//!
//! # How it works
//!
//! [`service_step`] holds the spec that is asked for against the one that a service has ([`difference`]), and has the
//! reconciler begin the update on a copy of the state: the order in which places are rolled is its own. [`file_step`]
//! and [`network_step`] say what becomes of the rest. Whoever gathers the facts puts the steps in the order of a deploy.
//!
//! # Limits
//!
//! How places are rolled is as of now and no part of what is compared. The content of secrets is in no plan.

mod difference;
mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use coracle_words::Timestamp;
use serde::{Deserialize, Serialize};

pub use difference::{Change, Named, changes};

use crate::command::{self, CommandError, Rollback};
use crate::model::secret::VERSION_OF;
use crate::model::service::{FailureAction, Order};
use crate::model::{Service, ServiceSpec, SlotKey};
use crate::reconcile::preview;
use crate::state::State;

/// The format of a plan that is kept in a file.
pub const VERSION: u32 = 1;

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Create,
    Update,
    Remove,
    /// It is as wanted.
    Keep,
    /// It would be refused, and what comes after it would not be done.
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Network,
    Secret,
    Config,
    Volume,
    Service,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Remove => "remove",
            Self::Keep => "keep",
            Self::Refuse => "refuse",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Secret => "secret",
            Self::Config => "config",
            Self::Volume => "volume",
            Self::Service => "service",
        })
    }
}

/// How an update goes over the places of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// The places whose tasks are replaced, in their order: `web.1`, `web.NODE`.
    pub places: Vec<String>,
    /// So many at a time.
    pub parallelism: u64,
    pub order: Order,
    /// In nanoseconds, as the next one.
    pub delay: i64,
    pub monitor: i64,
    pub failure_action: FailureAction,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub action: Action,
    pub kind: Kind,
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Step {
    #[must_use]
    pub fn new(action: Action, kind: Kind, name: &str) -> Self {
        let name = name.to_owned();
        Self { action, kind, name, changes: Vec::new(), rollout: None, reason: String::new() }
    }

    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    fn same(&self, other: &Self) -> bool {
        (self.action, self.kind, &self.name, &self.changes)
            == (other.action, other.kind, &other.name, &other.changes)
    }
}

/// What a deploy of a stack, or an update of a service, would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    /// Empty: it is about one service.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stack: String,
    /// Services that the file does not name are removed.
    #[serde(default, skip_serializing_if = "crate::model::is_default")]
    pub prune: bool,
    /// When registries are asked, as it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve_image: Option<String>,
    pub steps: Vec<Step>,
}

impl Plan {
    #[must_use]
    pub fn new(stack: &str, prune: bool) -> Self {
        let (version, stack) = (VERSION, stack.to_owned());
        Self { version, stack, prune, resolve_image: None, steps: Vec::new() }
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    /// What would be refused first.
    #[must_use]
    pub fn refused(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.action == Action::Refuse)
    }

    /// Whether the same is done, however it is rolled.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        (self.version, &self.stack, self.prune) == (other.version, &other.stack, other.prune)
            && self.steps.len() == other.steps.len()
            && self.steps.iter().zip(&other.steps).all(|(one, two)| one.same(two))
    }
}

/// How a secret or config that a stack wants stands to what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not there; what can be told of its content.
    Missing(Option<String>),
    /// It is there, with this content and perhaps other labels.
    Same(Vec<Change>),
    /// It has another content, which cannot be changed in its place.
    Other,
}

#[must_use]
pub fn file_step(kind: Kind, name: &str, standing: Standing) -> Step {
    match standing {
        Standing::Missing(told) => {
            let mut step = Step::new(Action::Create, kind, name);
            let content =
                |new| Change { attribute: "content".to_owned(), old: None, new: Some(new) };
            step.changes.extend(told.map(content));
            step
        }
        Standing::Same(changes) if changes.is_empty() => Step::new(Action::Keep, kind, name),
        Standing::Same(changes) => Step { changes, ..Step::new(Action::Update, kind, name) },
        Standing::Other => Step::new(Action::Refuse, kind, name)
            .because(format!("another content: `{kind} rotate {name} FILE` brings it in")),
    }
}

/// What differs in the labels of a secret or config, but for those that the swarm puts there.
#[must_use]
pub fn label_changes(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<Change> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = |key: &&String| old.get(*key) != new.get(*key) && *key != VERSION_OF;
    let change = |key: &String| Change {
        attribute: format!("label.{key}"),
        old: old.get(key).cloned(),
        new: new.get(key).cloned(),
    };
    keys.into_iter().filter(differs).map(change).collect()
}

#[must_use]
pub fn network_step(name: &str, is_there: bool) -> Step {
    Step::new(if is_there { Action::Keep } else { Action::Create }, Kind::Network, name)
}

/// A service that is to be as `spec` says; `known` is the one that there is.
///
/// # Errors
/// What the swarm would refuse.
pub fn service_step(
    state: &State,
    known: Option<&Service>,
    spec: &ServiceSpec,
    rollback: Rollback,
    named: &Named<'_>,
    now: Timestamp,
) -> Result<Step, CommandError> {
    let step = |action| Step::new(action, Kind::Service, &spec.name);
    let Some(known) = known else {
        command::create_service(state, spec.clone(), "planned".to_owned(), now)?;
        let empty = ServiceSpec { name: spec.name.clone(), ..ServiceSpec::default() };
        return Ok(Step { changes: changes(&empty, spec, named), ..step(Action::Create) });
    };
    let version = known.meta.version.index;
    let ordered = command::update_service(state, &known.id, version, spec.clone(), rollback, now)?;
    let mut after = state.clone();
    after.apply(ordered, now);
    let changes = changes(&known.spec, spec, named);
    let rollout = preview(&after, &known.id, now).map(|seen| Rollout {
        places: seen.places.iter().map(|place| called(state, &spec.name, place)).collect(),
        parallelism: seen.parallelism,
        order: seen.order,
        delay: seen.delay,
        monitor: seen.monitor,
        failure_action: seen.failure_action,
    });
    let is_job = spec.mode.is_job();
    let action = match changes.is_empty() && rollout.is_none() && !is_job {
        true => Action::Keep,
        false => Action::Update,
    };
    let reason = match (action, is_job, &rollout) {
        (Action::Keep, ..) | (_, false, Some(_)) => "",
        (_, true, _) => "the job runs again",
        (_, false, None) => "no task is replaced",
    };
    Ok(Step { changes, rollout, ..step(action) }.because(reason))
}

fn called(state: &State, service: &str, place: &SlotKey) -> String {
    if place.slot != 0 {
        return format!("{service}.{}", place.slot);
    }
    let node = state.nodes.get(&place.node).map(|node| node.description.hostname.as_str());
    format!("{service}.{}", node.unwrap_or(&place.node))
}

#[cfg(test)]
mod tests;
