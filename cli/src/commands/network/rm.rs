//! `network rm`: remove networks.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::networks::NetworkError;
use coracle_swarm::SwarmError;
use coracle_swarm::model::Service;
use coracle_words::ErrorKind;

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

fn is_ingress(app: &App, name: &str) -> Result<bool, CliError> {
    Ok(app.engine()?.networks.find(name).is_ok_and(|network| network.ingress))
}

/// The refusal for a network that a service is to have, whether a task of it runs or not.
fn refusal(app: &App, name: &str) -> Option<SwarmError> {
    let network = app.engine().ok()?.networks.find(name).ok()?;
    let state = app.manager().ok()?.state;
    let uses = |service: &&Service| {
        let mut networks = service.spec.task_template.networks.iter();
        !service.own.removed && networks.any(|used| used.target == network.id)
    };
    let user = state.services.values().find(uses)?;
    let words = format!(
        "rpc error: code = FailedPrecondition desc = network {} is in use by service {}",
        network.id, user.id
    );
    Some(SwarmError::refused(ErrorKind::BadRequest, words))
}

impl Runnable for NetworkRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let mut failures = Failures::default();
        let mut failed = false;
        for name in &self.args {
            if is_ingress(app, name)? {
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
            match app.engine()?.remove_network(name, self.force) {
                Ok(()) => writeln!(app.ui.data(), "{name}")?,
                Err(EngineError::Network(NetworkError::NotFound { .. })) if self.force => {}
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
