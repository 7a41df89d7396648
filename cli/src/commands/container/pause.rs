//! `pause`: freeze containers.

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::CommandResult;
use coracle_view::container::find_id;

/// Freeze containers
#[derive(Debug, clap::Args)]
pub(crate) struct PauseArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for PauseArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        each(app, &self.args, |app, name| {
            let id = find_id(&app.home, name)?;
            Ok(app.engine()?.pause(&id, true)?)
        })
    }
}
