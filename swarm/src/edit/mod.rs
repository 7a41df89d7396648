//! Specs of services, made and changed as a person says it. Pure.
//!
//! # How it works
//!
//! [`Given`] has what `service create` and `service update` both take, where nothing said is `None`; [`Lists`] has
//! what is added, [`Removals`] what is taken away. A new spec is one with nothing but the image, changed.
//! What is not said stays out of a spec: what holds then is put in by whoever shows it or acts on it.
//!
//! Lists keep the order they were typed in when a service is made, and are sorted by an update that touches them, as
//! Docker's client does; lists that it leaves in a random order stay in theirs.
//!
//! # Limits
//!
//! What an engine refuses only when it sees the whole (names, constraints, ports in use) is not looked at here.

mod capabilities;
mod create;
mod given;
mod lists;
mod mode;
mod scalars;
mod update;
mod uses;

use crate::state::State;

pub(crate) use capabilities::apply as capabilities;
pub use create::{NewService, create};
pub use given::{Given, GivenHealth, GivenResources, GivenRestart, GivenUpdate};
pub use lists::{Lists, Removals};
pub use mode::scale;
pub use update::update;

/// Why a spec cannot be as was asked, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Docker's client says it, without asking the engine.
    #[error("{0}")]
    Client(String),
    #[error("{0}")]
    Engine(String),
}

impl EditError {
    fn client<T>(words: impl Into<String>) -> Result<T, Self> {
        Err(Self::Client(words.into()))
    }
}

/// What names are looked up in.
pub struct Known<'a> {
    pub state: &'a State,
    /// The id of a network.
    pub network: &'a dyn Fn(&str) -> Result<String, EditError>,
}

#[cfg(test)]
mod tests;
