//! `volume rm`: remove volumes.

use coracle_runtime::EngineError;
use coracle_runtime::events::Kind;

use super::rows::{Users, error};
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
        each(app, &self.args, |app, name| {
            let engine = app.engine()?;
            let list = engine.records.lock().map_err(EngineError::from)?;
            let users = Users::read(app)?;
            let removed = engine
                .volumes
                .remove(list, name, self.force, |volume| match users.of(volume) {
                    none if none.is_empty() => engine.volume_users(&volume.name),
                    users => users,
                })
                .map_err(error)?;
            if removed {
                engine.events.object(Kind::Volume, "destroy", name, &[("driver", "local")]);
            }
            Ok(())
        })
    }
}
