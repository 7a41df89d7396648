//! `machine inspect`: what is known of a machine, under the names that `docker-machine` has.

use coracle_view::node;
use serde_json::json;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::CommandResult;

/// Show all about machines
#[derive(Debug, clap::Args)]
pub(crate) struct MachineInspectArgs {
    /// Layout: json, or a Go template for each machine
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for MachineInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let format = self.format.filter(|format| !format.is_empty());
        inspect_all(app, &self.args, format.as_deref(), |app, name, _| {
            let (_, reader) = app.swarm_state()?;
            let machine = super::find(app.program, &reader.state, name)?;
            let name = node::name_of(machine);
            Ok(json!({
                "Name": name,
                "DriverName": "coracle",
                "Driver": { "MachineName": name, "IPAddress": machine.status.addr },
                "State": super::state_of(machine),
                "Swarm": super::list::swarm_word(machine),
            }))
        })
    }
}
