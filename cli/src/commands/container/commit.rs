//! `commit`: make an image of a container's filesystem.

use std::io::Write as _;

use coracle_image::{Digest, Reference};
use coracle_runtime::engine::CommitRequest;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::container::find_id;

/// Make an image of a container's filesystem
#[derive(Debug, clap::Args)]
pub(crate) struct CommitArgs {
    /// Author string recorded in the new image
    #[arg(long, short = 'a', value_name = "string")]
    pub(crate) author: Option<String>,
    /// Dockerfile instruction to apply to the resulting image config
    #[arg(long, short = 'c', value_name = "list")]
    pub(crate) change: Vec<String>,
    /// Commit message stored in the image history
    #[arg(long, short = 'm', value_name = "string")]
    pub(crate) message: Option<String>,
    /// Do not freeze the container while it is being committed
    #[arg(long)]
    pub(crate) no_pause: bool,
    /// Freeze the container during the commit (deprecated, see --no-pause)
    #[arg(
        long, short = 'p', num_args = 0..=1, require_equals = true, hide = true,
        default_missing_value = "true", value_name = "bool", value_parser = values::switch
    )]
    pub(crate) pause: Option<bool>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for CommitArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.pause.is_some() && self.no_pause {
            let text = "conflicting options: --no-pause and --pause cannot be used together";
            return Err(CliError::plain(text));
        }
        let name = name_of(app, self.args.get(1))?;
        let id = find_id(&app.home, &self.args[0])?;
        let request = CommitRequest {
            author: self.author.filter(|author| !author.is_empty()),
            message: self.message.filter(|message| !message.is_empty()),
            changes: self.change,
            pause: self.pause.unwrap_or(!self.no_pause),
            name,
        };
        let image = commit(app, &id, &request)?;
        writeln!(app.ui.data(), "{image}")?;
        Ok(ExitStatus::Success)
    }
}

/// The name an image is to get, if any.
pub(crate) fn name_of(app: &App, typed: Option<&String>) -> Result<Option<Reference>, CliError> {
    let name = typed.filter(|name| !name.is_empty()).map(|name| app.home.names().resolve(name));
    let name = name.transpose().map_err(|e| CliError::plain(e.to_string()))?;
    Ok(name.map(Reference::with_default_tag))
}

/// Makes an image of a container; gives its id.
pub(crate) fn commit(app: &mut App, id: &str, request: &CommitRequest) -> Result<Digest, CliError> {
    app.adding_images(|app| {
        let (engine, session, store) = app.home.engine_and_store()?;
        engine.commit(session, store, id, request).map_err(CliError::from)
    })
}
