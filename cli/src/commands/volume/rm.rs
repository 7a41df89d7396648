//! `volume rm`: remove volumes.

use coracle_runtime::EngineError;
use coracle_runtime::volumes::VolumeError;
use coracle_view::{ViewError, volume};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::{CliError, CommandResult};

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
        each(app, &self.args, |app, name| remove(app, name, self.force))
    }
}

/// Removes what the chosen node calls so.
fn remove(app: &App, name: &str, force: bool) -> Result<(), CliError> {
    if app.node.is_none() {
        return Ok(app.engine()?.remove_volume(name, force)?);
    }
    let stored = match volume::find(&app.home, name, app.node) {
        Ok(found) => found.stored,
        Err(ViewError::Engine(EngineError::Volume(VolumeError::NotFound { .. }))) if force => {
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    match app.engine()?.remove_volume(&stored, force) {
        Err(EngineError::Volume(VolumeError::InUse { users, .. })) => {
            Err(EngineError::from(VolumeError::InUse { name: name.to_owned(), users }).into())
        }
        outcome => Ok(outcome?),
    }
}
