//! `secret rm` and `config rm`: forget what the swarm keeps.

use coracle_swarm::protocol::Request;
use coracle_view::secret::{self, Kind};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::CommandResult;

/// Remove secrets
#[derive(Debug, clap::Args)]
pub(crate) struct SecretRmArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Remove configs
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigRmArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SecretRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        remove(app, Kind::Secret, &self.args)
    }
}

impl Runnable for ConfigRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        remove(app, Kind::Config, &self.args)
    }
}

fn remove(app: &mut App, kind: Kind, names: &[String]) -> CommandResult {
    each(app, names, |app, name| {
        let swarm = app.manager()?;
        let id = secret::find(&swarm.state, kind, name)?.id.clone();
        app.order(&match kind {
            Kind::Secret => Request::RemoveSecret { id },
            Kind::Config => Request::RemoveConfig { id },
        })?;
        Ok(())
    })
}
