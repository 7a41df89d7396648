//! `buildx use`, `rm` and `stop`: there is one builder, which is always the one in use and cannot be removed.

use std::io::Write as _;

use super::{NAME, check};
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Whose cache it is, as `buildx` commands take it.
#[derive(Debug, clap::Args)]
pub(crate) struct OfBuilder {
    /// Builder: default, the only one
    #[arg(long, value_name = "string")]
    builder: Option<String>,
}

impl OfBuilder {
    pub(crate) fn check(&self) -> Result<(), CliError> {
        check(self.builder.as_deref().unwrap_or_default())
    }
}

/// Choose the builder: there is one
#[derive(Debug, clap::Args)]
pub(crate) struct BuildxUseArgs {
    /// It is the default
    #[arg(long, hide = true)]
    default: bool,
    /// It is used everywhere
    #[arg(long, hide = true)]
    global: bool,
    #[arg(value_name = "NAME", hide = true)]
    args: Vec<String>,
}

impl Runnable for BuildxUseArgs {
    fn execute(self, _: &mut App) -> CommandResult {
        check(self.args.first().map_or("", String::as_str))?;
        Ok(ExitStatus::Success)
    }
}

/// Stop the builder: nothing runs between builds
#[derive(Debug, clap::Args)]
pub(crate) struct BuildxStopArgs {
    #[arg(value_name = "NAME", hide = true)]
    args: Vec<String>,
}

impl Runnable for BuildxStopArgs {
    fn execute(self, _: &mut App) -> CommandResult {
        self.args.iter().try_for_each(|name| check(name))?;
        Ok(ExitStatus::Success)
    }
}

/// Remove builders: the only one stays
#[derive(Debug, clap::Args)]
pub(crate) struct BuildxRmArgs {
    /// Remove those that nobody uses: there are none
    #[arg(long)]
    all_inactive: bool,
    /// Do not ask
    #[arg(long, short = 'f')]
    force: bool,
    #[arg(value_name = "NAME", hide = true)]
    args: Vec<String>,
}

impl Runnable for BuildxRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.all_inactive && self.args.is_empty() {
            return Ok(ExitStatus::Success);
        }
        let names = if self.args.is_empty() { vec![NAME.to_owned()] } else { self.args };
        for name in names {
            let why = match check(&name) {
                Ok(()) => {
                    "it is part of this program; `buildx prune --all` empties its cache".to_owned()
                }
                Err(_) => format!("no builder {name:?} found"),
            };
            writeln!(app.ui.status(), "failed to remove {name}: {why}")?;
        }
        Err(CliError::plain("ERROR: failed to remove one or more builders"))
    }
}
