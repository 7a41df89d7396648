//! Who looks on in the foreground of `compose up`: output, ends, signals, and when it is over.
//!
//! # What counts
//!
//! As in Docker Compose: the services that were named, or else those whose output is shown. It is over when none of
//! their containers runs; how one of them ends is told, and may abort the rest.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_compose::apply::{Kind, Settings, Turn, Watcher};
use coracle_compose::project::found::label;
use coracle_compose::project::labels;
use coracle_compose::project::{Project, graph};
use coracle_runtime::engine::Summary;
use coracle_runtime::logs::ReadOptions;
use coracle_runtime::model::Timestamp;

use super::changes::Changes;
use super::members::Members;
use crate::app::App;
use crate::compose::project::place;
use crate::compose::screen::output::{Look, Output};
use crate::compose::screen::progress::Progress;
use crate::error::CliError;
use crate::streams::PATIENCE;

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// What a person wants of the foreground.
#[derive(Debug)]
pub(crate) struct Foreground {
    pub(crate) settings: Settings,
    pub(crate) look: Look,
    pub(crate) shown: Shown,
    pub(crate) abort_on_exit: bool,
    pub(crate) abort_on_failure: bool,
    /// The service whose exit code is ours.
    pub(crate) exit_code_from: Option<String>,
}

/// The services whose output is shown: those that were named, or all.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) named: Vec<String>,
    /// These alone, if there are any.
    pub(crate) attach: Vec<String>,
    pub(crate) no_attach: Vec<String>,
    pub(crate) dependencies: bool,
}

impl Shown {
    /// The services whose output is shown.
    fn services(&self, project: &Project) -> Result<Vec<String>, CliError> {
        let unknown: Vec<&str> = self
            .attach
            .iter()
            .filter(|name| !project.services.contains_key(*name))
            .map(String::as_str)
            .collect();
        if !unknown.is_empty() {
            let names = unknown.join(", ");
            let text = format!("cannot attach to services not included in up: {names}");
            return Err(CliError::plain(text));
        }
        let mut chosen = match self.attach.is_empty() {
            true => {
                let meant = graph::select(project, &self.named, self.dependencies);
                let services = meant.map_err(place::error)?.services.into_values();
                let wants = services.filter(|service| service.attach.unwrap_or(true));
                wants.map(|service| service.name).collect()
            }
            false => self.attach.clone(),
        };
        chosen.retain(|name| !self.no_attach.contains(name));
        Ok(chosen)
    }
}

/// Why the foreground came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    AllEnded,
    Aborted,
    Interrupted,
    /// It goes on, once changed files have been dealt with.
    Changed,
}

/// Who looks on in the foreground.
pub(super) struct Front<'a> {
    progress: Progress,
    pub(super) output: Output,
    members: Members,
    signals: OwnedFd,
    /// The services whose output is shown.
    chosen: Vec<String>,
    /// The services whose containers count; none means all.
    counted: Vec<String>,
    abort_on_exit: bool,
    abort_on_failure: bool,
    /// Files that are watched, with what has changed of them.
    pub(super) changes: Option<Changes<'a>>,
    pub(super) end: End,
    pub(super) stopping: bool,
    /// How often we were asked to end.
    pub(super) asked: u32,
    /// The code of the first that ended so that the rest is to end too.
    pub(super) first_exit: Option<i32>,
    /// The first exit code of each service.
    pub(super) codes: BTreeMap<String, i32>,
    pub(super) failed: Option<CliError>,
}

impl<'a> Front<'a> {
    pub(super) fn new(
        app: &App,
        wanted: &Foreground,
        project: &Project,
        progress: Progress,
    ) -> Result<Self, CliError> {
        let signals = coracle_sys::signal::signal_fd(&[SIGINT, SIGTERM])
            .map_err(|error| CliError::plain(format!("cannot receive signals: {error}")))?;
        let chosen = wanted.shown.services(project)?;
        let named = &wanted.shown.named;
        Ok(Self {
            progress,
            output: Output::new(wanted.look),
            members: Members::new(app.engine()?, &project.name),
            signals,
            counted: if named.is_empty() { chosen.clone() } else { named.clone() },
            chosen,
            abort_on_exit: wanted.abort_on_exit,
            abort_on_failure: wanted.abort_on_failure,
            changes: None,
            end: End::AllEnded,
            stopping: false,
            asked: 0,
            first_exit: None,
            codes: BTreeMap::new(),
            failed: None,
        })
    }

    /// Follows a container from a moment on; true when its output is shown.
    pub(super) fn follow(
        &mut self,
        summary: &Summary,
        name: &str,
        since: Timestamp,
    ) -> Result<bool, CliError> {
        self.members.add(summary, summary.life.state.status.is_running());
        self.show(summary, name, since)
    }

    fn show(&mut self, summary: &Summary, name: &str, since: Timestamp) -> Result<bool, CliError> {
        let service = label(summary, labels::SERVICE);
        let shown = self.chosen.iter().any(|chosen| chosen == service);
        let options = ReadOptions { since: Some(since), ..ReadOptions::default() };
        Ok(shown && self.output.add(&self.members.paths, summary, name, options)?)
    }

    /// Follows what other commands have started, and looks at every container.
    fn look(&mut self) -> Result<(), CliError> {
        self.members.clear();
        let counted = std::mem::take(&mut self.counted);
        let counts = |service: &str| counted.is_empty() || counted.iter().any(|one| one == service);
        let looked = self.look_at(&counts);
        self.counted = counted;
        looked
    }

    fn look_at(&mut self, counts: &dyn Fn(&str) -> bool) -> Result<(), CliError> {
        for summary in self.members.newcomers(counts) {
            let name = self.members.label(&summary);
            self.members.add_newcomer(&summary);
            self.show(&summary, &name, summary.life.state.started_at)?;
        }
        self.output.pump()?;
        for ended in self.members.look() {
            if !counts(&ended.service) {
                continue;
            }
            self.output.ended(&ended.id, &ended.label, &ended.text())?;
            self.codes.entry(ended.service).or_insert(ended.code);
            let aborts = self.abort_on_exit || (self.abort_on_failure && ended.code != 0);
            if aborts {
                self.first_exit.get_or_insert(ended.code);
            }
        }
        Ok(())
    }

    fn decide(&mut self) -> Turn {
        let mut signalled = false;
        while coracle_sys::signal::next_signal(self.signals.as_fd()).is_some() {
            signalled = true;
            self.asked += 1;
        }
        if self.stopping {
            let given_up = self.asked >= PATIENCE;
            return if signalled || given_up { Turn::Interrupted } else { Turn::On };
        }
        if signalled {
            self.end = End::Interrupted;
            return Turn::Interrupted;
        }
        if self.first_exit.is_some() {
            self.end = End::Aborted;
            return Turn::Interrupted;
        }
        Turn::On
    }

    /// Whether nothing of what counts runs or is to start.
    fn is_over(&self) -> bool {
        let counted = &self.counted;
        self.members.is_over(|service| counted.is_empty() || counted.iter().any(|c| c == service))
    }

    fn fails(&mut self, error: CliError) -> Turn {
        self.failed = self.failed.take().or(Some(error));
        Turn::Interrupted
    }
}

impl Watcher for Front<'_> {
    fn show(&mut self, kind: Kind, name: &str, word: &str, details: &str) {
        // In the foreground the output itself tells that a container started.
        if !matches!(word, "Starting" | "Started") {
            self.progress.show(kind, name, word, details);
        }
    }

    fn warn(&mut self, text: &str) {
        self.progress.warn(text);
    }

    fn step_said(&mut self, step: &str, line: &str) {
        if let Err(error) = self.output.hook(step, line) {
            self.fails(error);
        }
    }

    fn hook_said(&mut self, container: &str, text: &str) {
        let name = self.members.name(container);
        if let Err(error) = self.output.hook(&name, text) {
            self.fails(error);
        }
    }

    fn turn(&mut self) -> Turn {
        match self.look() {
            Ok(()) => self.decide(),
            Err(error) => self.fails(error),
        }
    }

    fn idle(&mut self) -> Turn {
        let turn = match self.turn() {
            Turn::On if self.is_over() => return Turn::Interrupted,
            Turn::On => self.changes.as_mut().map_or(Ok(false), Changes::are_due),
            turn => return turn,
        };
        match turn {
            Ok(false) => Turn::On,
            Ok(true) => {
                self.end = End::Changed;
                Turn::Interrupted
            }
            Err(error) => self.fails(error),
        }
    }

    fn wake(&self) -> Vec<BorrowedFd<'_>> {
        let changes = self.changes.as_ref().map(Changes::fd);
        let others = [self.members.fd(), changes].into_iter().flatten();
        std::iter::once(self.signals.as_fd()).chain(others).collect()
    }
}
