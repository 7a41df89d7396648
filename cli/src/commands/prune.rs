//! What the commands that remove the unused share: their flags, the question, their report.

use std::io::Write as _;

use crate::app::App;

/// Asks before something is removed.
pub(crate) fn confirm_removal(app: &mut App, what: &str) -> std::io::Result<bool> {
    writeln!(app.ui.data(), "WARNING! This will remove {what}.")?;
    app.ui.confirm("Are you sure you want to continue?")
}
