//! What the commands do: one file each, named as the command.
//!
//! A command looks up its objects, calls a library, prints. Work that needs
//! more than that belongs in a library.

pub(crate) mod container;
pub(crate) mod image;
pub(crate) mod network;
pub(crate) mod system;
pub(crate) mod table;
pub(crate) mod volume;

use std::io::Write as _;

use crate::app::App;
use crate::error::{CliError, CommandResult, Failures};

/// `--format`, or what the client's configuration file says in its stead.
fn chosen_format(app: &App, given: Option<&str>, key: &str) -> Option<String> {
    given.or_else(|| app.settings.client.text(key)).map(str::to_owned)
}

/// `--quiet` and a template cannot both be obeyed.
fn warn_ignored_format(app: &mut App, given: Option<&str>, quiet: bool) -> std::io::Result<()> {
    if quiet && given.is_some_and(|f| !f.is_empty() && !f.starts_with("table") && f != "json") {
        let text = "WARNING: Ignoring custom format, because both --format and --quiet are set.";
        writeln!(app.ui.status(), "{text}")?;
    }
    Ok(())
}

/// Asks before something is removed.
fn confirm_removal(app: &mut App, what: &str) -> std::io::Result<bool> {
    writeln!(app.ui.data(), "WARNING! This will remove {what}.")?;
    app.ui.confirm("Are you sure you want to continue?")
}

/// Does something to each container; prints the names of those where it went well,
/// then what went wrong with the others.
fn each(
    app: &mut App,
    names: &[String],
    mut act: impl FnMut(&mut App, &str) -> Result<(), CliError>,
) -> CommandResult {
    let mut failures = Failures::default();
    for name in names {
        if failures.check(act(app, name)).is_some() {
            writeln!(app.ui.data(), "{name}")?;
            app.ui.flush()?;
        }
    }
    failures.finish()
}

/// Containers that are worked on at the same time; Docker's client does as many.
const AT_ONCE_MAX: usize = 50;

/// As [`each`], for what takes a while: begins with all of them, then finishes one after
/// the other, so that they take as long as the slowest. `finish` says whether the name is to
/// be printed.
fn each_at_once<Begun>(
    app: &mut App,
    names: &[String],
    mut begin: impl FnMut(&mut App, &str) -> Result<Begun, CliError>,
    mut finish: impl FnMut(&mut App, Begun) -> Result<bool, CliError>,
) -> CommandResult {
    let mut failures = Failures::default();
    for group in names.chunks(AT_ONCE_MAX) {
        let begun: Vec<_> = group.iter().map(|name| begin(app, name)).collect();
        for (name, begun) in group.iter().zip(begun) {
            let done = begun.and_then(|begun| finish(app, begun));
            if failures.check(done) == Some(true) {
                writeln!(app.ui.data(), "{name}")?;
                app.ui.flush()?;
            }
        }
    }
    failures.finish()
}

/// A signal by name or number, for the command that is named in the message.
pub(crate) fn signal_number(text: &str) -> Result<i32, CliError> {
    coracle_runtime::processes::signals::parse(text)
        .ok_or_else(|| CliError::engine(format!("invalid signal: {text}")))
}
