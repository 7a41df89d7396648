//! End-to-end tests: a private world for each test, the real binary in it, and proof that nothing stays.
//!
//! # How it works
//!
//! `scripts/test` builds the static binary and runs `tests/e2e` as an ordinary user. A test makes a
//! [`TestEnv`], runs commands in it and looks at their [`Output`]; when the world ends, [`leak`] looks for
//! processes, mounts, cgroups, sockets and files that belonged to it.
//!
//! # Not here
//!
//! No code of the product: only its binary is used. Whatever can be proved by a unit test beside the code
//! is proved there; these tests prove the wiring, and the behaviour that Docker's users rely on.

pub mod account;
pub mod agreement;
pub mod case;
pub mod command;
pub mod corpus;
pub mod door;
pub mod fixture;
pub mod hostile;
pub mod leak;
pub mod monitor;
pub mod output;
mod peers;
pub mod port;
pub mod pty;
pub mod race;
pub mod redact;
pub mod registry;
pub mod settings;
pub mod skip;
pub mod token;
pub mod wait;
pub mod web;
pub mod world;

pub use output::Output;
pub use world::TestEnv;
