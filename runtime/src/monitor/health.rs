//! Health probes: run what [`crate::health`] says is due.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::process::{Pid, Signal};

use super::charge::Charge;
use super::exec::{command_line, start_process};
use super::exec_plan::describe;
use super::output::{Chunk, Streams, read_some};
use crate::health::{Checker, HealthCheck, Now, Step};
use crate::model::{Config, ExecRequest, Health, HealthStatus};
use crate::start::failure::Failure;

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
pub(super) fn run(charge: &mut Charge, prober: &mut Option<Prober>) {
    let Some(prober) = prober else { return };
    match prober.checker.poll(Now::read()) {
        Some(Step::Run(command)) => {
            let exec_id = crate::id::new_id().unwrap_or_default();
            prober.exec_id.clone_from(&exec_id);
            prober.command = command_line(&command);
            tell(charge, prober, "exec_create", &[]);
            match start(charge, command, &exec_id) {
                Ok((pid, streams)) => {
                    tell(charge, prober, "exec_start", &[]);
                    prober.probe = Some(pid);
                    prober.streams = streams;
                }
                Err(failure) => {
                    let changed = prober.checker.failed(&failure.message, Now::read());
                    publish(charge, prober, changed);
                }
            }
        }
        Some(Step::Kill) => prober.kill(),
        None => {}
    }
}

/// A child of the monitor ended that is not the container.
pub(super) fn child_ended(charge: &mut Charge, prober: &mut Option<Prober>, pid: Pid, code: i32) {
    let Some(prober) = prober.as_mut().filter(|prober| prober.probe == Some(pid)) else { return };
    prober.read();
    prober.probe = None;
    prober.streams = Streams::default();
    let changed = prober.checker.ended(code, Now::read());
    tell(charge, prober, "exec_die", &[("exitCode", &code.to_string())]);
    publish(charge, prober, changed);
}

fn start(charge: &Charge, argv: Vec<String>, exec_id: &str) -> Result<(Pid, Streams), Failure> {
    let request = ExecRequest { argv, ..ExecRequest::default() };
    let cgroup = charge.life.cgroup.as_deref();
    let session = describe(&charge.container, cgroup, charge.order.clone(), request, exec_id)
        .map_err(|error| error.into_failure())?;
    start_process(&session)
}

/// A probe has the events of an `exec`, as in Docker.
fn tell(charge: &Charge, prober: &Prober, what: &str, more: &[(&str, &str)]) {
    let action = match what {
        "exec_die" => what.to_owned(),
        what => format!("{what}: {}", prober.command),
    };
    let told: Vec<_> = more.iter().copied().chain([("execID", &*prober.exec_id)]).collect();
    charge.tell(&action, &told);
}

/// Writes the health down, and tells when it became another.
fn publish(charge: &mut Charge, prober: &Prober, changed: Option<HealthStatus>) {
    charge.life.state.health = Some(prober.health().clone());
    charge.save();
    if let Some(status) = changed {
        charge.tell(&format!("health_status: {status}"), &[]);
        if status == HealthStatus::Unhealthy {
            crate::caretaker::call(&charge.paths);
        }
    }
}
