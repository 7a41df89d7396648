//! `swarm ca`: certificates, which there are none of.

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult};

/// Show or renew the root certificate (not supported)
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmCaArgs {
    /// A root certificate to change to (not supported)
    #[arg(long, value_name = "pem-file")]
    pub(crate) ca_cert: Option<String>,
    /// Its key (not supported)
    #[arg(long, value_name = "pem-file")]
    pub(crate) ca_key: Option<String>,
    /// Lifetime of node certificates (not supported)
    #[arg(long, value_name = "duration")]
    pub(crate) cert_expiry: Option<String>,
    /// Do not wait for a rotation (not supported)
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
    /// A signer of certificates (not supported)
    #[arg(long, value_name = "external-ca")]
    pub(crate) external_ca: Vec<String>,
    /// No progress (not supported)
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// A new root certificate (not supported)
    #[arg(long)]
    pub(crate) rotate: bool,
}

impl Runnable for SwarmCaArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        app.manager()?;
        Err(CliError::unsupported(
            "swarm ca",
            "nothing travels by TLS, so there are no certificates",
        ))
    }
}
