//! Containers start as soon as what they depend on is there, all that can at once.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use coracle_runtime::engine::Starting;
use coracle_runtime::model::Attach;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::conditions::{Goal, Verdict};
use super::pre_start::Preparing;
use super::wait::Wait;
use super::{Apply, ApplyError, Kind, Turn};
use crate::plan::{Action, Step};
use crate::project::Condition;

/// Time between looks when nothing happens.
const IDLE: Duration = Duration::from_secs(1);

/// A service whose containers are to start.
pub(super) struct Waiting<'a> {
    pub(super) service: &'a str,
    pub(super) steps: Vec<&'a Step>,
    /// Containers that are waited for and have been told of: service, name, id, goal.
    waits: Vec<Wait>,
    announced: bool,
}

/// What is under way.
#[derive(Default)]
struct Going<'a> {
    waiting: Vec<Waiting<'a>>,
    preparing: Vec<Preparing<'a>>,
    flights: Vec<Flight<'a>>,
}

impl Going<'_> {
    fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.preparing.is_empty() && self.flights.is_empty()
    }

    /// What tells that something has begun: of containers, then of steps before them.
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let flights = self.flights.iter().map(|flight| flight.starting.as_fd());
        flights.chain(self.preparing.iter().filter_map(Preparing::fd)).collect()
    }
}

/// A container on its way.
struct Flight<'a> {
    step: &'a Step,
    id: String,
    starting: Starting,
}

impl Apply<'_> {
    /// Starts what the steps name, in the order of `depends_on`.
    ///
    /// # Errors
    /// The first failure, once what was under way has come to an end.
    pub fn start(&mut self, steps: &[Step]) -> Result<(), ApplyError> {
        let mut going = Going { waiting: self.queue(steps), ..Going::default() };
        let mut failure = None;
        let end = self.end_of_wait();
        while !going.is_over() {
            if failure.is_none()
                && let Err(error) = self.begin_ready(&mut going)
            {
                failure = Some(error);
            }
            if failure.is_some() {
                going.waiting.clear();
                for preparing in going.preparing.drain(..) {
                    preparing.give_up(self);
                }
            }
            if going.is_over() {
                break;
            }
            let fds = going.fds();
            let settled = going.flights.iter().any(|flight| flight.starting.is_done());
            let waits = going.waiting.iter().flat_map(|one| &one.waits);
            let longest = waits.filter_map(Wait::settles_in).min().unwrap_or(IDLE);
            let ready =
                if settled { vec![true; fds.len()] } else { self.wait_at_most(&fds, longest)? };
            let mut ready = ready.into_iter();
            for flight in std::mem::take(&mut going.flights) {
                if ready.next() != Some(true) {
                    going.flights.push(flight);
                } else if let Err(error) = self.land(flight) {
                    failure = failure.or(Some(error));
                }
            }
            if let Err(error) = self.advance(&mut going, ready) {
                failure = failure.or(Some(error));
            }
            if self.watcher.turn() == Turn::Interrupted {
                failure = failure.or(Some(ApplyError::Interrupted));
            }
            let left = !(going.waiting.is_empty() && going.preparing.is_empty());
            if end.is_some_and(|end| Instant::now() >= end) && left {
                failure = failure.or(Some(self.not_in_time()));
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Goes on with the steps that run; `ready` tells which of them have begun.
    fn advance(
        &mut self,
        going: &mut Going<'_>,
        mut ready: impl Iterator<Item = bool>,
    ) -> Result<(), ApplyError> {
        let mut failure = None;
        for mut preparing in std::mem::take(&mut going.preparing) {
            let begun = preparing.fd().is_some() && ready.next() == Some(true);
            match preparing.advance(self, begun) {
                Ok(false) => going.preparing.push(preparing),
                Ok(true) => {
                    for step in preparing.waiting.steps {
                        going.flights.push(self.launch(step)?);
                    }
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Services with something to start, and those that only have to be waited for.
    fn queue<'s>(&self, steps: &'s [Step]) -> Vec<Waiting<'s>> {
        let mut by_service: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
        let mut order: Vec<&str> = Vec::new();
        for step in steps {
            let counts = matches!(step.action, Action::Start | Action::Keep);
            if !counts {
                continue;
            }
            if !order.contains(&step.service.as_str()) {
                order.push(&step.service);
            }
            if step.action == Action::Start {
                by_service.entry(&step.service).or_default().push(step);
            }
        }
        let any = !by_service.is_empty();
        let one = |service| Waiting {
            service,
            steps: by_service.remove(service).unwrap_or_default(),
            waits: Vec::new(),
            announced: false,
        };
        // With nothing to start there is nothing to wait for either.
        order.into_iter().map(one).filter(|waiting| any || !waiting.steps.is_empty()).collect()
    }

    fn begin_ready(&mut self, going: &mut Going<'_>) -> Result<(), ApplyError> {
        let mut at = 0;
        while at < going.waiting.len() {
            let Going { waiting, preparing, flights } = going;
            let under_way = flights.len() + preparing.len();
            let room = self.settings.at_once == 0 || under_way < self.settings.at_once;
            let behind: BTreeSet<&str> = waiting
                .iter()
                .map(|one| one.service)
                .chain(preparing.iter().map(|one| one.waiting.service))
                .chain(flights.iter().map(|flight| flight.step.service.as_str()))
                .collect();
            let needs = self.project.services.get(waiting[at].service);
            let blocked = needs.is_some_and(|service| {
                service.depends_on.keys().any(|on| behind.contains(on.as_str()))
            });
            if blocked || !room || !self.is_met(&mut waiting[at])? {
                at += 1;
                continue;
            }
            match Preparing::begin(self, waiting.remove(at))? {
                Ok(mut steps) => {
                    steps.advance(self, false)?;
                    preparing.push(steps);
                }
                Err(ready) => {
                    for step in ready.steps {
                        flights.push(self.launch(step)?);
                    }
                }
            }
            // What waited for it alone may go on.
            at = 0;
        }
        Ok(())
    }

    /// Whether everything a service waits for is there.
    fn is_met(&mut self, waiting: &mut Waiting<'_>) -> Result<bool, ApplyError> {
        if !waiting.announced {
            waiting.announced = true;
            waiting.waits = self.waits_of(waiting.service)?;
            for wait in &waiting.waits {
                self.follow(&wait.id);
                self.watcher.tell(Kind::Container, &wait.name, "Waiting");
            }
        }
        self.check(&mut waiting.waits)
    }

    /// Looks at all that is waited for; true when everything is there.
    pub(super) fn check(&mut self, waits: &mut [Wait]) -> Result<bool, ApplyError> {
        let mut seen = Vec::new();
        for wait in waits.iter_mut().filter(|wait| !wait.done) {
            let life = self.engine.records.life(&wait.id)?;
            seen.push(wait.verdict(&life.state));
            if let Some(text) = wait.complaint(&life) {
                self.watcher.warn(&text);
            }
        }
        let fails = seen.iter().any(|verdict| matches!(verdict, Verdict::Failed { .. }));
        // What is up is told of together, as Docker Compose does, who looks at all at once.
        if !fails && waits.iter().any(|wait| wait.settles_in().is_some()) {
            return Ok(false);
        }
        let mut first = None;
        for (wait, verdict) in waits.iter_mut().filter(|wait| !wait.done).zip(seen) {
            match verdict {
                Verdict::NotYet => continue,
                Verdict::Met(word) => self.watcher.tell(Kind::Container, &wait.name, word),
                Verdict::Failed { failure, .. } if !wait.required => {
                    let (short, long) = failure.skipped(&wait.service);
                    self.watcher.tell(Kind::Container, &wait.name, &format!("Skipped: {short}"));
                    self.watcher.warn(&long);
                }
                Verdict::Failed { failure, detail } => {
                    if let Some(text) = failure.line(&wait.service) {
                        self.watcher.fails(Kind::Container, &wait.name, &text);
                    }
                    let message = failure.message(&wait.service);
                    first = first.or(Some(ApplyError::Dependency { message, detail }));
                }
            }
            wait.done = true;
        }
        match first {
            Some(error) => Err(error),
            None => Ok(waits.iter().all(|wait| wait.done)),
        }
    }

    /// The containers whose state a service waits for.
    pub(super) fn waits_of(&self, service: &str) -> Result<Vec<Wait>, ApplyError> {
        let Some(service) = self.project.services.get(service) else { return Ok(Vec::new()) };
        let mut waits = Vec::new();
        for (on, dependency) in &service.depends_on {
            if dependency.condition != Condition::ServiceStarted {
                let goal = Goal::Depends(dependency.condition);
                waits.extend(self.containers_of(on, goal, dependency.required)?);
            }
        }
        Ok(waits)
    }

    pub(super) fn containers_of(
        &self,
        service: &str,
        goal: Goal,
        required: bool,
    ) -> Result<Vec<Wait>, ApplyError> {
        let wanted = crate::project::found::Wanted {
            services: vec![service.to_owned()],
            stopped: true,
            ..Default::default()
        };
        let all =
            crate::project::found::containers(self.engine.list()?, &self.project.name, &wanted);
        Ok(all
            .into_iter()
            .map(|summary| {
                let container = summary.container;
                Wait::new(service, container.name, container.id, goal, required)
            })
            .collect())
    }

    fn launch<'s>(&mut self, step: &'s Step) -> Result<Flight<'s>, ApplyError> {
        let id = self.engine.records.find(&step.object)?;
        if let Some(service) = self.project.services.get(&step.service).cloned() {
            // Files that are in memory alone went with the last container.
            self.files(&service)?;
        }
        self.watcher.tell(Kind::Container, &step.object, "Starting");
        self.watcher.starts(&step.service, &id);
        self.follow(&id);
        let starting = self.engine.begin_start(self.session, &id, Attach::default())?;
        Ok(Flight { step, id, starting })
    }

    fn land(&mut self, flight: Flight<'_>) -> Result<(), ApplyError> {
        let started = flight.starting.finish()?;
        for warning in &started.warnings {
            self.watcher.warn(warning);
        }
        if let Some(service) = self.project.services.get(&flight.step.service) {
            let hooks = service.post_start.clone();
            self.run_hooks(&flight.step.service, &hooks, &flight.id, &flight.step.object)?;
        }
        self.watcher.tell(Kind::Container, &flight.step.object, "Started");
        Ok(())
    }

    /// Looks on until the watcher has seen enough.
    ///
    /// # Errors
    /// When there is nothing to wait with.
    pub fn look_on(&mut self) -> Result<(), ApplyError> {
        while self.watcher.idle() == Turn::On {
            self.wait_for(&[])?;
        }
        Ok(())
    }

    /// Waits until one of these, a container's files or the watcher has something; which of
    /// these has.
    pub(super) fn wait_for(&self, fds: &[BorrowedFd<'_>]) -> Result<Vec<bool>, ApplyError> {
        self.wait_at_most(fds, IDLE)
    }

    /// As [`Apply::wait_for`], and not longer than this.
    pub(super) fn wait_at_most(
        &self,
        fds: &[BorrowedFd<'_>],
        longest: Duration,
    ) -> Result<Vec<bool>, ApplyError> {
        let mut all: Vec<PollFd<'_>> =
            fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let more = self.watch.fd().into_iter().chain(self.watcher.wake());
        all.extend(more.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let longest = self.watch.patience(longest.min(IDLE));
        let timeout = Timespec::try_from(longest).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        match poll(&mut all, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(ApplyError::Wait { source: error.into() }),
        }
        self.watch.clear();
        Ok(all[..fds.len()].iter().map(|fd| !fd.revents().is_empty()).collect())
    }
}
