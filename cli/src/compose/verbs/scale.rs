//! `compose scale`: as many containers as are asked for.

use coracle_compose::apply::Settings;
use coracle_compose::plan::Options;
use coracle_compose::project::graph;

use crate::app::App;
use crate::args::Runnable;
use crate::compose::doing::act::{act, at_once, lock_project, make_plan};
use crate::compose::images::ensure;
use crate::compose::images::ensure::Wish;
use crate::compose::project::place;
use crate::compose::project::place::error;
use crate::compose::project::scale::scale;
use crate::compose::screen::dry;
use crate::compose::screen::progress::Progress;
use crate::error::{CommandResult, ExitStatus};

/// Set the numbers of containers of services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeScaleArgs {
    /// Leave dependencies alone
    #[arg(long)]
    no_deps: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeScaleArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        // Files of variables of other services are not asked for.
        let named = self.args.iter().map(|text| text.split('=').next().unwrap_or_default());
        let named: Vec<String> = named.map(str::to_owned).collect();
        let file = place::file(app, &named)?;
        let scale = scale(&self.args, &file)?;
        let targets: Vec<String> = scale.keys().cloned().collect();
        let project = graph::select(&file.project, &targets, !self.no_deps).map_err(error)?;
        let images = ensure::ensure(app, &project, &Wish::default())?;
        app.outside = None;
        let options = Options { scale, targets, start: true, ..Options::default() };
        lock_project(app, &project.name)?;
        let plan = make_plan(app, &file, &project, &images, &options)?;
        let mut progress = Progress::new(app);
        if app.compose.dry_run {
            dry::plan(&plan, progress);
            return Ok(ExitStatus::Success);
        }
        let settings = Settings { at_once: at_once(app), ..Settings::default() };
        act(app, Some(&file), &project, &images, settings, &mut progress, |apply| {
            apply.run(&plan)
        })?;
        Ok(ExitStatus::Success)
    }
}
