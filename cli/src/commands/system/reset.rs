//! `system reset`: remove everything that was ever stored, as before an uninstall.

use std::io::Write as _;
use std::time::Duration;

use coracle_swarm::protocol::Request;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::container;

/// How long the agent of a swarm may take to end when nothing is left for it.
const LEAVING: Duration = Duration::from_secs(10);

/// Remove containers, images, volumes, networks, the swarm, and their folders
#[derive(Debug, clap::Args)]
pub(crate) struct SystemResetArgs {
    /// Skip the confirmation question, and end what runs
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
}

impl Runnable for SystemResetArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let data = app.engine()?.paths().data.display().to_string();
        let swarm = coracle_swarm::journal::is_there(&app.settings.data_root);
        if !self.force {
            refuse_while_running(app)?;
            let out = app.ui.data();
            writeln!(out, "WARNING! This will remove:")?;
            for what in ["containers", "images", "volumes, with what is in them", "networks"] {
                writeln!(out, "  - all {what}")?;
            }
            if swarm {
                writeln!(
                    out,
                    "  - the swarm: its services, secrets and configs, and all machines"
                )?;
            }
            writeln!(out, "  - the folder {data}")?;
            writeln!(out)?;
            if !app.ui.confirm("Are you sure you want to continue?")? {
                return Ok(ExitStatus::Success);
            }
            // The question may have stood there for a while.
            refuse_while_running(app)?;
        }
        if swarm {
            end_swarm(app)?;
        }
        let (engine, session) = app.engine_in_session()?;
        let left = engine.reset(session)?;
        match left.as_slice() {
            [] => writeln!(app.ui.data(), "Removed {data}")?,
            left => writeln!(app.ui.data(), "Kept in {data}, not ours: {}", left.join(", "))?,
        }
        Ok(ExitStatus::Success)
    }
}

/// Has the agent end the swarm and what it has of machines, and waits until it is gone: it has files of ours open.
fn end_swarm(app: &mut App) -> Result<(), CliError> {
    let (swarm, reader) = app.swarm_state()?;
    if !reader.state.cluster.id.is_empty() {
        app.order(&Request::Leave { force: true })?;
    }
    let (_, reader) = app.swarm_state()?;
    for machine in reader.state.machines.values() {
        let name = machine.description.hostname.clone();
        app.order(&Request::RemoveMachine { name })?;
    }
    match swarm.wait_end(LEAVING) {
        true => Ok(()),
        false => Err(CliError::plain("the agent of the swarm does not end")),
    }
}

fn refuse_while_running(app: &App) -> Result<(), CliError> {
    let known = container::list(&app.home)?;
    let running = known.iter().filter(|known| known.state.status.is_running());
    let names: Vec<&str> = running.map(|known| known.container.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut error =
        CliError::plain(format!("cannot reset while containers run: {}", names.join(", ")));
    error.hint = Some("stop them, or use `--force`, which ends them".to_owned());
    Err(error)
}
