//! `machine rm`: take machines away, with their containers and volumes.

use std::io::Write as _;

use coracle_swarm::protocol::Request;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, Failures};
use crate::terminal::ask;

/// Remove machines, with their containers and volumes
#[derive(Debug, clap::Args)]
pub(crate) struct MachineRmArgs {
    /// Do not ask
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    /// Do not ask
    #[arg(short = 'y')]
    pub(crate) yes: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for MachineRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        writeln!(app.ui.data(), "About to remove {}", self.args.join(", "))?;
        if !self.force && !self.yes {
            writeln!(
                app.ui.data(),
                "WARNING: This action will delete the containers and volumes that are on it."
            )?;
            let answer = ask(app, "Are you sure? (y/n): ")?;
            if !answer.eq_ignore_ascii_case("y") {
                return Ok(crate::error::ExitStatus::Success);
            }
        }
        let mut failures = Failures::default();
        for name in &self.args {
            let (_, reader) = app.swarm_state()?;
            let found = super::find(app.program, &reader.state, name).map(|_| ());
            let done = found.and_then(|()| {
                app.order(&Request::RemoveMachine { name: name.clone() })?;
                Ok(())
            });
            if failures.check(done).is_some() {
                writeln!(app.ui.data(), "Successfully removed {name}")?;
            }
        }
        failures.finish()
    }
}
