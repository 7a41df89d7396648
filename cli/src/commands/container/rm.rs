//! `rm`: remove containers.

use coracle_runtime::EngineError;
use coracle_runtime::engine::RemoveOptions;
use coracle_runtime::records::RecordError;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each_at_once;
use crate::error::{CliError, CommandResult};
use coracle_view::ViewError;
use coracle_view::container::find_id;

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
        each_at_once(
            app,
            &self.args,
            |app, name| {
                let engine = app.engine()?;
                let found = match find_id(&app.home, name) {
                    Err(ViewError::Engine(error)) => Err(error),
                    other => Ok(other?),
                };
                let begun = found.and_then(|id| engine.begin_remove(&id, options));
                Ok((name.to_owned(), begun))
            },
            |app, (name, begun)| {
                let (engine, session) = app.engine_in_session()?;
                let removed = begun.and_then(|begun| engine.finish_remove(session, begun));
                match removed.map_err(|error| error.about(&name)) {
                    // What is not there, or not any more, need not be removed.
                    Err(EngineError::Record(RecordError::NotFound { .. })) if options.force => {
                        Ok(false)
                    }
                    outcome => Ok(outcome.map(|()| true)?),
                }
            },
        )
    }
}
