//! `compose stats`: what the containers of a project use, live.

use coracle_compose::project::found::{self, Wanted};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::stats::{StatsFlags, by_id};
use crate::compose::project::target;
use crate::error::CommandResult;
use coracle_view::container::Known;

/// Show what the containers of services use, live
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeStatsArgs {
    #[command(flatten)]
    flags: StatsFlags,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeStatsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = target::project(app)?.name;
        let wanted = Wanted {
            services: self.args,
            one_off: true,
            stopped: self.flags.all,
            ..Wanted::default()
        };
        self.flags.show(app, &|app| {
            let mut found = found::containers(app.engine()?.list()?, &project, &wanted);
            found.sort_by_key(|one| std::cmp::Reverse(one.container.created));
            Ok(found.into_iter().map(Known::from).map(by_id).collect())
        })
    }
}
