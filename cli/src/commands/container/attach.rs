//! `attach`: attach to the main process of a running container.

use clap::ArgAction;
use coracle_runtime::model::{Attach, Status};

use super::run::exit_status;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult};
use crate::streams::Conversation;
use crate::ui::Ui;
use coracle_view::container::{Known, find};

/// Attach to the main process of a running container
#[derive(Debug, clap::Args)]
pub(crate) struct AttachArgs {
    /// Key sequence that leaves the session without stopping it (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "string")]
    pub(crate) detach_keys: Option<String>,
    /// Leave standard input unattached
    #[arg(long)]
    pub(crate) no_stdin: bool,
    /// Forward received signals to the main process (not in TTY mode)
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    pub(crate) sig_proxy: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for AttachArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        // Before anything is looked for, as in Docker.
        app.detach_keys(self.detach_keys.as_deref())?;
        let known = find(&app.home, &self.args[0])?;
        let how = Attachment {
            detach_keys: self.detach_keys,
            stdin: !self.no_stdin,
            sig_proxy: self.sig_proxy,
        };
        how.hold(app, &known)
    }
}

/// How to be attached.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) detach_keys: Option<String>,
    pub(crate) stdin: bool,
    pub(crate) sig_proxy: bool,
}

impl Attachment {
    /// Attaches until the container ends or the user leaves.
    pub(crate) fn hold(self, app: &mut App, known: &Known) -> CommandResult {
        let refuse = |text: &str| Err(CliError::plain(text));
        match known.state.status {
            Status::Running => {}
            Status::Paused => {
                return refuse("cannot attach to a paused container, unpause it first");
            }
            Status::Restarting => {
                return refuse("cannot attach to a restarting container, wait until it is running");
            }
            _ => return refuse("cannot attach to a stopped container, start it first"),
        }
        let config = &known.container.config;
        let stdin = config.open_stdin && self.stdin;
        if config.tty && stdin && !Ui::stdin_is_terminal() {
            return refuse(
                "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
            );
        }
        let id = &known.container.id;
        let not_running = || CliError::engine(format!("container {id} is not running"));
        let attach = Attach { stdin, stdout: true, stderr: true, size: None };
        let mut connection =
            app.engine()?.attach(&known.container, attach)?.ok_or_else(not_running)?;
        let conversation = Conversation {
            stdin,
            tty: config.tty,
            sig_proxy: self.sig_proxy && !config.tty,
            detach_keys: app.detach_keys(self.detach_keys.as_deref())?,
        };
        app.ui.flush()?;
        let ended = conversation.run(&mut connection)?;
        exit_status(app, id, ended)
    }
}
