//! `container inspect`: show all about containers as JSON.

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::CommandResult;
use coracle_view::container;

/// Show all about containers as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct ContainerInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Include SizeRw and SizeRootFs
    #[arg(long, short = 's')]
    pub(crate) size: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ContainerInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect_all(app, &self.args, self.format.as_deref(), |app, name, _| {
            let known = container::find(&app.home, name)?;
            let api = app.settings.api;
            Ok(container::document(&mut app.home, &known, self.size, api)?)
        })
    }
}
