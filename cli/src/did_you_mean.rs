//! A hint for a name that is not there: the one that is most like it.

use coracle_runtime::names::nearest;
use coracle_view::{names_of, without_tag};

use crate::app::App;
use crate::error::CliError;

/// Adds the hint to an error about something that is missing, unless it has another.
pub(crate) fn complete(app: &App, mut error: CliError) -> CliError {
    if error.hint.is_none()
        && let Some((missing, wanted)) = error.missing.as_deref()
        && let Some(near) =
            nearest(without_tag(wanted), names_of(&app.home, *missing).iter().map(String::as_str))
    {
        error.hint = Some(format!("did you mean {near:?}?"));
    }
    error
}
