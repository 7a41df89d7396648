//! `restart`: stop and start containers.

use coracle_runtime::model::Attach;

use super::end_flags::EndFlags;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::each_at_once;
use crate::error::CommandResult;
use coracle_view::container::find_id;

/// Stop and start containers
#[derive(Debug, clap::Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    pub(crate) end: EndFlags,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for RestartArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (signal, grace) = (self.end.signal()?, self.end.grace());
        each_at_once(
            app,
            &self.args,
            |app, name| {
                let id = find_id(&app.home, name)?;
                let ending = app.engine()?.stop_to_restart(&id, signal, grace);
                Ok((id, name.to_owned(), ending.map_err(|error| error.about(name))?))
            },
            |app, (id, name, ending)| {
                ending.wait()?;
                let (engine, session) = app.engine_in_session()?;
                let started = engine.start_again(session, &id, Attach::default());
                let started = started.map_err(|error| error.about(&name))?;
                app.warn(&started.warnings);
                Ok(true)
            },
        )
    }
}
