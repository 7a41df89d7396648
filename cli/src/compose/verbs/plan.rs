//! `compose plan`: what `up` would do, and why.

use coracle_compose::plan::{Action, Options, Plan, Step};

use crate::app::App;
use crate::args::Runnable;
use crate::compose::doing::act::make_plan;
use crate::compose::images::ensure;
use crate::compose::project::place;
use crate::compose::project::scale::scale;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::plans::{self, SOMETHING_TO_DO};

/// Show what up would do, and why
#[derive(Debug, clap::Args)]
pub(crate) struct ComposePlanArgs {
    /// Layout: text, or json for up --plan
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Remove containers of services that are not in the file
    #[arg(long)]
    remove_orphans: bool,
    /// SERVICE=NUMBER of containers (repeatable)
    #[arg(long, value_name = "stringArray")]
    scale: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposePlanArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let file = place::file(app, &self.args)?;
        let options = Options {
            targets: self.args.clone(),
            scale: scale(&self.scale, &file)?,
            remove_orphans: self.remove_orphans,
            all_resources: app.compose.all_resources,
            start: true,
            ..Options::default()
        };
        let images = ensure::present(app, &file.project)?;
        let plan = make_plan(app, &file, &file.project, &images, &options)?;
        plans::print(app, &plan, &described(&plan), plan.is_empty(), self.format.as_deref())?;
        Ok(match plan.is_empty() {
            true => ExitStatus::Success,
            false => ExitStatus::Container(SOMETHING_TO_DO),
        })
    }
}

/// One line for each object: what is done to it, and why; several reasons are below it.
fn described(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &plan.steps {
        // That what is made is started goes without saying.
        let implied = step.action == Action::Start && step.id.is_empty();
        if implied {
            continue;
        }
        let (kind, word) = words(step);
        let line = format!("{word:<9} {kind} {}", step.object);
        match step.reasons.as_slice() {
            [] => lines.push(line),
            [reason] => lines.push(format!("{line}: {reason}")),
            several => {
                lines.push(line);
                lines.extend(several.iter().map(|reason| format!("          {reason}")));
            }
        }
    }
    lines
}

fn words(step: &Step) -> (&'static str, &'static str) {
    match step.action {
        Action::Pull => ("image", "pull"),
        Action::CreateNetwork => ("network", "create"),
        Action::ReplaceNetwork => ("network", "replace"),
        Action::RenameNetwork => ("network", "rename"),
        Action::CreateVolume => ("volume", "create"),
        Action::ReplaceVolume => ("volume", "replace"),
        Action::Remove => ("container", "remove"),
        Action::Rename => ("container", "rename"),
        Action::Create => ("container", "create"),
        Action::Recreate => ("container", "recreate"),
        Action::Stop => ("container", "stop"),
        Action::Start => ("container", "start"),
        Action::Keep => ("container", "keep"),
    }
}

/// Refuses unless the plan in the file is what would be done now.
pub(crate) fn check(path: &str, now: &Plan) -> Result<(), CliError> {
    let kept: Plan = plans::read(path, "make one with `compose plan --format json`")?;
    if kept.same_steps(now) {
        return Ok(());
    }
    let hint = "look at `compose plan` and make the plan again";
    Err(plans::misfit(path, &described(&kept), &described(now), hint))
}
