//! `service scale`: set how many tasks services have.

use std::io::Write as _;

use coracle_swarm::edit;
use coracle_swarm::protocol::Request;
use coracle_view::service;
use coracle_words::strconv;

use super::converge;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, Failures};

/// Set how many tasks services have
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceScaleArgs {
    /// Return without waiting for convergence
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceScaleArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let asked: Vec<(&str, &str)> = self
            .args
            .iter()
            .map(|word| word.split_once('=').ok_or_else(|| misused(app, word)))
            .collect::<Result<_, _>>()?;
        app.manager()?;
        let mut failures = Failures::default();
        let mut scaled = Vec::new();
        for (name, count) in asked {
            let result = scale(app, name, count).map_err(|error| about(name, error));
            scaled.extend(failures.check(result).map(|id| (name, id)));
        }
        app.ui.flush()?;
        for (name, id) in scaled {
            if !self.detach {
                let result = converge::wait(app, &id, name, false);
                failures.check(result.map_err(|error| about(name, error)));
            }
        }
        failures.finish()
    }
}

/// Gives the service's id.
fn scale(app: &mut App, name: &str, count: &str) -> Result<String, CliError> {
    let replicas = strconv::parse_uint(count)
        .map_err(|error| CliError::plain(format!("invalid replicas value {count}: {error}")))?;
    let id = app.in_sequence(|app| {
        let swarm = app.manager()?;
        let found = service::find(&swarm.state, name)?;
        let mut spec = found.spec.clone();
        edit::scale(&mut spec.mode, replicas)?;
        let id = found.id.clone();
        app.order(&Request::UpdateService {
            id: id.clone(),
            version: found.meta.version.index,
            spec: Box::new(spec),
            rollback: false,
        })?;
        Ok(id)
    })?;
    writeln!(app.ui.data(), "{name} scaled to {replicas}")?;
    Ok(id)
}

fn about(name: &str, mut error: CliError) -> CliError {
    error.message = format!("{name}: {}", error.message);
    error
}

fn misused(app: &App, word: &str) -> CliError {
    let called = format!("{} service scale", app.program);
    CliError::plain(format!(
        "invalid scale specifier '{word}'.\nSee '{called} --help'.\n\n\
         Usage:  {called} SERVICE=REPLICAS [SERVICE=REPLICAS...]\n\n\
         Scale one or multiple replicated services"
    ))
}
