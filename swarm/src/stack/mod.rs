//! From a stack file to what the swarm is asked for. Pure: files are read, and orders given, by the caller.
//!
//! The file is the value that `stack config` prints ([`coracle_compose::StackFile`]). [`networks`] and [`files`] say
//! which networks, secrets and configs a stack has, [`services`] gives the specs of its services. What belongs to a
//! stack has its name in the label [`NAMESPACE`], and in front of its own name; [`members`] finds it again.
//! [`images`] says whether a deploy asks a registry, and which image a service keeps.
//!
//! Words are those of Docker: of its client as [`StackError::Client`], of its engine, which Docker asks when it makes
//! the service, as [`StackError::Engine`].

mod files;
pub mod images;
pub mod members;
mod mounts;
mod networks;
mod service;
mod task;

use std::collections::BTreeMap;

use serde_json::Value;

pub use files::{Content, Wanted as WantedFile, configs, secrets};
pub use networks::{Wanted as WantedNetwork, is_users as is_users_network, networks};
pub use service::{Known, WantedService, services};

/// The label that tells the stack.
pub const NAMESPACE: &str = "com.docker.stack.namespace";
/// The label of a service with the image as the file has it.
pub const IMAGE: &str = "com.docker.stack.image";

/// Why a stack cannot be as its file says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    #[error("{0}")]
    Client(String),
    #[error("{0}")]
    Engine(String),
}

impl StackError {
    fn client<T>(words: impl Into<String>) -> Result<T, Self> {
        Err(Self::Client(words.into()))
    }

    fn engine<T>(words: impl Into<String>) -> Result<T, Self> {
        Err(Self::Engine(words.into()))
    }
}

/// The name of a stack's own object.
#[must_use]
pub fn scoped(stack: &str, name: &str) -> String {
    format!("{stack}_{name}")
}

/// A stack's name has something beside quotes and spaces.
///
/// # Errors
/// When there is nothing else.
pub fn check_name(stack: &str) -> Result<(), StackError> {
    let blank = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    match stack.trim_matches(blank).is_empty() {
        true => StackError::client(format!("invalid stack name: {stack:?}")),
        false => Ok(()),
    }
}

/// Labels with that of the stack.
fn labels(of: &Value, stack: &str) -> BTreeMap<String, String> {
    let mut labels = pairs(of);
    labels.insert(NAMESPACE.to_owned(), stack.to_owned());
    labels
}

fn pairs(of: &Value) -> BTreeMap<String, String> {
    let entry = |(key, value): (&String, &Value)| (key.clone(), text(value));
    of.as_object().into_iter().flatten().map(entry).collect()
}

fn text(of: &Value) -> String {
    of.as_str().unwrap_or_default().to_owned()
}

fn texts(of: &Value) -> Vec<String> {
    of.as_array().into_iter().flatten().map(text).collect()
}

fn flag(of: &Value) -> bool {
    of.as_bool().unwrap_or_default()
}

/// A duration in Go's notation, in nanoseconds; the loader has checked it.
fn duration(of: &Value) -> Option<i64> {
    coracle_words::duration::parse(of.as_str()?).ok()
}

#[cfg(test)]
mod tests;
