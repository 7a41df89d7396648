//! `completion`: the script that makes a shell complete words, printed or installed.
//!
//! Bash, zsh and fish ask this program at each press of the key; elvish and PowerShell get a script that knows
//! commands and flags.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use clap_complete::Shell as Other;

use crate::app::App;
use crate::args::{Runnable, tree};
use crate::completion::{NAMES, Shell, script};
use crate::error::{CliError, CommandResult, ExitStatus};

/// Print or install the completion script of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArgs {
    /// Write it where the shell looks for it (of the shell in $SHELL, unless one is named)
    #[arg(long, conflicts_with = "remove")]
    pub(crate) install: bool,
    /// Remove what was installed
    #[arg(long)]
    pub(crate) remove: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// What the beginning of a file of ours says.
const MARK: &str = "# Made by `coracle completion ";
const BASH_COMPLETION: &str = "/usr/share/bash-completion/bash_completion";

impl Runnable for CompletionArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let named = self.args.first().map_or("", String::as_str);
        if self.install || self.remove {
            let own = app.settings.environment.get("SHELL").unwrap_or_default();
            let own = own.rsplit('/').next().unwrap_or_default().to_owned();
            let wanted = if named.is_empty() { &own } else { named };
            let Ok(shell) = Shell::from_str(wanted) else {
                let words = format!("no completions are installed for the shell {wanted:?}");
                let hint = "name bash, zsh or fish; `completion elvish` prints a script";
                return Err(CliError::plain(words).hint(hint));
            };
            let files = files(app, shell)?;
            return if self.install { install(app, shell, &files) } else { remove(app, &files) };
        }
        if let Ok(shell) = Shell::from_str(named) {
            app.ui.data().write_all(script(shell, &NAMES).as_bytes())?;
            return Ok(ExitStatus::Success);
        }
        let shell = Other::from_str(named).map_err(|_| {
            CliError::plain(format!("no completions for {named:?}"))
                .hint("the shells are bash, zsh, fish, elvish and powershell")
        })?;
        let mut tree = tree(app.program, app.table);
        clap_complete::generate(shell, &mut tree, app.program, app.ui.data());
        Ok(ExitStatus::Success)
    }
}

/// Where the script lies for each name.
fn files(app: &App, shell: Shell) -> Result<Vec<PathBuf>, CliError> {
    let home = app.settings.environment.get("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| CliError::plain("HOME is not set: where is your home?"))?;
    let data = app.settings.environment.get("XDG_DATA_HOME").filter(|folder| !folder.is_empty());
    let data = data.map_or_else(|| Path::new(home).join(".local/share"), PathBuf::from);
    Ok(match shell {
        Shell::Bash => {
            let folder = data.join("bash-completion/completions");
            NAMES.iter().map(|name| folder.join(name)).collect()
        }
        // One file is for all names: its first line says so.
        Shell::Zsh => vec![data.join("zsh/site-functions/_coracle")],
        Shell::Fish => {
            let folder = app.settings.config_home.join("fish/completions");
            NAMES.iter().map(|name| folder.join(format!("{name}.fish"))).collect()
        }
    })
}

/// Whether nobody else wrote it.
fn is_free(file: &Path) -> bool {
    match std::fs::read_to_string(file) {
        Ok(text) => text.lines().take(2).any(|line| line.starts_with(MARK)),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn install(app: &mut App, shell: Shell, files: &[PathBuf]) -> CommandResult {
    for (at, file) in files.iter().enumerate() {
        // Where each name has a file, that of another may be somebody else's.
        let names = if files.len() == NAMES.len() { &NAMES[at..=at] } else { &NAMES[..] };
        if !is_free(file) {
            writeln!(app.ui.status(), "{} is not ours, and stays as it is", file.display())?;
            continue;
        }
        let fail = |error| CliError::plain(format!("cannot write {}: {error}", file.display()));
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        std::fs::write(file, script(shell, names)).map_err(fail)?;
        writeln!(app.ui.data(), "Wrote {}", file.display())?;
    }
    let folder = files[0].parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let then = match shell {
        Shell::Bash if Path::new(BASH_COMPLETION).exists() => "A new shell has it.".to_owned(),
        Shell::Bash => format!(
            "bash-completion is not installed: a new shell has it after `echo 'source {}' >> ~/.bashrc`.",
            files[0].display()
        ),
        Shell::Zsh => format!(
            "A new shell has it when ~/.zshrc says `fpath=({folder} $fpath); autoload -U compinit; compinit`."
        ),
        Shell::Fish => "A new shell has it.".to_owned(),
    };
    writeln!(app.ui.data(), "{then}")?;
    Ok(ExitStatus::Success)
}

fn remove(app: &mut App, files: &[PathBuf]) -> CommandResult {
    for file in files.iter().filter(|file| file.exists() && is_free(file)) {
        let fail = |error| CliError::plain(format!("cannot remove {}: {error}", file.display()));
        std::fs::remove_file(file).map_err(fail)?;
        writeln!(app.ui.data(), "Removed {}", file.display())?;
    }
    Ok(ExitStatus::Success)
}
