//! `compose rm`: remove stopped containers of services.

use std::io::Write as _;

use coracle_compose::apply::{Kind, Settings, Teardown, seen};
use coracle_compose::plan::Seen;
use coracle_compose::project::found::Wanted;

use crate::app::App;
use crate::args::Runnable;
use crate::compose::doing::act::{Images, act, project_of};
use crate::compose::project::place;
use crate::compose::screen::dry;
use crate::compose::screen::progress::Progress;
use crate::error::{CommandResult, ExitStatus};

/// Remove stopped service containers
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeRmArgs {
    /// No effect: containers of run are never removed
    #[arg(long, short = 'a', hide = true)]
    all: bool,
    /// Do not ask
    #[arg(long, short = 'f')]
    force: bool,
    /// Stop running containers first
    #[arg(long, short = 's')]
    stop: bool,
    /// Remove anonymous volumes too
    #[arg(long, short = 'v')]
    volumes: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let place = place::project(app, &self.args)?;
        let project = project_of(app, &place)?;
        let wanted = Wanted { services: self.args.clone(), stopped: true, ..Wanted::default() };
        let all: Vec<Seen> = place::find_enabled(app, &place, &wanted)?.iter().map(seen).collect();
        let mut progress = Progress::new(app);
        let file = place.file.as_deref();
        let dry_run = app.compose.dry_run;
        if self.stop && !dry_run {
            let running: Vec<Seen> =
                all.iter().filter(|seen| seen.status.is_running()).cloned().collect();
            let settings = Settings::default();
            act(app, file, &project, &Images::new(), settings, &mut progress, |apply| {
                apply.tear_down(&running, Teardown::Stop)
            })?;
        }
        let gone: Vec<Seen> =
            all.into_iter().filter(|seen| self.stop || !seen.status.is_running()).collect();
        if gone.is_empty() {
            writeln!(app.ui.status(), "No stopped containers")?;
            return Ok(ExitStatus::Success);
        }
        let names: Vec<&str> = gone.iter().map(|seen| seen.name.as_str()).collect();
        let question = format!("Going to remove {}", names.join(", "));
        crate::compose::screen::board::settle();
        if self.force {
            writeln!(app.ui.data(), "{question}")?;
        } else if !crate::ui::Ui::stdin_is_terminal() {
            // Nobody is there to say yes.
            writeln!(app.ui.data(), "{question}")?;
            return Ok(ExitStatus::Success);
        } else if !app.ui.confirm(&question)? {
            return Ok(ExitStatus::Success);
        }
        if dry_run {
            for seen in &gone {
                dry::tell(&mut progress, Kind::Container, &seen.name, &["Removing", "Removed"]);
            }
            return Ok(ExitStatus::Success);
        }
        let settings = Settings::default();
        act(app, file, &project, &Images::new(), settings, &mut progress, |apply| {
            gone.iter().try_for_each(|seen| apply.remove(&seen.id, &seen.name, self.volumes))
        })?;
        Ok(ExitStatus::Success)
    }
}
