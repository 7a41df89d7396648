//! The border with libcontainer: nothing else in the project speaks to it.
//!
//! Each function here runs in a child forked for the purpose, which ends afterwards:
//! libcontainer makes the process undumpable and leaves a large heap behind. The
//! container's process becomes the child of our parent, the monitor.
//!
//! # Facts it has to live with
//!
//! - A specification with a user namespace forces systemd cgroups; we are in ours already.
//! - It takes the whole specification from `config.json` in the bundle.
//! - `linux.seccomp` is ignored with a warning, so it is never set: [`Payload`] does it.
//! - The working directory it is given is `/`: [`crate::start::working_dir`] does the rest.
//! - A failed create leaves its folder behind; the caller removes the runtime directory.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use rustix::fs::{Mode, OFlags, RenameFlags, ResolveFlags};
use serde::{Deserialize, Serialize};

use crate::error::with_causes;
use crate::one_id::StartIds;
use crate::spec::ProcessLimit;
use crate::start::failure::Failure;
use crate::start::payload::{FinalCapabilities, Payload};

/// The descriptors a process in a container gets, or a terminal.
#[derive(Debug)]
pub(crate) enum Stdio {
    Pipes {
        stdin: OwnedFd,
        stdout: OwnedFd,
        stderr: OwnedFd,
    },
    /// The terminal is made inside; its master is sent to this listening socket.
    Terminal {
        console_socket: PathBuf,
    },
}

/// The socket of the id server, in the runtime folder.
pub(crate) const ID_SOCKET: &str = "ids.sock";

/// What to run, before the pipe for failures exists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Program {
    pub argv: Vec<String>,
    pub env: Vec<String>,
    pub working_dir: PathBuf,
    pub capabilities: FinalCapabilities,
    pub filter: Vec<coracle_sys::seccomp::Instruction>,
    pub no_new_privileges: bool,
    pub limits: Vec<ProcessLimit>,
    /// For `/proc/PID/oom_score_adj`; `None` leaves what is inherited.
    pub oom_score_adj: Option<i32>,
    /// The network namespace is new: its loopback device is to be switched on.
    pub fresh_network: bool,
    /// The ids it believes to have, where only one is mapped.
    pub start_ids: Option<StartIds>,
    /// Columns and rows of its terminal.
    pub terminal_size: Option<(u16, u16)>,
    /// What the container must not see of the kernel's; for its first process.
    pub masked: Vec<PathBuf>,
}

/// Where libcontainer keeps what it needs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// libcontainer's name for the container.
    pub id: String,
    /// The folder with `config.json`.
    pub bundle: PathBuf,
    /// Its state lies in a folder `id` below this one.
    pub root: PathBuf,
}

/// Creates the container and starts its first process; returns the pid outside.
///
/// With `wiring` the program runs only when whoever has the other end says so.
///
/// # Errors
/// What went wrong, with the exit code that the command line reports.
pub(crate) fn start(
    place: &Place,
    program: Program,
    stdio: Stdio,
    wiring: Option<OwnedFd>,
) -> Result<i32, Failure> {
    let (report, failure) = failure_pipe()?;
    let believed = id_server(place, &program)?;
    let working_dir = program.working_dir.clone();
    let mut payload = Payload::new(program, true, failure, believed);
    payload.wiring = wiring.map(Arc::new);
    let mut builder = ContainerBuilder::new(place.id.clone(), SyscallType::default())
        .with_root_path(&place.root)
        .map_err(|error| Failure::setup(with_causes(&error)))?
        .with_executor(payload);
    builder = with_stdio(builder, stdio);
    let mut container = builder
        .as_init(&place.bundle)
        .with_systemd(false)
        .with_detach(true)
        .as_sibling(true)
        .build()
        .map_err(|error| Failure::setup(with_causes(&error)))?;
    let pid = container.pid().map_or(0, nix::unistd::Pid::as_raw);
    rename_core_link(pid);
    let started = crate::start::working_dir::make_in_view(pid, &working_dir)
        .and_then(|()| container.start().map_err(|error| Failure::setup(with_causes(&error))))
        .and_then(|()| outcome(report));
    if started.is_err() {
        // It may still wait for its start, and holds what our parent reads from.
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
        }
    }
    started.map(|()| pid)
}

/// Gives the link to the kernel's memory the name it has elsewhere: libcontainer makes
/// `/dev/kcore`, where Docker (and every Unix) has `/dev/core`.
///
/// The container waits for its start meanwhile. A `/dev` that is the user's own, and all that
/// can go wrong, leaves a link of an odd name to a file that is masked.
fn rename_core_link(init: i32) {
    const TARGET: &std::ffi::CStr = c"/proc/kcore";
    if !std::path::Path::new("/proc/kcore").exists() {
        return;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let renamed = rustix::fs::open(format!("/proc/{init}/root"), flags, Mode::empty())
        .and_then(|root| rustix::fs::openat2(root, "dev", flags, Mode::empty(), inside))
        .and_then(|dev| match rustix::fs::readlinkat(&dev, "kcore", Vec::new())? {
            target if target.as_c_str() == TARGET => {
                rustix::fs::renameat_with(&dev, "kcore", &dev, "core", RenameFlags::NOREPLACE)
            }
            _ => Ok(()),
        });
    renamed.unwrap_or_default();
}

/// Starts a further process, described by the OCI process in `process`.
///
/// # Errors
/// As [`start`].
pub(crate) fn join(
    place: &Place,
    process: PathBuf,
    program: Program,
    stdio: Stdio,
) -> Result<i32, Failure> {
    let (report, failure) = failure_pipe()?;
    let believed = id_server(place, &program)?;
    let payload = Payload::new(program, false, failure, believed);
    let mut builder = ContainerBuilder::new(place.id.clone(), SyscallType::default())
        .with_root_path(&place.root)
        .map_err(|error| Failure::setup(with_causes(&error)))?
        .with_executor(payload);
    builder = with_stdio(builder, stdio);
    let pid = builder
        .as_tenant()
        .with_process(Some(process))
        .with_detach(true)
        .as_sibling(true)
        .build()
        .map_err(|error| Failure::setup(with_causes(&error)))?;
    outcome(report).map(|()| pid.as_raw())
}

impl Payload {
    fn new(
        program: Program,
        dies_with_parent: bool,
        failure: OwnedFd,
        believed: Option<OwnedFd>,
    ) -> Self {
        Self {
            argv: program.argv,
            env: program.env,
            working_dir: program.working_dir,
            capabilities: program.capabilities,
            filter: program.filter,
            no_new_privileges: program.no_new_privileges,
            dies_with_parent,
            limits: program.limits,
            oom_score_adj: program.oom_score_adj,
            fresh_network: program.fresh_network,
            wiring: None,
            believed: believed.map(Arc::new),
            start_ids: program.start_ids.unwrap_or_default(),
            terminal_size: program.terminal_size,
            masked: program.masked,
            failure: Arc::new(failure),
        }
    }
}

fn with_stdio(builder: ContainerBuilder, stdio: Stdio) -> ContainerBuilder {
    match stdio {
        Stdio::Pipes { stdin, stdout, stderr } => {
            builder.with_stdin(stdin).with_stdout(stdout).with_stderr(stderr)
        }
        Stdio::Terminal { console_socket } => builder.with_console_socket(Some(console_socket)),
    }
}

/// The connection to whoever answers for ids that are not mapped.
fn id_server(place: &Place, program: &Program) -> Result<Option<OwnedFd>, Failure> {
    if program.start_ids.is_none() {
        return Ok(None);
    }
    crate::paths::connect(&place.bundle, ID_SOCKET)
        .map(|stream| Some(stream.into()))
        .map_err(|error| Failure::setup(format!("cannot reach the container's id server: {error}")))
}

fn failure_pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|error| Failure::setup(format!("pipe2(): {error}")))
}

/// Waits for exec: an empty pipe means it succeeded.
fn outcome(report: OwnedFd) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    File::from(report).read_to_end(&mut bytes).map_err(|error| {
        Failure::setup(format!("cannot learn whether the program started: {error}"))
    })?;
    if bytes.is_empty() {
        return Ok(());
    }
    Err(serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Failure::setup(String::from_utf8_lossy(&bytes).into_owned())))
}
