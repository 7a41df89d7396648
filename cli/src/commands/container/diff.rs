//! `diff`: list what changed in a container's filesystem.

use std::io::Write as _;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};
use coracle_view::container::find_id;

/// List what changed in a container's filesystem
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for DiffArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let id = find_id(&app.home, &self.args[0])?;
        let (engine, session) = app.engine_in_session()?;
        let changes = engine.diff(session, &id)?;
        for change in &changes {
            writeln!(app.ui.data(), "{} {}", change.kind.letter(), change.path.display())?;
        }
        Ok(ExitStatus::Success)
    }
}
