//! Builds the images of services: all of them in one call, so that what they share is built once.

use coracle_builder::exec::Built;
use coracle_compose::apply::{Kind, Watcher as _};
use coracle_compose::build::{BuildFault, Definition, Wish, definition};
use coracle_compose::project::Project;

use crate::app::App;
use crate::commands::build::bake::requests;
use crate::commands::build::progress::{Display, Mode};
use crate::commands::build::run::{carry_out, mode};
use crate::compose::project::place::File;
use crate::compose::screen::board;
use crate::compose::screen::progress::Progress as Board;
use crate::error::{CliError, ExitStatus};

/// What is built of these services.
pub(crate) fn define(
    project: &Project,
    services: &[String],
    wish: &Wish,
) -> Result<Definition, CliError> {
    definition(project, services, wish).map_err(|fault| match fault {
        BuildFault::Unsupported { service, attribute, why } => {
            CliError::unsupported(&format!("services.{service}.build.{attribute}"), why)
        }
        fault => CliError::plain(fault.to_string()),
    })
}

/// Builds a definition and tells of it.
pub(crate) fn build(
    app: &mut App,
    file: &File,
    definition: &Definition,
    quiet: bool,
) -> Result<Vec<Built>, CliError> {
    let images: Vec<String> = definition.images.values().cloned().collect();
    let mut board = Board::new(app);
    for image in &images {
        board.tell(Kind::Image, image, "Building");
    }
    board::settle();
    let mode = shown(app, quiet)?;
    let display = Display::new(mode, &app.settings.environment, app.program, false);
    let built = with_secrets(app, file, definition, display)?;
    for image in &images {
        board.tell(Kind::Image, image, "Built");
    }
    board::settle();
    Ok(built)
}

/// Variables that hold secrets are those of the project, for as long as requests are made.
fn with_secrets(
    app: &mut App,
    file: &File,
    definition: &Definition,
    mut display: Display,
) -> Result<Vec<Built>, CliError> {
    let before = app.settings.environment.all.clone();
    for secret in definition.selected.targets.values().flat_map(|target| &target.secret) {
        let name = secret.field("env");
        if let Some(value) = file.loaded.environment.get(name) {
            app.settings.environment.all.insert(name.to_owned(), value.clone());
        }
    }
    let mut told = 0;
    let wanted = requests(&app.settings, &definition.selected, &mut display, &mut told);
    app.settings.environment.all = before;
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(error) => {
            display.finish();
            return Err(plainly(error));
        }
    };
    let requests: Vec<_> = wanted.iter().map(|one| one.request.clone()).collect();
    carry_out(app, &requests, display, told).map_err(plainly)
}

/// As Compose has it: the words without what they begin with, and always exit code 1.
fn plainly(mut error: CliError) -> CliError {
    let told = ["\nERROR: ", "ERROR: "].into_iter().find_map(|begin| {
        let (before, after) = error.message.split_once(begin)?;
        let line = if begin.starts_with('\n') { "\n" } else { "" };
        let after = after.strip_prefix("failed to build: ").unwrap_or(after);
        (before.is_empty() || line == "\n").then(|| format!("{before}{line}{after}"))
    });
    if let Some(told) = told {
        error.message = told;
    }
    match error.status {
        ExitStatus::Container(_) => error,
        _ => error.status(ExitStatus::Failure),
    }
}

/// Whoever asks for quiet of Compose has it of the build, too.
fn shown(app: &App, quiet: bool) -> Result<Mode, CliError> {
    let environment = &app.settings.environment;
    let flag = app.compose.progress.as_deref().filter(|flag| !matches!(*flag, "" | "auto"));
    let flag = flag.or_else(|| environment.get("COMPOSE_PROGRESS"));
    match flag {
        _ if quiet => Ok(Mode::Quiet),
        Some("quiet" | "none") => Ok(Mode::Quiet),
        Some("json") => Ok(Mode::RawJson),
        // A terminal is drawn on, or there is none.
        Some("tty") => mode(None, false, environment),
        flag => mode(flag, false, environment),
    }
}
