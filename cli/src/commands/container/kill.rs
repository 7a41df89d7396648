//! `kill`: send a signal to containers.

use coracle_runtime::engine::Ending;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::{each_at_once, signal_number};
use crate::error::{CliError, CommandResult};
use coracle_view::container::find_id;

/// Send a signal to containers
#[derive(Debug, clap::Args)]
pub(crate) struct KillArgs {
    /// Signal to send (KILL when not given)
    #[arg(long, short = 's', value_name = "string")]
    pub(crate) signal: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for KillArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let signal = self.signal.as_deref().filter(|s| !s.is_empty()).unwrap_or("KILL");
        each_at_once(
            app,
            &self.args,
            |app, name| kill(app, name, signal).map_err(|error| about(name, &error)),
            |_, ending| Ok(ending.wait().map(|()| true)?),
        )
    }
}

fn kill(app: &App, name: &str, signal: &str) -> Result<Ending, CliError> {
    let id = find_id(&app.home, name)?;
    let number = signal_number(signal)?;
    Ok(app.engine()?.kill(&id, number).map_err(|error| error.about(name))?)
}

fn about(name: &str, error: &CliError) -> CliError {
    let text = error.message.replacen("Error response from daemon: ", "", 1);
    CliError::engine(format!("cannot kill container: {name}: {text}"))
}
