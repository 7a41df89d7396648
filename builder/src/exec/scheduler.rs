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

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant, SystemTime};

use coracle_image::{Digest, Layer, Store};
use coracle_runtime::Home;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::cache::{Cache, Kind, Record, StepLock};
use super::error::{BuildError, FailedStep, StepError};
use super::graph::{Graph, NodeId};
use super::jobs::Child;
use super::keeper::Keeper;
use super::key;
use super::mounts::Maker;
use super::run::{Command, Heard};
use super::transfer::Imports;
use super::workshop::Workshop;
use super::{Images, files, remote};
use crate::cache_transfer;
use crate::plan::{From, Operation};
use crate::progress::{CANCELED, Event, Progress, TICK, Vertex};
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
    /// What is elsewhere is fetched for its id.
    Asking(Child),
    /// Parts of other steps are read for its id.
    Reading(Child),
    /// Its result comes from elsewhere.
    Fetching(Digest, Child),
    /// It is to be carried out.
    Queued(Digest),
    Copying(Work, Child),
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
    pub(super) requests: &'a [BuildRequest],
    pub(super) graph: &'a Graph,
    pub(super) images: &'a Images,
    pub(super) home: &'a Home,
    pub(super) progress: &'a mut dyn Progress,
    pub(super) cache: Cache,
    pub(super) store: &'a Store,
    pub(super) contexts: files::Contexts,
    imports: &'a Imports<'a>,
    interrupt: Option<BorrowedFd<'a>>,
    workshop: Option<Workshop>,
    states: Vec<State>,
    vertices: Vec<Vertex>,
    started: Vec<bool>,
    logs: Vec<Vec<u8>>,
    /// What was fetched for a step.
    fetched: Vec<Option<remote::All>>,
    settings: GitSettings,
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
    /// The first free number of a vertex.
    pub(super) vertex: Vertex,
    pub(super) workshop: Option<Workshop>,
}

impl<'a> Scheduler<'a> {
    pub(super) fn new(given: Given<'a>, progress: &'a mut dyn Progress) -> Self {
        let Given { requests, graph, images, home, store, contexts, .. } = given;
        let Given { imports, interrupt, settings, vertex, workshop, .. } = given;
        let count = graph.nodes.len();
        let this = Self {
            requests,
            graph,
            images,
            home,
            progress,
            cache: Cache::at(&home.settings().data_root),
            store,
            contexts,
            imports,
            interrupt,
            workshop,
            states: (0..count).map(|_| State::Waiting).collect(),
            vertices: (vertex..vertex + count).collect(),
            started: vec![false; count],
            logs: vec![Vec::new(); count],
            fetched: vec![None; count],
            settings,
            keeper: Keeper::default(),
            files_max: std::thread::available_parallelism().map_or(1, usize::from),
        };
        for (node, vertex) in graph.nodes.iter().zip(this.vertices.clone()) {
            let inputs = node.needs().map(|need| this.vertices[need]).collect();
            let name = node.step.name.clone();
            this.progress.tell(Event::Known { vertex, name, inputs });
        }
        this
    }

    /// Carries out all steps.
    pub(super) fn run(&mut self) -> Result<(), BuildError> {
        self.cache.make().map_err(|e| StepError::internal("open the build cache", &e))?;
        loop {
            // What was made before is there at once, whatever has to be carried out.
            for step in [Self::look_up, Self::carry_on] {
                for node in 0..self.states.len() {
                    if let Err(error) = step(self, node) {
                        return Err(self.fail(node, error));
                    }
                }
            }
            if self.states.iter().all(|state| matches!(state, State::Done(_))) {
                return Ok(());
            }
            if let Some(workshop) = &self.workshop {
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

    pub(super) fn outcome(&self, node: NodeId) -> Option<&Outcome> {
        match &self.states[node] {
            State::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The build home, entered when it is first needed.
    pub(super) fn workshop(&mut self) -> Result<&mut Workshop, StepError> {
        if self.workshop.is_none() {
            self.workshop = Some(Workshop::enter(self.home)?);
        }
        self.workshop.as_mut().ok_or_else(|| StepError::new("the build home is closed"))
    }

    /// Layers of steps that were carried out.
    pub(super) fn made(&mut self) -> Vec<Digest> {
        self.keeper.finish(&self.cache)
    }

    /// The build home, if it was entered.
    pub(super) fn take_workshop(&mut self) -> Option<Workshop> {
        self.workshop.take()
    }

    /// Looks a step up when what it needs is there.
    fn look_up(&mut self, node: NodeId) -> Result<(), StepError> {
        let mut needs = self.graph.nodes[node].needs();
        let is_waiting = matches!(self.states[node], State::Waiting);
        if is_waiting && needs.all(|need| matches!(self.states[need], State::Done(_))) {
            return self.begin(node);
        }
        Ok(())
    }

    /// Carries a step out when nothing stands in its way.
    fn carry_on(&mut self, node: NodeId) -> Result<(), StepError> {
        match self.states[node] {
            State::Queued(id) => self.carry_out(node, id),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: NodeId) -> Result<(), StepError> {
        let step = &self.graph.nodes[node].step;
        if let Operation::Image { layers, .. } = &step.operation {
            let id = self.id(node, &[]);
            let layers = self.images.layers(layers)?;
            self.start(node);
            self.complete(node, None);
            self.states[node] = State::Done(Outcome { id, layers, created: Vec::new() });
            return Ok(());
        }
        if remote::is_needed(&step.operation) && self.fetched[node].is_none() {
            self.start(node);
            let graph = self.graph;
            let request = &self.requests[graph.nodes[node].request];
            let folder = self.home.settings().data_root.join(super::workshop::FOLDER);
            let folder = folder.join(remote::FOLDER);
            let operation = &graph.nodes[node].step.operation;
            let settings = &self.settings;
            let child = Child::start(|| remote::fetch(operation, request, settings, folder))?;
            self.states[node] = State::Asking(child);
            return Ok(());
        }
        let (found, missing) = self.contents(node)?;
        if missing.is_empty() {
            return self.found(node, &found);
        }
        self.start(node);
        let layers: Vec<(usize, Vec<Digest>)> =
            missing.iter().map(|(number, from)| (*number, diff_ids(self.outcome(*from)))).collect();
        let operation = &self.graph.nodes[node].step.operation;
        let workshop = self.workshop()?;
        let child = Child::start(move || files::digests(workshop, operation, &layers))?;
        self.states[node] = State::Reading(child);
        Ok(())
    }

    /// The digests of what a step takes, as far as they are known, and the sources that have to be read.
    #[expect(clippy::type_complexity, reason = "a pair of two lists")]
    fn contents(
        &mut self,
        node: NodeId,
    ) -> Result<(Vec<Option<String>>, Vec<(usize, NodeId)>), StepError> {
        let graph = self.graph;
        let operation = &graph.nodes[node].step.operation;
        let request = graph.nodes[node].request;
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for (number, (from, _)) in key::sources(operation).into_iter().enumerate() {
            let content = match (from, graph.nodes[node].sources[number]) {
                (_, Some(source)) => {
                    let content = self.known_content(&self.part(node, number, source))?;
                    if content.is_none() {
                        missing.push((number, source));
                    }
                    content
                }
                (From::Context(name), None) => {
                    let place = (&self.requests[request], name.as_deref());
                    let selectors = files::selectors(operation, number);
                    Some(self.contexts.digest(
                        request,
                        place,
                        &selectors,
                        self.progress,
                        self.interrupt,
                    )?)
                }
                (_, None) => Some(String::new()),
            };
            found.push(content);
        }
        // What came from elsewhere is behind all files.
        found.extend(self.fetched[node].iter().flatten().map(|(_, one)| Some(one.key.clone())));
        Ok((found, missing))
    }

    /// The digest of a part of a result that was read before, here or elsewhere.
    fn known_content(&self, part: &Digest) -> Result<Option<String>, StepError> {
        let here = self.cache.content(part);
        if here.is_some() {
            return Ok(here);
        }
        let Some(content) = self.imports.content(part) else { return Ok(None) };
        let put = self.cache.put_content(part, content);
        put.map_err(|error| StepError::internal("write the build cache", &error))?;
        Ok(Some(content.to_owned()))
    }

    /// What names a part of another step's result.
    pub(super) fn part(&self, node: NodeId, number: usize, source: NodeId) -> Digest {
        let operation = &self.graph.nodes[node].step.operation;
        let id = self.outcome(source).map(|outcome| outcome.id.to_string()).unwrap_or_default();
        files::part(operation, number, &id)
    }

    /// The id of a step, with the digests of what it takes.
    fn id(&self, node: NodeId, contents: &[Option<String>]) -> Digest {
        let of = &self.graph.nodes[node];
        let on = of.on.and_then(|on| self.outcome(on));
        let on = on.map(|outcome| outcome.id.to_string()).unwrap_or_default();
        key::id(&of.step, &on, contents)
    }

    /// The id is known: the result may be as well.
    fn found(&mut self, node: NodeId, contents: &[Option<String>]) -> Result<(), StepError> {
        let id = self.id(node, contents);
        if !self.graph.nodes[node].step.ignores_cache
            && (self.take_cached(node, id) || self.fetch(node, id)?)
        {
            return Ok(());
        }
        self.states[node] = State::Queued(id);
        Ok(())
    }

    /// Begins to fetch what was made elsewhere.
    fn fetch(&mut self, node: NodeId, id: Digest) -> Result<bool, StepError> {
        let imports = self.imports;
        let Some(elsewhere) = imports.find(&id) else { return Ok(false) };
        let store = &self.workshop()?.store;
        let fetch = || Ok(cache_transfer::fetch(store, elsewhere.place, elsewhere.layer)?);
        let child = Child::start::<Layer>(fetch)?;
        self.states[node] = State::Fetching(id, child);
        Ok(true)
    }

    /// A result came from elsewhere, or did not: then the step is carried out.
    fn fetched(
        &mut self,
        node: NodeId,
        id: Digest,
        outcome: Result<Layer, StepError>,
    ) -> Result<(), StepError> {
        let imports = self.imports;
        let record = match (outcome, imports.find(&id)) {
            (Ok(layer), Some(elsewhere)) => elsewhere.record(layer),
            (Err(error), _) => {
                self.start(node);
                let words = format!("its result cannot be fetched: {}\n", error.message);
                self.log(node, 2, words.into_bytes());
                None
            }
            (Ok(_), None) => None,
        };
        if let Some(record) = record {
            let put = self.cache.put(&id, &record);
            put.map_err(|error| StepError::internal("write the build cache", &error))?;
            self.keeper.add(id, record.layer.diff_id, Duration::ZERO);
            if self.take_cached(node, id) {
                return Ok(());
            }
        }
        self.states[node] = State::Queued(id);
        Ok(())
    }

    /// Takes what was made before.
    fn take_cached(&mut self, node: NodeId, id: Digest) -> bool {
        let Some(record) = self.cache.get(&id) else { return false };
        if !self.store.has_layer(&record.layer.diff_id) {
            return false;
        }
        self.cache.touch(&id);
        let vertex = self.vertices[node];
        self.progress.tell(Event::Cached { vertex, at: SystemTime::now() });
        self.done(node, id, record.layer, record.created);
        true
    }

    fn done(
        &mut self,
        node: NodeId,
        id: Digest,
        layer: Layer,
        created: coracle_runtime::model::Timestamp,
    ) {
        let on = self.graph.nodes[node].on.and_then(|on| self.outcome(on)).cloned();
        let mut outcome = on.unwrap_or(Outcome { id, layers: Vec::new(), created: Vec::new() });
        outcome.id = id;
        outcome.layers.push(layer);
        outcome.created.push(created);
        self.states[node] = State::Done(outcome);
    }

    fn busy(&self, commands: bool) -> usize {
        let is = |state: &&State| match state {
            State::Running(..) => commands,
            State::Copying(..) | State::Keeping(..) | State::Reading(_) => !commands,
            State::Asking(_) | State::Fetching(..) => !commands,
            _ => false,
        };
        self.states.iter().filter(is).count()
    }

    fn carry_out(&mut self, node: NodeId, id: Digest) -> Result<(), StepError> {
        let graph = self.graph;
        let step = &graph.nodes[node].step;
        let is_command = matches!(step.operation, Operation::Run(_));
        let max = if is_command { COMMANDS_MAX } else { self.files_max };
        if self.busy(is_command) >= max {
            return Ok(());
        }
        let lock = self.cache.try_lock(&id);
        let lock = lock.map_err(|e| StepError::internal("lock a step", &e))?;
        let Some(lock) = lock else { return Ok(()) };
        // Whoever had the lock may have made it.
        if !step.ignores_cache && self.take_cached(node, id) {
            return Ok(());
        }
        let on = graph.nodes[node].on.and_then(|on| self.outcome(on));
        let layers = diff_ids(on);
        let mut work = Work { id, is_other: false, began: Instant::now(), _lock: lock };
        let request = &self.requests[graph.nodes[node].request];
        match &step.operation {
            Operation::Run(run) => {
                self.start(node);
                let cache = self.cache.clone();
                let outcomes: HashMap<usize, Vec<Digest>> = key::sources(&step.operation)
                    .into_iter()
                    .zip(self.take_layers(node))
                    .filter_map(|((from, _), layers)| match from {
                        From::Step(step) => Some((*step, layers)),
                        From::Context(_) | From::Nothing => None,
                    })
                    .collect();
                let maker = Maker {
                    request,
                    contexts: &self.contexts,
                    cache: &cache,
                    step: &step.name,
                    layers: &|step| outcomes.get(&step).cloned().unwrap_or_default(),
                };
                if self.workshop.is_none() {
                    self.workshop = Some(Workshop::enter(self.home)?);
                }
                let Some(workshop) = self.workshop.as_mut() else { return Ok(()) };
                let Some(mut mounts) = maker.make(workshop, &run.mounts)? else { return Ok(()) };
                work.is_other = mounts.is_other;
                mounts.add_scripts(workshop, &run.scripts)?;
                let command = Command::start(workshop, run, &layers, mounts)?;
                self.states[node] = State::Running(work, command);
            }
            operation => {
                let sources = self.take_layers(node);
                self.start(node);
                if self.workshop.is_none() {
                    self.workshop = Some(Workshop::enter(self.home)?);
                }
                let (Some(workshop), contexts) = (&self.workshop, &self.contexts) else {
                    return Ok(());
                };
                let taken = files::Taken {
                    request,
                    contexts,
                    layers: &layers,
                    sources: &sources,
                    fetched: self.fetched[node].as_ref(),
                };
                let child = Child::start(|| files::carry_out(workshop, operation, &taken))?;
                self.states[node] = State::Copying(work, child);
            }
        }
        Ok(())
    }

    /// The layers of the steps that files come from, in the order of [`key::sources`].
    fn take_layers(&self, node: NodeId) -> Vec<Vec<Digest>> {
        let of = |source: &Option<NodeId>| diff_ids(source.and_then(|node| self.outcome(node)));
        self.graph.nodes[node].sources.iter().map(of).collect()
    }

    /// Waits until something happens; the steps it happened to, `None` when the build is to end.
    fn wait(&mut self) -> Option<Vec<NodeId>> {
        let mut fds: Vec<(NodeId, BorrowedFd<'_>)> = Vec::new();
        for (node, state) in self.states.iter().enumerate() {
            match state {
                State::Asking(child)
                | State::Reading(child)
                | State::Fetching(_, child)
                | State::Copying(_, child)
                | State::Keeping(_, _, child) => {
                    fds.push((node, child.as_fd()));
                }
                State::Running(_, command) => fds.push((node, command.as_fd())),
                State::Waiting | State::Queued(_) | State::Done(_) => {}
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
            .chain(self.interrupt)
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        let timeout = Timespec::try_from(patience).ok();
        // Interrupted is as good as nothing: the loop comes back.
        let ready = poll(&mut polled, timeout.as_ref()).unwrap_or(0);
        let interrupted = self.interrupt.and(polled.last());
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

    /// Something happened to a step.
    fn hear(&mut self, node: NodeId) -> Result<(), StepError> {
        if node == self.states.len() {
            self.keeper.hear();
            return Ok(());
        }
        let state = std::mem::replace(&mut self.states[node], State::Waiting);
        match state {
            State::Asking(mut child) => match child.read() {
                false => self.states[node] = State::Asking(child),
                true => {
                    let all: Vec<remote::Fetched> = child.finish()?;
                    for one in all.iter().filter(|one| !one.log.is_empty()) {
                        self.log(node, 2, one.log.clone().into_bytes());
                    }
                    self.fetched[node] = Some(all.into_iter().map(|it| (it.number, it)).collect());
                }
            },
            State::Reading(mut child) => match child.read() {
                false => self.states[node] = State::Reading(child),
                true => {
                    let read: Vec<(usize, String)> = child.finish()?;
                    for (number, content) in &read {
                        let Some(source) = self.graph.nodes[node].sources[*number] else {
                            continue;
                        };
                        let part = self.part(node, *number, source);
                        let put = self.cache.put_content(&part, content);
                        put.map_err(|e| StepError::internal("write the build cache", &e))?;
                    }
                    let (found, _) = self.contents(node)?;
                    self.found(node, &found)?;
                }
            },
            State::Fetching(id, mut child) => match child.read() {
                false => self.states[node] = State::Fetching(id, child),
                true => self.fetched(node, id, child.finish())?,
            },
            State::Copying(mut work, mut child) => match child.read() {
                false => self.states[node] = State::Copying(work, child),
                true => {
                    let files::Carried { layer, is_other } = child.finish()?;
                    work.is_other = is_other;
                    self.keep(node, work, layer, Kind::Files)?;
                }
            },
            State::Running(work, command) => self.hear_command(node, work, command)?,
            State::Keeping(work, command, mut child) => match child.read() {
                false => self.states[node] = State::Keeping(work, command, child),
                true => {
                    let layer: Layer = child.finish()?;
                    self.keep(node, work, layer, Kind::Command)?;
                }
            },
            other => self.states[node] = other,
        }
        Ok(())
    }

    fn hear_command(
        &mut self,
        node: NodeId,
        work: Work,
        mut command: Command,
    ) -> Result<(), StepError> {
        let words = self.words(node);
        let mut end = None;
        for heard in command.hear(&words) {
            match heard {
                Heard::Output(stream, bytes) => self.log(node, stream, bytes),
                Heard::Exited(code) => end = Some(Ok(code)),
                Heard::NotStarted { log, error } => {
                    if let Some(log) = log {
                        self.log(node, 2, log.into_bytes());
                    }
                    end = Some(Err(error));
                }
                Heard::Lost => {
                    end.get_or_insert_with(|| {
                        Err(StepError::new(format!(
                            "process {words} did not complete successfully: its monitor was killed"
                        )))
                    });
                }
            }
        }
        let workshop = self.workshop()?;
        match end {
            None => self.states[node] = State::Running(work, command),
            Some(Ok(0)) => {
                let child = command.keep(workshop)?;
                self.states[node] = State::Keeping(work, command, child);
            }
            Some(Ok(code)) => {
                let why = match command.was_oom_killed(workshop) {
                    true => "cannot allocate memory".to_owned(),
                    false => format!("exit code: {code}"),
                };
                command.discard(workshop);
                let message = format!("process {words} did not complete successfully: {why}");
                return Err(StepError { exit_code: Some(code), ..StepError::new(message) });
            }
            Some(Err(error)) => {
                command.discard(workshop);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The command of a step, as BuildKit calls it.
    fn words(&self, node: NodeId) -> String {
        match &self.graph.nodes[node].step.operation {
            Operation::Run(run) => format!("{:?}", run.args.join(" ")),
            _ => String::new(),
        }
    }

    fn log(&mut self, node: NodeId, stream: u8, bytes: Vec<u8>) {
        let log = &mut self.logs[node];
        log.extend_from_slice(&bytes);
        if log.len() > 2 * LOG_BYTES_MAX {
            log.drain(..log.len() - LOG_BYTES_MAX);
        }
        let vertex = self.vertices[node];
        self.progress.tell(Event::Log { vertex, stream, bytes, at: SystemTime::now() });
    }

    /// Puts what a step made on record.
    fn keep(
        &mut self,
        node: NodeId,
        work: Work,
        layer: Layer,
        kind: Kind,
    ) -> Result<(), StepError> {
        let of = &self.graph.nodes[node];
        let created = coracle_runtime::clock::now();
        let parent = of.on.and_then(|on| self.outcome(on)).map(|outcome| outcome.id);
        let description = of.step.name.clone();
        let record = Record { layer: layer.clone(), created, description, kind, parent };
        let id = match work.is_other {
            true => key::id_of_other(&work.id, &layer.diff_id),
            false => work.id,
        };
        let put = self.cache.put(&id, &record);
        put.map_err(|e| StepError::internal("write the build cache", &e))?;
        self.cache.touch(&id);
        self.complete(node, None);
        self.keeper.add(id, layer.diff_id, work.began.elapsed());
        self.done(node, id, layer, created);
        Ok(())
    }

    fn start(&mut self, node: NodeId) {
        if !std::mem::replace(&mut self.started[node], true) {
            let vertex = self.vertices[node];
            self.progress.tell(Event::Started { vertex, at: SystemTime::now() });
        }
    }

    fn complete(&mut self, node: NodeId, error: Option<String>) {
        let vertex = self.vertices[node];
        self.progress.tell(Event::Completed { vertex, at: SystemTime::now(), error });
    }

    /// A step failed: the others are given up.
    fn fail(&mut self, failed: NodeId, error: StepError) -> BuildError {
        if error.is_canceled {
            self.cancel();
            return BuildError::canceled();
        }
        if let Some((vertex, name)) = error.told.clone() {
            self.cancel();
            let step = FailedStep { vertex, name, log: Vec::new(), exit_code: None };
            return BuildError { step: Some(Box::new(step)), ..BuildError::from(error) };
        }
        self.start(failed);
        self.complete(failed, Some(error.message.clone()));
        self.cancel();
        let of = &self.graph.nodes[failed];
        BuildError {
            at: Some((of.request, vec![of.step.span])),
            step: Some(Box::new(FailedStep {
                vertex: self.vertices[failed],
                name: of.step.name.clone(),
                log: std::mem::take(&mut self.logs[failed]),
                exit_code: error.exit_code,
            })),
            ..BuildError::from(error)
        }
    }

    /// What goes on is given up.
    fn cancel(&mut self) {
        for node in 0..self.states.len() {
            let state = std::mem::replace(&mut self.states[node], State::Waiting);
            match state {
                State::Asking(child)
                | State::Reading(child)
                | State::Fetching(_, child)
                | State::Copying(_, child) => {
                    child.kill();
                }
                State::Running(_, command) => {
                    if let Some(workshop) = &mut self.workshop {
                        command.discard(workshop);
                    }
                }
                State::Keeping(_, command, child) => {
                    child.kill();
                    if let Some(workshop) = &mut self.workshop {
                        command.discard(workshop);
                    }
                }
                State::Waiting | State::Queued(_) | State::Done(_) => continue,
            }
            self.complete(node, Some(CANCELED.to_owned()));
        }
    }
}

pub(super) fn diff_ids(outcome: Option<&Outcome>) -> Vec<Digest> {
    outcome.map(|outcome| outcome.layers.iter().map(|l| l.diff_id).collect()).unwrap_or_default()
}
