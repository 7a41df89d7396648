//! Carries out the steps of a graph: those that do not need each other side by side.
//!
//! # How it works
//!
//! A step waits until what it needs is there. Then its id is worked out, for which parts of other steps may have to be
//! read (in a child), and looked up. What was not made before is carried out by whoever takes the lock of that id: another
//! build, or another step of this one, that comes to the same waits and takes the result.
//!
//! # Limits
//!
//! Commands wait for each other more often than for a processor, so [`COMMANDS_MAX`] of them run; files are copied by as
//! many children as there are processors.

mod carry_out;
mod ending;
mod hear;
mod identify;
mod take;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use coracle_image::{Digest, Layer, Store};
use coracle_runtime::Home;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::cache::{Cache, StepLock};
use super::error::{BuildError, StepError};
use super::graph::{Graph, NodeId};
use super::jobs::Child;
use super::keeper::Keeper;
use super::mounts::Mounts;
use super::run::Command;
use super::transfer::Imports;
use super::workshop::Workshop;
use super::{Images, files, remote};
use crate::progress::{Event, Progress, TICK, Vertex};
use crate::request::BuildRequest;
use crate::sources::git::GitSettings;

/// How many commands run at once.
const COMMANDS_MAX: usize = 16;
/// How often a lock that another build has is tried.
const RETRY: Duration = Duration::from_millis(15);
/// How much of what a command wrote is kept for its error.
const LOG_BYTES_MAX: usize = 64 * 1024;

/// What a step came to.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) id: Digest,
    /// All layers, bottom first.
    pub(super) layers: Vec<Layer>,
    /// When each layer of a step was made, in their order at the end of `layers`.
    pub(super) created: Vec<coracle_runtime::model::Timestamp>,
}

#[derive(Debug)]
enum State {
    Waiting,
    /// Its id is known; what it made is not here, and nobody wants it yet.
    Known(Digest),
    /// It is found out what is elsewhere, for its id.
    Asking(Child),
    /// Parts of other steps are read for its id.
    Reading(Child),
    /// Its result comes from elsewhere.
    Fetching(Digest, Child),
    /// What it takes from elsewhere is fetched.
    Bringing(Digest, Child),
    /// It is to be carried out.
    Queued(Digest),
    Copying(Work, Child),
    /// What its mounts show is copied.
    Mounting(Work, Mounts, Child),
    Running(Work, Command),
    /// What its command wrote becomes a layer.
    Keeping(Work, Command, Child),
    Done(Outcome),
}

#[derive(Debug)]
struct Work {
    id: Digest,
    /// It takes other files than those that the id stands for.
    is_other: bool,
    began: Instant,
    _lock: StepLock,
}

/// A build that goes on.
pub(super) struct Scheduler<'a> {
    pub(super) given: Given<'a>,
    progress: &'a mut dyn Progress,
    pub(super) cache: Cache,
    states: Vec<State>,
    /// Steps that have to be made, here or elsewhere.
    wanted: Vec<bool>,
    /// Steps whose results are elsewhere, and cannot be had.
    is_lost: Vec<bool>,
    /// Steps of which nobody knows yet if they have to be carried out: results may come from elsewhere.
    is_open: Vec<bool>,
    /// Something changed for steps that were looked up before.
    again: bool,
    started: Vec<bool>,
    logs: Vec<Vec<u8>>,
    /// What was fetched for a step.
    fetched: Vec<Option<remote::All>>,
    files_max: usize,
    /// What steps made that were carried out.
    keeper: Keeper,
}

/// Everything a scheduler is given.
pub(super) struct Given<'a> {
    pub(super) requests: &'a [BuildRequest],
    pub(super) graph: &'a Graph,
    pub(super) images: &'a Images,
    pub(super) home: &'a Home,
    pub(super) store: &'a Store,
    pub(super) contexts: files::Contexts,
    /// Results that are elsewhere.
    pub(super) imports: &'a Imports<'a>,
    /// Readable when the build is to end.
    pub(super) interrupt: Option<BorrowedFd<'a>>,
    /// How what is elsewhere is reached.
    pub(super) settings: GitSettings,
    /// The number of the first step's vertex; the others follow.
    pub(super) vertex: Vertex,
    /// What the steps are called.
    pub(super) titles: Vec<String>,
    /// The build home, if it was entered.
    pub(super) workshop: Option<Workshop>,
}

impl<'a> Scheduler<'a> {
    pub(super) fn new(given: Given<'a>, progress: &'a mut dyn Progress) -> Self {
        let count = given.graph.nodes.len();
        let mut this = Self {
            progress,
            cache: Cache::at(&given.home.settings().data_root),
            states: (0..count).map(|_| State::Waiting).collect(),
            wanted: vec![false; count],
            is_lost: vec![false; count],
            is_open: vec![false; count],
            again: false,
            started: vec![false; count],
            logs: vec![Vec::new(); count],
            fetched: vec![None; count],
            keeper: Keeper::default(),
            files_max: std::thread::available_parallelism().map_or(1, usize::from),
            given,
        };
        for (number, node) in this.given.graph.nodes.iter().enumerate() {
            let inputs = node.needs().map(|need| this.vertex(need)).collect();
            let name = this.given.titles[number].clone();
            this.progress.tell(Event::Known { vertex: this.vertex(number), name, inputs });
        }
        // A cache for others is to have all steps.
        let whole = this.given.requests.iter().flat_map(|it| &it.cache_to).any(|it| it.whole);
        for (number, node) in this.given.graph.nodes.iter().enumerate() {
            let is_target = this.given.graph.targets.contains(&Some(number));
            if whole || is_target || node.step.ignores_cache {
                this.want(number);
            }
        }
        this
    }

    fn vertex(&self, node: NodeId) -> Vertex {
        self.given.vertex + node
    }

    /// Carries out all steps.
    pub(super) fn run(&mut self) -> Result<(), BuildError> {
        self.cache.make().map_err(|e| StepError::internal("open the build cache", &e))?;
        loop {
            // What was made before is there at once, whatever has to be carried out.
            self.again = true;
            while std::mem::take(&mut self.again) {
                self.each(Self::look_up)?;
            }
            self.each(Self::carry_on)?;
            if self.is_over() {
                self.tell_of_unwanted();
                return Ok(());
            }
            if let Some(workshop) = &self.given.workshop {
                self.keeper.keep_when_due(&workshop.store, &self.cache);
            }
            let Some(nodes) = self.wait() else {
                self.cancel();
                return Err(BuildError::canceled());
            };
            for node in nodes {
                if let Err(error) = self.hear(node) {
                    return Err(self.fail(node, error));
                }
            }
        }
    }

    /// Does something with each step.
    fn each(
        &mut self,
        work: fn(&mut Self, NodeId) -> Result<(), StepError>,
    ) -> Result<(), BuildError> {
        for node in 0..self.states.len() {
            if let Err(error) = work(self, node) {
                return Err(self.fail(node, error));
            }
        }
        Ok(())
    }

    /// Whether all that is wanted is there, and nothing goes on.
    fn is_over(&self) -> bool {
        self.states.iter().zip(&self.wanted).all(|(state, wanted)| match state {
            State::Done(_) => true,
            State::Known(_) | State::Waiting => !wanted,
            _ => false,
        })
    }

    pub(super) fn outcome(&self, node: NodeId) -> Option<&Outcome> {
        match &self.states[node] {
            State::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The build home, entered when it is first needed.
    pub(super) fn workshop(&mut self) -> Result<&mut Workshop, StepError> {
        if self.given.workshop.is_none() {
            self.given.workshop = Some(Workshop::enter(self.given.home)?);
        }
        self.given.workshop.as_mut().ok_or_else(|| StepError::new("the build home is closed"))
    }

    /// Layers of steps that were carried out.
    pub(super) fn made(&mut self) -> Vec<Digest> {
        self.keeper.finish(&self.cache)
    }

    /// Looks a step up, after those that it needs.
    fn look_up(&mut self, node: NodeId) -> Result<(), StepError> {
        let of = &self.given.graph.nodes[node];
        if matches!(self.states[node], State::Waiting) {
            if of.needs().all(|need| self.known(need).is_some()) {
                self.begin(node)?;
            } else if self.wanted[node] && !of.on.is_some_and(|on| self.is_open[on]) {
                // Steps are made beside each other: what it takes must not wait for what it stands on.
                self.are_there(node);
            }
        }
        self.is_open[node] = match self.states[node] {
            State::Asking(_) | State::Fetching(..) => true,
            State::Waiting => of.on.is_some_and(|on| self.is_open[on]),
            _ => false,
        };
        Ok(())
    }

    /// Carries a step out when nothing stands in its way.
    fn carry_on(&mut self, node: NodeId) -> Result<(), StepError> {
        match self.states[node] {
            State::Queued(id) => self.carry_out(node, id),
            _ => Ok(()),
        }
    }

    /// Waits until something happens; the steps it happened to, `None` when the build is to end.
    fn wait(&mut self) -> Option<Vec<NodeId>> {
        let mut fds: Vec<(NodeId, BorrowedFd<'_>)> = Vec::new();
        for (node, state) in self.states.iter().enumerate() {
            match state {
                State::Asking(child)
                | State::Reading(child)
                | State::Fetching(_, child)
                | State::Bringing(_, child)
                | State::Copying(_, child)
                | State::Mounting(_, _, child)
                | State::Keeping(_, _, child) => {
                    fds.push((node, child.as_fd()));
                }
                State::Running(_, command) => fds.push((node, command.as_fd())),
                State::Waiting | State::Known(_) | State::Queued(_) | State::Done(_) => {}
            }
        }
        // It is no step.
        fds.extend(self.keeper.as_fd().map(|fd| (self.states.len(), fd)));
        let queued = self.states.iter().any(|state| matches!(state, State::Queued(_)));
        let patience = if queued { RETRY } else { TICK };
        let began = Instant::now();
        let mut polled: Vec<PollFd<'_>> = fds
            .iter()
            .map(|(_, fd)| *fd)
            .chain(self.given.interrupt)
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        let timeout = Timespec::try_from(patience).ok();
        // Interrupted is as good as nothing: the loop comes back.
        let ready = poll(&mut polled, timeout.as_ref()).unwrap_or(0);
        let interrupted = self.given.interrupt.and(polled.last());
        if interrupted.is_some_and(|fd| !fd.revents().is_empty()) {
            return None;
        }
        let hit = polled.iter().zip(&fds).filter(|(fd, _)| !fd.revents().is_empty());
        let nodes: Vec<NodeId> = hit.map(|(_, (node, _))| *node).collect();
        if ready == 0 || began.elapsed() >= TICK {
            self.progress.tick();
        }
        Some(nodes)
    }
}

pub(super) fn diff_ids(outcome: Option<&Outcome>) -> Vec<Digest> {
    outcome.map(|outcome| outcome.layers.iter().map(|l| l.diff_id).collect()).unwrap_or_default()
}
