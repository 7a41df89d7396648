//! Swarm without a daemon: services, tasks, nodes, secrets and configs of one machine.
//!
//! [`model`] has the objects, in the form that the Engine API gives them. [`state`] holds them and says what may be
//! changed. [`command`] says what a user's wish changes, [`reconcile`] what is to be done, and [`container`] makes of a
//! task what the engine is asked for; they are pure. One process writes: the agent, to the [`journal`], which is durable
//! before it answers ([`protocol`]). What is secret is sealed there ([`seal`]).

pub mod agent;
pub mod client;
pub mod command;
pub mod container;
pub mod edit;
mod error;
mod happenings;
pub mod journal;
pub mod machine;
pub mod model;
pub mod plan;
pub mod protocol;
pub mod reconcile;
pub mod seal;
pub mod stack;
pub mod state;

pub use error::SwarmError;
