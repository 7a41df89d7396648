//! The ladder: what this host offers, what we do without it, and the remedy.
//!
//! # How it works
//!
//! Each feature is a rung with one of three answers: there, replaced by something (and
//! what is lost), or refused. [`Ladder::probe`] asks the kernel itself: what needs
//! namespaces is tried in a child that ends at once, everything else by looking.
//!
//! # Invariants
//!
//! A protection that is missing is `Refused`, never a fallback. A remedy is one sentence
//! that can be followed as it stands.
//!
//! # Not here
//!
//! Acting on an answer: whoever needs a feature tries it and falls back by itself.

mod causes;
mod files;
mod host;
mod inside;
mod network;
mod rung;

use std::path::PathBuf;

pub use rung::{Answer, Ladder, RequireError, Rung};

use crate::cgroup::Settings;

/// What the command line knows and a library does not look up.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub cgroup: Settings,
    /// The user's name, by which `/etc/subuid` may list the ids.
    pub user_name: Option<String>,
    /// Whether this process may write any id map: root outside of containers.
    pub may_map_ids: bool,
    /// This executable, for the AppArmor profile.
    pub exe: PathBuf,
    /// Where images and containers are kept; it exists.
    pub data: PathBuf,
    /// Where sockets and locks go.
    pub runtime_folder: PathBuf,
}

impl Ladder {
    /// Looks at the host. Takes some milliseconds.
    ///
    /// Must be called in a process with a single thread that has not entered the user's
    /// namespaces; otherwise the rungs that need namespaces of their own say so.
    #[must_use]
    pub fn probe(inputs: &Inputs) -> Self {
        let inside = inside::look(&inputs.data);
        let mut rungs = vec![
            host::kernel(),
            host::system_calls(),
            causes::user_namespaces(inputs, inside.as_ref().err()),
            host::ids(inputs),
        ];
        rungs.extend(inside::rungs(inside.as_ref().ok()));
        rungs.extend([
            files::attributes(&inputs.data),
            files::fuse(),
            host::cgroup(inputs),
            host::seccomp(),
            network::ping(),
            network::low_ports(),
            host::runtime_folder(inputs),
            host::place(),
        ]);
        Self { rungs }
    }
}
