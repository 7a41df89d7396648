//! `compose volumes`: the volumes of a project, or those that some services use.

use coracle_compose::project::found::{self, Wanted};
use coracle_compose::project::labels;
use coracle_runtime::EngineError;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::volume::ls;
use crate::compose::project::place;
use crate::error::{CliError, CommandResult};

/// List the volumes of a project
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeVolumesArgs {
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Print only names
    #[arg(long, short = 'q')]
    quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeVolumesArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = place::project(app, &self.args)?.name;
        let engine = app.engine()?;
        let mut volumes =
            engine.volumes.list().map_err(|e| CliError::from(EngineError::from(e)))?;
        volumes.retain(|volume| {
            let labels = volume.labels.as_ref();
            labels.and_then(|all| all.get(labels::PROJECT)).is_some_and(|name| *name == project)
        });
        if !self.args.is_empty() {
            let services = self.args.clone();
            let wanted = Wanted { services, one_off: true, stopped: true, ..Wanted::default() };
            let users = found::containers(engine.list()?, &project, &wanted);
            volumes.retain(|volume| {
                let mut mounts = users.iter().flat_map(|user| &user.container.mounts);
                mounts.any(|mount| mount.point.name == volume.name)
            });
        }
        ls::print(app, volumes, self.format.as_deref(), self.quiet)
    }
}
