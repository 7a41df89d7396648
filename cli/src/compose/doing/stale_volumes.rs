//! Volumes whose configuration changed, and the question about what is in them.

use std::io::Write as _;

use coracle_compose::plan::{Options, Plan};
use coracle_compose::project::Project;

use super::act::{Images, remake_plan};
use crate::app::App;
use crate::compose::project::place::File;
use crate::compose::screen::board;
use crate::error::CliError;
use crate::ui::Ui;

/// Such volumes are made anew when the user says so, each for itself; `yes` says it for all.
pub(crate) fn ask_about_volumes(
    app: &mut App,
    file: &File,
    project: &Project,
    images: &Images,
    options: &mut Options,
    plan: Plan,
    yes: bool,
) -> Result<Plan, CliError> {
    if plan.stale_volumes.is_empty() || app.compose.dry_run {
        return Ok(plan);
    }
    for name in &plan.stale_volumes {
        let question = format!(
            "Volume {name:?} exists but doesn't match configuration in compose file. Recreate \
             (data will be lost)?"
        );
        let agreed = if yes {
            true
        } else if Ui::stdin_is_terminal() {
            board::settle();
            app.ui.confirm(&question)?
        } else {
            board::settle();
            writeln!(app.ui.data(), "{question}")?;
            false
        };
        if agreed {
            options.replace_volumes.insert(name.clone());
        }
    }
    if options.replace_volumes.is_empty() {
        return Ok(plan);
    }
    // What was warned of was told already.
    remake_plan(app, file, project, images, options)
}
