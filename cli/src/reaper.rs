//! The reaper of a session of the Engine API: it serves the session's socket, and takes down what was made through it.
//!
//! # How it works
//!
//! This executable under the name [`REAPER_ARGV0`], in a session of its own, so that no signal of a terminal reaches it.
//! Its standard input is a pipe that `with-api` alone holds the other end of: its end is the end of the session, however
//! `with-api` ended. Serving starts threads, so what is to be done then is done by the same executable again.
//!
//! A reaper that was killed is found out by the next command ([`end_orphans`]): nobody holds the lock of its session.

use std::env::ArgsOs;
use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use coracle_api::Service;
use coracle_image::store::RemoveOptions as RemoveImage;
use coracle_runtime::api_session::{ApiSession, Ending, SOCKET, orphans};
use coracle_runtime::engine::RemoveOptions;
use coracle_view::{container, network, volume};
use serde::{Deserialize, Serialize};

use crate::VERSION;
use crate::app::App;
use crate::args::Table;
use crate::commands::system::service::Socket;
use crate::error::CliError;
use crate::settings::Settings;
use crate::ui::Ui;

pub(crate) const REAPER_ARGV0: &str = "coracle-reaper";
/// What it says when the socket listens.
pub(crate) const READY: &str = "ready";
/// How often one looks whether something was made meanwhile.
const ROUNDS: usize = 3;

/// What a reaper is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) data_root: PathBuf,
    pub(crate) id: String,
    /// With it, the session begins.
    pub(crate) begin: Option<Ending>,
}

/// A reaper, about to be started.
pub(crate) fn command(order: &Order) -> Result<Command, CliError> {
    let order = serde_json::to_string(order)
        .map_err(|error| CliError::plain(format!("cannot tell the reaper what to do: {error}")))?;
    let mut command = Command::new("/proc/self/exe");
    command.arg0(REAPER_ARGV0).arg(order);
    Ok(command)
}

/// Has what is left of sessions taken down whose reapers were killed; waits for nobody.
pub(crate) fn end_orphans(data_root: &Path) {
    for id in orphans(data_root) {
        let order = Order { data_root: data_root.to_owned(), id, begin: None };
        let Ok(mut command) = command(&order) else { continue };
        // There will be another command.
        drop(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn());
    }
}

/// Serves a session to its end, or takes down what is left of one.
pub(crate) fn main(mut words: ArgsOs, table: &'static Table) -> ExitCode {
    // It leads a group already when it takes the place of the one that served.
    rustix::process::setsid().ok();
    let order = words.next().unwrap_or_default();
    let Ok(order) = serde_json::from_str::<Order>(&order.to_string_lossy()) else {
        return ExitCode::FAILURE;
    };
    let done = match &order.begin {
        Some(ending) => serve(&order, ending.clone()),
        None => end(&order, table),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when standard error is closed too.
            writeln!(Ui::new().status(), "{error}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn serve(order: &Order, ending: Ending) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::plain(format!("cannot serve the API: {error}"));
    let folder = ending.socket_folder.clone();
    DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
    let session = ApiSession::begin(&order.data_root, &order.id, ending.clone()).map_err(failed)?;
    let (listener, _socket) = Socket::listen(&folder.join(SOCKET))?;
    let mut ui = Ui::new();
    writeln!(ui.data(), "{READY}")?;
    ui.flush()?;
    let stop = rustix::stdio::stdin().try_clone_to_owned().map_err(failed)?;
    let served = coracle_api::serve(Service {
        listener,
        stop,
        arguments: vec![order.data_root.to_string_lossy().into_owned(), order.id.clone()],
        server: format!("Coracle/{VERSION} (linux)"),
        idle: None,
        is_session: true,
        data_root: order.data_root.clone(),
    });
    if ending.keep {
        session.end().map_err(failed)?;
        return served.map_err(failed);
    }
    drop(session);
    let order = Order { begin: None, data_root: order.data_root.clone(), id: order.id.clone() };
    Err(failed(command(&order)?.stdin(Stdio::null()).exec()))
}

/// Takes down what was made in a session.
fn end(order: &Order, table: &'static Table) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::plain(format!("cannot end a session of the API: {error}"))
    };
    let session = ApiSession::take_over(&order.data_root, &order.id).map_err(failed)?;
    let Some(session) = session else { return Ok(()) };
    let mut settings = Settings::read()?;
    settings.data_root.clone_from(&order.data_root);
    settings.owner = Some(order.id.clone());
    let mut app = App::new(Ui::new(), settings, "coracle", table);
    let mut left = Vec::new();
    if !session.ending.keep {
        app.enter(false, &|_| true)?;
        for _ in 0..ROUNDS {
            left = take_down(&mut app)?;
            if left.is_empty() {
                break;
            }
        }
        coracle_api::forget_execs(&app.home);
        if session.ending.images {
            remove_images(&app, &session.images());
        }
    }
    if let Some(error) = left.into_iter().next() {
        return Err(error);
    }
    session.end().map_err(failed)
}

/// Removes what there is; what could not be removed is met again.
fn take_down(app: &mut App) -> Result<Vec<CliError>, CliError> {
    let mut left = Vec::new();
    for known in container::list(&app.home)? {
        let (engine, session) = app.home.engine_in_session()?;
        let all = RemoveOptions { force: true, volumes: true };
        left.extend(engine.remove(session, &known.container.id, all).err().map(CliError::from));
    }
    let engine = app.engine()?;
    let own = &app.settings.owner;
    for network in network::all(&app.home)?.into_iter().filter(|network| network.owner == *own) {
        left.extend(engine.remove_network(&network.id, false).err().map(CliError::from));
    }
    for volume in volume::all(&app.home, None)? {
        left.extend(engine.remove_volume(&volume.stored, true).err().map(CliError::from));
    }
    Ok(left)
}

/// Images that others use stay.
fn remove_images(app: &App, names: &[String]) {
    let Ok(images) = app.home.images() else { return };
    let options = RemoveImage { force: false, no_prune: false };
    for name in names {
        let stored = coracle_view::image::stored_name(&app.home, name);
        drop(images.remove(&stored, options, &|| app.home.image_users()));
    }
}
