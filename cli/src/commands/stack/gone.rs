//! Waits until the tasks of a stack's removed services have gone.

use std::time::Duration;

use coracle_runtime::watch::Watch;
use coracle_swarm::SwarmError;
use coracle_swarm::stack::members;
use coracle_swarm::state::State;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::app::App;
use crate::error::CliError;

/// So often the state is looked at when nothing seems to happen.
const LONGEST: Duration = Duration::from_secs(2);

pub(super) fn wait(app: &App, name: &str) -> Result<(), CliError> {
    let mut swarm = app.swarm()?.read()?;
    // Watched before it is read again: nothing is missed in between.
    let mut watch = Watch::empty();
    watch.add(swarm.path().parent().unwrap_or(swarm.path()));
    loop {
        watch.clear();
        swarm.refresh().map_err(SwarmError::from)?;
        if !is_left(&swarm.state, name) {
            return Ok(());
        }
        let timeout = watch.patience(LONGEST).try_into().ok();
        let mut fds: Vec<PollFd<'_>> =
            watch.fd().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).into_iter().collect();
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => {
                return Err(CliError::plain(format!("cannot wait for the swarm: {error}")));
            }
        }
    }
}

/// Whether a service that was removed is still there: it goes after its tasks.
fn is_left(state: &State, name: &str) -> bool {
    let removed = state.services.values().filter(|service| service.own.removed);
    removed.into_iter().any(|service| members::is_of(&service.spec.labels, name))
}
