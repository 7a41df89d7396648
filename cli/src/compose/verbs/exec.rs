//! `compose exec`: run a further command in a container of a service.

use clap::ArgAction;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::exec::Further;
use crate::compose::project::target;
use crate::error::{CliError, CommandResult};
use crate::run_flags;
use crate::ui::Ui;

/// Run a further command in a container of a service
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeExecArgs {
    /// Start the process and return at once
    #[arg(long, short = 'd')]
    detach: bool,
    /// KEY=VALUE; bare KEY copies the value from the client environment
    #[arg(long, short = 'e', value_name = "stringArray")]
    env: Vec<String>,
    /// Number of the container in its service (default: the first that runs)
    #[arg(long, value_name = "int", value_parser = values::int)]
    index: Option<i64>,
    /// Keep standard input open
    #[arg(long, short = 'i', hide = true, default_value_t = true, action = ArgAction::Set)]
    interactive: bool,
    /// Allocate no pseudo-terminal (default: when standard output is none)
    #[arg(long, short = 'T', alias = "no-TTY")]
    no_tty: bool,
    /// Run the process with all privileges
    #[arg(long)]
    privileged: bool,
    /// Has no effect: a terminal is the default
    #[arg(long, short = 't', hide = true, default_value_t = true, action = ArgAction::Set)]
    tty: bool,
    /// NAME or UID with optional :GROUP or :GID
    #[arg(long, short = 'u', value_name = "string")]
    user: Option<String>,
    /// Working directory for the process
    #[arg(long, short = 'w', value_name = "string")]
    workdir: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeExecArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if app.compose.dry_run {
            let why = "what a command does in a container is not known before it is run";
            return Err(CliError::unsupported("--dry-run", why));
        }
        let (service, argv) = self.args.split_first().ok_or_else(|| CliError::plain(""))?;
        let project = target::project(app)?;
        let known = target::running(app, &project.name, service, self.index.unwrap_or(0))?;
        let env = run_flags::environment(&[], &self.env, &project.environment(app))?;
        let further = Further {
            argv: argv.to_vec(),
            env,
            user: self.user.unwrap_or_default(),
            working_dir: self.workdir.unwrap_or_default(),
            tty: !self.no_tty && Ui::stdout_is_terminal(),
            privileged: self.privileged,
            stdin: self.interactive,
            detach: self.detach,
            detach_keys: None,
        };
        further.run(app, &known.container.id)
    }
}
