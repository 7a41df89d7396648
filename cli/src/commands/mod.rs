//! What the commands do: a folder for each object, a file for each verb.
//!
//! A command looks up its objects, calls a library, prints. Work that needs
//! more than that belongs in a library.

pub(crate) mod build;
pub(crate) mod container;
mod each;
pub(crate) mod image;
mod inspect;
mod layout;
pub(crate) mod machine;
pub(crate) mod network;
pub(crate) mod node;
mod prune;
mod refused;
pub(crate) mod secret;
pub(crate) mod service;
mod signal;
pub(crate) mod stack;
pub(crate) mod swarm;
pub(crate) mod system;
pub(crate) mod table;
pub(crate) mod task;
pub(crate) mod volume;

use each::{each, each_at_once};
use inspect::{inspect_all, inspect_typed};
pub(crate) use layout::chosen_format;
use layout::warn_ignored_format;
pub(crate) use signal::signal_number;
