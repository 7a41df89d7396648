//! `compose`: its options, its commands (one file each), and the border with `coracle-compose`.
//!
//! A command asks [`load::load`] for the project. What it prints to people goes to standard
//! error, as everywhere; log lines look as Docker Compose's (`time="…" level=warning msg="…"`).

mod act;
pub(crate) mod attach;
mod attached;
mod board;
pub(crate) mod build;
pub(crate) mod commit;
pub(crate) mod config;
mod config_parts;
pub(crate) mod containers;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod down;
mod dry;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod export;
mod fetch;
pub(crate) mod globals;
mod images;
pub(crate) mod images_used;
pub(crate) mod lifecycle;
pub(crate) mod load;
mod log;
pub(crate) mod logs;
pub(crate) mod ls;
mod output;
pub(crate) mod plan;
pub(crate) mod port;
mod progress;
pub(crate) mod ps;
pub(crate) mod publish;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod rm;
pub(crate) mod run;
mod run_flags;
pub(crate) mod scale;
pub(crate) mod stats;
mod target;
pub(crate) mod top;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod volumes;
pub(crate) mod wait;
pub(crate) mod watch;
mod watch_sync;
pub(crate) mod why;

pub(crate) use globals::ComposeGlobals;

/// Leaves the progress on a terminal as it is: something else comes, or the end.
pub(crate) fn settle() {
    board::settle();
}
