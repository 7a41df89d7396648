//! `service logs`: what the tasks of a service have written.

use std::collections::HashMap;
use std::io::Write as _;
use std::time::Duration;

use coracle_runtime::engine::Summary;
use coracle_runtime::logs::{ReadOptions, Stream, parse_tail};
use coracle_runtime::watch::Watch;
use coracle_swarm::SwarmError;
use coracle_swarm::agent::TASK_LABEL;
use coracle_swarm::model::{Mode, NodeState, Task, TaskState};
use coracle_swarm::state::State;
use coracle_view::{node, service};
use coracle_words::ErrorKind;

use super::log_lines::{LogLine, Sources};
use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::logs::bound;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units::short_id;

/// So often logs are looked at when nothing seems to happen.
const LONGEST: Duration = Duration::from_secs(600);

/// Print what the tasks of a service, or one task, have written
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceLogsArgs {
    /// Also print the extra attributes that the log driver stored
    #[arg(long)]
    pub(crate) details: bool,
    /// Keep streaming new lines until interrupted or the source ends
    #[arg(long, short = 'f')]
    pub(crate) follow: bool,
    /// Print ids instead of names
    #[arg(long)]
    pub(crate) no_resolve: bool,
    /// Leave task ids out of the line prefix
    #[arg(long)]
    pub(crate) no_task_ids: bool,
    /// Print full values instead of shortened ones
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Print log bytes without prefix formatting
    #[arg(long)]
    pub(crate) raw: bool,
    /// Start point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    pub(crate) since: Option<String>,
    /// Last N lines per source, or all
    #[arg(long, short = 'n', value_name = "string")]
    pub(crate) tail: Option<String>,
    /// Prefix lines with RFC 3339 nanosecond time
    #[arg(long, short = 't')]
    pub(crate) timestamps: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Whose logs are meant.
#[derive(Debug)]
enum Target {
    Service(String),
    Task(String),
}

impl Runnable for ServiceLogsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let mut swarm = app.manager()?;
        let target = target(&swarm.state, &self.args[0])?;
        let options = ReadOptions {
            tail: parse_tail(self.tail.as_deref().unwrap_or("all")),
            since: bound("since", self.since.as_deref())?,
            until: None,
        };
        let mut sources = Sources::new(self.timestamps, self.details);
        let mut watch = Watch::empty();
        if self.follow {
            watch.add(swarm.path().parent().unwrap_or(swarm.path()));
            watch.add(&app.engine()?.paths().containers());
        }
        loop {
            watch.clear();
            swarm.refresh().map_err(SwarmError::from)?;
            let found = self.find(app, &swarm.state, &target)?;
            // Asked before reading: what was written before the end is then seen.
            let goes_on = self.follow && goes_on(&swarm.state, &target, &found);
            let engine = app.engine()?;
            for (mark, summary) in &found {
                watch.add(&engine.paths().container(&summary.container.id));
                sources.add(engine, summary, mark, options)?;
            }
            print(app, &sources.lines()?)?;
            if !goes_on {
                print(app, &sources.rest())?;
                return missing(&swarm.state, &target);
            }
            watch.wait(watch.patience(LONGEST))?;
        }
    }
}

impl ServiceLogsArgs {
    /// The containers of tasks, each with what stands before its lines.
    fn find(
        &self,
        app: &App,
        state: &State,
        target: &Target,
    ) -> Result<Vec<(String, Summary)>, CliError> {
        let tasks: HashMap<&str, &Task> =
            tasks(state, target).map(|task| (task.id.as_str(), task)).collect();
        let mut found = Vec::new();
        for summary in app.engine()?.list()? {
            let label = summary.container.config.labels.get(TASK_LABEL);
            let Some(task) = label.and_then(|id| tasks.get(id.as_str())) else { continue };
            let raw = self.raw || task.spec.container_spec.tty;
            let mark = if raw { String::new() } else { self.mark(state, task) };
            found.push((mark, summary));
        }
        Ok(found)
    }

    /// `NAME.SLOT.TASK@NODE    | `.
    fn mark(&self, state: &State, task: &Task) -> String {
        let service = state.services.get(&task.service_id);
        let name = match service {
            Some(service) if !self.no_resolve => service.spec.name.as_str(),
            _ => task.service_id.as_str(),
        };
        let node = match state.nodes.get(&task.node_id) {
            Some(known) if !self.no_resolve => node::name_of(known),
            _ => task.node_id.as_str(),
        };
        let id = match (self.no_task_ids, self.no_trunc) {
            (true, _) => String::new(),
            (false, true) => format!(".{}", task.id),
            (false, false) => format!(".{}", short_id(&task.id)),
        };
        let most = match service.map(|service| &service.spec.mode) {
            Some(Mode::Replicated(mode)) => mode.replicas.unwrap_or(0),
            _ => 0,
        };
        let digits = |number: u64| number.to_string().len();
        let padding = " ".repeat(digits(most).saturating_sub(digits(task.slot)));
        format!("{name}.{}{id}@{node}{padding}    | ", task.slot)
    }
}

fn target(state: &State, name: &str) -> Result<Target, CliError> {
    match service::find(state, name) {
        Ok(found) => return Ok(Target::Service(found.id.clone())),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        Err(_) => {}
    }
    service::find_task(state, name).map(|task| Target::Task(task.id.clone())).map_err(|error| {
        match error.kind() {
            ErrorKind::NotFound => CliError::plain(format!("no such task or service: {name}")),
            _ => error.into(),
        }
    })
}

fn tasks<'a>(state: &'a State, target: &'a Target) -> impl Iterator<Item = &'a Task> {
    state.tasks.values().filter(move |task| match target {
        Target::Service(id) => task.service_id == *id,
        Target::Task(id) => task.id == *id,
    })
}

/// Whether more can come: a service gets further tasks for as long as it is there.
fn goes_on(state: &State, target: &Target, found: &[(String, Summary)]) -> bool {
    let runs = found.iter().any(|(_, summary)| summary.life.state.status.is_running());
    let is_there = match target {
        Target::Service(id) => state.services.contains_key(id),
        Target::Task(_) => tasks(state, target).any(|task| !task.status.state.is_over()),
    };
    runs || is_there
}

/// Of nodes that are lost nothing can be told.
fn missing(state: &State, target: &Target) -> CommandResult {
    let is_down = |task: &&Task| {
        let node = state.nodes.get(&task.node_id);
        node.is_some_and(|node| node.status.state == NodeState::Down)
            && task.status.state == TaskState::Running
    };
    match tasks(state, target).find(is_down) {
        None => Ok(ExitStatus::Success),
        Some(task) => Err(CliError::plain(format!(
            "error from daemon in stream: Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete \
             log stream. some logs could not be retrieved for the following reasons: node {} is not available",
            task.node_id
        ))),
    }
}

fn print(app: &mut App, lines: &[LogLine]) -> Result<(), CliError> {
    for line in lines {
        match line.stream {
            Stream::Stdout => app.ui.data().write_all(&line.text)?,
            Stream::Stderr => app.ui.status().write_all(&line.text)?,
        }
    }
    Ok(app.ui.flush()?)
}
