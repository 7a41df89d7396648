//! The command line: what a row of the table of commands can say, and how words are read by it.
//!
//! Only the flags of the command at hand are built; help, completions and man
//! pages build the whole tree from the same table ([`crate::commands::table`]).

mod compose;
mod deprecated;
mod dispatch;
mod examples;
mod globals;
mod help;
mod messages;
pub(crate) mod spec;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod values;

pub(crate) use deprecated::deprecated;
pub(crate) use dispatch::{COMPLETE, Invocation, Parsed, parse};
pub(crate) use examples::examples;
pub(crate) use globals::Globals;
pub(crate) use help::{command as command_help, global_flags, inner as commands_below, tree};
pub(crate) use messages::run_help_note;
pub(crate) use spec::{Effect, Exits, Runnable};
pub(crate) use table::{Section, Table};
