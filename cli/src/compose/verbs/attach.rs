//! `compose attach`: attach to the main process of a container of a service.

use clap::ArgAction;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::attach::Attachment;
use crate::compose::project::target;
use crate::error::CommandResult;

/// Attach to the main process of a container of a service
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeAttachArgs {
    /// Key sequence that leaves the session without stopping it (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "string")]
    detach_keys: Option<String>,
    /// Number of the container in its service (default: the first that runs)
    #[arg(long, value_name = "int", value_parser = values::int)]
    index: Option<i64>,
    /// Leave standard input unattached
    #[arg(long)]
    no_stdin: bool,
    /// Forward received signals to the main process (not in TTY mode)
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    sig_proxy: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeAttachArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = target::project(app)?;
        let known = target::running(app, &project.name, &self.args[0], self.index.unwrap_or(0))?;
        let how = Attachment {
            detach_keys: self.detach_keys,
            stdin: !self.no_stdin,
            sig_proxy: self.sig_proxy,
        };
        how.hold(app, &known)
    }
}
