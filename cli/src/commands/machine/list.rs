//! `machine ls`, `active`, `ip` and `status`: which machines there are, where, and how they are.

use std::io::Write as _;

use coracle_swarm::model::Node;
use coracle_view::node;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus, Failures};
use crate::format::{Columns, Listing, Row};

/// List machines
#[derive(Debug, clap::Args)]
pub(crate) struct MachineLsArgs {
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print only names
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
}

/// Show the name of the machine that commands are given on
#[derive(Debug, clap::Args)]
pub(crate) struct MachineActiveArgs {}

/// Show the addresses of machines
#[derive(Debug, clap::Args)]
pub(crate) struct MachineIpArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Show whether a machine runs
#[derive(Debug, clap::Args)]
pub(crate) struct MachineStatusArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

const COLUMNS: Columns = Columns {
    titles: &[
        ("Name", "NAME"),
        ("Active", "ACTIVE"),
        ("DriverName", "DRIVER"),
        ("State", "STATE"),
        ("Address", "ADDRESS"),
        ("Swarm", "SWARM"),
        ("DockerVersion", "DOCKER"),
    ],
    table: "Name Active DriverName State Address Swarm DockerVersion",
    quiet: "Name",
    raw: "name: {{.Name}}\nstate: {{.State}}\naddress: {{.Address}}\nswarm: {{.Swarm}}\n",
};

fn row(machine: &Node, active: Option<&str>) -> Row {
    let name = node::name_of(machine);
    let mut row = Row::new("*machine.machineContext");
    row.set("Name", name)
        .set("Active", if active == Some(name) { "*" } else { "-" })
        .set("DriverName", "coracle")
        .set("State", super::state_of(machine))
        .set("Address", machine.status.addr.as_str())
        .set("Swarm", swarm_word(machine))
        .set("DockerVersion", format!("v{}", machine.description.engine.engine_version));
    row
}

/// What a machine is in its swarm; nothing outside of one.
pub(super) fn swarm_word(machine: &Node) -> String {
    match machine.own.left {
        true => String::new(),
        false => machine.spec.role.to_string(),
    }
}

impl Runnable for MachineLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (_, reader) = app.swarm_state()?;
        let active = app.settings.node.as_deref();
        let machines = node::machines(&reader.state);
        let rows: Vec<_> = machines.into_iter().map(|machine| row(machine, active)).collect();
        let text = Listing::new(&COLUMNS, self.format.as_deref(), self.quiet)?.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}

impl Runnable for MachineActiveArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (_, reader) = app.swarm_state()?;
        let name = app.settings.node.clone().unwrap_or_default();
        if super::find(app.program, &reader.state, &name).is_err() {
            return Err(CliError::plain("No active host found"));
        }
        writeln!(app.ui.data(), "{name}")?;
        Ok(ExitStatus::Success)
    }
}

impl Runnable for MachineIpArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (_, reader) = app.swarm_state()?;
        let mut failures = Failures::default();
        for name in &self.args {
            let machine = super::find_running(app.program, &reader.state, name);
            if let Some(machine) = failures.check(machine) {
                writeln!(app.ui.data(), "{}", machine.status.addr)?;
            }
        }
        failures.finish()
    }
}

impl Runnable for MachineStatusArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (_, reader) = app.swarm_state()?;
        let name = self.args.first().map_or("", String::as_str);
        let state = super::state_of(super::find(app.program, &reader.state, name)?);
        writeln!(app.ui.data(), "{state}")?;
        Ok(ExitStatus::Success)
    }
}
