//! What is there of a stack, and which stacks there are.

use std::collections::BTreeMap;

use super::{NAMESPACE, scoped};
use crate::model::{Secret, Service};
use crate::state::State;

/// Stacks by name, with the number of their services.
#[must_use]
pub fn stacks(state: &State) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for service in there(state) {
        if let Some(stack) = service.spec.labels.get(NAMESPACE) {
            *out.entry(stack.clone()).or_default() += 1;
        }
    }
    out
}

/// The services of a stack that are not removed, by name.
#[must_use]
pub fn services<'a>(state: &'a State, stack: &str) -> Vec<&'a Service> {
    let mut out: Vec<&Service> =
        there(state).filter(|service| is_of(&service.spec.labels, stack)).collect();
    out.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    out
}

#[must_use]
pub fn secrets<'a>(state: &'a State, stack: &str) -> Vec<&'a Secret> {
    by_name(state.secrets.values(), stack)
}

#[must_use]
pub fn configs<'a>(state: &'a State, stack: &str) -> Vec<&'a Secret> {
    by_name(state.configs.values(), stack)
}

/// The services of a stack that its file does not name any more.
#[must_use]
pub fn left_over<'a>(
    state: &'a State,
    stack: &str,
    config: &serde_json::Value,
) -> Vec<&'a Service> {
    let mut out = services(state, stack);
    let named = |service: &Service| {
        let keys = config["services"].as_object().into_iter().flat_map(|map| map.keys());
        keys.into_iter().any(|key| scoped(stack, key) == service.spec.name)
    };
    out.retain(|service| !named(service));
    out
}

/// Whether labels are those of something of this stack.
#[must_use]
pub fn is_of(labels: &BTreeMap<String, String>, stack: &str) -> bool {
    labels.get(NAMESPACE).is_some_and(|name| name == stack)
}

fn by_name<'a>(all: impl Iterator<Item = &'a Secret>, stack: &str) -> Vec<&'a Secret> {
    let mut out: Vec<&Secret> = all.filter(|secret| is_of(&secret.spec.labels, stack)).collect();
    out.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    out
}

fn there(state: &State) -> impl Iterator<Item = &Service> {
    state.services.values().filter(|service| !service.own.removed)
}
