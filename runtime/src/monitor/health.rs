//! Health probes: run what [`crate::health`] says is due.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::process::{Pid, Signal};

use super::exec::{command_line, start_process};
use super::exec_plan::describe;
use super::output::{Chunk, Streams, read_some};
use super::run::Monitor;
use crate::health::{Checker, HealthCheck, Now, Step};
use crate::model::{Config, ExecRequest, Health, HealthStatus};
use crate::start::payload::Failure;

/// The health check of one container, and the probe that runs.
pub(super) struct Prober {
    checker: Checker,
    probe: Option<Pid>,
    streams: Streams,
    /// The probe that runs, for its events.
    exec_id: String,
    command: String,
}

impl Prober {
    /// `None` when the container has no check; `before` is the health of its last run.
    pub(super) fn new(config: &Config, before: Option<Health>) -> Option<Self> {
        let check = HealthCheck::new(config)?;
        let checker = Checker::new(check, before, Now::read());
        Some(Self {
            checker,
            probe: None,
            streams: Streams::default(),
            exec_id: String::new(),
            command: String::new(),
        })
    }

    pub(super) fn health(&self) -> &Health {
        self.checker.health()
    }

    pub(super) fn deadline(&self) -> Option<std::time::Instant> {
        self.checker.due()
    }

    /// What the probe writes to.
    pub(super) fn outputs(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.streams.stdout, &self.streams.stderr].into_iter().flatten().map(AsFd::as_fd)
    }

    pub(super) fn read(&mut self) {
        let mut buffer = [0u8; 4096];
        for slot in [&mut self.streams.stdout, &mut self.streams.stderr] {
            while let Some(fd) = slot {
                match read_some(fd.as_fd(), &mut buffer) {
                    Chunk::Data(length) => self.checker.output(&buffer[..length]),
                    Chunk::Later => break,
                    Chunk::End => *slot = None,
                }
            }
        }
    }

    pub(super) fn pause(&mut self, on: bool) {
        if on {
            // What it says no longer counts.
            self.kill();
            self.probe = None;
            self.streams = Streams::default();
            self.checker.pause();
        } else {
            self.checker.resume(Now::read());
        }
    }

    /// The container is gone, and its probe with it.
    pub(super) fn abandon(self) {
        self.kill();
    }

    fn kill(&self) {
        if let Some(pid) = self.probe {
            // It may have ended by itself; the loop reaps it in either case.
            rustix::process::kill_process(pid, Signal::KILL).ok();
        }
    }
}

/// Does what is due.
pub(super) fn run(monitor: &mut Monitor) {
    let Some(prober) = &mut monitor.prober else { return };
    match prober.checker.poll(Now::read()) {
        Some(Step::Run(command)) => {
            let exec_id = crate::names::new_id().unwrap_or_default();
            prober.exec_id.clone_from(&exec_id);
            prober.command = command_line(&command);
            tell(monitor, "exec_create", &[]);
            match start(monitor, command, &exec_id) {
                Ok((pid, streams)) => {
                    tell(monitor, "exec_start", &[]);
                    if let Some(prober) = &mut monitor.prober {
                        prober.probe = Some(pid);
                        prober.streams = streams;
                    }
                }
                Err(failure) => {
                    let changed = monitor
                        .prober
                        .as_mut()
                        .and_then(|prober| prober.checker.failed(&failure.message, Now::read()));
                    publish(monitor, changed);
                }
            }
        }
        Some(Step::Kill) => prober.kill(),
        None => {}
    }
}

/// A child of the monitor ended that is not the container.
pub(super) fn child_ended(monitor: &mut Monitor, pid: Pid, code: i32) {
    let Some(prober) = &mut monitor.prober else { return };
    if prober.probe != Some(pid) {
        return;
    }
    prober.read();
    prober.probe = None;
    prober.streams = Streams::default();
    let changed = prober.checker.ended(code, Now::read());
    tell(monitor, "exec_die", &[("exitCode", &code.to_string())]);
    publish(monitor, changed);
}

fn start(monitor: &Monitor, argv: Vec<String>, exec_id: &str) -> Result<(Pid, Streams), Failure> {
    let request = ExecRequest { argv, ..ExecRequest::default() };
    let cgroup = monitor.life.cgroup.as_deref();
    let session = describe(&monitor.container, cgroup, monitor.launch.clone(), request, exec_id)
        .map_err(|error| error.into_failure())?;
    start_process(&session)
}

/// A probe has the events of an `exec`, as in Docker.
fn tell(monitor: &Monitor, what: &str, more: &[(&str, &str)]) {
    let Some(prober) = &monitor.prober else { return };
    let action = match what {
        "exec_die" => what.to_owned(),
        what => format!("{what}: {}", prober.command),
    };
    let told: Vec<_> = more.iter().copied().chain([("execID", &*prober.exec_id)]).collect();
    monitor.events.container(&monitor.container, &action, &told);
}

/// Writes the health down, and tells when it became another.
fn publish(monitor: &mut Monitor, changed: Option<HealthStatus>) {
    monitor.life.state.health = monitor.prober.as_ref().map(|prober| prober.health().clone());
    monitor.save();
    if let Some(status) = changed {
        let action = format!("health_status: {status}");
        monitor.events.container(&monitor.container, &action, &[]);
    }
}
