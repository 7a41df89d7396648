//! Volumes whose configuration changed, and the question about what is in them.

use std::io::Write as _;

use coracle_compose::plan::{Options, Plan};
use coracle_compose::project::Project;

use super::act::{Images, make_plan};
use crate::app::App;
use crate::compose::project::place::File;
use crate::compose::screen::board;
use crate::error::CliError;
use crate::ui::Ui;

/// Such volumes are made anew when the user says so.
pub(crate) fn ask_about_volumes(
    app: &mut App,
    file: &File,
    project: &Project,
    images: &Images,
    options: &mut Options,
    plan: Plan,
) -> Result<Plan, CliError> {
    if plan.stale_volumes.is_empty() || app.compose.dry_run {
        return Ok(plan);
    }
    for name in &plan.stale_volumes {
        let question = format!(
            "Volume {name:?} exists but doesn't match configuration in compose file. Recreate \
             (data will be lost)?"
        );
        board::settle();
        if Ui::stdin_is_terminal() {
            options.replace_volumes |= app.ui.confirm(&question)?;
        } else {
            writeln!(app.ui.data(), "{question}")?;
        }
    }
    if !options.replace_volumes {
        return Ok(plan);
    }
    make_plan(app, file, project, images, options)
}
