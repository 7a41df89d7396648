//! `man`: write the man pages into a folder.
//!
//! A page has what the help has, examples, and what the exit codes mean.

use std::fmt::Write as _;
use std::path::Path;

use clap::Command;

use crate::app::App;
use crate::args::{Exits, Runnable, Table, examples, tree};
use crate::error::{CliError, CommandResult, ExitStatus};

/// Write the man pages into a folder
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

const PROGRAM: &str = "coracle";

impl Runnable for ManArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let folder = Path::new(self.args.first().map_or(".", String::as_str));
        std::fs::create_dir_all(folder).map_err(|e| {
            CliError::plain(format!("cannot make the folder {}: {e}", folder.display()))
        })?;
        write_page(app.table, folder, tree(PROGRAM, app.table), "")?;
        Ok(ExitStatus::Success)
    }
}

/// Writes the pages of a command and of those below it; `path` is `container ls` and the like.
fn write_page(table: &Table, folder: &Path, command: Command, path: &str) -> Result<(), CliError> {
    for inner in command.get_subcommands() {
        let path = format!("{path} {}", inner.get_name());
        write_page(table, folder, inner.clone(), path.trim_start())?;
    }
    let name = format!("{PROGRAM} {path}").trim_end().replace(' ', "-");
    let file = folder.join(format!("{name}.1"));
    let fail = |e: std::io::Error| CliError::plain(format!("cannot write {}: {e}", file.display()));
    let mut page = Vec::new();
    let command = command.display_name(&name).bin_name(format!("{PROGRAM} {path}").trim_end());
    clap_mangen::Man::new(command).title(&name).render(&mut page).map_err(fail)?;
    page.extend_from_slice(more(table, path).as_bytes());
    // In a locale without it `man` would leave it out.
    let page = String::from_utf8_lossy(&page).replace('…', "...");
    std::fs::write(&file, page).map_err(fail)
}

/// The sections that the parser of the command line knows nothing of.
fn more(table: &Table, path: &str) -> String {
    let mut out = String::from(".SH EXAMPLES\n");
    for example in examples(table, path) {
        write!(out, ".PP\n.nf\n{PROGRAM} {}\n.fi\n", escaped(&example)).unwrap_or_default();
    }
    out.push_str(".SH \"EXIT STATUS\"\n");
    for (code, meaning) in exit_codes(table, path) {
        write!(out, ".TP\n.B {code}\n{}\n", escaped(meaning)).unwrap_or_default();
    }
    out
}

/// For roff, a dash between words may be broken, and a backslash is a command.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

fn exit_codes(table: &Table, path: &str) -> &'static [(&'static str, &'static str)] {
    match table.by_name(path).map_or(Exits::Done, |spec| spec.exits) {
        Exits::Program => &[
            ("0", "The command in the container succeeded."),
            ("125", "The container could not be made or started, or a flag is wrong."),
            ("126", "The command cannot be executed."),
            ("127", "The command was not found."),
            (
                "other",
                "The exit code of the command; 128 and the number of the signal that ended it.",
            ),
        ],
        Exits::Made => {
            &[("0", "The container is made."), ("125", "It is not, or a flag is wrong.")]
        }
        Exits::Joined => &[
            ("0", "The command succeeded, or runs in the background."),
            ("1", "The container does not run, or is not there."),
            ("125", "A flag is wrong."),
            ("126", "The command cannot be executed."),
            ("127", "The command was not found."),
            ("other", "The exit code of the command."),
        ],
        Exits::Attached => &[
            ("0", "It succeeded; attached, also the container did."),
            ("1", "The container is not there, or does not start."),
            ("125", "A flag is wrong."),
            ("other", "The exit code of the container, when attached to it."),
        ],
        Exits::Done => &[
            ("0", "Everything that was asked for is done."),
            ("1", "Something is not; standard error says what."),
            ("125", "A flag is unknown or has a wrong value."),
        ],
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::system::man::{escaped, more};
    use crate::commands::table::TABLE;

    #[test]
    fn every_page_has_examples_and_exit_codes() {
        let page = more(&TABLE, "container run");
        assert!(page.contains("coracle container run \\-\\-rm \\-it alpine sh\n"), "{page}");
        assert!(page.contains(".SH \"EXIT STATUS\"\n.TP\n.B 0\n"), "{page}");
        assert!(more(&TABLE, "").contains("coracle run "), "{}", more(&TABLE, ""));
        assert_eq!(escaped("a-b\\t"), "a\\-b\\et");
    }
}
