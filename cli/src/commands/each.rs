//! One command on several objects: each is tried, and the failures come last.

use std::io::Write as _;

use crate::app::App;
use crate::error::{CliError, CommandResult, Failures};

/// Does something to each container; prints the names of those where it went well,
/// then what went wrong with the others.
pub(crate) fn each(
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
pub(crate) fn each_at_once<Begun>(
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
