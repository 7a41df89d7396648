//! `start`: start stopped containers.

use std::io::Write as _;

use coracle_runtime::model::{Attach, Status};

use super::run::exit_status;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus, Failures};
use crate::streams::Conversation;
use crate::terminal;
use crate::ui::Ui;
use coracle_view::container::{Known, find};

/// Start stopped containers
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {
    /// Connect stdout and stderr, pass signals on
    #[arg(long, short = 'a')]
    pub(crate) attach: bool,
    /// Name of the CRIU checkpoint to restore from (experimental) (not supported)
    #[arg(long, value_name = "string")]
    pub(crate) checkpoint: Option<String>,
    /// Directory that holds checkpoints (experimental) (not supported)
    #[arg(long, value_name = "string")]
    pub(crate) checkpoint_dir: Option<String>,
    /// Key sequence that leaves the session without stopping it (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "string")]
    pub(crate) detach_keys: Option<String>,
    /// Attach standard input
    #[arg(long, short = 'i')]
    pub(crate) interactive: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for StartArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let refused = [
            ("--checkpoint", self.checkpoint.is_some()),
            ("--checkpoint-dir", self.checkpoint_dir.is_some()),
        ];
        if let Some((flag, _)) = refused.iter().find(|(_, given)| *given) {
            return Err(CliError::unsupported(flag, "containers cannot be frozen to disk"));
        }
        if self.attach || self.interactive {
            app.detach_keys(self.detach_keys.as_deref())?;
            return self.attached(app);
        }
        let mut failures = Failures::default();
        let mut failed = Vec::new();
        for name in &self.args {
            match start(app, name) {
                Ok(()) => writeln!(app.ui.data(), "{name}")?,
                Err(error) => {
                    failed.push(name.as_str());
                    failures.push(error.status(ExitStatus::Failure));
                }
            }
        }
        failures.finish().map_err(|mut error| {
            let names = failed.join(", ");
            error.message.push_str(&format!("\nfailed to start containers: {names}"));
            error
        })
    }
}

fn start(app: &mut App, name: &str) -> Result<(), CliError> {
    let known = find(&app.home, name)?;
    match known.state.status {
        Status::Running | Status::Restarting => return Ok(()),
        Status::Paused => {
            let text = "cannot start a paused container, try unpause instead";
            return Err(CliError::engine(text));
        }
        _ => {}
    }
    let (engine, session) = app.engine_in_session()?;
    let started = engine.start(session, &known.container.id, Attach::default());
    let started = started.map_err(|error| error.about(name))?;
    app.warn(&started.warnings);
    Ok(())
}

impl StartArgs {
    fn attached(self, app: &mut App) -> CommandResult {
        if self.args.len() > 1 {
            return Err(CliError::plain("you cannot start and attach multiple containers at once"));
        }
        let Known { container, state, .. } = find(&app.home, &self.args[0])?;
        let tty = container.config.tty;
        let stdin = self.interactive && container.config.open_stdin;
        if tty && stdin && !Ui::stdin_is_terminal() {
            return Err(CliError::plain(
                "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
            ));
        }
        let detach_keys = app.detach_keys(self.detach_keys.as_deref())?;
        if state.status == Status::Paused {
            let text = "cannot start a paused container, try unpause instead";
            return Err(CliError::engine(text));
        }
        let size = terminal::size().filter(|_| tty);
        let attach = Attach { stdin, stdout: true, stderr: true, size };
        let (engine, session) = app.engine_in_session()?;
        let mut started = engine
            .start(session, &container.id, attach)
            .map_err(|error| CliError::from(error).status(ExitStatus::Failure))?;
        app.witness = None;
        app.warn(&started.warnings);
        let conversation = Conversation { stdin, tty, sig_proxy: !tty, detach_keys };
        let ended = conversation.run(&mut started.connection)?;
        exit_status(app, &container.id, ended)
    }
}
