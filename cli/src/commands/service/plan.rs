//! `service plan`: what `service update` would change, and how it would roll.

use std::collections::BTreeMap;

use coracle_runtime::clock;
use coracle_swarm::command::Rollback;
use coracle_swarm::plan::{self, Action, Plan};
use coracle_swarm::{SwarmError, machine};
use coracle_view::service::{self, plan::lines};

use super::flags::ServiceFlags;
use super::update::ServiceUpdateArgs;
use super::update_flags::UpdateFlags;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::plans::{self, SOMETHING_TO_DO};

/// Show what an update with these flags would change, and how it would roll
#[derive(Debug, clap::Args)]
#[command(mut_args(|arg| arg.display_order(0)))]
pub(crate) struct ServicePlanArgs {
    #[command(flatten)]
    pub(crate) flags: ServiceFlags,
    #[command(flatten)]
    pub(crate) lists: UpdateFlags,
    /// Layout: text or json
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServicePlanArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let Self { flags, lists, format, args } = self;
        let state = app.manager()?.state;
        let found = service::find(&state, args.first().map_or("", String::as_str))?;
        let update = ServiceUpdateArgs { flags, lists, args: args.clone() };
        let (mut spec, mut rollback) = (update.wanted(app, &state, found)?, Rollback::No);
        update.pin(app, &mut spec, &mut None)?;
        if update.lists.rollback {
            rollback = Rollback::Previous;
            if let Some(previous) = &found.previous_spec {
                spec.clone_from(previous);
            }
        }
        let (named, now) = (network_names(app), clock::now());
        let step = plan::service_step(&state, Some(found), &spec, rollback, &named, now)
            .map_err(SwarmError::from)?;
        let runs_anew = spec.task_template != found.spec.task_template
            || spec.endpoint_spec != found.spec.endpoint_spec;
        if runs_anew && rollback == Rollback::No {
            let answer = machine::check(&spec, app.home.settings());
            if let Some(refusal) = answer.refusals.first() {
                let error = CliError::engine(refusal.to_string());
                return Err(match &refusal.hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                });
            }
            app.warn(&answer.warnings);
        }
        let mut plan = Plan::new("", false);
        plan.steps.push(step);
        show(app, &plan, format.as_deref())
    }
}

/// Prints a plan; the code says whether there is something to do.
pub(crate) fn show(app: &mut App, plan: &Plan, format: Option<&str>) -> CommandResult {
    plans::print(app, plan, &lines(plan), plan.is_empty(), format)?;
    Ok(match plan.steps.iter().any(|step| step.action == Action::Refuse) {
        true => ExitStatus::Failure,
        false if plan.is_empty() => ExitStatus::Success,
        false => ExitStatus::Container(SOMETHING_TO_DO),
    })
}

/// What networks are called, by their ids; one that is not there by what is asked.
pub(crate) fn network_names(app: &App) -> impl Fn(&str) -> String + use<> {
    let there = app.engine().ok().and_then(|engine| engine.networks.list().ok());
    let names: BTreeMap<String, String> =
        there.into_iter().flatten().map(|network| (network.id, network.name)).collect();
    move |id| names.get(id).cloned().unwrap_or_else(|| id.to_owned())
}
