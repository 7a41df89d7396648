//! `buildx version`: whose command line this is.

use std::io::Write as _;

use crate::VERSION;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};

/// The version of buildx whose command line is followed.
const FOLLOWED: &str = "v0.36.1";

/// Show which version of buildx is followed
#[derive(Debug, clap::Args)]
pub(crate) struct BuildxVersionArgs {}

impl Runnable for BuildxVersionArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        writeln!(app.ui.data(), "coracle/buildx {FOLLOWED} coracle-{VERSION}")?;
        Ok(ExitStatus::Success)
    }
}
