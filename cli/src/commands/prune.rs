//! What the commands that remove the unused share: their flags, the question, their report.

use std::io::{self, Write as _};

use clap::Arg;

use crate::app::App;
use crate::args::values::{self, Filter};
use crate::filters::for_prune;

// No doc comment: it would replace the description of the command it is part of.
#[derive(Debug, clap::Args)]
pub(crate) struct PruneFlags {
    /// Remove only matches, key=value
    #[arg(long, value_name = "filter", value_parser = values::filter)]
    filter: Vec<Filter>,
    /// Skip the confirmation question
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
}

/// The help of `--filter` with the keys that a command knows.
pub(crate) fn with_keys(keys: &str) -> impl FnMut(Arg) -> Arg {
    let help = format!("Remove only matches, key=value ({keys})");
    move |arg| if arg.get_id() == "filter" { arg.help(help.clone()) } else { arg }
}

impl PruneFlags {
    /// Those given, and those of the client's configuration file.
    pub(crate) fn filters(&self, app: &App) -> Vec<Filter> {
        for_prune(app, &self.filter)
    }

    /// Asks before something is removed, unless it is forced.
    pub(crate) fn confirms(&self, app: &mut App, what: &str) -> io::Result<bool> {
        if self.force {
            return Ok(true);
        }
        writeln!(app.ui.data(), "WARNING! This will remove {what}.")?;
        app.ui.confirm("Are you sure you want to continue?")
    }
}

/// What was removed, below a title; nothing of nothing.
pub(crate) fn section(app: &mut App, title: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(app.ui.data(), "{title}")?;
    for line in lines {
        writeln!(app.ui.data(), "{line}")?;
    }
    writeln!(app.ui.data())
}
