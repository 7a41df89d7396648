//! `compose commit`: make an image of a container of a service.

use clap::ArgAction;
use coracle_runtime::engine::CommitRequest;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::commit::{commit, name_of};
use crate::compose::project::target;
use crate::compose::screen::progress::Progress;
use crate::error::{CommandResult, ExitStatus};

/// Make an image of a container of a service
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeCommitArgs {
    /// Author string recorded in the new image
    #[arg(long, short = 'a', value_name = "string")]
    author: Option<String>,
    /// Dockerfile instruction to apply to the resulting image config
    #[arg(long, short = 'c', value_name = "list")]
    change: Vec<String>,
    /// Number of the container in its service (default: the first that runs)
    #[arg(long, value_name = "int", value_parser = values::int)]
    index: Option<i64>,
    /// Commit message stored in the image history
    #[arg(long, short = 'm', value_name = "string")]
    message: Option<String>,
    /// Freeze the container during the commit
    #[arg(long, short = 'p', default_value_t = true, action = ArgAction::Set)]
    pause: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeCommitArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = target::project(app)?;
        let known = target::running(app, &project.name, &self.args[0], self.index.unwrap_or(0))?;
        let request = CommitRequest {
            author: self.author.filter(|author| !author.is_empty()),
            message: self.message.filter(|message| !message.is_empty()),
            changes: self.change,
            pause: self.pause,
            name: name_of(app, self.args.get(1))?,
        };
        let name = &known.container.name;
        Progress::new(app).line(name, "Committing", "");
        if app.compose.dry_run {
            Progress::new(app).line(name, "Committed", "");
            return Ok(ExitStatus::Success);
        }
        let image = commit(app, &known.container.id, &request)?;
        Progress::new(app).line(name, &format!("Committed as {image}"), "");
        Ok(ExitStatus::Success)
    }
}
