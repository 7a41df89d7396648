//! The files of a stack: which, from where, and what is said of them.

use coracle_compose::{StackFile, StackOptions, load_stack};

use crate::app::App;
use crate::compose::project::load::Disk;
use crate::compose::screen::log;
use crate::error::CliError;

/// Reads the files that `-c` named, and prints their warnings.
pub(super) fn load(
    app: &mut App,
    files: &[String],
    skip_interpolation: bool,
) -> Result<StackFile, CliError> {
    if files.is_empty() {
        return Err(CliError::plain("specify a Compose file (with --compose-file)"));
    }
    let current_dir = std::env::current_dir()
        .map_err(|e| CliError::plain(format!("cannot find the current folder: {e}")))?;
    let environment = app.settings.environment.all.clone();
    let files = files.to_vec();
    let options = StackOptions { files, skip_interpolation, environment, current_dir };
    let loaded = load_stack(&options, &Disk);
    let warnings = match &loaded {
        Ok(loaded) => &loaded.warnings,
        Err(error) => &error.warnings,
    };
    for warning in warnings {
        log::warning(app, warning);
    }
    Ok(loaded?)
}
