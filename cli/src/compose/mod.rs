//! `compose`: its options, its commands (one file each), and the border with `coracle-compose`.
//!
//! A command asks [`load::load`] for the project. What it prints to people goes to standard
//! error, as everywhere; log lines look as Docker Compose's (`time="…" level=warning msg="…"`).

mod act;
mod attached;
pub(crate) mod config;
mod config_parts;
pub(crate) mod containers;
pub(crate) mod create;
pub(crate) mod down;
mod dry;
pub(crate) mod globals;
mod images;
pub(crate) mod lifecycle;
pub(crate) mod load;
mod log;
pub(crate) mod logs;
pub(crate) mod ls;
mod output;
pub(crate) mod plan;
mod progress;
pub(crate) mod ps;
pub(crate) mod rm;
pub(crate) mod scale;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod why;

pub(crate) use globals::ComposeGlobals;
