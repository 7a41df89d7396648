//! Which layout the listings have: `--format`, `--quiet`, the client's configuration file.

use std::io::Write as _;

use crate::app::App;

/// `--format`, or what the client's configuration file says in its stead.
pub(crate) fn chosen_format(app: &App, given: Option<&str>, key: &str) -> Option<String> {
    given.or_else(|| app.settings.client.text(key)).map(str::to_owned)
}

/// `--quiet` and a template cannot both be obeyed.
pub(crate) fn warn_ignored_format(
    app: &mut App,
    given: Option<&str>,
    quiet: bool,
) -> std::io::Result<()> {
    if quiet && given.is_some_and(|f| !f.is_empty() && !f.starts_with("table") && f != "json") {
        let text = "WARNING: Ignoring custom format, because both --format and --quiet are set.";
        writeln!(app.ui.status(), "{text}")?;
    }
    Ok(())
}
