//! `tag`: give an image a further name.

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::image::stored_name;

/// Give an image a further name
#[derive(Debug, clap::Args)]
pub(crate) struct TagArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for TagArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let [source, target] = self.args.as_slice() else {
            return Ok(ExitStatus::Success);
        };
        let name = app.home.names().resolve(target).map_err(|e| {
            let text = format!("{target:?} is not a valid repository/tag: {e}");
            CliError::plain(format!("error parsing reference: {text}"))
        })?;
        crate::builtin::prepare_outside(app, source)?;
        app.home.images()?.tag(&stored_name(&app.home, source), &name)?;
        Ok(ExitStatus::Success)
    }
}
