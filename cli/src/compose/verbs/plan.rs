//! `compose plan`: what `up` would do, and why.

use std::io::Write as _;

use coracle_compose::plan::{Action, Options, Plan, Step};

use crate::app::App;
use crate::args::Runnable;
use crate::compose::doing::act::make_plan;
use crate::compose::images::ensure;
use crate::compose::project::place;
use crate::compose::project::scale::scale;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Exit code of a plan with something to do.
const SOMETHING_TO_DO: u8 = 2;

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
            start: true,
            ..Options::default()
        };
        let images = ensure::present(app, &file.project)?;
        let plan = make_plan(app, &file, &file.project, &images, &options)?;
        match self.format.as_deref() {
            None | Some("" | "text" | "table") => {
                let mut text = described(&plan);
                if plan.is_empty() {
                    text.push_str("Nothing to do.\n");
                }
                write!(app.ui.data(), "{text}")?;
            }
            Some("json") => {
                let text = serde_json::to_string_pretty(&plan)
                    .map_err(|error| CliError::plain(format!("cannot write the plan: {error}")))?;
                writeln!(app.ui.data(), "{text}")?;
            }
            Some(other) => {
                return Err(CliError::plain(format!(
                    "invalid --format {other:?}: it is text or json"
                )));
            }
        }
        Ok(match plan.is_empty() {
            true => ExitStatus::Success,
            false => ExitStatus::Container(SOMETHING_TO_DO),
        })
    }
}

/// One line for each object: what is done to it, and why.
fn described(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        // That what is made is started goes without saying.
        let implied = step.action == Action::Start && step.id.is_empty();
        if implied {
            continue;
        }
        let (kind, word) = words(step);
        text.push_str(&format!("{word:<9} {kind} {}", step.object));
        match step.reasons.as_slice() {
            [] => text.push('\n'),
            [reason] => text.push_str(&format!(": {reason}\n")),
            several => {
                text.push('\n');
                for reason in several {
                    text.push_str(&format!("          {reason}\n"));
                }
            }
        }
    }
    text
}

fn words(step: &Step) -> (&'static str, &'static str) {
    match step.action {
        Action::Pull => ("image", "pull"),
        Action::CreateNetwork => ("network", "create"),
        Action::ReplaceNetwork => ("network", "replace"),
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
    let text = std::fs::read(path)
        .map_err(|error| CliError::plain(format!("cannot read the plan {path}: {error}")))?;
    let kept: Plan = serde_json::from_slice(&text).map_err(|error| {
        CliError::plain(format!("{path} is no plan: {error}"))
            .hint("make one with `compose plan --format json`")
    })?;
    if kept.same_steps(now) {
        return Ok(());
    }
    let differs = |a: &Plan, b: &Plan| {
        let lines = described(b);
        let mut only = String::new();
        for line in described(a).lines().filter(|line| !lines.lines().any(|l| l == *line)) {
            only.push_str(&format!("\n  {line}"));
        }
        only
    };
    let message = format!(
        "the plan {path} does not fit any more, and nothing was done\nonly in the plan:{}\nonly \
         now:{}",
        differs(&kept, now),
        differs(now, &kept)
    );
    Err(CliError::plain(message).hint("look at `compose plan` and make the plan again"))
}
