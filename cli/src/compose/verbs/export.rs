//! `compose export`: write the files of a container of a service as a tar.

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::export::{DOING, export};
use crate::compose::project::target;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::files::Output;
use crate::ui::Ui;

/// Write the files of a container of a service as a tar
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeExportArgs {
    /// Number of the container in its service (default: the first that runs)
    #[arg(long, value_name = "int", value_parser = values::int)]
    index: Option<i64>,
    /// File to write instead of standard output
    #[arg(long, short = 'o', value_name = "string")]
    output: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeExportArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = target::project(app)?;
        let known = target::running(app, &project.name, &self.args[0], self.index.unwrap_or(0))?;
        let path = self.output.as_deref().filter(|path| !path.is_empty());
        if path.is_none() && Ui::stdout_is_terminal() {
            let text = "output option is required when exporting to terminal";
            return Err(CliError::plain(text));
        }
        let name = &known.container.name;
        if app.compose.dry_run {
            Progress::new(app).line(name, "Exporting", "");
            Progress::new(app).line(name, "Exported", "");
            return Ok(ExitStatus::Success);
        }
        let output = Output::create(path, DOING)?;
        Progress::new(app).line(name, "Exporting", "");
        export(app, &known.container.id, output)
    }
}
