//! `compose cp`: copy files between containers of a service and here.

use coracle_compose::project::found::Wanted;
use coracle_runtime::copy::{ContainerPath, CopyOptions};

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::cp::{container_path, copy_in, copy_out};
use crate::compose::project::target;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::container::Known;

/// Copy files between containers of a service and here
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeCpArgs {
    /// Also to containers of run
    #[arg(long)]
    all: bool,
    /// Keep owner and group ids of the copied files
    #[arg(long, short = 'a')]
    archive: bool,
    /// Dereference symbolic links in the source path
    #[arg(long, short = 'L')]
    follow_link: bool,
    /// Number of the container in its service (default: all for copies into it, else one)
    #[arg(long, value_name = "int", value_parser = values::int)]
    index: Option<i64>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeCpArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let [source, target] = self.args.as_slice() else { return Ok(ExitStatus::Success) };
        let refuse = |text: &str| Err(CliError::plain(text));
        if source.is_empty() {
            return refuse("source can not be empty");
        }
        if target.is_empty() {
            return refuse("destination can not be empty");
        }
        let options = CopyOptions { archive: self.archive, follow_link: self.follow_link };
        let dry_run = app.compose.dry_run;
        match (container_path(source), container_path(target)) {
            (Some(_), Some(_)) => refuse("copying between services is not supported"),
            (None, None) => refuse("unknown copy direction"),
            (None, Some(to)) => {
                let all = self.containers(app, to.name)?;
                if source == "-" && all.len() > 1 {
                    let text = "standard input can be copied to one container only";
                    return Err(CliError::plain(text).hint("choose it with --index"));
                }
                let shown = |one: &Known| (one.container.name.clone(), to.path.to_owned());
                for known in &all {
                    let (name, path) = shown(known);
                    let text = format!("{source} to {name}:{path}");
                    Progress::new(app).line(&name, "Copying", &text);
                }
                for known in &all {
                    let (name, path) = shown(known);
                    let text = format!("{source} to {name}:{path}");
                    let to = ContainerPath { name: &known.container.id, path: to.path };
                    if !dry_run {
                        copy_in(app, source, &to, options)?;
                    }
                    Progress::new(app).line(&name, "Copied", &text);
                }
                Ok(ExitStatus::Success)
            }
            (Some(from), None) => {
                let known = self.containers(app, from.name)?.swap_remove(0);
                let name = known.container.name.clone();
                let text = format!("{name}:{} to {target}", from.path);
                Progress::new(app).line(&name, "Copying", &text);
                let from = ContainerPath { name: &known.container.id, path: from.path };
                if !dry_run {
                    copy_out(app, &from, target, options)?;
                }
                Progress::new(app).line(&name, "Copied", &text);
                Ok(ExitStatus::Success)
            }
        }
    }
}

impl ComposeCpArgs {
    /// The containers that are meant: at least one, in the order of their names.
    fn containers(&self, app: &mut App, service: &str) -> Result<Vec<Known>, CliError> {
        let project = target::project(app)?.name;
        let wanted = Wanted { stopped: true, ..Wanted::default() };
        if let Some(index) = self.index.filter(|index| *index > 0) {
            return Ok(vec![target::one(app, &project, service, index, &wanted)?]);
        }
        let services = vec![service.to_owned()];
        let wanted = Wanted { services, one_off: self.all, ..wanted };
        let found = target::all(app, &project, &wanted)?;
        if found.is_empty() {
            let text = format!("no container found for service {service:?}");
            return Err(CliError::plain(text));
        }
        Ok(found)
    }
}
