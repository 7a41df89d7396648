//! `man`: write the man pages into a folder.

use std::path::Path;

use clap::Command;

use crate::app::App;
use crate::args::{Runnable, tree};
use crate::error::{CliError, CommandResult, ExitStatus};

/// Write the man pages into a folder
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ManArgs {
    fn execute(self, _app: &mut App) -> CommandResult {
        let folder = Path::new(self.args.first().map_or(".", String::as_str));
        write_page(folder, tree("coracle"), "coracle")?;
        Ok(ExitStatus::Success)
    }
}

fn write_page(folder: &Path, command: Command, name: &str) -> Result<(), CliError> {
    for inner in command.get_subcommands() {
        write_page(folder, inner.clone(), &format!("{name}-{}", inner.get_name()))?;
    }
    let path = folder.join(format!("{name}.1"));
    let fail = |e: std::io::Error| CliError::plain(format!("cannot write {}: {e}", path.display()));
    let mut page = Vec::new();
    clap_mangen::Man::new(command).title(name).render(&mut page).map_err(fail)?;
    std::fs::write(&path, page).map_err(fail)
}
