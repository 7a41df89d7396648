//! `stack rm`: remove stacks, with their services, secrets, configs and networks; volumes stay.
//!
//! A network is gone only when no task is on it any more, so where a stack has tasks and networks, the command waits
//! for the end of those. Docker's manager does that behind the client's back.

use std::io::Write as _;

use clap::ArgAction;
use coracle_runtime::networks::Network;
use coracle_swarm::protocol::Request;
use coracle_swarm::stack::{self, members};
use coracle_swarm::state::State;

use super::{carry, gone};
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, Failures};

/// Remove one or more stacks
#[derive(Debug, clap::Args)]
pub(crate) struct StackRmArgs {
    /// Do not wait for the tasks to go, unless a network waits for them (default true)
    #[arg(long, short = 'd', default_value_t = true, action = ArgAction::Set)]
    detach: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for StackRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        for name in &self.args {
            stack::check_name(name)?;
        }
        let mut failures = Failures::default();
        for name in &self.args {
            let state = app.manager()?.state;
            failures.check(remove(app, &state, name, self.detach));
        }
        failures.finish()
    }
}

fn remove(app: &mut App, state: &State, name: &str, detach: bool) -> Result<(), CliError> {
    let services = members::services(state, name);
    let (secrets, configs) = (members::secrets(state, name), members::configs(state, name));
    let networks = networks(app, name)?;
    if services.is_empty() && secrets.is_empty() && configs.is_empty() && networks.is_empty() {
        writeln!(app.ui.status(), "Nothing found in stack: {name}")?;
        return Ok(());
    }
    let mut failed = false;
    let mut tell = |app: &mut App, what: &str, id: &str, done: Result<(), CliError>| {
        if let Err(error) = done {
            failed = true;
            // Nothing is left to do when standard error is closed.
            writeln!(app.ui.status(), "Failed to remove {what} {id}: {error}").unwrap_or_default();
        }
    };
    for service in services {
        let done = carry::remove_service(app, service);
        tell(app, "service", &service.id, done);
    }
    for secret in secrets {
        writeln!(app.ui.data(), "Removing secret {}", secret.spec.name)?;
        let done = app.order(&Request::RemoveSecret { id: secret.id.clone() });
        tell(app, "secret", &secret.id, done.map(drop));
    }
    for config in configs {
        writeln!(app.ui.data(), "Removing config {}", config.spec.name)?;
        let done = app.order(&Request::RemoveConfig { id: config.id.clone() });
        tell(app, "config", &config.id, done.map(drop));
    }
    for network in &networks {
        writeln!(app.ui.data(), "Removing network {}", network.name)?;
    }
    app.ui.flush()?;
    if !detach || !networks.is_empty() {
        gone::wait(app, name)?;
    }
    for network in &networks {
        let done = app.engine()?.remove_network(&network.id, false);
        tell(app, "network", &network.id, done.map_err(CliError::from));
    }
    match failed {
        true => Err(CliError::plain(format!("Failed to remove some resources from stack: {name}"))),
        false => Ok(()),
    }
}

/// The networks of a stack, by name.
fn networks(app: &App, name: &str) -> Result<Vec<Network>, CliError> {
    let mut all = app.engine()?.networks.list().map_err(coracle_runtime::EngineError::from)?;
    all.retain(|network| members::is_of(&network.labels, name));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}
