//! Keeps what steps made while the build goes on: a build that is killed leaves them to the next one.
//!
//! # How it works
//!
//! What is kept is on the disk for certain, which takes a while: a child does it after each step that took long, and every
//! few seconds otherwise. The end of the build keeps the rest.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use coracle_image::{Digest, Store};

use super::cache::Cache;
use super::error::StepError;
use super::jobs::Child;

/// A step that took so long is kept at once.
const LONG: Duration = Duration::from_secs(1);
/// How long quick ones wait.
const EVERY: Duration = Duration::from_secs(5);

/// What was made, and who keeps it.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Ids of results, and their layers.
    made: Vec<(Digest, Digest)>,
    /// How many of them a child has got.
    handed: usize,
    child: Option<Child>,
    is_due: bool,
    last: Instant,
}

impl Default for Keeper {
    fn default() -> Self {
        let last = Instant::now();
        Self { made: Vec::new(), handed: 0, child: None, is_due: false, last }
    }
}

impl Keeper {
    /// A step made a layer, which took so long.
    pub(super) fn add(&mut self, id: Digest, layer: Digest, took: Duration) {
        self.made.push((id, layer));
        self.is_due |= took >= LONG || self.last.elapsed() >= EVERY;
    }

    /// Begins to keep what is there, when it is time.
    pub(super) fn keep_when_due(&mut self, store: &Store, cache: &Cache) {
        if self.child.is_some() || !self.is_due {
            return;
        }
        let layers = on_record(&self.made[self.handed..], cache);
        self.handed = self.made.len();
        self.is_due = false;
        self.last = Instant::now();
        // What is not kept here is at the end.
        let keep = || store.keep_layers(&layers).map_err(StepError::from);
        self.child = Child::start(keep).ok();
    }

    /// Readable when [`Keeper::hear`] has something to hear.
    pub(super) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.child.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn hear(&mut self) {
        if self.child.as_mut().is_some_and(Child::read) {
            self.end();
        }
    }

    /// All layers that were made.
    pub(super) fn finish(&mut self, cache: &Cache) -> Vec<Digest> {
        while self.child.as_mut().is_some_and(|child| !child.read()) {}
        self.end();
        self.handed = 0;
        on_record(&std::mem::take(&mut self.made), cache)
    }

    fn end(&mut self) {
        // It is all the same whether it could: the end of the build tries again, and tells.
        drop(self.child.take().map(Child::finish::<()>));
    }
}

/// The layers of those results that were not pruned meanwhile: nobody would let go of the others.
fn on_record(made: &[(Digest, Digest)], cache: &Cache) -> Vec<Digest> {
    let is_there = |id: &Digest, layer: &Digest| {
        cache.get(id).is_some_and(|record| record.layer.diff_id == *layer)
    };
    made.iter().filter(|(id, layer)| is_there(id, layer)).map(|(_, layer)| *layer).collect()
}
