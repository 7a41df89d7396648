//! The monitor: one small process per running container, its parent.
//!
//! # How it works
//!
//! ```text
//! launch ─> prepare (mounts, files) ─> start ──ok──> run loop ──exit──> restart? ─┐
//!               │ fails                  │ fails       ▲                  │ no    │ yes, later
//!               ▼                        ▼             └──────────────────┼───────┘
//!            tell, take down          tell, take down                     ▼
//!                                                            take down, record, tell, end
//! ```
//!
//! It is this executable again, started through a read-only view of itself, with nothing
//! in its environment. It never runs libcontainer itself: a forked child does and ends, so
//! that what stays resident is a poll loop. It has one thread.
//!
//! # Invariants
//!
//! The container ends when the monitor ends (parent-death signal). What the monitor made
//! (mounts, runtime folder, cgroup) it takes down; after SIGKILL the next command does.

mod binds;
mod charge;
mod child;
mod client;
mod exec;
mod exec_mark;
mod exec_plan;
mod health;
mod images;
mod launch;
mod network;
mod output;
mod pump;
mod run;
mod start;
mod subpaths;
mod take_down;
mod unwritable;
mod volumes;

pub use exec::main as exec_main;
pub(crate) use exec::{ExecSession, command_line};
pub(crate) use exec_mark::living as living_execs;
pub(crate) use exec_plan::describe;
pub(crate) use launch::{Ready, call_ahead, launch, launch_exec};
pub use run::main;
pub(crate) use subpaths::place as image_place;
pub(crate) use take_down::take_down;

/// The name under which the executable becomes a monitor.
pub const MONITOR_ARGV0: &str = "coracle-monitor";
/// The name under which it becomes the parent of an `exec` session.
pub const EXEC_ARGV0: &str = "coracle-exec";
