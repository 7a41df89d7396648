//! `rm`: remove containers.

use std::io::Write as _;

use coracle_runtime::engine::RemoveOptions;

use super::each;
use crate::app::App;
use crate::args::Runnable;
use crate::containers::find_id;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Remove containers
#[derive(Debug, clap::Args)]
pub(crate) struct RmArgs {
    /// SIGKILL a running container, then remove it
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    /// Remove the named link instead of the container
    #[arg(long, short = 'l')]
    pub(crate) link: bool,
    /// Also remove its anonymous volumes
    #[arg(long, short = 'v')]
    pub(crate) volumes: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for RmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.link {
            return Err(CliError::unsupported("--link", "containers have no links"));
        }
        let options = RemoveOptions { force: self.force, volumes: self.volumes };
        let mut only_missing = true;
        let result = each(app, &self.args, |app, name| {
            let id = find_id(app, name)?;
            only_missing = false;
            let (engine, session) = app.engine_in_session()?;
            Ok(engine.remove(session, &id, options)?)
        });
        match result {
            // What is not there need not be removed.
            Err(error) if self.force && only_missing => {
                writeln!(app.ui.status(), "{error}")?;
                Ok(ExitStatus::Success)
            }
            result => result,
        }
    }
}
