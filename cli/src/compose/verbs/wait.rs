//! `compose wait`: wait until containers of services stop.

use std::io::Write as _;

use coracle_compose::project::found::Wanted;
use coracle_runtime::engine::Connection;
use coracle_runtime::wire::Request;
use rustix::event::{PollFd, PollFlags, poll};

use super::down::ComposeDownArgs;
use crate::app::App;
use crate::args::Runnable;
use crate::compose::project::target;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Wait until the containers of services stop
///
/// The exit status is that of the container that stops last; with --down-project, that
/// of the one that stops first.
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeWaitArgs {
    /// Take the project down as soon as one of the containers stops
    #[arg(long)]
    down_project: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeWaitArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = target::project(app)?.name;
        let wanted = Wanted { services: self.args, one_off: true, ..Wanted::default() };
        let found = target::all(app, &project, &wanted)?;
        if found.is_empty() {
            return Err(CliError::plain(format!("no containers for project {project:?}")));
        }
        let ids = found.into_iter().map(|known| known.container.id);
        let mut left = Vec::new();
        for id in ids {
            let connection = begin(app, &id)?;
            left.push(Waiting { id, connection });
        }
        let mut last = 0;
        while !left.is_empty() {
            for (id, code) in ended(app, &mut left)? {
                last = code;
                let line = format!("container {id:?} exited with status code {code}");
                writeln!(app.ui.data(), "{line}")?;
                app.ui.flush()?;
                if self.down_project {
                    left.clear();
                    break;
                }
            }
        }
        if self.down_project {
            ComposeDownArgs::with_orphans().execute(app)?;
        }
        Ok(ExitStatus::Container(u8::try_from(last).unwrap_or(u8::MAX)))
    }
}

/// A container that is waited for.
struct Waiting {
    id: String,
    /// `None` when its monitor is gone already.
    connection: Option<Connection>,
}

fn begin(app: &App, id: &str) -> Result<Option<Connection>, CliError> {
    let connection = app.engine()?.connect(id)?;
    Ok(connection
        .and_then(|mut connection| connection.send(&Request::Wait).is_ok().then_some(connection)))
}

/// Waits until at least one has ended; takes those that have out of the list.
fn ended(app: &App, left: &mut Vec<Waiting>) -> Result<Vec<(String, i32)>, CliError> {
    let mut fds: Vec<PollFd<'_>> = left
        .iter()
        .filter_map(|one| one.connection.as_ref())
        .map(|connection| PollFd::new(&connection.stream, PollFlags::IN))
        .collect();
    let waits = fds.len() == left.len();
    if waits {
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                let text = format!("cannot wait for the containers: {error}");
                return Err(CliError::plain(text));
            }
        }
    }
    let mut ready = fds.iter().map(|fd| !fd.revents().is_empty()).collect::<Vec<_>>().into_iter();
    let mut done = Vec::new();
    let mut still = Vec::new();
    for one in left.drain(..) {
        let over = one.connection.is_none() || ready.next().unwrap_or(false);
        if !over {
            still.push(one);
            continue;
        }
        // The monitor has said how it ended, or is gone and has left it in the records: then
        // there is nothing left to wait for.
        let code = match one.connection.map(|mut connection| connection.wait_exit()) {
            Some(Ok(code)) => code,
            Some(Err(_)) | None => app.engine()?.wait(&one.id)?,
        };
        done.push((one.id, code));
    }
    *left = still;
    Ok(done)
}
