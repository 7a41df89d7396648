//! `wait`: wait until containers stop, and print their exit codes.

use std::io::Write as _;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, Failures};
use coracle_view::container::find_id;

/// Wait until containers stop, and print their exit codes
#[derive(Debug, clap::Args)]
pub(crate) struct WaitArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for WaitArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let mut failures = Failures::default();
        for name in &self.args {
            let code = find_id(&app.home, name).and_then(|id| Ok(app.home.engine()?.wait(&id)?));
            if let Some(code) = failures.check(code) {
                writeln!(app.ui.data(), "{code}")?;
                app.ui.flush()?;
            }
        }
        failures.finish()
    }
}
