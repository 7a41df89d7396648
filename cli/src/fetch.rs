//! Fetching an image beside a command that is about something else, as `run` is.
//!
//! # How it works
//!
//! A transfer starts threads, and a process that has started one never forks again. So the image
//! is fetched by a second process: this executable under the name [`PULL_ARGV0`], with an order
//! as its one argument. What it says for a person goes to its standard error; whoever waits for
//! several at once has it write `CURRENT TOTAL` lines instead.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{self, Child, ChildStderr, ChildStdout, Command, ExitCode, Stdio};

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::args::Table;
use crate::commands::image::pull::{Wanted, pull};
use crate::error::CliError;
use crate::registries::AUTH;
use crate::settings::Settings;
use crate::ui::Ui;

/// The name under which the executable fetches an image for `run`.
pub(crate) const PULL_ARGV0: &str = "coracle-pull";

/// What the process that fetches for `run` is told.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    wanted: Wanted,
    data_root: PathBuf,
    docker_config: PathBuf,
    one_id: bool,
    /// Who asks has not entered the user's namespaces.
    enters: bool,
    program: String,
}

/// Fetches an image for a container in a process of its own, because a transfer
/// starts threads and this process is about to fork. Progress goes to standard error.
pub(crate) fn fetch(
    app: &mut App,
    name: &str,
    platform: Option<&str>,
    quiet: bool,
) -> Result<(), CliError> {
    let told = if quiet { Told::Nothing } else { Told::Person };
    let child = spawn(app, name, platform, told, false, std::io::stderr().into())?;
    let output = child.wait_with_output().map_err(failed)?;
    outcome(output.status, &output.stderr)?;
    // What did not keep it from its end.
    Ok(app.ui.status().write_all(&output.stderr)?)
}

/// As [`fetch`], for somebody who waits for several at once.
pub(crate) fn begin(
    app: &mut App,
    name: &str,
    platform: Option<&str>,
    report: bool,
) -> Result<Transfer, CliError> {
    let told = if report { Told::Program } else { Told::Nothing };
    transfer(spawn(app, name, platform, told, false, Stdio::piped())?)
}

/// As [`begin`], for a program that has perhaps not entered the user's namespaces.
pub(crate) fn begin_from(
    app: &mut App,
    name: &str,
    platform: Option<&str>,
    is_inside: bool,
) -> Result<Transfer, CliError> {
    transfer(spawn(app, name, platform, Told::Program, !is_inside, Stdio::piped())?)
}

fn transfer(mut child: Child) -> Result<Transfer, CliError> {
    let errors = child.stderr.take();
    let errors = errors.ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
    Ok(Transfer { output: child.stdout.take(), errors, child })
}

/// An image on its way.
#[derive(Debug)]
pub(crate) struct Transfer {
    child: Child,
    /// Lines `CURRENT TOTAL`, in bytes, when they were asked for.
    pub(crate) output: Option<ChildStdout>,
    /// What went wrong. Its end is the end of the transfer.
    pub(crate) errors: ChildStderr,
}

impl Transfer {
    /// What became of it, when its standard error, which said this, is at its end.
    pub(crate) fn finish(mut self, said: &[u8]) -> Result<(), CliError> {
        drop(self.output.take());
        outcome(self.child.wait().map_err(failed)?, said)
    }

    /// Ends it. What has come stays, and the next one goes on from there.
    pub(crate) fn stop(mut self) {
        // One that has ended already needs no end.
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

fn failed(error: std::io::Error) -> CliError {
    CliError::plain(format!("cannot fetch the image: {error}"))
}

fn outcome(status: process::ExitStatus, said: &[u8]) -> Result<(), CliError> {
    if status.success() {
        return Ok(());
    }
    Err(CliError::plain(String::from_utf8_lossy(said).trim_end()))
}

fn spawn(
    app: &mut App,
    name: &str,
    platform: Option<&str>,
    told: Told,
    enters: bool,
    output: Stdio,
) -> Result<Child, CliError> {
    let order = Order {
        wanted: Wanted {
            name: name.to_owned(),
            platform: platform.map(str::to_owned),
            quiet: told == Told::Nothing,
            all_tags: false,
            all_platforms: false,
            for_container: true,
            report: told == Told::Program,
        },
        data_root: app.settings.data_root.clone(),
        docker_config: app.settings.docker_config.clone(),
        one_id: app.home.one_id(),
        enters,
        program: app.program.to_owned(),
    };
    app.ui.flush()?;
    let order = serde_json::to_string(&order).map_err(|e| failed(e.into()))?;
    Command::new("/proc/self/exe")
        .arg0(PULL_ARGV0)
        .arg(order)
        .envs(app.settings.environment.get(AUTH).map(|told| (AUTH, told)))
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)
}

/// Whom the process tells how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Person,
    Program,
    Nothing,
}

/// The process that fetches for another command, whose namespaces it has.
pub(crate) fn main(order: &str, table: &'static Table) -> ExitCode {
    match run_order(order, table) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent reads it, and shows it as its own.
            writeln!(std::io::stderr(), "{error}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn run_order(order: &str, table: &'static Table) -> Result<(), CliError> {
    let order: Order = serde_json::from_str(order)
        .map_err(|e| CliError::plain(format!("cannot understand the order: {e}")))?;
    let mut settings = Settings::read()?;
    settings.data_root = order.data_root;
    settings.docker_config = order.docker_config;
    settings.read_client_config();
    let program = if order.program == "docker" { "docker" } else { "coracle" };
    let mut app = App::new(Ui::new(), settings, program, table);
    app.home.set_one_id(order.one_id);
    if order.enters {
        let session = app.engine()?.enter(false)?;
        app.home.keep(session);
    }
    let lines = pull(&mut app, &order.wanted)?;
    if order.wanted.report {
        return Ok(());
    }
    // The reference itself is the answer of `pull`, not of `run`.
    let shown = lines.len().saturating_sub(1);
    for line in &lines[..shown] {
        writeln!(app.ui.data(), "{line}")?;
    }
    app.ui.flush()?;
    Ok(())
}
