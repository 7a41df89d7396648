//! What is to be done: from the state of a swarm to the changes that bring it nearer to what its specs ask for.
//!
//! # How it works
//!
//! [`decide`] is a pure function. The agent applies its changes and calls it again until there are none; then it sleeps
//! until something happens, or until [`Decision::wake`], when a delay ends. All that must be remembered between calls
//! (how far an update is, how often a slot was restarted, whom a task waits for) stands in the objects: an agent that
//! comes after one that was killed goes on where that one was.
//!
//! In one call, in this order: nodes that are lost or found ([`nodes`]); for each service its delayed tasks, its ended
//! tasks ([`restart`]), how many there are ([`replicated`], [`global`], [`jobs`]), and its update ([`update`]); then
//! addresses and ports ([`allocate`]), nodes for tasks ([`schedule`]), and what is no longer needed ([`history`]).
//!
//! # What the executor does
//!
//! It takes a task from ASSIGNED on and writes its status, obeying the desired state: READY prepares, RUNNING and
//! COMPLETE start, SHUTDOWN and REMOVE stop. A task may be put to REJECTED or ORPHANED, or be wanted no more, while its
//! container still runs: the executor stops each container whose task is wanted no more, whatever its status is. Tasks are
//! removed *here* ([`history`]), and the executor removes the containers of tasks that are not in the state.
//!
//! # Where it differs from Docker on purpose
//!
//! A task waits for *all* older ones in its slot, so that with stop-first two never run in one slot, also when an
//! update is interrupted, a node comes back, or a slot is scaled away and back. Ties between nodes and the order of slots
//! are not left to chance: the smaller number goes first.

mod allocate;
mod clock;
mod constraint;
mod draft;
mod filter;
mod global;
mod history;
mod jobs;
mod jump;
mod lanes;
mod nodes;
mod preview;
mod replicated;
mod restart;
mod schedule;
mod slots;
mod update;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use coracle_netns::prefix::Prefix;
use coracle_words::Timestamp;

pub use constraint::{Constraint, InvalidConstraint};
pub use jump::moved;
pub use preview::{Preview, preview};

use crate::model::Mode;
use crate::state::{Change, State};
use draft::Draft;

/// What the state does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The networks that services may name, by id. A task that needs another one stays NEW.
    pub networks: BTreeMap<String, NetworkFacts>,
}

/// A network, as far as addresses are given out on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// None: nobody needs an address on it (`host`).
    pub subnet: Option<Prefix>,
    pub gateway: Option<IpAddr>,
    /// The network of published ports.
    pub ingress: bool,
}

/// Addresses by the ids of their networks.
pub type Addresses = BTreeMap<String, BTreeSet<IpAddr>>;

/// What is to be done now, and when to look again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    pub changes: Vec<Change>,
    /// Something happens by itself then.
    pub wake: Option<Timestamp>,
}

/// The changes that bring the swarm nearer to what is asked for. `others` gives the addresses that are held by what is no
/// task and no service; it is called when one is to be given out.
pub fn decide(
    state: &State,
    around: &Surroundings,
    others: &mut dyn FnMut() -> Addresses,
    ids: &mut dyn FnMut() -> String,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(state, ids, now);
    work(&mut draft, around, others);
    draft.finish()
}

fn work(draft: &mut Draft<'_>, around: &Surroundings, others: &mut dyn FnMut() -> Addresses) {
    if !nodes::look_after(draft) {
        return;
    }
    for id in draft.state.services.keys() {
        service(draft, id);
    }
    allocate::allocate(draft, around, others);
    schedule::schedule(draft);
    history::clean_up(draft);
}

/// Orchestrates one service.
fn service(draft: &mut Draft<'_>, id: &str) {
    let Some(service) = draft.service(id).cloned() else { return };
    if service.own.removed {
        history::remove_service(draft, id);
        return;
    }
    restart::start_delayed(draft, id);
    match service.spec.mode {
        Mode::Replicated(replicated) => {
            replicated::reconcile(draft, &service, replicated.replicas.unwrap_or(1));
        }
        Mode::Global {} => global::reconcile(draft, &service),
        Mode::ReplicatedJob(job) => jobs::replicated(draft, &service, job),
        Mode::GlobalJob {} => jobs::global(draft, &service),
    }
}
