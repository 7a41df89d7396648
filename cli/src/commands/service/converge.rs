//! Waits until a service is as asked, and shows how far it is.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use coracle_runtime::watch::Watch;
use coracle_swarm::SwarmError;
use coracle_swarm::state::State;
use coracle_sys::signal;
use coracle_view::service::progress::{Next, Progress};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::screen::Screen;
use crate::app::App;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::ui::Ui;

const INTERRUPT: i32 = 2;
/// So often the state is looked at when nothing seems to happen.
const LONGEST: Duration = Duration::from_secs(600);

/// How a waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Interrupted,
}

/// `name` is how the service was called. An interrupt ends the waiting alone.
pub(crate) fn wait(app: &mut App, id: &str, name: &str, quiet: bool) -> CommandResult {
    let mut progress = Progress::new(name);
    if show(app, &mut progress, id, quiet)? == End::Interrupted {
        return interrupted(app, name, &progress, quiet);
    }
    Ok(ExitStatus::Success)
}

/// As [`wait`], for a command that does something about an interrupt.
pub(crate) fn follow(app: &mut App, id: &str, name: &str, quiet: bool) -> Result<End, CliError> {
    show(app, &mut Progress::new(name), id, quiet)
}

fn show(app: &mut App, progress: &mut Progress, id: &str, quiet: bool) -> Result<End, CliError> {
    // One that does not tell its size is a terminal too.
    let columns = crate::terminal::size().map_or(0, |(columns, _)| columns);
    let mut screen = Screen::new(Ui::stdout_is_terminal().then_some(columns));
    until(app, |app, state, elapsed| {
        let (lines, next) = progress.step(state, id, elapsed);
        if !quiet {
            screen.draw(app.ui.data(), &lines)?;
            app.ui.flush()?;
        }
        Ok(next)
    })
}

/// Looks at the state whenever it has changed, or the time has come, until there is nothing to wait for.
pub(crate) fn until(
    app: &mut App,
    mut look: impl FnMut(&mut App, &State, Duration) -> Result<Next, CliError>,
) -> Result<End, CliError> {
    let mut swarm = app.swarm()?.read()?;
    // Watched before it is read again: nothing is missed in between.
    let mut watch = Watch::empty();
    watch.add(swarm.path().parent().unwrap_or(swarm.path()));
    let interrupt = signal::signal_fd(&[INTERRUPT])
        .map_err(|error| CliError::plain(format!("cannot wait for signals: {error}")))?;
    let began = Instant::now();
    loop {
        watch.clear();
        swarm.refresh().map_err(SwarmError::from)?;
        let longest = match look(app, &swarm.state, began.elapsed())? {
            Next::Done => return Ok(End::Done),
            Next::Failed(words) => return Err(CliError::plain(words)),
            Next::Wait(longest) => longest.unwrap_or(LONGEST),
        };
        pause(&watch, interrupt.as_fd(), longest)?;
        if signal::next_signal(interrupt.as_fd()).is_some() {
            return Ok(End::Interrupted);
        }
    }
}

fn pause(
    watch: &Watch,
    interrupt: std::os::fd::BorrowedFd<'_>,
    longest: Duration,
) -> Result<(), CliError> {
    let longest = watch.patience(longest);
    let timeout = longest.try_into().ok();
    let mut fds = vec![PollFd::from_borrowed_fd(interrupt, PollFlags::IN)];
    fds.extend(watch.fd().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(CliError::plain(format!("cannot wait for the swarm: {error}"))),
    }
}

fn interrupted(app: &mut App, name: &str, progress: &Progress, quiet: bool) -> CommandResult {
    use std::io::Write as _;

    if !progress.has_converged() && !quiet {
        let program = app.program;
        writeln!(
            app.ui.data(),
            "Operation continuing in background.\n\
             Use `{program} service ps {name}` to check progress."
        )?;
    }
    Ok(ExitStatus::Success)
}
