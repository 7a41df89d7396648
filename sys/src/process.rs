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
        let Stat { state, start_ticks, .. } = parse_stat(&stat)?;
        (!matches!(state, 'Z' | 'X')).then_some(Self { pid, start_ticks })
    }

    /// Whether that very process is gone, or on its way and cannot turn back: it was killed and has not noticed yet,
    /// or, as the first process of a pid namespace, waits for all others to end.
    #[must_use]
    pub fn is_ending(self) -> bool {
        /// `PF_EXITING` of the kernel's task flags.
        const EXITING: u32 = 0x4;
        /// SIGKILL among signals that wait, which every signal becomes that ends a process.
        const KILLED: u32 = 1 << (Signal::KILL.as_raw() - 1);
        let stat = read_stat(self.pid);
        stat.as_deref().and_then(parse_stat).is_none_or(|stat| {
            let Stat { state, flags, start_ticks, pending } = stat;
            matches!(state, 'Z' | 'X')
                || start_ticks != self.start_ticks
                || flags & EXITING != 0
                || pending & KILLED != 0
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

/// What is wanted of `/proc/PID/stat` (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    flags: u32,
    start_ticks: u64,
    /// The signals that wait for its first thread.
    pending: u32,
}

/// The command name in front may hold blanks and brackets.
fn parse_stat(stat: &str) -> Option<Stat> {
    let rest = &stat[stat.rfind(')')? + 1..];
    let mut fields = rest.split_ascii_whitespace();
    // Field 3; the flags are field 9, the start time is field 22, the signals field 31.
    let state = fields.next()?.chars().next()?;
    let flags = fields.nth(5)?.parse().ok()?;
    let start_ticks = fields.nth(12)?.parse().ok()?;
    let pending = fields.nth(8)?.parse().ok()?;
    Some(Stat { state, flags, start_ticks, pending })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_brackets_and_blanks_in_the_name() {
        let line =
            "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9 5 1 1 0 0 0 256 0 0";
        let stat = Stat { state: 'S', flags: 4194560, start_ticks: 4242, pending: 256 };
        assert_eq!(parse_stat(line), Some(stat));
    }

    #[test]
    fn this_process_is_alive_and_another_start_time_is_not() {
        let me = ProcessId::current();
        assert!(me.is_alive() && !me.is_ending());
        assert!(ProcessId { start_ticks: me.start_ticks + 1, ..me }.is_ending());
        assert!(!ProcessId { start_ticks: me.start_ticks + 1, ..me }.is_alive());
    }
}
