//! Containers of tasks that an agent before this one made.

use coracle_runtime::model::Status;

use coracle_words::Timestamp;

use super::Agent;
use super::runs::{Phase, Run, set};
use crate::model::task::ContainerStatus;
use crate::model::{Task, TaskState};

/// Says which task a container is.
pub const TASK_LABEL: &str = "com.docker.swarm.task.id";

impl Agent<'_> {
    /// Takes over what is there. Of one task that has two containers, which only a crash between two writes can leave,
    /// the second is removed as any whose task is unknown.
    pub(super) fn adopt(&mut self) {
        self.recover();
        let Ok(engine) = self.host.home().engine() else { return };
        let ids = engine.records.ids().unwrap_or_default();
        let mut found = Vec::new();
        for id in ids {
            let Ok(container) = engine.records.load(&id) else { continue };
            let Some(task) = container.config.labels.get(TASK_LABEL) else { continue };
            let Ok(life) = engine.records.life(&id) else { continue };
            let live = engine.records.lives(&life);
            found.push((task.clone(), container.id, life.state.status, live));
        }
        for (task, container, status, live) in found {
            let known = self.journal.state.tasks.get(&task);
            let recorded = known
                .and_then(|task| task.status.container_status.as_ref())
                .map(|status| status.container_id.clone());
            let phase = match status {
                _ if live => Phase::Up,
                Status::Created => Phase::Made,
                // Its end has not been seen: the next look does.
                _ if known.is_some_and(|task| !task.status.state.is_over()) => Phase::Up,
                _ => Phase::Over,
            };
            let mut run = Run { container, phase, ..Run::default() };
            if live {
                self.look_after(&mut run);
            }
            match recorded {
                Some(recorded) if recorded != run.container && !recorded.is_empty() => {
                    self.runs.insert(format!("{task} {}", run.container), run);
                }
                _ => drop(self.runs.insert(task, run)),
            }
        }
        self.miss();
        self.finish_switching_off();
    }

    /// Tasks whose containers somebody removed while there was no agent: the next look finds them lost.
    fn miss(&mut self) {
        for (id, task) in &self.journal.state.tasks {
            let status = task.status.container_status.as_ref();
            let container = status.map(|status| &status.container_id).filter(|id| !id.is_empty());
            let (Some(container), false) = (container, task.status.state.is_over()) else {
                continue;
            };
            let gone = || Run { container: container.clone(), phase: Phase::Up, ..Run::default() };
            self.runs.entry(id.clone()).or_insert_with(gone);
        }
    }

    /// Takes down what monitors that were killed left.
    pub(super) fn recover(&mut self) {
        if !self.host.home().needs_recovery() {
            return;
        }
        if let Ok((engine, session)) = self.host.home_mut().engine_in_session() {
            // What cannot be recovered now is met again by the next command.
            drop(engine.recover(session, &|_| false));
        }
    }
}

/// Has a task say how far its container is. An agent that was killed may have come further than it could write down.
pub(super) fn take_over(task: &mut Task, run: &Run, now: Timestamp) {
    let (state, message) = match run.phase {
        Phase::Made => (TaskState::Ready, "prepared"),
        // The next look says whether it runs.
        Phase::Up => (TaskState::Starting, "starting"),
        _ => return,
    };
    if task.status.state >= state {
        return;
    }
    let there =
        ContainerStatus { container_id: run.container.clone(), ..ContainerStatus::default() };
    task.status.container_status.get_or_insert(there);
    set(task, now, state, message, "");
}
