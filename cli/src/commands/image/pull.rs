//! `pull`: fetch an image from a registry.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{self, Child, ChildStderr, ChildStdout, Command, ExitCode, Stdio};

use clap::ArgAction;
use coracle_image::{Platform, PullOptions, Reference, TransferError};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::progress::Progress;
use crate::registries;
use crate::settings::Settings;
use crate::ui::Ui;

/// Fetch an image from a registry
#[derive(Debug, clap::Args)]
pub(crate) struct PullArgs {
    /// Fetch each tag of the repository
    #[arg(long, short = 'a')]
    pub(crate) all_tags: bool,
    /// Fetch the image for every platform of its index
    #[arg(long)]
    pub(crate) all_platforms: bool,
    /// Platform variant to fetch
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    /// Only the final reference line
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Ignored, no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    pub(crate) disable_content_trust: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// The name under which the executable fetches an image for `run`.
pub(crate) const PULL_ARGV0: &str = "coracle-pull";

impl Runnable for PullArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let wanted = Wanted {
            name: self.args[0].clone(),
            platform: self.platform.filter(|platform| !platform.is_empty()),
            quiet: self.quiet,
            all_tags: self.all_tags,
            all_platforms: self.all_platforms,
            for_container: false,
            report: false,
        };
        let lines = pull(app, &wanted)?;
        for line in lines {
            writeln!(app.ui.data(), "{line}")?;
        }
        Ok(ExitStatus::Success)
    }
}

/// What to fetch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    name: String,
    platform: Option<String>,
    quiet: bool,
    all_tags: bool,
    all_platforms: bool,
    /// `run` has said already what is missing.
    for_container: bool,
    /// A program reads how far it is, and nothing else.
    report: bool,
}

/// Fetches an image; gives the lines to end with. Starts threads.
fn pull(app: &mut App, wanted: &Wanted) -> Result<Vec<String>, CliError> {
    let candidates =
        app.home.names().candidates(&wanted.name).map_err(|e| CliError::plain(e.to_string()))?;
    if wanted.all_tags && candidates.iter().any(|name| !name.is_name_only()) {
        return Err(CliError::plain("tag can't be used with --all-tags/-a"));
    }
    let announces = !wanted.quiet && !wanted.all_tags && !wanted.for_container;
    if announces && candidates.iter().all(Reference::is_name_only) {
        writeln!(app.ui.data(), "Using default tag: latest")?;
        app.ui.flush()?;
    }
    let mut failed = None;
    for name in &candidates {
        match pull_one(app, name, wanted) {
            Ok(lines) => {
                // Not before: a pull that was killed is taken up where it ended.
                app.home.sweep_store();
                return Ok(lines);
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or_else(|| CliError::plain("there is no registry to search")))
}

/// What can be done without a way to the registry.
fn offline(name: &Reference) -> String {
    format!(
        "the registry {} of the image {} cannot be reached from here: `--pull never` runs an image \
         that is here, `coracle load` takes one from a file",
        name.domain(),
        name.familiar()
    )
}

fn pull_one(app: &App, name: &Reference, wanted: &Wanted) -> Result<Vec<String>, CliError> {
    let platform: Option<Platform> = wanted
        .platform
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|e: coracle_image::PlatformError| CliError::engine(e))?;
    if let Some(lines) = crate::builtin::pull(app, name, platform.as_ref(), wanted.quiet)? {
        return Ok(lines);
    }
    let options = PullOptions { platform, all_platforms: wanted.all_platforms };
    let settings = registries::settings(app);
    let progress = match wanted.report {
        true => Progress::report(),
        false => Progress::new(wanted.quiet, Ui::stdout_is_terminal()),
    };
    let failure = |e: TransferError| {
        let failed = registries::failure(&e, progress.began());
        if e.is_unreachable() { failed.hint(offline(name)) } else { failed }
    };
    let mut lines = Vec::new();
    if wanted.all_tags {
        let outcomes =
            coracle_image::pull_all_tags(app.store()?, &settings, name, &options, &progress)
                .map_err(failure)?;
        let new = outcomes.iter().any(|outcome| !outcome.up_to_date);
        let word = if new { "Downloaded newer image" } else { "Image is up to date" };
        lines.push(format!("Status: {word} for {}", name.familiar_repository()));
        lines.extend(outcomes.into_iter().filter_map(|outcome| outcome.warning));
        lines.push(name.repository());
    } else {
        let images = app.home.images()?;
        let outcome = images.pull(&settings, name, &options, &progress).map_err(failure)?;
        lines.push(outcome.status());
        lines.extend(outcome.warning);
        lines.push(outcome.reference.to_string());
    }
    if wanted.quiet {
        lines.drain(..lines.len() - 1);
    }
    Ok(lines)
}

/// What the process that fetches for `run` is told.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    wanted: Wanted,
    data_root: PathBuf,
    docker_config: PathBuf,
    one_id: bool,
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
    let child = spawn(app, name, platform, told, std::io::stderr().into())?;
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
    let mut child = spawn(app, name, platform, told, Stdio::piped())?;
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
        program: app.program.to_owned(),
    };
    app.ui.flush()?;
    let order = serde_json::to_string(&order).map_err(|e| failed(e.into()))?;
    Command::new("/proc/self/exe")
        .arg0(PULL_ARGV0)
        .arg(order)
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

/// The process that fetches for `run`; it has our namespaces already.
pub(crate) fn fetch_main(order: &str) -> ExitCode {
    match run_order(order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent reads it, and shows it as its own.
            writeln!(std::io::stderr(), "{error}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn run_order(order: &str) -> Result<(), CliError> {
    let order: Order = serde_json::from_str(order)
        .map_err(|e| CliError::plain(format!("cannot understand the order: {e}")))?;
    let mut settings = Settings::read()?;
    settings.data_root = order.data_root;
    settings.docker_config = order.docker_config;
    settings.read_client_config();
    let program = if order.program == "docker" { "docker" } else { "coracle" };
    let mut app = App::new(Ui::new(), settings, program);
    app.home.set_one_id(order.one_id);
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
