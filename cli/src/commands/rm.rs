//! `rm`: remove containers.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::engine::RemoveOptions;
use coracle_runtime::records::RecordError;

use super::each_at_once;
use crate::app::App;
use crate::args::Runnable;
use crate::containers::find_id;
use crate::error::{CliError, CommandResult};

/// Remove containers
#[derive(Debug, clap::Args)]
pub(crate) struct RmArgs {
    /// SIGKILL a running container, then remove it
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    /// Remove the named link instead of the container (not supported)
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
            return Err(CliError::unsupported(
                "--link",
                "a link cannot be taken from its container",
            ));
        }
        let options = RemoveOptions { force: self.force, volumes: self.volumes };
        let mut names = Vec::new();
        for name in self.args {
            match app.engine()?.records.find(&name) {
                // What is not there need not be removed.
                Err(error @ RecordError::NotFound { .. }) if self.force => {
                    let error = CliError::from(EngineError::from(error));
                    writeln!(app.ui.status(), "{error}")?;
                }
                _ => names.push(name),
            }
        }
        each_at_once(
            app,
            &names,
            |app, name| {
                let id = find_id(app, name)?;
                Ok(app.engine()?.begin_remove(&id, options)?)
            },
            |app, removing| {
                let (engine, session) = app.engine_in_session()?;
                Ok(engine.finish_remove(session, removing)?)
            },
        )
    }
}
