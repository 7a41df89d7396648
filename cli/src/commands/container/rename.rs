//! `rename`: give a container another name.

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::container::find;

/// Give a container another name
#[derive(Debug, clap::Args)]
pub(crate) struct RenameArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for RenameArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let [old, new] = self.args.as_slice() else {
            return Ok(ExitStatus::Success);
        };
        rename(app, old, new).map_err(|mut error| {
            error.message.insert_str(0, "failed to rename container: ");
            error
        })?;
        Ok(ExitStatus::Success)
    }
}

fn rename(app: &App, old: &str, new: &str) -> Result<(), CliError> {
    let new = new.trim();
    let bare = new.strip_prefix('/').unwrap_or(new);
    if bare.is_empty() {
        return Err(CliError::plain("new name cannot be blank"));
    }
    let container = find(&app.home, old)?.container;
    if container.name == bare {
        let text = "Renaming a container with the same name as its current name";
        return Err(CliError::engine(text));
    }
    app.engine()?
        .rename(&container.id, new)
        .map_err(|error| CliError::from(error).within("Error when allocating new name"))
}
