//! `with-api COMMAND`: run a command that finds a Docker engine, and leave nothing of what it made there.
//!
//! # How it works
//!
//! The reaper ([`crate::reaper`]) serves a socket of this command alone, through which only what was made through it is
//! seen and touched, and images. When the command has ended, or this process has, the reaper takes that down.
//!
//! # Limits
//!
//! HUP and TERM are passed on to the command; INT and QUIT are not, for a terminal sends them to both.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus as Ended, Stdio};

use coracle_runtime::api_session::{self, Ending, SOCKET};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::reaper::{self, Order, READY};

/// HUP, INT, QUIT, TERM and CHLD are heard of, and end nothing.
const HEARD: [i32; 5] = [1, 2, 3, 15, 17];
const PASSED_ON: [i32; 2] = [1, 15];
/// What would lead clients elsewhere.
const TAKEN_AWAY: [&str; 3] = ["DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];
/// Digits of an id that are enough for a session.
const ID_DIGITS: usize = 16;
/// The longest path of a socket.
const SOCKET_BYTES_MAX: usize = 107;

/// Run a command with a Docker engine, and remove what it made
///
/// Containers, networks and volumes that COMMAND makes through the API (DOCKER_HOST leads there, TESTCONTAINERS_* too) are
/// removed when it ends, however it ends. It sees nothing that was made elsewhere, but images. The exit code is that of
/// COMMAND.
#[derive(Debug, clap::Args)]
pub(crate) struct WithApiArgs {
    /// Leave what was made
    #[arg(long)]
    pub(crate) keep: bool,
    /// Also remove images that were fetched or built meanwhile, and that nothing else uses
    #[arg(long, conflicts_with = "keep")]
    pub(crate) rm_images: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for WithApiArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (program, args) = self.args.split_first().ok_or_else(|| {
            CliError::plain("there is no command to run: with-api COMMAND [ARG...]")
        })?;
        let engine = app.engine()?;
        let data_root = engine.paths().data.clone();
        let id: String = engine.random_id()?.chars().take(ID_DIGITS).collect();
        let folder = socket_folder(app, &id);
        let ending =
            Ending { socket_folder: folder.clone(), images: self.rm_images, keep: self.keep };
        let order = Order { data_root, id, begin: Some(ending) };
        app.ui.flush()?;
        let heard = coracle_sys::signal::signal_fd(&HEARD)
            .map_err(|error| CliError::plain(format!("cannot receive signals: {error}")))?;
        let mut reaper = begin(&order)?;
        let mut command = Command::new(program);
        command.args(args).envs(environment(&folder.join(SOCKET).to_string_lossy()));
        for name in TAKEN_AWAY {
            command.env_remove(name);
        }
        // It would go on without an engine.
        coracle_sys::exec::end_with_parent(&mut command, Signal::TERM);
        let ended = command.spawn().map(|child| wait(child, heard.as_fd()));
        let took_down = finish(&order, &mut reaper);
        let status = match ended {
            Ok(ended) => code(ended?),
            Err(error) => {
                let status = match error.kind() {
                    std::io::ErrorKind::NotFound => ExitStatus::NotFound,
                    _ => ExitStatus::NotExecutable,
                };
                let failed = CliError::plain(format!("cannot run {program}: {error}"));
                return Err(CliError { status, ..failed });
            }
        };
        if let Err(error) = took_down {
            app.warn(&[error.message]);
        }
        Ok(status)
    }
}

/// What leads clients here.
fn environment(socket: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("DOCKER_HOST", format!("unix://{socket}")),
        // In a container, that of Python looks for ports on the gateway of a network, which is nowhere here.
        ("TESTCONTAINERS_CONNECTION_MODE", "docker_host".to_owned()),
        ("TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE", socket.to_owned()),
        ("TESTCONTAINERS_HOST_OVERRIDE", "localhost".to_owned()),
        ("TESTCONTAINERS_RYUK_DISABLED", "true".to_owned()),
    ])
}

/// A folder for the socket: in that of the login session, or where temporary files are.
fn socket_folder(app: &App, id: &str) -> PathBuf {
    let name = format!("coracle-{id}");
    let temporary = app.settings.environment.get("TMPDIR").map(PathBuf::from);
    let places = app.settings.session_dir.clone().into_iter().chain(temporary);
    let fits = |folder: &PathBuf| folder.join(SOCKET).as_os_str().len() <= SOCKET_BYTES_MAX;
    let mut folders = places.map(|place| place.join(&name)).filter(fits);
    folders.next().unwrap_or_else(|| PathBuf::from("/tmp").join(&name))
}

/// Starts the reaper, and waits until the socket listens.
fn begin(order: &Order) -> Result<Child, CliError> {
    let failed = |error: std::io::Error| CliError::plain(format!("cannot serve the API: {error}"));
    let mut command = reaper::command(order)?;
    let mut reaper =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut line = String::new();
    if let Some(said) = reaper.stdout.take() {
        BufReader::new(said).read_line(&mut line).map_err(failed)?;
    }
    if line.trim_end() == READY {
        return Ok(reaper);
    }
    // It has said why.
    drop(reaper.wait());
    Err(CliError::plain("the API is not served, so the command was not run"))
}

/// Tells the reaper that it is over, and waits until nothing is left.
fn finish(order: &Order, reaper: &mut Child) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::plain(format!("cannot end a session of the API: {error}"))
    };
    drop(reaper.stdin.take());
    let ended = reaper.wait().map_err(failed)?;
    if !api_session::is_there(&order.data_root, &order.id) {
        return Ok(());
    }
    let id = order.id.clone();
    let again = Order { data_root: order.data_root.clone(), id, begin: None };
    // It was killed, or could not do all.
    let again = match ended.code() {
        None => reaper::command(&again)?.stdin(Stdio::null()).status().map_err(failed)?,
        Some(_) => ended,
    };
    match again.success() {
        true => Ok(()),
        false => {
            Err(CliError::plain("something that was made through the API could not be removed"))
        }
    }
}

/// Waits for the command; signals go on to it.
fn wait(mut child: Child, heard: std::os::fd::BorrowedFd<'_>) -> Result<Ended, CliError> {
    let failed = |error: std::io::Error| CliError::plain(format!("cannot wait: {error}"));
    loop {
        if let Some(ended) = child.try_wait().map_err(failed)? {
            return Ok(ended);
        }
        let mut fds = [PollFd::from_borrowed_fd(heard, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(failed(error.into())),
        }
        while let Some(signal) = coracle_sys::signal::next_signal(heard) {
            if PASSED_ON.contains(&signal) {
                // It was not waited for yet: the id is its own. One that has ended needs no signal.
                coracle_sys::signal::kill(Pid::from_child(&child), signal).unwrap_or_default();
            }
        }
    }
}

/// As a shell tells of it.
fn code(ended: Ended) -> ExitStatus {
    use std::os::unix::process::ExitStatusExt as _;
    let code = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal)).unwrap_or(1);
    match u8::try_from(code).unwrap_or(u8::MAX) {
        0 => ExitStatus::Success,
        code => ExitStatus::Container(code),
    }
}
