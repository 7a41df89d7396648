//! What became of containers since the last look.

use std::os::fd::BorrowedFd;

use coracle_runtime::model::{HealthStatus, PortBinding, State, Status};
use coracle_words::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Agent;
use super::runs::{Phase, Run, set};
use crate::model::{PortConfig, PublishMode, Task, TaskState};
use crate::state::Change;

impl Agent<'_> {
    /// Looks at every container that runs, and writes down what is new; false when that is impossible.
    pub(super) fn observe(&mut self, now: Timestamp) -> bool {
        if !self.note_facts(Vec::new()) {
            return false;
        }
        self.watch.clear();
        self.runs.values_mut().for_each(Run::reap);
        let ids: Vec<String> = self.runs.keys().cloned().collect();
        let mut changes = Vec::new();
        for id in ids {
            let Some(task) = self.journal.state.tasks.get(&id) else { continue };
            let Some(run) = self.runs.get(&id) else { continue };
            if !matches!(run.phase, Phase::Up) || self.is_off(&task.node_id) {
                continue;
            }
            let Ok(life) = self
                .host
                .home()
                .engine()
                .and_then(|engine| Ok(engine.records.life(&run.container)?))
            else {
                // Somebody removed it.
                let mut task = task.clone();
                self.lost(&id, &mut task, now);
                changes.push(Change::from(task));
                continue;
            };
            let mut task = task.clone();
            let before = task.status.clone();
            if self.look(&id, &mut task, &life.state, now) || task.status != before {
                changes.push(Change::from(task));
            }
        }
        self.note_facts(changes)
    }

    fn look(&mut self, id: &str, task: &mut Task, state: &State, now: Timestamp) -> bool {
        let Some(run) = self.runs.get_mut(id) else { return false };
        let over = task.status.state.is_over();
        if matches!(state.status, Status::Exited | Status::Dead) {
            run.phase = Phase::Over;
            let unhealthy = run.unhealthy;
            if let Some(status) = &mut task.status.container_status {
                status.exit_code = state.exit_code;
            }
            if over {
                return true;
            }
            match (state.exit_code, unhealthy) {
                (code, true) => {
                    let words =
                        format!("task: non-zero exit ({code}): dockerexec: unhealthy container");
                    set(task, now, TaskState::Failed, "started", &words);
                }
                (0, false) => set(task, now, TaskState::Complete, "finished", ""),
                (code, false) => {
                    let words = format!("task: non-zero exit ({code})");
                    set(task, now, TaskState::Failed, "started", &words);
                }
            }
            return true;
        }
        let health = state.health.as_ref().map_or(HealthStatus::None, |health| health.status);
        match health {
            HealthStatus::Healthy | HealthStatus::None
                if task.status.state == TaskState::Starting && state.status.is_running() =>
            {
                task.own.running_since = Some(now);
                if let Some(status) = &mut task.status.container_status {
                    status.pid = i32::try_from(state.pid).unwrap_or_default();
                }
                let container = run.container.clone();
                self.tell_ports(task, &container);
                set(task, now, TaskState::Running, "started", "");
            }
            HealthStatus::Unhealthy if !run.unhealthy && !over => {
                run.unhealthy = true;
                let container = run.container.clone();
                // Its end is seen as any other.
                if let Ok(ending) =
                    self.host.home().engine().and_then(|engine| engine.stop(&container, None, None))
                {
                    // Whoever waits for an end is told by the state of the container.
                    drop(ending);
                }
            }
            _ => {}
        }
        false
    }

    /// The container was removed by somebody else.
    fn lost(&mut self, id: &str, task: &mut Task, now: Timestamp) {
        if let Some(run) = self.runs.get_mut(id) {
            run.phase = Phase::Nothing;
            run.container.clear();
        }
        if !task.status.state.is_over() {
            let words = "task: non-zero exit (137)";
            set(task, now, TaskState::Failed, "started", words);
        }
    }

    /// Watches a container that runs: its state, and its monitor.
    pub(super) fn look_after(&mut self, run: &mut Run) {
        let Ok(engine) = self.host.home().engine() else { return };
        self.watch.add(&engine.paths().container(&run.container));
        let life = engine.records.life_as_written(&run.container);
        if let Some(monitor) = life.ok().and_then(|life| life.monitor) {
            run.watch_monitor(monitor.pid);
        }
    }

    pub(super) fn has_health(&self, container: &str) -> bool {
        let life = self
            .host
            .home()
            .engine()
            .ok()
            .and_then(|it| it.records.life_as_written(container).ok());
        life.and_then(|life| life.state.health)
            .is_some_and(|health| health.status == HealthStatus::Starting)
    }

    /// Puts down which ports of the machine a task got: one for each address, as Docker has it.
    pub(super) fn tell_ports(&self, task: &mut Task, container: &str) {
        let host = |port: &&PortConfig| port.mode() == PublishMode::Host;
        if !task.own.ports.iter().any(|port| host(&port)) {
            return;
        }
        let engine = self.host.home().engine().ok();
        let Some(life) = engine.and_then(|it| it.records.life_as_written(container).ok()) else {
            return;
        };
        let bound = |port: &PortConfig| {
            let key = crate::container::port_key(port);
            life.network.ports.get(&key).cloned().flatten().unwrap_or_default()
        };
        let got = task.own.ports.iter().filter(host).flat_map(|port| {
            let one = |binding: PortBinding| PortConfig {
                published_port: binding.host_port.parse().unwrap_or(port.published_port),
                ..port.clone()
            };
            bound(port).into_iter().map(one).collect::<Vec<_>>()
        });
        task.status.port_status.ports = got.collect();
    }

    /// Puts down how a container ended.
    pub(super) fn exit_code(&self, task: &mut Task, run: &Run) {
        let life =
            self.host.home().engine().ok().and_then(|it| it.records.life(&run.container).ok());
        if let (Some(life), Some(status)) = (life, &mut task.status.container_status) {
            status.exit_code = life.state.exit_code;
        }
    }
}

/// Whether something can be read without waiting; so can an end.
pub(super) fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}
