//! `network rm`: remove networks.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::networks::NetworkError;
use coracle_swarm::SwarmError;
use coracle_view::{ViewError, network};

use super::rows::local_only;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus, Failures};

const INGRESS_WARNING: &str = "WARNING! Before removing the routing-mesh network, make sure all the \
                               nodes in your swarm run the same docker engine version. Otherwise, \
                               removal may not be effective and functionality of newly created \
                               ingress networks will be impaired.";

/// Remove networks
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkRmArgs {
    /// No error for a missing network
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Removes what is called so on the node that is asked. False: there is none, which may be.
fn remove(app: &App, name: &str, force: bool) -> Result<bool, CliError> {
    let found = match network::find(&app.home, name) {
        Err(ViewError::Engine(EngineError::Network(NetworkError::NotFound { .. }))) if force => {
            return Ok(false);
        }
        Err(error) if app.node.is_some() => return Err(error.into()),
        found => found.ok(),
    };
    if found.as_ref().is_some_and(|network| network.swarm) {
        let (swarm, reader) = app.swarm_state()?;
        // One that outlived its swarm is anybody's.
        if reader.is_swarm() {
            app.check_manager(&swarm, &reader)?;
        }
    } else if found.is_some_and(|network| !network.is_predefined()) {
        local_only(app, "network rm of a network that is not the swarm's")?;
    }
    match app.engine()?.remove_network(name, force) {
        Err(EngineError::Network(NetworkError::NotFound { .. })) if force => Ok(false),
        outcome => Ok(outcome.map(|()| true)?),
    }
}

fn is_ingress(app: &App, name: &str) -> bool {
    network::find(&app.home, name).is_ok_and(|network| network.ingress)
}

/// The refusal for a network that a service is to have, whether a task of it runs or not.
fn refusal(app: &App, name: &str) -> Option<SwarmError> {
    let network = app.engine().ok()?.networks.find(name).ok()?;
    let state = app.manager().ok()?.state;
    network::removal_refused(&state, &network)
}

impl Runnable for NetworkRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let mut failures = Failures::default();
        let mut failed = false;
        for name in &self.args {
            if is_ingress(app, name) {
                writeln!(app.ui.data(), "{INGRESS_WARNING}")?;
                if !app.ui.confirm("Are you sure you want to continue?")? {
                    continue;
                }
            }
            if let Some(refusal) = refusal(app, name) {
                failed = true;
                failures.push(refusal);
                continue;
            }
            match remove(app, name, self.force) {
                Ok(true) => writeln!(app.ui.data(), "{name}")?,
                Ok(false) => {}
                Err(error) => {
                    failed = true;
                    failures.push(error);
                }
            }
        }
        if failed {
            // Docker's client ends so here, and here only.
            failures.push(CliError::plain("exit status 1"));
            return failures.finish();
        }
        Ok(ExitStatus::Success)
    }
}
