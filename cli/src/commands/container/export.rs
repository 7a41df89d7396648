//! `export`: write a container's filesystem as a tar.

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};
use crate::files::Output;
use crate::threads::apart;
use coracle_view::container::find_id;

/// Write a container's filesystem as a tar
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// File to write instead of standard output
    #[arg(long, short = 'o', value_name = "string")]
    pub(crate) output: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ExportArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let output = Output::create(self.output.as_deref(), DOING)?;
        let id = find_id(&app.home, &self.args[0])?;
        export(app, &id, output)
    }
}

/// What messages about the output begin with.
pub(crate) const DOING: &str = "failed to export container";

/// Writes the files of a container.
pub(crate) fn export(app: &mut App, id: &str, mut output: Output) -> CommandResult {
    let (engine, session) = app.engine_in_session()?;
    let session = &*session;
    apart(|| engine.export(session, id, &mut output))??;
    output.finish()?;
    Ok(ExitStatus::Success)
}
