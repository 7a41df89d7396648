//! `container inspect`: show all about containers as JSON.

use crate::app::App;
use crate::args::Runnable;
use crate::documents;
use crate::error::{CliError, CommandResult, Failures};
use coracle_view::{Api, container};

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
        let template = documents::template(self.format.as_deref())?;
        let mut failures = Failures::default();
        let mut found = Vec::new();
        for name in &self.args {
            let document = container::find(&app.home, name).and_then(|known| {
                container::document(&mut app.home, &known, self.size, Api::V1_51)
            });
            found.extend(failures.check(document.map_err(CliError::from)));
        }
        documents::print(&mut app.ui, template.as_ref(), &found, failures)
    }
}
