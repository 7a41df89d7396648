//! Commands about the engine as a whole, and those that belong to no object; `table` has their rows.

pub(crate) mod check;
pub(crate) mod complete;
pub(crate) mod completion;
pub(crate) mod df;
pub(crate) mod dial_stdio;
pub(crate) mod events;
pub(crate) mod info;
pub(crate) mod inspect;
mod inspect_swarm;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod prune;
pub(crate) mod reset;
pub(crate) mod service;
pub(crate) mod table;
pub(crate) mod unit;
pub(crate) mod unshare;
pub(crate) mod version;
pub(crate) mod with_api;
