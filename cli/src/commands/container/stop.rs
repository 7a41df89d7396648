//! `stop`: stop running containers.

use super::end_flags::EndFlags;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::each_at_once;
use crate::error::CommandResult;
use coracle_view::container::find_id;

/// Stop running containers
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    pub(crate) end: EndFlags,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for StopArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (signal, grace) = (self.end.signal()?, self.end.grace());
        each_at_once(
            app,
            &self.args,
            |app, name| {
                let id = find_id(&app.home, name)?;
                Ok(app.engine()?.stop(&id, signal, grace).map_err(|error| error.about(name))?)
            },
            |_, ending| Ok(ending.wait().map(|()| true)?),
        )
    }
}
