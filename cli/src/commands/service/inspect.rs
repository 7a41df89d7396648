//! `service inspect`: show all about services, as JSON or as text.

use std::io::Write as _;

use coracle_swarm::model::Service;
use coracle_swarm::state::State;
use coracle_view::service;
use coracle_words::ErrorKind;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_typed;
use crate::error::{CliError, CommandResult, Failures};
use crate::format::Missing;

/// What messages of templates call a service.
const TYPE: Missing = Missing::Type("swarm.Service");

/// Show all about services, as JSON or as text
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Labelled text in place of JSON
    #[arg(long)]
    pub(crate) pretty: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let given = self.format.filter(|format| !format.is_empty());
        if self.pretty && given.is_some() {
            let text = "--format is incompatible with human friendly format";
            return Err(CliError::plain(text));
        }
        let own = || app.settings.client.text("serviceInspectFormat").map(str::to_owned);
        let format = if self.pretty { Some("pretty".to_owned()) } else { given.or_else(own) };
        let state = app.manager()?.state;
        match format.as_deref() {
            Some("pretty") => pretty(app, &state, &self.args),
            Some(other) if other.starts_with("pretty") => Err(CliError::plain(
                "cannot supply extra formatting options to the pretty template",
            )),
            format => inspect_typed(app, &self.args, format, TYPE, |_, name, _| {
                Ok(service::document(find(&state, name)?)?)
            }),
        }
    }
}

/// The client has words of its own for a service that is not there.
pub(super) fn find<'a>(state: &'a State, name: &str) -> Result<&'a Service, CliError> {
    service::find(state, name).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CliError::plain(format!("no such service: {name}")),
        _ => error.into(),
    })
}

fn pretty(app: &mut App, state: &State, names: &[String]) -> CommandResult {
    let mut failures = Failures::default();
    for name in names {
        let Some(found) = failures.check(find(state, name)) else { continue };
        let engine = app.engine()?;
        let networks = found.spec.task_template.networks.iter().map(|network| {
            let known = engine.networks.find(&network.target).map(|known| known.name);
            known.unwrap_or_else(|_| network.target.clone())
        });
        let text = service::pretty(found, &networks.collect::<Vec<_>>(), app.asked());
        write!(app.ui.data(), "{text}")?;
    }
    failures.finish()
}
