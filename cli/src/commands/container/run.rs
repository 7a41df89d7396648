//! `run`: create a container and run it.

use std::io::Write as _;

use clap::ArgAction;
use coracle_runtime::engine::RemoveOptions;
use coracle_runtime::model::{Attach, Container};

use super::create::make;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::run_flags;
use crate::run_flags::CreateFlags;
use crate::streams::{Conversation, Ended};
use crate::terminal;
use crate::ui::Ui;

/// Create a container from an image and run a command in it
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Leave it in the background and print its id
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
    /// Key sequence that leaves the session without stopping it (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "string")]
    pub(crate) detach_keys: Option<String>,
    /// Forward received signals to the main process
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    pub(crate) sig_proxy: bool,
    #[command(flatten)]
    pub(crate) flags: CreateFlags,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for RunArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let detach_keys = app.detach_keys(self.detach_keys.as_deref())?;
        let mut request = run_flags::request(self.flags, self.args, self.detach, &app.settings)?;
        if let Some((columns, rows)) = terminal::size().filter(|_| request.config.tty) {
            request.host.console_size = [rows.into(), columns.into()];
        }
        let config = &request.config;
        let attach = Attach {
            stdin: config.attach_stdin && config.open_stdin,
            stdout: config.attach_stdout,
            stderr: config.attach_stderr,
            size: terminal::size().filter(|_| config.tty),
        };
        if config.tty && attach.stdin && !Ui::stdin_is_terminal() {
            return Err(CliError::plain(
                "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
            )
            .verbatim());
        }
        let (engine, session) = app.engine_in_session()?;
        request.id = Some(engine.call_ahead(session)?);
        let container = make(app, request)?;
        let tty = container.config.tty;
        let unseen = !self.detach && !shows_output(&container);
        let (engine, session) = app.engine_in_session()?;
        let mut started = match engine.start(session, &container.id, attach) {
            Ok(started) => started,
            Err(error) => return failed(app, &container, self.detach, error.into()),
        };
        app.witness = None;
        app.warn(&started.warnings);
        if self.detach {
            writeln!(app.ui.data(), "{}", container.id)?;
            return Ok(ExitStatus::Success);
        }
        let conversation =
            Conversation { stdin: attach.stdin, tty, sig_proxy: self.sig_proxy, detach_keys };
        if unseen {
            writeln!(app.ui.data(), "{}", container.id)?;
            app.ui.flush()?;
        }
        let ended = conversation.run(&mut started.connection)?;
        let status = exit_status(app, &container.id, ended)?;
        // With its id printed it is in the background, as far as the caller is concerned.
        Ok(if unseen { ExitStatus::Success } else { status })
    }
}

/// Whether anything that the container writes is to be seen here.
fn shows_output(container: &Container) -> bool {
    container.config.attach_stdout || container.config.attach_stderr
}

/// The container did not start. It stays, except with `--rm`.
fn failed(app: &mut App, container: &Container, detach: bool, error: CliError) -> CommandResult {
    if container.host_config.auto_remove {
        let (engine, session) = app.engine_in_session()?;
        let options = RemoveOptions { force: true, volumes: true };
        // Why it did not start matters more than what is left of it.
        drop(engine.remove(session, &container.id, options));
    } else if detach {
        writeln!(app.ui.data(), "{}", container.id)?;
    }
    let wanted = std::env::consts::ARCH;
    let platform = &container.platform;
    let foreign = !platform.is_empty()
        && !platform.ends_with(&format!("/{}", crate::commands::system::version::architecture()));
    let not_executable = error.status == ExitStatus::NotExecutable;
    Err(match foreign && not_executable {
        true => error.hint(format!("the image is for {platform}, this machine is {wanted}")),
        false => error,
    })
}

/// The exit code of a conversation that was attached to a container.
pub(crate) fn exit_status(app: &App, id: &str, ended: Ended) -> CommandResult {
    match ended {
        Ended::Exited(code) => Ok(code_of(code)),
        Ended::Detached => Ok(ExitStatus::Success),
        // The monitor was killed; what the records say is all there is.
        Ended::Lost => {
            let Ok(life) = app.engine()?.records.life(id) else {
                let message = format!("the monitor of container {id} was killed while removing it");
                return Err(CliError::plain(message).hint("its exit code is not known"));
            };
            Ok(code_of(life.state.exit_code))
        }
    }
}

pub(crate) fn code_of(code: i32) -> ExitStatus {
    ExitStatus::Container(u8::try_from(code).unwrap_or(u8::MAX))
}
