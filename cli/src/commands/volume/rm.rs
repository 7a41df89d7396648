//! `volume rm`: remove volumes.

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::CommandResult;

/// Remove volumes
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeRmArgs {
    /// No error for a missing volume
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for VolumeRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        each(app, &self.args, |app, name| Ok(app.engine()?.remove_volume(name, self.force)?))
    }
}
