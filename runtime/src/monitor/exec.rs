//! The parent of one `exec` session: the same frames as a monitor, for one process.
//!
//! It joined the container's namespaces, starts the process, moves bytes, and ends with
//! it. Like a monitor it outlives the command that started it.

use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, WaitOptions};
use serde::{Deserialize, Serialize};

use super::child::{exit_code, failed, in_child, signals, terminal_streams};
use super::client::Client;
use super::exec_mark::ExecMark;
use super::launch::{CONTROL_FD, LOCK_FD};
use super::output::Streams;
use super::pump::Pump;
use crate::events::Events;
use crate::model::{Attach, Container};
use crate::order::MonitorOrder;
use crate::start::failure::Failure;
use crate::start::init;
use crate::start::init::{Place, Program, Stdio};
use crate::wire::{Notice, Request};

/// Everything the session needs; comes through a descriptor because it may hold secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExecSession {
    pub(crate) place_id: String,
    pub(crate) bundle: PathBuf,
    pub(crate) oci_root: PathBuf,
    pub(crate) process: oci_spec::runtime::Process,
    pub(crate) program: Program,
    pub(crate) cgroup: Option<PathBuf>,
    pub(crate) order: MonitorOrder,
    pub(crate) stdin: bool,
    pub(crate) attach: Attach,
    pub(crate) user: (u32, u32),
    pub(crate) exec_id: String,
    /// Whom the events are about.
    pub(crate) container: Container,
}

impl ExecSession {
    /// Records what happened to the session.
    fn event(&self, action: &str, extra: &[(&str, &str)]) {
        let told: Vec<(&str, &str)> =
            extra.iter().copied().chain([("execID", self.exec_id.as_str())]).collect();
        Events::new(self.order.paths().events()).container(&self.container, action, &told);
    }
}

/// What an exec process does; returns its exit code.
#[must_use]
pub fn main() -> i32 {
    let Some(control) = coracle_sys::fd::inherit(CONTROL_FD) else { return 2 };
    let Some(input) = coracle_sys::fd::inherit(LOCK_FD) else { return 2 };
    let mut json = Vec::new();
    let Ok(_) = std::fs::File::from(input).read_to_end(&mut json) else { return 2 };
    let Ok(session) = serde_json::from_slice::<ExecSession>(&json) else { return 2 };
    let Ok(mut first) = Client::new(UnixStream::from(control)) else { return 2 };
    first.attach = Some(session.attach);
    first.waits = true;
    let result = run(&session, first);
    i32::from(result.is_err())
}

fn run(session: &ExecSession, mut first: Client) -> Result<(), ()> {
    match start(session) {
        Ok((pid, mut pump)) => {
            pump.stdin_once = true;
            pump.clients.push(first);
            let raw = pid.as_raw_nonzero().get();
            // For `inspect`; a session that cannot be marked runs all the same.
            let running = session.order.paths().running(&session.place_id);
            let mark = ExecMark::put(&running, &session.exec_id).ok();
            // By us and not by whoever asked, so that the end cannot be recorded before it.
            session.event(&format!("exec_start: {}", command_line(&session.program.argv)), &[]);
            pump.tell_all(|_| true, &Notice::Started { pid: raw, warnings: Vec::new() });
            let code = watch(pid, &mut pump);
            pump.finish_output(&mut |_, _| {});
            drop(mark);
            session.event("exec_die", &[("exitCode", &code.to_string())]);
            pump.tell_all(|client| client.waits, &Notice::Exited { code });
            pump.drain_clients();
            Ok(())
        }
        Err(failure) => {
            first.tell(&Notice::Failed(failure));
            Err(())
        }
    }
}

/// A command as events have it: the program, a space, and the arguments, even if there are none.
pub(crate) fn command_line(argv: &[String]) -> String {
    match argv.split_first() {
        Some((program, arguments)) => format!("{program} {}", arguments.join(" ")),
        None => String::new(),
    }
}

fn start(session: &ExecSession) -> Result<(Pid, Pump), Failure> {
    let signals =
        coracle_sys::signal::signal_fd(&signals()).map_err(failed("watch for signals"))?;
    let (pid, streams) = start_process(session)?;
    let mut pump = Pump::new(signals, None);
    pump.connect(streams);
    Ok((pid, pump))
}

/// Starts the process as a child of this one.
pub(super) fn start_process(session: &ExecSession) -> Result<(Pid, Streams), Failure> {
    let place = Place {
        id: session.place_id.clone(),
        bundle: session.bundle.clone(),
        root: session.oci_root.clone(),
    };
    let folder = session.oci_root.join(format!("exec-{}", session.exec_id));
    std::fs::create_dir(&folder).map_err(failed("make a folder for the session"))?;
    let started = start_in(session, &place, &folder);
    // libcontainer has read what is in there.
    drop(std::fs::remove_dir_all(&folder));
    started
}

fn start_in(
    session: &ExecSession,
    place: &Place,
    folder: &Path,
) -> Result<(Pid, Streams), Failure> {
    let process = folder.join("process.json");
    let json = serde_json::to_vec(&session.process).map_err(failed("describe the process"))?;
    std::fs::write(&process, json).map_err(failed("describe the process"))?;
    let terminal = session.process.terminal().unwrap_or(false);
    let listener = if terminal {
        rustix::process::chdir(folder).map_err(failed("enter the session's folder"))?;
        Some(UnixListener::bind("console.sock").map_err(failed("make a console"))?)
    } else {
        None
    };
    let (streams, stdio) = if terminal {
        (None, Stdio::Terminal { console_socket: folder.join("console.sock") })
    } else {
        let (uid, gid) = session.user;
        let (streams, stdio) =
            Streams::pipes(session.stdin, uid, gid).map_err(failed("make pipes"))?;
        (Some(streams), stdio)
    };
    let program = session.program.clone();
    let job = || init::join(place, process.clone(), program, stdio);
    let cgroups = session.order.cgroups();
    let (pid, ()) = in_child(cgroups.as_ref(), session.cgroup.as_deref(), job, |_| Ok(()))?;
    let streams = match (streams, listener) {
        (Some(streams), _) => streams,
        (None, Some(listener)) => terminal_streams(&listener)?,
        (None, None) => Streams::default(),
    };
    Ok((pid, streams))
}

fn watch(pid: Pid, pump: &mut Pump) -> i32 {
    loop {
        let turn = pump.turn(None, &[], &mut |_, _| {});
        for (index, request) in turn.requests {
            answer(pump, index, request, pid);
        }
        if turn.signal {
            while let Some(number) = pump.next_signal() {
                if number != Signal::CHILD.as_raw() {
                    // We are asked to end: so is the process.
                    drop(coracle_sys::signal::kill(pid, number));
                }
            }
            while let Ok(Some((child, status))) = rustix::process::wait(WaitOptions::NOHANG) {
                if let (true, Some(code)) = (child == pid, exit_code(status)) {
                    return code;
                }
            }
        }
        pump.sweep();
    }
}

fn answer(pump: &mut Pump, index: usize, request: Request, pid: Pid) {
    match request {
        // The terminal of a process that has just ended needs no size.
        Request::Resize { columns, rows } => drop(pump.streams.resize(columns, rows)),
        Request::Signal { number } => {
            let answer = match coracle_sys::signal::kill(pid, number) {
                Ok(()) => Notice::Done,
                Err(error) => Notice::Refused { message: error.source.to_string() },
            };
            pump.tell(index, &answer);
        }
        _ => pump.tell(index, &Notice::Refused { message: "not for an exec session".into() }),
    }
}
