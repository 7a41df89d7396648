//! A build from its flags to its result.

use std::path::Path;
use std::time::SystemTime;

use coracle_builder::exec::{self, BuildError, Built};
use coracle_builder::progress::{Event, Progress, Status, Vertex};
use coracle_builder::request::{BuildRequest, CacheKind, CachePlace, Output, OutputKind};

use super::args::{BuildArgs, failed};
use super::check::refuse_other_frontends;
use super::dockerfile::Unread;
use super::fetched::Fetcher;
use super::locate::{Missing, locate};
use super::outcome;
use super::progress::{self, Display, Mode, Wish};
use super::surroundings::OfApp;
use crate::app::App;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::files::reason;
use crate::settings::Environment;
use crate::ui::Ui;

/// Builds what the flags want.
pub(super) fn run(args: &BuildArgs, app: &mut App) -> CommandResult {
    app.warn(&args.classic.warnings());
    tell_of_classic(app);
    let environment = &app.settings.environment;
    let mode = mode(args.progress.as_deref(), args.quiet, environment)?;
    let request = args.wanted(&app.settings)?;
    if let Some(path) = &args.iidfile {
        remove_stale(path)?;
    }
    let settings = &app.settings;
    let mut display = Display::new(mode, &settings.environment, app.program, args.debug);
    let input = &mut std::io::stdin().lock();
    let mut fetcher = Fetcher { settings, request: &request, progress: &mut display, told: 0 };
    let located = locate(&args.args[0], args.file.as_deref(), input, &mut fetcher);
    let told = fetcher.told;
    let located = match located {
        Ok(located) => located,
        Err(missing) => {
            if let Missing::Dockerfile(unread) = &missing {
                tell_unread(unread, told, &mut display);
            }
            display.finish();
            return Err(missing.into());
        }
    };
    refuse_other_frontends(&located.dockerfile.text, request.build_args.get("BUILDKIT_SYNTAX"))?;
    if !args.is_policy_off() {
        refuse_policy(&located.dockerfile.path)?;
    }
    let located = located.with_a_context(&app.settings.data_root)?;
    // The folder of an archive goes when the build is over.
    let _unpacked = located.unpacked;
    let request = BuildRequest {
        context: located.context,
        dockerfile: located.dockerfile,
        is_fetched: located.is_fetched,
        context_modified: located.modified,
        ..request
    };
    let built = carry_out(app, std::slice::from_ref(&request), display, told)?;
    let Some(built) = built.first() else { return Ok(ExitStatus::Success) };
    outcome::write(args, app, &request, built, mode)?;
    Ok(ExitStatus::Success)
}

/// How progress is shown here.
pub(crate) fn mode(
    flag: Option<&str>,
    quiet: bool,
    environment: &Environment,
) -> Result<Mode, CliError> {
    Mode::of(Wish {
        flag,
        variable: environment.get("BUILDKIT_PROGRESS"),
        is_quiet: quiet,
        is_terminal: Ui::stderr_is_terminal(),
        is_dumb: environment.get("TERM") == Some("dumb"),
    })
}

/// Builds what is requested, shows how it goes, and says why it failed. `told`: lines of work that were shown before.
pub(crate) fn carry_out(
    app: &mut App,
    requests: &[BuildRequest],
    mut display: Display,
    told: usize,
) -> Result<Vec<Built>, CliError> {
    let attempt = attempt(app, requests, &mut After { told, progress: &mut display });
    display.finish();
    let (result, signal) = attempt?;
    result.map_err(|error| {
        let failure = failure(&error, requests);
        match signal.and_then(|signal| u8::try_from(128 + signal).ok()) {
            Some(code) => failure.status(ExitStatus::Container(code)),
            None => failure,
        }
    })
}

/// What came of a build, and the signal that ended it.
pub(crate) type Attempt = (Result<Vec<Built>, BuildError>, Option<i32>);

/// Builds what is requested; with what came of it, the signal that ended it.
pub(crate) fn attempt(
    app: &mut App,
    requests: &[BuildRequest],
    progress: &mut dyn Progress,
) -> Result<Attempt, CliError> {
    app.ui.flush()?;
    let token = app.settings.environment.get("ACTIONS_RUNTIME_TOKEN");
    let on_runner = token.is_some_and(|token| !token.is_empty());
    requests.iter().try_for_each(|request| refuse_what_is_not_made(request, on_runner))?;
    requests.iter().flat_map(|request| &request.outputs).try_for_each(look_for_room)?;
    let mut around = OfApp::new(app)?;
    let result = exec::build(requests, &mut around, progress);
    let signal = around.interrupted_by();
    if result.is_err() || requests.iter().any(leaves_content) {
        app.home.sweep_store();
    }
    Ok((result, signal))
}

/// Whether content was made on the way to elsewhere, which no image here has.
fn leaves_content(request: &BuildRequest) -> bool {
    let stays = |output: &Output| match output.kind {
        OutputKind::Image { .. } | OutputKind::Nothing => true,
        OutputKind::Local(_)
        | OutputKind::Tar(_)
        | OutputKind::Docker { .. }
        | OutputKind::Oci { .. } => false,
    };
    !request.cache_to.is_empty() || !request.outputs.iter().all(stays)
}

/// What a request may want and nothing makes: it must not seem to have been made. The cache of GitHub's runners does not
/// count elsewhere, as in Docker.
fn refuse_what_is_not_made(request: &BuildRequest, on_runner: bool) -> Result<(), CliError> {
    let refuse = |place: &CachePlace| match place.kind {
        CacheKind::Inline => Err(CliError::unsupported(
            "a cache of type=inline",
            "an image says nothing of the steps that made it; type=registry puts them beside it",
        )),
        CacheKind::Actions { has_token } if has_token || on_runner => Err(CliError::unsupported(
            "a cache of type=gha",
            "GitHub's service for caches is not spoken to; type=registry and type=local keep one elsewhere",
        )),
        CacheKind::Actions { .. } | CacheKind::Local(_) | CacheKind::Registry(_) => Ok(()),
    };
    request.cache_to.iter().chain(&request.cache_from).try_for_each(refuse)
}

/// An archive can be written where it is to go; the folders above it are not made, as in Docker.
fn look_for_room(output: &Output) -> Result<(), CliError> {
    let (OutputKind::Tar(path)
    | OutputKind::Docker { path, .. }
    | OutputKind::Oci { path, is_archive: true, .. }) = &output.kind
    else {
        return Ok(());
    };
    let Some(path) = path else {
        return match Ui::stdout_is_terminal() {
            true => {
                let why = "dest file is required for this exporter. refusing to write to console";
                Err(failed(why))
            }
            false => Ok(()),
        };
    };
    let shown = path.display();
    if path.is_dir() {
        return Err(failed(&format!("destination file {shown} is a directory")));
    }
    match path.parent().map(std::fs::metadata).transpose() {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(failed(&format!("failed to open open {shown}: {}", reason(&error).to_lowercase())))
        }
    }
}

/// Lines of work come after those that were told of before.
struct After<'a> {
    told: usize,
    progress: &'a mut Display,
}

impl Progress for After<'_> {
    fn tell(&mut self, mut event: Event) {
        let vertex = match &mut event {
            Event::Known { vertex, inputs, .. } => {
                inputs.iter_mut().for_each(|input| *input += self.told);
                vertex
            }
            Event::Started { vertex, .. }
            | Event::Cached { vertex, .. }
            | Event::Completed { vertex, .. }
            | Event::Warning { vertex, .. }
            | Event::Log { vertex, .. } => vertex,
            Event::Status(status) => &mut status.vertex,
        };
        *vertex += self.told;
        self.progress.tell(event);
    }

    fn tick(&mut self) {
        self.progress.tick();
    }
}

fn failure(error: &BuildError, requests: &[BuildRequest]) -> CliError {
    let at = error.at.as_ref().and_then(|(index, at)| Some((requests.get(*index)?, at)));
    let failure = match at {
        Some((request, at)) => {
            let file = &request.dockerfile;
            progress::failure(&error.message, &file.name, &file.text, at)
        }
        None => progress::failure(&error.message, "", "", &[]),
    };
    let message = match at {
        Some((request, _)) if !request.name.is_empty() => {
            failure.message.replacen("failed to build:", &format!("target {}:", request.name), 1)
        }
        _ => failure.message.clone(),
    };
    CliError { message, hint: error.hint.clone(), ..failure }
}

fn tell_of_classic(app: &mut App) {
    if app.settings.environment.get("DOCKER_BUILDKIT") == Some("0") {
        app.warn(&["DOCKER_BUILDKIT=0 is without effect: there is one builder".to_owned()]);
    }
}

/// What the file has is not what this build made, should it fail.
fn remove_stale(path: &str) -> Result<(), CliError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let why = reason(&error);
            Err(failed(&format!("removing image ID file: remove {path}: {why}")))
        }
    }
}

/// A Dockerfile that is not there is looked for as one that is.
fn tell_unread(unread: &Unread, vertex: Vertex, display: &mut Display) {
    let name = format!("[internal] load build definition from {}", unread.name);
    let at = SystemTime::now();
    display.tell(Event::Known { vertex, name, inputs: Vec::new() });
    display.tell(Event::Started { vertex, at });
    // An empty answer has two bytes.
    let (current, completed, error) = match unread.no_source {
        true => (0, None, Some(unread.why.clone())),
        false => (2, Some(at), None),
    };
    let id = "transferring dockerfile:".to_owned();
    display.tell(Event::Status(Status {
        vertex: 0,
        id,
        current,
        total: 0,
        started: at,
        completed,
    }));
    display.tell(Event::Completed { vertex, at, error });
}

/// A policy says what may be built: one that is not looked at must not be passed over.
fn refuse_policy(dockerfile: &str) -> Result<(), CliError> {
    let policy = format!("{dockerfile}.rego");
    match Path::new(&policy).symlink_metadata() {
        Ok(_) => {
            let why = "policies are not applied; --policy disabled=true builds without";
            Err(CliError::unsupported(&policy, why))
        }
        Err(_) => Ok(()),
    }
}
