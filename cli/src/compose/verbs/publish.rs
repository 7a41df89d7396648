//! `compose publish`: refused.

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult};

/// Store the project in a registry (not supported)
#[derive(Debug, clap::Args)]
pub(crate) struct ComposePublishArgs {
    /// Also publish the images
    #[arg(long)]
    app: bool,
    /// Accept a registry without TLS
    #[arg(long, hide = true)]
    insecure_registry: bool,
    /// Version of the format of artifacts
    #[arg(long, value_name = "string")]
    oci_version: Option<String>,
    /// Replace tags by digests
    #[arg(long)]
    resolve_image_digests: bool,
    /// Include values of the environment
    #[arg(long)]
    with_env: bool,
    /// Ask nothing
    #[arg(long, short = 'y')]
    yes: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposePublishArgs {
    fn execute(self, _app: &mut App) -> CommandResult {
        let why = "Compose files are neither stored in registries nor read from them";
        Err(CliError::unsupported("compose publish", why))
    }
}
