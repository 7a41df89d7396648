//! How an update would begin, without one: for plans.

use coracle_words::Timestamp;

use super::update::Rules;
use super::{Addresses, Surroundings, decide};
use crate::model::SlotKey;
use crate::model::service::{FailureAction, Order};
use crate::state::{Change, Object, State};

/// The places that an update goes over, and its settings with the defaults in.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    pub places: Vec<SlotKey>,
    /// 0: all at once.
    pub parallelism: u64,
    pub order: Order,
    pub delay: i64,
    pub monitor: i64,
    pub failure_action: FailureAction,
}

/// What would become of a service in this state; `None` when no task is replaced.
#[must_use]
pub fn preview(state: &State, service: &str, now: Timestamp) -> Option<Preview> {
    let mut number = 0;
    let mut ids = || {
        number += 1;
        format!("planned{number}")
    };
    let decision = decide(state, &Surroundings::default(), &mut Addresses::new, &mut ids, now);
    let after = decision.changes.iter().rev().find_map(|change| match change {
        Change::Put(Object::Service(after)) if after.id == service => Some(after),
        _ => None,
    })?;
    let progress = after.own.progress.as_ref()?;
    let begun = progress.lanes.iter().map(|lane| &lane.slot);
    let places: Vec<SlotKey> = begun.chain(&progress.queue).cloned().collect();
    let rules = Rules::new(after);
    (!places.is_empty()).then_some(Preview {
        places,
        parallelism: rules.parallelism,
        order: rules.order,
        delay: rules.delay,
        monitor: rules.monitor,
        failure_action: rules.action,
    })
}
