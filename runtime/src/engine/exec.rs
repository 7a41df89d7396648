//! Run a further process in a running container.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use coracle_sys::fork::{Fork, exit_now, fork};
use coracle_sys::process::ProcessId;
use serde::{Deserialize, Serialize};

use super::{Connection, Engine};
use crate::error::EngineError;
use crate::model::{Container, ExecRequest, Status};
use crate::monitor::{ExecSession, command_line, describe, launch_exec};
use crate::records::Life;
use crate::session::{self, Session};
use crate::wire::{Kind, Notice};

/// A process that runs.
#[derive(Debug)]
pub struct Executed {
    pub connection: Connection,
    pub pid: i32,
    pub exec_id: String,
}

impl Engine {
    /// Starts a process in a running container. This process joins the container's
    /// namespaces on the way, so it must have a single thread and can do nothing outside
    /// of them afterwards but talk and print.
    ///
    /// # Errors
    /// When the container is not running, or [`EngineError::Start`] with the exit code.
    pub fn exec(&self, id: &str, request: ExecRequest) -> Result<Executed, EngineError> {
        let join = |monitor| {
            session::join(monitor).map_err(EngineError::syscall("enter the container's namespaces"))
        };
        self.begin_exec(id, request, join)
    }

    /// Starts a process in a running container; `join` gets into the namespaces of its monitor.
    fn begin_exec(
        &self,
        id: &str,
        request: ExecRequest,
        join: impl FnOnce(ProcessId) -> Result<(), EngineError>,
    ) -> Result<Executed, EngineError> {
        let container = self.records.load(id)?;
        let life = self.records.life(id)?;
        match life.state.status {
            Status::Running => {}
            Status::Paused => return Err(EngineError::Paused { id: container.name }),
            _ => return Err(EngineError::NotRunning { id: id.to_owned() }),
        }
        let not_running = || EngineError::NotRunning { id: id.to_owned() };
        let watcher = self.records.watcher(&life).ok_or_else(not_running)?;
        let Some(monitor) = watcher.here() else {
            let what = "run a program in a container".to_owned();
            return Err(EngineError::Elsewhere { what, name: container.name });
        };
        if !self.paths.running(id).exists() {
            crate::reopen::call_monitors(&self.paths, &self.records);
        }
        let init = life.init.map(ProcessId::from);
        self.exec_in(&container, &life, monitor, request, join).map_err(|error| {
            // Why it failed in an ending container is of no use to anybody.
            match is_of_an_end(&error) && init.is_none_or(ends) {
                true => not_running(),
                false => error,
            }
        })
    }

    fn exec_in(
        &self,
        container: &Container,
        life: &Life,
        monitor: ProcessId,
        request: ExecRequest,
        join: impl FnOnce(ProcessId) -> Result<(), EngineError>,
    ) -> Result<Executed, EngineError> {
        let id = container.id.as_str();
        join(monitor)?;
        let exec_id = crate::id::new_id()?;
        let order = self.order(id, request.attach);
        let session = describe(container, life.cgroup.as_deref(), order, request, &exec_id)?;
        let memory = to_memory(&session)?;
        self.events.container(
            container,
            &format!("exec_create: {}", command_line(&session.program.argv)),
            &[("execID", &exec_id)],
        );
        let stream = launch_exec(&memory)
            .map_err(EngineError::syscall("start the parent of the process"))?;
        let mut connection = Connection::new(stream, id);
        match connection.notice()? {
            Notice::Started { pid, .. } => Ok(Executed { connection, pid, exec_id }),
            Notice::Failed(failure) => Err(EngineError::Start(failure)),
            _ => Err(EngineError::MonitorGone { id: id.to_owned() }),
        }
    }
}

/// Whether that may have failed because the container ends. A program that is not there says
/// nothing about the container.
fn is_of_an_end(error: &EngineError) -> bool {
    match error {
        EngineError::Start(failure) => !matches!(failure.code, 126 | 127),
        EngineError::MonitorGone { .. } | EngineError::Syscall { .. } | EngineError::Io { .. } => {
            true
        }
        _ => false,
    }
}

/// Whether the container's first process ends. What was killed with it may be seen earlier.
fn ends(init: ProcessId) -> bool {
    const PATIENCE: Duration = Duration::from_millis(300);
    const LOOK: Duration = Duration::from_millis(5);
    let end = Instant::now() + PATIENCE;
    while !init.is_ending() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// How a process that was waited for ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub code: i32,
    /// The end of what it wrote, of both streams; or why it did not start.
    pub output: String,
    /// The end of what it wrote to standard error alone.
    pub errors: String,
}

/// Bytes of output that are kept of a process that is waited for.
const OUTPUT_BYTES_MAX: usize = 16 * 1024;

impl Engine {
    /// Runs a process in a container to its end. A child does it, so that this process stays
    /// where it is.
    ///
    /// # Errors
    /// When there can be no child.
    pub fn exec_to_end(
        &self,
        _session: &Session,
        id: &str,
        request: ExecRequest,
    ) -> Result<Outcome, EngineError> {
        let what = "run a process in the container";
        let flags = rustix::pipe::PipeFlags::CLOEXEC;
        let (read, write) =
            rustix::pipe::pipe_with(flags).map_err(|error| EngineError::io(what)(error.into()))?;
        match fork().map_err(EngineError::syscall(what))? {
            Fork::Child => {
                drop(read);
                let outcome = self.exec_here(id, request).unwrap_or_else(|error| {
                    let failure = error.into_failure();
                    let (code, output) = (failure.code, failure.message);
                    Outcome { code, output, ..Outcome::default() }
                });
                let bytes = serde_json::to_vec(&outcome).unwrap_or_default();
                exit_now(i32::from(File::from(write).write_all(&bytes).is_err()));
            }
            Fork::Parent(child) => {
                drop(write);
                let mut bytes = Vec::new();
                File::from(read).read_to_end(&mut bytes).map_err(EngineError::io(what))?;
                // It has nothing left to do but end.
                rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()).ok();
                serde_json::from_slice(&bytes)
                    .map_err(|error| EngineError::io(what)(std::io::Error::from(error)))
            }
        }
    }

    fn exec_here(&self, id: &str, request: ExecRequest) -> Result<Outcome, EngineError> {
        // All containers are in the namespaces of the session.
        let mut executed = self.begin_exec(id, request, |_| Ok(()))?;
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let add = |kept: &mut Vec<u8>, bytes: &[u8]| {
            kept.extend_from_slice(bytes);
            kept.drain(..kept.len().saturating_sub(OUTPUT_BYTES_MAX));
        };
        let text = |kept: &[u8]| String::from_utf8_lossy(kept).into_owned();
        loop {
            match executed.connection.receive().map_err(EngineError::io("hear from the process"))? {
                Some((kind @ (Kind::Stdout | Kind::Stderr), bytes)) => {
                    add(&mut output, &bytes);
                    if kind == Kind::Stderr {
                        add(&mut errors, &bytes);
                    }
                }
                Some((Kind::Notice, payload)) => {
                    if let Ok(Notice::Exited { code }) = serde_json::from_slice(&payload) {
                        let (output, errors) = (text(&output), text(&errors));
                        return Ok(Outcome { code, output, errors });
                    }
                }
                Some(_) => {}
                None => return Err(EngineError::MonitorGone { id: id.to_owned() }),
            }
        }
    }
}

/// Hands the session over in memory: an argument list can be read by others.
fn to_memory(session: &ExecSession) -> Result<OwnedFd, EngineError> {
    let what = "hand over the process's description";
    let json = serde_json::to_vec(session)
        .map_err(|error| EngineError::io(what)(std::io::Error::from(error)))?;
    let memory = rustix::fs::memfd_create("coracle-exec", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| EngineError::io(what)(error.into()))?;
    let mut file = File::from(memory);
    file.write_all(&json).map_err(EngineError::io(what))?;
    rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0))
        .map_err(|error| EngineError::io(what)(error.into()))?;
    Ok(file.into())
}
