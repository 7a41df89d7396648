//! Images of several services are fetched at the same time, each by a process of its own; this
//! process only looks on, because it is about to fork and so may have no threads.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::fd::AsFd as _;

use rustix::event::{PollFd, PollFlags, poll};

use crate::app::App;
use crate::compose::doing::act::at_once;
use crate::compose::screen::progress::Progress;
use crate::error::CliError;
use crate::fetch::{self, Transfer};
use crate::format::units;

/// Unless `--parallel` says otherwise: more share the line and the processor to no one's profit.
const AT_ONCE: usize = 4;

/// An image that a service needs.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) service: String,
    pub(crate) image: String,
    pub(crate) platform: Option<String>,
}

/// What became of the job with this index.
pub(crate) type Outcome = (usize, Result<(), CliError>);

/// How it is told, and what a failure means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) progress: Progress,
    pub(crate) quiet: bool,
    /// The first failure ends all.
    pub(crate) all_or_none: bool,
    /// The word for a failure.
    pub(crate) failed: &'static str,
}

impl Manner {
    fn tell(self, job: &Job, text: &str, more: &str) {
        if !self.quiet {
            self.progress.line(&format!("Image {}", job.image), text, more);
        }
    }
}

/// One that is under way.
struct Flight {
    index: usize,
    transfer: Transfer,
    /// What its standard error said.
    said: Vec<u8>,
}

/// Fetches all; gives what became of each that was begun, in their order.
pub(crate) fn fetch(app: &mut App, jobs: &[Job], manner: Manner) -> Result<Vec<Outcome>, CliError> {
    let most = match at_once(app) {
        0 => AT_ONCE,
        given => given,
    };
    let mut waiting = jobs.iter().enumerate();
    let mut flights: Vec<Flight> = Vec::new();
    let mut outcomes = Vec::new();
    // Several may say the same.
    let mut warnings: BTreeSet<String> = BTreeSet::new();
    loop {
        while flights.len() < most
            && let Some((index, job)) = waiting.next()
        {
            manner.tell(job, "Pulling", "");
            let report = manner.progress.is_drawn() && !manner.quiet;
            let transfer = fetch::begin(app, &job.image, job.platform.as_deref(), report)?;
            flights.push(Flight { index, transfer, said: Vec::new() });
        }
        if flights.is_empty() {
            outcomes.sort_by_key(|(index, _)| *index);
            for line in &warnings {
                crate::compose::screen::log::warning(
                    app,
                    line.strip_prefix("WARNING: ").unwrap_or(line),
                );
            }
            return Ok(outcomes);
        }
        wait(&flights)?;
        let mut still = Vec::new();
        for mut flight in flights {
            let job = &jobs[flight.index];
            if flight.look(job, manner)? {
                still.push(flight);
                continue;
            }
            let outcome = flight.transfer.finish(&flight.said);
            if outcome.is_ok() {
                warnings.extend(String::from_utf8_lossy(&flight.said).lines().map(str::to_owned));
            }
            match &outcome {
                Ok(()) => manner.tell(job, "Pulled", ""),
                Err(error) => {
                    let text = error.message.lines().next().unwrap_or_default();
                    let text = text.strip_prefix("Error response from daemon: ").unwrap_or(text);
                    manner.tell(job, manner.failed, text);
                }
            }
            outcomes.push((flight.index, outcome));
        }
        flights = still;
        if manner.all_or_none && outcomes.iter().any(|(_, outcome)| outcome.is_err()) {
            for flight in flights.drain(..) {
                manner.tell(&jobs[flight.index], "Interrupted", "");
                flight.transfer.stop();
            }
            waiting.by_ref().for_each(drop);
        }
    }
}

/// Until one of them has something to say, or has ended.
fn wait(flights: &[Flight]) -> Result<(), CliError> {
    let mut fds: Vec<PollFd<'_>> = flights
        .iter()
        .flat_map(|flight| {
            let output = flight.transfer.output.as_ref().map(|pipe| pipe.as_fd());
            output.into_iter().chain([flight.transfer.errors.as_fd()])
        })
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
        .collect();
    match poll(&mut fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(CliError::plain(format!("cannot wait for the images: {error}"))),
    }
}

impl Flight {
    /// Takes what has come; false when it has ended.
    fn look(&mut self, job: &Job, manner: Manner) -> Result<bool, CliError> {
        let failed = |e: std::io::Error| CliError::plain(format!("cannot fetch the image: {e}"));
        let mut buffer = [0; 4096];
        if let Some(output) = &mut self.transfer.output
            && is_ready(output)
        {
            let count = output.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                self.transfer.output = None;
            }
            if let Some((current, total)) = last_report(&buffer[..count]) {
                let more = format!("{} / {}", units::short_size(current), units::short_size(total));
                manner.tell(job, "Pulling", &more);
            }
        }
        if !is_ready(&self.transfer.errors) {
            return Ok(true);
        }
        let count = self.transfer.errors.read(&mut buffer).map_err(failed)?;
        self.said.extend_from_slice(&buffer[..count]);
        Ok(count > 0)
    }
}

fn is_ready(pipe: &impl std::os::fd::AsFd) -> bool {
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut fds = [PollFd::new(pipe, PollFlags::IN)];
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// The last whole line `CURRENT TOTAL`.
fn last_report(bytes: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text.rsplit_once('\n')?.0.rsplit('\n').next()?;
    let (current, total) = line.split_once(' ')?;
    Some((current.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use crate::compose::images::fetch::last_report;

    #[test]
    fn reports() {
        assert_eq!(last_report(b"1 9\n2 9\n3"), Some((2, 9)));
        assert_eq!(last_report(b"5 9\n"), Some((5, 9)));
        assert_eq!(last_report(b"5 "), None);
        assert_eq!(last_report(b"\n"), None);
    }
}
