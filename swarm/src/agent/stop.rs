//! Tasks that are wanted no more: stopped, and their containers removed when the tasks are forgotten.

use std::collections::BTreeSet;

use coracle_runtime::engine::RemoveOptions;
use coracle_words::Timestamp;

use super::Agent;
use super::runs::{Phase, Run, set};
use crate::model::{Task, TaskState};

impl Agent<'_> {
    /// Brings a task to its end; true when something was done that is not in its status.
    pub(super) fn end(&mut self, task: &mut Task, run: &mut Run, now: Timestamp) -> bool {
        let over = task.status.state.is_over();
        match &mut run.phase {
            Phase::Fetching(fetching) => {
                fetching.stop();
                run.phase = Phase::Nothing;
                self.shut(task, now);
            }
            Phase::Nothing | Phase::Made | Phase::Over => {
                if !over {
                    self.shut(task, now);
                }
                run.phase = match run.container.is_empty() {
                    true => Phase::Nothing,
                    false => Phase::Over,
                };
            }
            Phase::Starting(_) => {
                // It is stopped when it is known how far it came.
                if self.finish_start(run).is_none() {
                    return false;
                }
                self.end(task, run, now);
                return true;
            }
            Phase::Up => return self.begin_stop(task, run, now),
            Phase::Stopping(ending) => {
                let ended = ending.watch().is_none_or(super::observe::is_readable);
                if !ended {
                    return false;
                }
                run.phase = Phase::Over;
                self.exit_code(task, run);
                if !over {
                    self.shut(task, now);
                }
                return true;
            }
        }
        false
    }

    fn begin_stop(&mut self, task: &mut Task, run: &mut Run, now: Timestamp) -> bool {
        let engine = match self.host.home().engine() {
            Ok(engine) => engine,
            Err(_) => return false,
        };
        match engine.stop(&run.container, None, None) {
            Ok(ending) if ending.watch().is_some() => run.phase = Phase::Stopping(ending),
            // It has ended already.
            Ok(_) | Err(_) => {
                run.phase = Phase::Over;
                self.exit_code(task, run);
                if !task.status.state.is_over() {
                    self.shut(task, now);
                }
            }
        }
        true
    }

    fn shut(&mut self, task: &mut Task, now: Timestamp) {
        set(task, now, TaskState::Shutdown, "shutdown", "");
    }

    /// Containers whose tasks are forgotten are removed; true when there was one.
    pub(super) fn remove_orphans(&mut self) -> bool {
        let state = &self.journal.state;
        let gone: BTreeSet<String> =
            self.runs.keys().filter(|id| !state.tasks.contains_key(*id)).cloned().collect();
        let mut removed = false;
        for id in gone {
            let Some(mut run) = self.runs.remove(&id) else { continue };
            if let Phase::Fetching(fetching) = &mut run.phase {
                fetching.stop();
            }
            if run.container.is_empty() {
                continue;
            }
            // It is removed as `rm -f -v` does. What stands in the way is told by `ps`, where it stays.
            let options = RemoveOptions { force: true, volumes: true };
            let outcome = self
                .host
                .home_mut()
                .engine_in_session()
                .and_then(|(engine, session)| engine.remove(session, &run.container, options));
            drop(outcome);
            run.reap();
            removed = true;
        }
        removed
    }
}
