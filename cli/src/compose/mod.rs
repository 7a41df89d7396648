//! `compose`: its options, its commands (one file each), and the border with `coracle-compose`.
//!
//! A command asks [`load::load`] for the project. What it prints to people goes to standard
//! error, as everywhere; log lines look as Docker Compose's (`time="…" level=warning msg="…"`).

pub(crate) mod config;
mod config_parts;
pub(crate) mod globals;
pub(crate) mod load;
mod log;
pub(crate) mod version;

pub(crate) use globals::ComposeGlobals;
