//! What the tasks of a service have written, by the time they wrote it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use coracle_runtime::Engine;
use coracle_runtime::engine::Summary;
use coracle_runtime::logs::{ReadOptions, Show, Steps, Stream};
use coracle_runtime::model::Timestamp;
use coracle_runtime::watch::Watch;
use coracle_swarm::SwarmError;
use coracle_swarm::agent::TASK_LABEL;
use coracle_swarm::journal::Reader;
use coracle_swarm::model::Task;
use coracle_swarm::state::State;
use coracle_words::ErrorKind;

use crate::ViewError;
use crate::service::{find, find_task};

/// So often logs are looked at when nothing seems to happen.
const LONGEST: Duration = Duration::from_secs(600);

/// Whose logs are meant.
#[derive(Debug)]
pub enum Target {
    Service(String),
    Task(String),
}

impl Target {
    /// The service of that name or id, else the task.
    ///
    /// # Errors
    /// When there is neither.
    pub fn find(state: &State, name: &str) -> Result<Self, ViewError> {
        match find(state, name) {
            Ok(found) => Ok(Self::Service(found.id.clone())),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Err(_) => find_task(state, name).map(|task| Self::Task(task.id.clone())),
        }
    }

    /// The tasks that are meant.
    pub fn tasks<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a Task> {
        state.tasks.values().filter(move |task| match self {
            Self::Service(id) => task.service_id == *id,
            Self::Task(id) => task.id == *id,
        })
    }

    /// Whether more can come: a service gets further tasks for as long as it is there.
    fn goes_on(&self, state: &State, found: &[(String, Summary)]) -> bool {
        let runs = found.iter().any(|(_, summary)| summary.life.state.status.is_running());
        let is_there = match self {
            Self::Service(id) => state.services.contains_key(id),
            Self::Task(_) => self.tasks(state).any(|task| !task.status.state.is_over()),
        };
        runs || is_there
    }
}

/// What is to be read.
#[derive(Debug)]
pub struct Reading<'a> {
    pub engine: &'a Engine,
    pub target: &'a Target,
    pub options: ReadOptions,
    /// Whether to wait for more.
    pub follow: bool,
    pub timestamps: bool,
    pub details: bool,
}

impl Reading<'_> {
    /// Reads to the end. `mark` is what stands before the lines of a task, whose own text has no lines when that is
    /// nothing; what comes goes to `print`.
    ///
    /// # Errors
    /// When the state of the swarm or a log cannot be read, and what `print` says.
    pub fn read<E: From<ViewError>>(
        &self,
        swarm: &mut Reader,
        mark: &dyn Fn(&State, &Task) -> String,
        print: &mut dyn FnMut(&[LogLine]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut sources = Sources::new(self.timestamps, self.details);
        let mut watch = Watch::empty();
        if self.follow {
            watch.add(swarm.path().parent().unwrap_or(swarm.path()));
            watch.add(&self.engine.paths().containers());
        }
        loop {
            watch.clear();
            swarm.refresh().map_err(|error| ViewError::from(SwarmError::from(error)))?;
            let found = self.find(&swarm.state, mark)?;
            // Asked before reading: what was written before the end is then seen.
            let goes_on = self.follow && self.target.goes_on(&swarm.state, &found);
            for (mark, summary) in &found {
                watch.add(&self.engine.paths().container(&summary.container.id));
                sources.add(self.engine, summary, mark, self.options)?;
            }
            print(&sources.lines()?)?;
            if !goes_on {
                return print(&sources.rest());
            }
            watch.wait(watch.patience(LONGEST)).map_err(ViewError::Wait)?;
        }
    }

    /// The containers of tasks, each with what stands before its lines.
    fn find(
        &self,
        state: &State,
        mark: &dyn Fn(&State, &Task) -> String,
    ) -> Result<Vec<(String, Summary)>, ViewError> {
        let tasks: HashMap<&str, &Task> =
            self.target.tasks(state).map(|task| (task.id.as_str(), task)).collect();
        let mut found = Vec::new();
        for summary in self.engine.list()? {
            let label = summary.container.config.labels.get(TASK_LABEL);
            let Some(task) = label.and_then(|id| tasks.get(id.as_str())) else { continue };
            found.push((mark(state, task), summary));
        }
        Ok(found)
    }
}

/// A line, ready to be printed.
#[derive(Debug)]
pub struct LogLine {
    time: Timestamp,
    pub stream: Stream,
    pub text: Vec<u8>,
}

/// The logs of tasks' containers.
#[derive(Debug, Default)]
struct Sources {
    known: HashSet<String>,
    sources: Vec<Source>,
    timestamps: bool,
    details: bool,
}

#[derive(Debug)]
struct Source {
    steps: Steps,
    mark: String,
    /// Of what is written to standard output, and to standard error.
    open: [Open; 2],
}

/// A line that has no end yet.
#[derive(Debug, Default)]
struct Open {
    show: Show,
    text: Vec<u8>,
}

impl Sources {
    fn new(timestamps: bool, details: bool) -> Self {
        Self { timestamps, details, ..Self::default() }
    }

    /// Adds a container, unless it is known; `mark` stands before its lines.
    fn add(
        &mut self,
        engine: &Engine,
        summary: &Summary,
        mark: &str,
        options: ReadOptions,
    ) -> Result<(), ViewError> {
        if !self.known.insert(summary.container.id.clone()) {
            return Ok(());
        }
        let steps = engine.log_steps(&summary.container, options)?;
        // The time stands before a name.
        let show = Show::new(self.timestamps && mark.is_empty(), self.details);
        let open = || Open { show: show.clone(), text: Vec::new() };
        self.sources.push(Source { steps, mark: mark.to_owned(), open: [open(), open()] });
        Ok(())
    }

    /// What was written since the last time.
    fn lines(&mut self) -> Result<Vec<LogLine>, ViewError> {
        let mut lines = Vec::new();
        for Source { steps, mark, open } in &mut self.sources {
            let read = steps.next(&mut |entry| {
                let Open { show, text } = &mut open[usize::from(entry.stream == Stream::Stderr)];
                if text.is_empty() && !mark.is_empty() {
                    if self.timestamps {
                        let time = coracle_words::moment::nine_digits(entry.time);
                        text.extend_from_slice(format!("{time} ").as_bytes());
                    }
                    text.extend_from_slice(mark.as_bytes());
                }
                show.append(text, entry);
                // A terminal's text has no lines to wait for.
                if mark.is_empty() || text.ends_with(b"\n") {
                    let text = std::mem::take(text);
                    lines.push(LogLine { time: entry.time, stream: entry.stream, text });
                }
            });
            read?;
        }
        lines.sort_by_key(|line| line.time);
        Ok(lines)
    }

    /// What has no end of line and gets none any more.
    fn rest(&mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for source in &mut self.sources {
            for (stream, open) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut source.open)
            {
                if !open.text.is_empty() {
                    let text = std::mem::take(&mut open.text);
                    lines.push(LogLine { time: Timestamp::default(), stream, text });
                }
            }
        }
        lines
    }
}
