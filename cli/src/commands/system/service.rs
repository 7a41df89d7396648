//! `system service`: the Docker Engine API on a unix socket.
//!
//! # Limits
//!
//! There is no TCP listener. Who comes from elsewhere comes by ssh, whose end here is `system dial-stdio`.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coracle_api::Service;

use crate::VERSION;
use crate::app::App;
use crate::args::{Runnable, values};
use crate::error::{CliError, CommandResult, ExitStatus};

/// How long a service that is started is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks whether it listens.
const PAUSE: Duration = Duration::from_millis(20);
/// HUP, INT and TERM end it.
const ENDING: [i32; 3] = [1, 2, 15];
/// The first descriptor of a socket that somebody else listens on for us (sd_listen_fds(3)).
const ACTIVATED: i32 = 3;

/// Serve the Docker Engine API on a unix socket
#[derive(Debug, clap::Args)]
pub(crate) struct SystemServiceArgs {
    /// End when nobody was connected for so many seconds; 0 is never
    #[arg(long = "time", short = 't', value_name = "int", value_parser = values::int)]
    pub(crate) idle_s: Option<i64>,
    /// Print the line that makes clients find it, and serve nothing
    #[arg(long)]
    pub(crate) print_env: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SystemServiceArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let socket = match self.args.first() {
            Some(path) => PathBuf::from(path.strip_prefix("unix://").unwrap_or(path)),
            None => default_socket(app)?,
        };
        if self.print_env {
            writeln!(app.ui.data(), "export DOCKER_HOST=unix://{}", socket.display())?;
            return Ok(ExitStatus::Success);
        }
        let idle = self
            .idle_s
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0);
        // A data root that cannot be used is told of here, not to each client.
        let (data_root, run) =
            (app.engine()?.paths().data.clone(), app.engine()?.paths().run.clone());
        let (listener, _socket) = match activated(app) {
            Some(listener) => (listener, None),
            None => {
                let (listener, file) = Socket::listen(&socket)?;
                writeln!(app.ui.status(), "listening on {}", socket.display())?;
                app.ui.flush()?;
                (listener, Some(file))
            }
        };
        let stop = coracle_sys::signal::signal_fd(&ENDING)
            .map_err(|error| CliError::plain(format!("cannot receive signals: {error}")))?;
        let service = Service {
            listener,
            stop,
            arguments: vec![data_root.to_string_lossy().into_owned()],
            server: format!("Coracle/{VERSION} (linux)"),
            idle: idle.map(Duration::from_secs),
            is_session: false,
            data_root,
        };
        let served = coracle_api::serve(service);
        // Nobody can ask for what was run any more.
        drop(fs::remove_dir_all(run.join(coracle_api::EXEC_FOLDER)));
        served.map_err(|error| CliError::plain(format!("cannot serve the API: {error}")))?;
        Ok(ExitStatus::Success)
    }
}

/// Sees to it that the user's own socket is served, where containers may have it: it is there before they start.
pub(crate) fn serve_for_containers(app: &App) -> Result<(), CliError> {
    let socket = &app.settings.docker_socket;
    let own = socket.own.as_ref().filter(|_| socket.allowed && app.settings.owner.is_none());
    match own {
        Some(path) if UnixStream::connect(path).is_err() => started(path, &[]).map(drop),
        _ => Ok(()),
    }
}

/// Starts a service, and connects to it.
pub(super) fn started(socket: &Path, flags: &[&str]) -> Result<UnixStream, CliError> {
    let failed = |error: io::Error| CliError::plain(format!("cannot start a service: {error}"));
    let mut service = Command::new("/proc/self/exe")
        .arg0("coracle")
        .args(["system", "service"])
        .args(flags)
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What ends this command does not end it.
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let begun = Instant::now();
    loop {
        if let Ok(stream) = UnixStream::connect(socket) {
            return Ok(stream);
        }
        let ended = service.try_wait().map_err(failed)?;
        if ended.is_some() || begun.elapsed() > PATIENCE {
            let words = format!("no service listens on {}", socket.display());
            return Err(CliError::plain(words).hint("`system service` says why"));
        }
        std::thread::sleep(PAUSE);
    }
}

/// `coracle/docker.sock` in the session's folder.
pub(crate) fn default_socket(app: &App) -> Result<PathBuf, CliError> {
    let folder = app.settings.session_dir.as_ref().ok_or_else(|| {
        CliError::plain("XDG_RUNTIME_DIR is not set, so there is no folder for the socket")
            .hint("name a path: coracle system service PATH")
    })?;
    Ok(folder.join("coracle/docker.sock"))
}

/// The socket that systemd handed over, if it started this process for one.
fn activated(app: &App) -> Option<UnixListener> {
    let environment = &app.settings.environment;
    let for_us = environment.get("LISTEN_PID")?.parse() == Ok(std::process::id());
    let count: u32 = environment.get("LISTEN_FDS")?.parse().ok()?;
    (for_us && count > 0)
        .then(|| coracle_sys::fd::inherit(ACTIVATED).map(UnixListener::from))
        .flatten()
}

/// The file of a socket; it goes with the service.
#[derive(Debug)]
pub(crate) struct Socket(PathBuf);

impl Socket {
    pub(crate) fn listen(path: &Path) -> Result<(UnixListener, Self), CliError> {
        let failed = |error: io::Error| {
            CliError::plain(format!("cannot listen on {}: {error}", path.display()))
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let is_socket = fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
        if is_socket {
            if UnixStream::connect(path).is_ok() {
                return Err(CliError::plain(format!(
                    "a service listens on {} already",
                    path.display()
                )));
            }
            // What a service that was killed left.
            fs::remove_file(path).map_err(failed)?;
        }
        // Others of this machine could do what the user can.
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(path).map_err(failed);
        rustix::process::umask(before);
        Ok((listener?, Self(path.to_owned())))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Somebody may have taken it away.
        drop(fs::remove_file(&self.0));
    }
}
