//! `unpause`: let frozen containers go on.

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::CommandResult;
use coracle_view::container::find_id;

/// Let frozen containers go on
#[derive(Debug, clap::Args)]
pub(crate) struct UnpauseArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for UnpauseArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        each(app, &self.args, |app, name| {
            let id = find_id(&app.home, name)?;
            Ok(app.engine()?.pause(&id, false)?)
        })
    }
}
