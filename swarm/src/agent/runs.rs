//! The containers of tasks: each is brought to where its task belongs.
//!
//! # How it works
//!
//! A [`Run`] is what the agent holds of one task: the container, and what it waits for. [`Agent::act`] goes over all
//! tasks and takes each as far as it can go without waiting; whatever it waits for wakes the loop.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_runtime::engine::{Ending, Starting};
use coracle_runtime::model::Attach;
use coracle_words::Timestamp;
use rustix::process::PidfdFlags;

use super::adopt::take_over;
use super::observe::is_readable;
use super::{Agent, Fetching};
use crate::model::{Task, TaskState};
use crate::state::Change;

/// How far a container is.
#[derive(Default)]
pub(super) enum Phase {
    /// There is none yet.
    #[default]
    Nothing,
    Fetching(Box<dyn Fetching>),
    Made,
    Starting(Starting),
    /// Its monitor looks after it.
    Up,
    Stopping(Ending),
    /// It runs no more.
    Over,
}

/// What the agent holds of a task.
#[derive(Default)]
pub(super) struct Run {
    pub(super) container: String,
    pub(super) phase: Phase,
    /// Readable when the monitor has ended; `None` from then on, or it would wake the loop for ever.
    pub(super) monitor: Option<OwnedFd>,
    pub(super) monitor_pid: i32,
    /// It was stopped because of its health.
    pub(super) unhealthy: bool,
}

impl Run {
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let of_phase = match &self.phase {
            Phase::Fetching(fetching) => Some(fetching.fd()),
            Phase::Starting(starting) => Some(starting.as_fd()),
            Phase::Stopping(ending) => ending.watch(),
            _ => None,
        };
        of_phase.into_iter().chain(self.monitor.as_ref().map(AsFd::as_fd))
    }

    /// Whether its process may run.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Starting(_) | Phase::Up | Phase::Stopping(_))
    }

    /// Takes note of a monitor that has ended. It was our child, if we started it.
    pub(super) fn reap(&mut self) {
        use rustix::process::{Pid, WaitOptions, waitpid};
        if !self.monitor.as_ref().is_some_and(|monitor| is_readable(monitor.as_fd())) {
            return;
        }
        self.monitor = None;
        if let Some(pid) = Pid::from_raw(self.monitor_pid) {
            waitpid(Some(pid), WaitOptions::NOHANG).ok();
        }
    }

    /// Watches the monitor, whose end nobody else tells us of.
    pub(super) fn watch_monitor(&mut self, pid: i32) {
        self.monitor_pid = pid;
        let pid = rustix::process::Pid::from_raw(pid);
        self.monitor =
            pid.and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
    }
}

impl Agent<'_> {
    /// Takes each task as far as it goes; true when something changed.
    pub(super) fn act(&mut self, now: Timestamp) -> bool {
        let mut changes = Vec::new();
        let mut acted = false;
        let ids: Vec<String> = self.journal.state.tasks.keys().cloned().collect();
        for id in ids {
            let Some(task) = self.journal.state.tasks.get(&id) else { continue };
            // A task of a global service has its node before that node has room for it.
            let is_assigned = task.status.state >= TaskState::Assigned;
            if !is_assigned || self.is_settled(task) || self.is_off(&task.node_id) {
                continue;
            }
            let mut task = task.clone();
            let before = task.status.clone();
            let (moved, run) = {
                let mut run = self.runs.remove(&id).unwrap_or_default();
                let moved = self.step(&mut task, &mut run, now);
                (moved, run)
            };
            if !run.container.is_empty() || !matches!(run.phase, Phase::Nothing) {
                self.runs.insert(id, run);
            }
            acted |= moved;
            if task.status != before {
                changes.push(Change::from(task));
            }
        }
        acted |= self.remove_orphans();
        let noted = !changes.is_empty();
        self.note_facts(changes) && (acted || noted)
    }

    /// Whether there is nothing to do for a task whatever happens: most tasks of an old swarm.
    fn is_settled(&self, task: &Task) -> bool {
        let live = self.runs.get(&task.id).is_some_and(Run::is_live);
        match self.runs.get(&task.id).map(|run| &run.phase) {
            Some(Phase::Up) => {
                task.status.state == TaskState::Running && task.desired_state <= TaskState::Complete
            }
            _ => task.status.state.is_over() && !live,
        }
    }

    /// One task; true when something was done that is not in its status.
    fn step(&mut self, task: &mut Task, run: &mut Run, now: Timestamp) -> bool {
        let wanted = task.desired_state <= TaskState::Complete && !task.status.state.is_over();
        if !wanted {
            return self.end(task, run, now);
        }
        let mut moved = false;
        take_over(task, run, now);
        if task.status.state < TaskState::Ready {
            self.prepare(task, run, now);
        }
        let may_start = task.desired_state >= TaskState::Running;
        let waits = matches!(task.status.state, TaskState::Ready | TaskState::Starting);
        if may_start && waits && matches!(run.phase, Phase::Made) {
            moved = true;
            self.start(task, run, now);
        }
        if matches!(run.phase, Phase::Starting(_)) {
            moved |= self.started(task, run, now);
        }
        moved
    }

    /// Up to READY: the image, the container.
    fn prepare(&mut self, task: &mut Task, run: &mut Run, now: Timestamp) {
        if self.waits(task, now) {
            return;
        }
        let image = task.spec.container_spec.image.clone();
        if let Phase::Fetching(fetching) = &mut run.phase {
            match fetching.outcome() {
                None => return,
                Some(Ok(())) => {}
                Some(Err(words)) => {
                    run.phase = Phase::Nothing;
                    // What the registry said, as of Docker 29: that there is no image follows.
                    let words = words.lines().next().unwrap_or_default();
                    let words = words.strip_prefix("Error response from daemon: ").unwrap_or(words);
                    return set(task, now, TaskState::Rejected, "preparing", words);
                }
            }
            run.phase = Phase::Nothing;
            match self.host.find(&image) {
                Ok(Some(facts)) => return self.create(task, run, facts, now),
                Ok(None) => {
                    let words = format!("No such image: {image}");
                    return set(task, now, TaskState::Rejected, "preparing", &words);
                }
                Err(words) => return set(task, now, TaskState::Rejected, "preparing", &words),
            }
        }
        match self.host.find(&image) {
            Ok(Some(facts)) => self.create(task, run, facts, now),
            Ok(None) => match self.host.fetch(&image) {
                Ok(fetching) => {
                    run.phase = Phase::Fetching(fetching);
                    set(task, now, TaskState::Preparing, "preparing", "");
                }
                Err(words) => set(task, now, TaskState::Rejected, "preparing", &words),
            },
            Err(words) => set(task, now, TaskState::Rejected, "preparing", &words),
        }
    }

    fn create(
        &mut self,
        task: &mut Task,
        run: &mut Run,
        image: coracle_runtime::engine::ImageFacts,
        now: Timestamp,
    ) {
        match self.make(task, image) {
            Ok(container) => {
                run.container = container;
                run.phase = Phase::Made;
                take_over(task, run, now);
            }
            Err(words) => set(task, now, TaskState::Rejected, "preparing", &words),
        }
    }

    fn make(
        &mut self,
        task: &Task,
        image: coracle_runtime::engine::ImageFacts,
    ) -> Result<String, String> {
        let state = &self.journal.state;
        let node = state.nodes.get(&task.node_id).cloned().unwrap_or_default();
        let facts = self.container_facts(&node);
        let mut request = crate::container::request(task, &node, image, &facts)
            .map_err(|error| error.to_string())?;
        request.is_task = true;
        let engine = self.host.home().engine().map_err(|error| error.to_string())?;
        Ok(engine.create(request).map_err(|error| error.to_string())?.id)
    }

    fn start(&mut self, task: &mut Task, run: &mut Run, now: Timestamp) {
        if let Err(words) = self.deliver(task, &run.container) {
            run.phase = Phase::Over;
            return set(task, now, TaskState::Failed, "starting", &words);
        }
        let begun = self.host.home_mut().engine_in_session().and_then(|(engine, session)| {
            engine.begin_start(session, &run.container, Attach::default())
        });
        match begun {
            Ok(starting) => {
                if let Some(monitor) = starting.monitor() {
                    // One that cannot start its container ends as well.
                    run.watch_monitor(monitor);
                }
                run.phase = Phase::Starting(starting);
                set(task, now, TaskState::Starting, "starting", "");
            }
            Err(error) => {
                run.phase = Phase::Over;
                let words = format!("starting container failed: {error}");
                set(task, now, TaskState::Failed, "starting", &words);
            }
        }
    }

    /// A container whose start was begun; true when it is known how that went.
    fn started(&mut self, task: &mut Task, run: &mut Run, now: Timestamp) -> bool {
        let Some(outcome) = self.finish_start(run) else { return false };
        match outcome {
            Ok(pid) => {
                if let Some(status) = &mut task.status.container_status {
                    status.pid = pid;
                }
                // One with a health check is running when it is healthy.
                if !self.has_health(&run.container) {
                    task.own.running_since = Some(now);
                    self.tell_ports(task, &run.container);
                    set(task, now, TaskState::Running, "started", "");
                }
            }
            Err(words) => {
                let words = format!("starting container failed: {words}");
                set(task, now, TaskState::Failed, "starting", &words);
            }
        }
        true
    }

    /// What became of a start; `None`: it goes on. The container is watched from here on.
    pub(super) fn finish_start(&mut self, run: &mut Run) -> Option<Result<i32, String>> {
        let Phase::Starting(starting) = std::mem::take(&mut run.phase) else { return None };
        if !starting.is_done() && !is_readable(starting.as_fd()) {
            run.phase = Phase::Starting(starting);
            return None;
        }
        match starting.finish() {
            Ok(started) => {
                run.phase = Phase::Up;
                self.look_after(run);
                Some(Ok(started.pid))
            }
            Err(error) => {
                run.phase = Phase::Over;
                Some(Err(error.to_string()))
            }
        }
    }
}

/// Gives a task another state.
pub(super) fn set(task: &mut Task, now: Timestamp, state: TaskState, message: &str, err: &str) {
    task.status.timestamp = now;
    task.status.state = state;
    message.clone_into(&mut task.status.message);
    err.clone_into(&mut task.status.err);
}
