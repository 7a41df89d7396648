//! `stop`: stop running containers.

use crate::app::App;
use crate::args::Runnable;
use crate::args::values;
use crate::commands::{each_at_once, signal_number};
use crate::error::CommandResult;
use coracle_view::container::find_id;

/// Stop running containers
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {
    /// Signal sent first instead of the configured one
    #[arg(long, short = 's', value_name = "string")]
    pub(crate) signal: Option<String>,
    /// Seconds before SIGKILL; -1 waits for ever
    #[arg(long, short = 't', value_name = "int", value_parser = values::int)]
    pub(crate) timeout: Option<i64>,
    /// Old spelling of --timeout (deprecated)
    #[arg(long, value_parser = values::int, hide = true)]
    pub(crate) time: Option<i64>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for StopArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let signal = self.signal.as_deref().map(signal_number).transpose()?;
        let grace = self.timeout.or(self.time);
        each_at_once(
            app,
            &self.args,
            |app, name| {
                let id = find_id(&app.home, name)?;
                Ok(app.engine()?.stop(&id, signal, grace).map_err(|error| error.about(name))?)
            },
            |_, ending| Ok(ending.wait().map(|()| true)?),
        )
    }
}
