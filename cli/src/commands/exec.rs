//! `exec`: run a further command in a running container.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::engine::ExecRequest;
use coracle_runtime::monitor::Attach;

use super::run::code_of;
use crate::app::App;
use crate::args::Runnable;
use crate::containers::find_id;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::run_flags;
use crate::streams::{Ended, Session};
use crate::terminal::{self, DetachKeys};
use crate::ui::Ui;

/// Run a further command in a running container
#[derive(Debug, clap::Args)]
pub(crate) struct ExecArgs {
    /// Start the process and return at once
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
    /// Key sequence that leaves the session without stopping it (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "string")]
    pub(crate) detach_keys: Option<String>,
    /// KEY=VALUE; bare KEY copies the value from the client environment
    #[arg(long, short = 'e', value_name = "list")]
    pub(crate) env: Vec<String>,
    /// File of KEY=VALUE lines, later files win, --env wins over files
    #[arg(long, value_name = "list")]
    pub(crate) env_file: Vec<String>,
    /// Keep standard input open
    #[arg(long, short = 'i')]
    pub(crate) interactive: bool,
    /// Run the process with all privileges
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Allocate a pseudo-terminal
    #[arg(long, short = 't')]
    pub(crate) tty: bool,
    /// NAME or UID with optional :GROUP or :GID
    #[arg(long, short = 'u', value_name = "string")]
    pub(crate) user: Option<String>,
    /// Working directory for the process
    #[arg(long, short = 'w', value_name = "string")]
    pub(crate) workdir: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ExecArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (name, argv) = self.args.split_first().ok_or_else(|| CliError::plain(""))?;
        if self.tty && self.interactive && !self.detach && !Ui::stdin_is_terminal() {
            return Err(CliError::plain("the input device is not a TTY"));
        }
        let detach_keys = DetachKeys::parse(self.detach_keys.as_deref())?;
        let env = run_flags::environment(&self.env_file, &self.env, &app.settings.environment)?;
        let id = find_id(app, name)?;
        let stdin = self.interactive && !self.detach;
        let attach = Attach { stdin, stdout: !self.detach, stderr: !self.detach };
        let (columns, rows) = terminal::size().filter(|_| self.tty).unwrap_or_default();
        let request = ExecRequest {
            argv: argv.to_vec(),
            env,
            user: self.user.clone().unwrap_or_default(),
            working_dir: self.workdir.clone().unwrap_or_default(),
            tty: self.tty,
            privileged: self.privileged,
            attach,
            console_size: [rows.into(), columns.into()],
        };
        let mut executed = match app.engine()?.exec(&id, request) {
            Ok(executed) => executed,
            Err(error) => return self.refused(app, error),
        };
        if self.detach {
            return Ok(ExitStatus::Success);
        }
        let session = Session { stdin, tty: self.tty, sig_proxy: !self.tty, detach_keys };
        match session.run(&mut executed.connection)? {
            Ended::Exited(code) => Ok(code_of(code)),
            Ended::Detached => Ok(ExitStatus::Success),
            Ended::Lost => Err(CliError::engine("the process ended without telling its exit code")),
        }
    }
}

impl ExecArgs {
    /// A program that does not start is told of on standard output, as Docker does.
    fn refused(&self, app: &mut App, error: EngineError) -> CommandResult {
        let EngineError::Start(failure) = &error else { return Err(error.into()) };
        if self.detach || !matches!(failure.code, 126..=128) {
            return Err(CliError::from(error).status(ExitStatus::Failure));
        }
        write!(app.ui.data(), "{}\r\n", failure.message)?;
        Ok(code_of(failure.code))
    }
}
