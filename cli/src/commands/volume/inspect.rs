//! `volume inspect`: show all about volumes as JSON.

use coracle_view::volume;

use crate::app::App;
use crate::args::Runnable;
use crate::documents;
use crate::error::{CommandResult, Failures};

/// Show all about volumes as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for VolumeInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let template = documents::template(self.format.as_deref())?;
        let mut failures = Failures::default();
        let mut found = Vec::new();
        for name in &self.args {
            found.extend(failures.check(volume::document(&app.home, name)));
        }
        documents::print(&mut app.ui, template.as_ref(), &found, failures)
    }
}
