//! Waits until a service is as asked, and shows how far it is.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use coracle_runtime::watch::Watch;
use coracle_swarm::SwarmError;
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

/// `name` is how the service was called. An interrupt ends the waiting alone.
pub(crate) fn wait(app: &mut App, id: &str, name: &str, quiet: bool) -> CommandResult {
    let mut swarm = app.swarm()?.read()?;
    // Watched before it is read again: nothing is missed in between.
    let mut watch = Watch::empty();
    watch.add(swarm.path().parent().unwrap_or(swarm.path()));
    let interrupt = signal::signal_fd(&[INTERRUPT])
        .map_err(|error| CliError::plain(format!("cannot wait for signals: {error}")))?;
    // One that does not tell its size is a terminal too.
    let columns = crate::terminal::size().map_or(0, |(columns, _)| columns);
    let mut screen = Screen::new(Ui::stdout_is_terminal().then_some(columns));
    let mut progress = Progress::new(name);
    let began = Instant::now();
    loop {
        watch.clear();
        swarm.refresh().map_err(SwarmError::from)?;
        let (lines, next) = progress.step(&swarm.state, id, began.elapsed());
        if !quiet {
            screen.draw(app.ui.data(), &lines)?;
            app.ui.flush()?;
        }
        let longest = match next {
            Next::Done => return Ok(ExitStatus::Success),
            Next::Failed(words) => return Err(CliError::plain(words)),
            Next::Wait(longest) => longest.unwrap_or(LONGEST),
        };
        pause(&watch, interrupt.as_fd(), longest)?;
        if signal::next_signal(interrupt.as_fd()).is_some() {
            return interrupted(app, name, &progress, quiet);
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
