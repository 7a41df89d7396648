//! What is told of steps, and how a build ends in which one fails.

use std::time::SystemTime;

use super::super::error::{BuildError, FailedStep, StepError};
use super::super::graph::NodeId;
use super::{LOG_BYTES_MAX, Scheduler, State};
use crate::plan::Operation;
use crate::progress::{CANCELED, Event};

impl Scheduler<'_> {
    pub(super) fn start(&mut self, node: NodeId) {
        if !std::mem::replace(&mut self.started[node], true) {
            let vertex = self.vertex(node);
            self.progress.tell(Event::Started { vertex, at: SystemTime::now() });
        }
    }

    pub(super) fn log(&mut self, node: NodeId, stream: u8, bytes: Vec<u8>) {
        let log = &mut self.logs[node];
        log.extend_from_slice(&bytes);
        if log.len() > 2 * LOG_BYTES_MAX {
            log.drain(..log.len() - LOG_BYTES_MAX);
        }
        let vertex = self.vertex(node);
        self.progress.tell(Event::Log { vertex, stream, bytes, at: SystemTime::now() });
    }

    pub(super) fn complete(&mut self, node: NodeId, error: Option<String>) {
        let vertex = self.vertex(node);
        self.progress.tell(Event::Completed { vertex, at: SystemTime::now(), error });
    }

    /// A step failed: the others are given up.
    pub(super) fn fail(&mut self, failed: NodeId, error: StepError) -> BuildError {
        if error.is_canceled {
            self.cancel();
            return BuildError::canceled();
        }
        if let Some((vertex, name)) = error.told.clone() {
            self.cancel();
            let step = FailedStep { vertex, name, log: Vec::new(), exit_code: None, command: None };
            return BuildError { step: Some(Box::new(step)), ..BuildError::from(error) };
        }
        self.start(failed);
        self.complete(failed, Some(error.message.clone()));
        self.cancel();
        let of = &self.given.graph.nodes[failed];
        let at = if error.is_of_source { Vec::new() } else { vec![of.step.span] };
        BuildError {
            at: Some((of.request, at)),
            step: Some(Box::new(FailedStep {
                vertex: self.vertex(failed),
                name: self.given.titles[failed].clone(),
                log: std::mem::take(&mut self.logs[failed]),
                exit_code: error.exit_code,
                command: match &of.step.operation {
                    Operation::Run(run) => Some(run.args.clone()),
                    _ => None,
                },
            })),
            ..BuildError::from(error)
        }
    }

    /// What goes on is given up.
    pub(super) fn cancel(&mut self) {
        for node in 0..self.states.len() {
            let state = std::mem::replace(&mut self.states[node], State::Waiting);
            match state {
                State::Asking(child)
                | State::Reading(child)
                | State::Fetching(_, child)
                | State::Bringing(_, child)
                | State::Copying(_, child)
                | State::Mounting(_, _, child) => {
                    child.kill();
                }
                State::Running(_, command) => {
                    if let Some(workshop) = &mut self.given.workshop {
                        command.discard(workshop);
                    }
                }
                State::Keeping(_, command, child) => {
                    child.kill();
                    if let Some(workshop) = &mut self.given.workshop {
                        command.discard(workshop);
                    }
                }
                State::Waiting | State::Known(_) | State::Queued(_) | State::Done(_) => continue,
            }
            self.complete(node, Some(CANCELED.to_owned()));
        }
    }
}
