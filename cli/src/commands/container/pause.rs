//! `pause`: freeze containers.

use coracle_runtime::model::Status;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::{CliError, CommandResult};
use coracle_view::container::find;

/// Freeze containers
#[derive(Debug, clap::Args)]
pub(crate) struct PauseArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for PauseArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        each(app, &self.args, |app, name| {
            let known = find(&app.home, name)?;
            let id = &known.container.id;
            let paused = known.state.status == Status::Paused;
            if paused {
                return Err(CliError::engine(format!("container {id} is already paused")));
            }
            Ok(app.engine()?.pause(id, true)?)
        })
    }
}
