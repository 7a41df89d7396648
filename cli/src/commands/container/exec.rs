//! `exec`: run a further command in a running container.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::model::{Attach, ExecRequest};

use super::run::code_of;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::run_flags;
use crate::streams::{Conversation, Ended};
use crate::terminal;
use crate::ui::Ui;
use coracle_view::container::find_id;

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
        // Before anything is looked for, as in Docker.
        app.detach_keys(self.detach_keys.as_deref())?;
        let (name, argv) = self.args.split_first().ok_or_else(|| CliError::plain(""))?;
        let env = run_flags::environment(&self.env_file, &self.env, &app.settings.environment)?;
        let id = find_id(&app.home, name)?;
        let further = Further {
            argv: argv.to_vec(),
            env,
            user: self.user.unwrap_or_default(),
            working_dir: self.workdir.unwrap_or_default(),
            tty: self.tty,
            privileged: self.privileged,
            stdin: self.interactive,
            detach: self.detach,
            detach_keys: self.detach_keys,
        };
        further.run(app, &id)
    }
}

/// A further command of a container, and how we are connected to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Further {
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<String>,
    pub(crate) user: String,
    pub(crate) working_dir: String,
    pub(crate) tty: bool,
    pub(crate) privileged: bool,
    pub(crate) stdin: bool,
    pub(crate) detach: bool,
    pub(crate) detach_keys: Option<String>,
}

impl Further {
    /// Runs it; the status is the command's own. This process joins the container's
    /// namespaces, so it must not have a second thread and does nothing else afterwards.
    pub(crate) fn run(self, app: &mut App, id: &str) -> CommandResult {
        let stdin = self.stdin && !self.detach;
        if self.tty && stdin && !Ui::stdin_is_terminal() {
            return Err(CliError::plain(
                "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
            ));
        }
        let detach_keys = app.detach_keys(self.detach_keys.as_deref())?;
        let (tty, detach) = (self.tty, self.detach);
        let size = terminal::size().filter(|_| tty);
        let request = ExecRequest {
            argv: self.argv,
            env: self.env,
            user: self.user,
            working_dir: self.working_dir,
            tty,
            privileged: self.privileged,
            attach: Attach { stdin, stdout: !detach, stderr: !detach, size },
        };
        let mut executed = match app.engine()?.exec(id, request) {
            Ok(executed) => executed,
            Err(error) => return refused(app, detach, error),
        };
        if detach {
            return Ok(ExitStatus::Success);
        }
        let conversation = Conversation { stdin, tty, sig_proxy: !tty, detach_keys };
        match conversation.run(&mut executed.connection)? {
            Ended::Exited(code) => Ok(code_of(code)),
            Ended::Detached => Ok(ExitStatus::Success),
            Ended::Lost => Err(CliError::engine("the process ended without telling its exit code")),
        }
    }
}

/// A program that does not start is told of on standard output, as Docker does.
fn refused(app: &mut App, detach: bool, error: EngineError) -> CommandResult {
    let EngineError::Start(failure) = &error else { return Err(error.into()) };
    if detach || !matches!(failure.code, 126..=128) {
        return Err(CliError::from(error).status(ExitStatus::Failure));
    }
    const WHERE: &str = "OCI runtime exec failed: exec failed: unable to start container process";
    write!(app.ui.data(), "{WHERE}: {}\r\n", failure.message)?;
    if let Some(hint) = &failure.hint {
        writeln!(app.ui.status(), "hint: {hint}")?;
    }
    Ok(code_of(failure.code))
}
