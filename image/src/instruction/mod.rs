//! Dockerfile instructions that alter a configuration and run nothing; `--change` gives some.
//!
//! [`apply`] carries them out, [`words`] splits their lines and replaces variables, and
//! [`health`] reads `HEALTHCHECK`.
//!
//! # Not here
//!
//! Instructions that need files or processes (`RUN`, `COPY`, `ADD`, `FROM`, …): for `--change`
//! they are "not a valid change command", as in Docker.

mod apply;
mod command;
mod health;
pub mod words;

pub use apply::{apply, set_env};
