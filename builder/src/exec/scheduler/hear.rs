//! What children and commands tell.

use coracle_image::Layer;

use super::super::cache::Kind;
use super::super::error::StepError;
use super::super::graph::NodeId;
use super::super::run::{Command, Heard};
use super::super::{files, remote};
use super::{Scheduler, State, Work};
use crate::plan::Operation;
use crate::request::Network;

impl Scheduler<'_> {
    /// Something happened to a step.
    pub(super) fn hear(&mut self, node: NodeId) -> Result<(), StepError> {
        if node == self.states.len() {
            self.keeper.hear();
            return Ok(());
        }
        let state = std::mem::replace(&mut self.states[node], State::Waiting);
        match state {
            State::Asking(mut child) => match child.read() {
                false => self.states[node] = State::Asking(child),
                true => {
                    let all = child.finish::<Vec<remote::Fetched>>().map_err(of_source)?;
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
                        let Some(source) = self.given.graph.nodes[node].sources[*number] else {
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
            State::Bringing(id, mut child) => match child.read() {
                false => self.states[node] = State::Bringing(id, child),
                true => {
                    self.brought(node, child.finish().map_err(of_source)?);
                    self.states[node] = State::Queued(id);
                }
            },
            State::Copying(mut work, mut child) => match child.read() {
                false => self.states[node] = State::Copying(work, child),
                true => {
                    let files::Carried { layer, is_other } = child.finish()?;
                    work.is_other = is_other;
                    self.keep(node, work, layer, Kind::Files)?;
                }
            },
            State::Mounting(mut work, mounts, mut child) => match child.read() {
                false => self.states[node] = State::Mounting(work, mounts, child),
                true => {
                    work.is_other = child.finish()?;
                    self.start_command(node, work, mounts)?;
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

    /// What a child brought of the sources of a step from elsewhere.
    fn brought(&mut self, node: NodeId, all: Vec<remote::Brought>) {
        for one in all {
            if !one.log.is_empty() {
                self.log(node, 2, one.log.into_bytes());
            }
            let fetched = self.fetched[node].as_mut();
            if let Some(fetched) = fetched.and_then(|all| all.get_mut(&one.number)) {
                fetched.path = Some(one.path);
            }
        }
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
                Heard::Begun if self.uses_network(node) => self.workshop()?.keep_helper()?,
                Heard::Begun => {}
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

    fn uses_network(&self, node: NodeId) -> bool {
        let operation = &self.given.graph.nodes[node].step.operation;
        matches!(operation, Operation::Run(run) if run.network == Network::Default)
    }

    /// The command of a step, as BuildKit calls it.
    fn words(&self, node: NodeId) -> String {
        match &self.given.graph.nodes[node].step.operation {
            Operation::Run(run) => format!("{:?}", run.args.join(" ")),
            _ => String::new(),
        }
    }
}

fn of_source(error: StepError) -> StepError {
    StepError { is_of_source: true, ..error }
}
