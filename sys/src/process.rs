//! Processes by identity: a pid together with its start time.
//!
//! A pid alone is reused; the pair is not within one boot.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

/// Room for `/proc/PID/stat`.
const STAT_BYTES: usize = 1024;

/// A process that was alive at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId {
    pub pid: i32,
    /// Clock ticks after boot, field 22 of `/proc/PID/stat` (proc(5)).
    pub start_ticks: u64,
}

impl ProcessId {
    /// The running process `pid`; `None` when there is none, or it is a zombie.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let stat = read_stat(pid)?;
        let (state, _, start_ticks) = parse_stat(&stat)?;
        (!matches!(state, 'Z' | 'X')).then_some(Self { pid, start_ticks })
    }

    /// Whether that very process is gone, or on its way and cannot turn back: the first process
    /// of a pid namespace waits there for all others to end.
    #[must_use]
    pub fn is_ending(self) -> bool {
        /// `PF_EXITING` of the kernel's task flags.
        const EXITING: u32 = 0x4;
        let stat = read_stat(self.pid);
        stat.as_deref().and_then(parse_stat).is_none_or(|(state, flags, start_ticks)| {
            matches!(state, 'Z' | 'X') || start_ticks != self.start_ticks || flags & EXITING != 0
        })
    }

    /// This process.
    #[must_use]
    pub fn current() -> Self {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self::of(pid).unwrap_or(Self { pid, start_ticks: 0 })
    }

    /// Whether that very process still runs.
    #[must_use]
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Waits until the process has ended, at most for `patience`; true when it has.
    #[must_use]
    pub fn wait_end(self, patience: Duration) -> bool {
        let Some(pid) = self.as_pid() else { return true };
        let Ok(pidfd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else {
            return !self.is_alive();
        };
        // Checked after the descriptor is open, so that it is of this very process.
        if !self.is_alive() {
            return true;
        }
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        let timeout = Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        };
        rustix::event::poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0)
    }

    /// Sends a signal to that very process; false when it is gone or not ours.
    #[must_use]
    pub fn signal(self, signal: Signal) -> bool {
        let Some(pid) = self.as_pid() else { return false };
        let Ok(pidfd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return false };
        // Checked after the descriptor is open, as above.
        self.is_alive() && rustix::process::pidfd_send_signal(&pidfd, signal).is_ok()
    }

    #[must_use]
    pub fn as_pid(self) -> Option<Pid> {
        Pid::from_raw(self.pid)
    }
}

fn read_stat(pid: i32) -> Option<String> {
    // The kernel gives no size to reserve; without one the text is read in small pieces.
    let mut stat = String::with_capacity(STAT_BYTES);
    File::open(format!("/proc/{pid}/stat")).ok()?.read_to_string(&mut stat).ok()?;
    Some(stat)
}

/// State, flags and start time; the command name in between may hold blanks and brackets.
fn parse_stat(stat: &str) -> Option<(char, u32, u64)> {
    let rest = &stat[stat.rfind(')')? + 1..];
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // Field 3 (state) was taken; the flags are field 9, start time is field 22.
    let flags = fields.nth(5)?.parse().ok()?;
    let start = fields.nth(12)?.parse().ok()?;
    Some((state, flags, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_brackets_and_blanks_in_the_name() {
        let line = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        assert_eq!(parse_stat(line), Some(('S', 4194560, 4242)));
    }

    #[test]
    fn this_process_is_alive_and_another_start_time_is_not() {
        let me = ProcessId::current();
        assert!(me.is_alive() && !me.is_ending());
        assert!(ProcessId { start_ticks: me.start_ticks + 1, ..me }.is_ending());
        assert!(!ProcessId { start_ticks: me.start_ticks + 1, ..me }.is_alive());
    }
}
