//! `container inspect`: show all about containers as JSON.

use serde_json::Value;

use crate::app::App;
use crate::args::Runnable;
use crate::containers::{self, Known};
use crate::documents::{self, value_of};
use crate::error::{CliError, CommandResult, Failures};

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
            let document =
                containers::find(app, name).and_then(|known| document(app, &known, self.size));
            found.extend(failures.check(document));
        }
        documents::print(&mut app.ui, template.as_ref(), &found, failures)
    }
}

/// What Docker tells of a container, in its order.
pub(crate) fn document(app: &mut App, known: &Known, size: bool) -> Result<Value, CliError> {
    let mut document = app.engine()?.inspect(&known.container.id)?;
    if size {
        let (own, whole) = containers::size(app, known)?;
        document.size_rw = i64::try_from(own).ok();
        document.size_root_fs = i64::try_from(whole).ok();
    }
    value_of(&document)
}
