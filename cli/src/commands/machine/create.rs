//! `machine create`: a machine in no swarm. It is a node that rehearses here, whatever the driver was to be.

use std::io::Write as _;

use coracle_swarm::protocol::Request;
use coracle_view::node;

use super::description;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Create a machine for rehearsal on this one, in no swarm yet
#[derive(Debug, clap::Args)]
pub(crate) struct MachineCreateArgs {
    /// Whatever it is, what is made is a node for rehearsal and no virtual machine
    #[arg(long, short = 'd', value_name = "string")]
    pub(crate) driver: Option<String>,
    // What only a driver knows is told apart from a name.
    #[arg(value_name = "ARG", hide = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for MachineCreateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if let Some(flag) = self.args.iter().find(|word| word.starts_with('-')) {
            let flag = flag.split('=').next().unwrap_or(flag);
            let why = "a machine is a node for rehearsal on this one, and no virtual machine";
            return Err(CliError::unsupported(flag, why));
        }
        let [name] = self.args.as_slice() else {
            return Err(CliError::plain("a machine has one name"));
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        if name.is_empty() || name.len() > 63 || !name.chars().all(is_name) {
            return Err(CliError::plain(
                "Error creating machine: Invalid hostname specified. Allowed hostname chars are: 0-9a-zA-Z . -",
            ));
        }
        let (_, reader) = app.swarm_state()?;
        if node::chosen(&reader.state, Some(name)).is_some() {
            return Err(CliError::plain(format!("Docker machine {name:?} already exists")));
        }
        let mut description = description();
        name.clone_into(&mut description.hostname);
        app.order(&Request::CreateMachine { name: name.clone(), description })?;
        let (_, reader) = app.swarm_state()?;
        let machine = super::find(app.program, &reader.state, name)?;
        if let Some(driver) = self.driver.filter(|driver| driver != "none") {
            writeln!(app.ui.status(), "({name}) No virtual machine is made by {driver}.")?;
        }
        writeln!(
            app.ui.data(),
            "Machine {name} is at {}, on this machine, for rehearsal; it is in no swarm.\nTo work on it, run: {} \
             machine env {name}",
            machine.status.addr,
            app.program
        )?;
        Ok(ExitStatus::Success)
    }
}
