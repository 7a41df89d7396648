//! `unpause`: let frozen containers go on.

use coracle_runtime::model::Status;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::{CliError, CommandResult};
use coracle_view::container::find;

/// Let frozen containers go on
#[derive(Debug, clap::Args)]
pub(crate) struct UnpauseArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for UnpauseArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        each(app, &self.args, |app, name| {
            let known = find(&app.home, name)?;
            let id = &known.container.id;
            let paused = known.state.status == Status::Paused;
            if !paused {
                return Err(CliError::engine(format!("Container {id} is not paused")));
            }
            Ok(app.engine()?.pause(id, false)?)
        })
    }
}
