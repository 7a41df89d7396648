//! `machine start`, `stop`, `kill` and `restart`: as `node start` and so on, in a swarm or in none.

use std::io::Write as _;

use coracle_swarm::protocol::{Power, Request};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, Failures};

/// Switch machines on
#[derive(Debug, clap::Args)]
pub(crate) struct MachineStartArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Switch machines off, as at a shutdown
#[derive(Debug, clap::Args)]
pub(crate) struct MachineStopArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Lose machines, as when the power fails
#[derive(Debug, clap::Args)]
pub(crate) struct MachineKillArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Switch machines off and on again
#[derive(Debug, clap::Args)]
pub(crate) struct MachineRestartArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for MachineStartArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        switch(app, &self.args, &[Power::Start])
    }
}

impl Runnable for MachineStopArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        switch(app, &self.args, &[Power::Stop])
    }
}

impl Runnable for MachineKillArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        switch(app, &self.args, &[Power::Kill])
    }
}

impl Runnable for MachineRestartArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        switch(app, &self.args, &[Power::Stop, Power::Start])
    }
}

fn switch(app: &mut App, names: &[String], steps: &[Power]) -> CommandResult {
    let mut failures = Failures::default();
    for name in names {
        for power in steps {
            let done = one(app, name, *power);
            if let Some(said) = failures.check(done) {
                writeln!(app.ui.data(), "{said}")?;
            }
        }
    }
    failures.finish()
}

fn one(app: &mut App, name: &str, power: Power) -> Result<String, CliError> {
    let (_, reader) = app.swarm_state()?;
    let id = super::find(app.program, &reader.state, name)?.id.clone();
    app.order(&Request::NodePower { id, power })?;
    Ok(match power {
        Power::Start => format!("Machine {name:?} was started."),
        Power::Stop => format!("Machine {name:?} was stopped."),
        Power::Kill => format!("Machine {name:?} was killed."),
    })
}
