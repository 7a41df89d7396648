//! `volume update`: change a cluster volume.

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult};

/// Change a cluster volume
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeUpdateArgs {
    /// Cluster-volume availability: active, pause or drain
    #[arg(long, value_name = "string")]
    pub(crate) availability: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for VolumeUpdateArgs {
    fn execute(self, _app: &mut App) -> CommandResult {
        let why = format!(
            "there are no cluster volumes (asked for {} with availability {})",
            self.args.join(" "),
            self.availability.as_deref().unwrap_or("unchanged")
        );
        Err(CliError::unsupported("volume update", &why))
    }
}
