//! Swarm without a daemon: services, tasks, nodes, secrets and configs of one machine.
//!
//! [`model`] has the objects, in the form that the Engine API gives them. [`state`] holds them and says what may be
//! changed; it is pure. One process writes: the agent, to a journal that is durable before it answers.

pub mod model;
pub mod state;
