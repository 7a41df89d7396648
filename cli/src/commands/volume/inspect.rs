//! `volume inspect`: show all about volumes as JSON.

use coracle_view::volume;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::CommandResult;

/// Show all about volumes as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for VolumeInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect_all(app, &self.args, self.format.as_deref(), |app, name, _| {
            Ok(volume::document(&app.home, name, app.node)?)
        })
    }
}
