//! Stop and resume every process of a container: by the freezer, or by signals.
//!
//! # How it works
//!
//! A cgroup of the container's own has a freezer. Without one every process gets SIGSTOP,
//! again and again until nothing runs: a process may be born, or enter by `exec`, while the
//! list is read. What somebody else had stopped before is remembered and stays stopped.
//!
//! # Limits
//!
//! Unlike the freezer, signals can be seen: a parent that asks for stopped children
//! (`WUNTRACED`, SIGCHLD) hears of them, and SIGCONT from outside ends the pause of one
//! process. A process that waits in the kernel for a child it lent its memory to (`vfork`)
//! cannot stop before the child goes on; it runs no code of its own meanwhile, which is what
//! counts.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::cgroup;
use crate::processes::find::{ProcessStat, of_container};

/// How long all processes may take to stop.
const STOP_MAX: Duration = Duration::from_secs(10);
/// How often to look whether they have.
const STOP_LOOK: Duration = Duration::from_millis(1);
/// Looks in a row that must find nothing running. One is not enough: a process may bear a
/// child that the look has passed already, and stop before the look comes to itself.
const QUIET_LOOKS: u32 = 2;

/// A process by pid and start time.
type Identity = (i32, u64);

/// A container that is paused.
#[derive(Debug, Default)]
pub(crate) struct Paused {
    /// What was stopped before, by job control or a debugger.
    before: BTreeSet<Identity>,
}

/// Stops every process of the container whose first one is `init`.
///
/// # Errors
/// As `write(2)` or `kill(2)`; `TimedOut` when a process does not stop. Those that did are
/// resumed then.
pub(crate) fn pause(cgroup: Option<&Path>, init: i32) -> io::Result<Paused> {
    if let Some(cgroup) = with_freezer(cgroup) {
        return cgroup::freeze(cgroup, true).map(|()| Paused::default());
    }
    let paused = Paused {
        before: of_container(cgroup, init)?.iter().filter(|one| is_stopped(one)).map(id).collect(),
    };
    match stop(cgroup, init) {
        Ok(()) => Ok(paused),
        Err(error) => {
            // The first error is the one to report.
            drop(resume(cgroup, init, &paused));
            Err(error)
        }
    }
}

/// Undoes [`pause`].
///
/// # Errors
/// As `write(2)` or `kill(2)`.
pub(crate) fn resume(cgroup: Option<&Path>, init: i32, paused: &Paused) -> io::Result<()> {
    if let Some(cgroup) = with_freezer(cgroup) {
        return cgroup::freeze(cgroup, false);
    }
    // Children first, so that no parent finds a stopped child.
    for process in of_container(cgroup, init)?.iter().rev() {
        if !paused.before.contains(&id(process)) {
            signal(process.pid, Signal::CONT)?;
        }
    }
    Ok(())
}

/// The cgroup, if it has a freezer (Linux 5.2).
fn with_freezer(cgroup: Option<&Path>) -> Option<&Path> {
    cgroup.filter(|cgroup| cgroup.join("cgroup.freeze").exists())
}

fn stop(cgroup: Option<&Path>, init: i32) -> io::Result<()> {
    let deadline = Instant::now() + STOP_MAX;
    let mut told: BTreeSet<Identity> = BTreeSet::new();
    let mut quiet = 0;
    while quiet < QUIET_LOOKS {
        // Parents first, so that few of them see a child stop.
        let running: Vec<ProcessStat> = of_container(cgroup, init)?
            .into_iter()
            .filter(|process| !is_still(process, &told))
            .collect();
        if running.is_empty() {
            quiet += 1;
            continue;
        }
        quiet = 0;
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        for process in &running {
            signal(process.pid, Signal::STOP)?;
            told.insert(id(process));
        }
        std::thread::sleep(STOP_LOOK);
    }
    Ok(())
}

fn is_stopped(process: &ProcessStat) -> bool {
    matches!(process.state, 'T' | 't')
}

/// Whether a process runs no code of its own until it is resumed.
fn is_still(process: &ProcessStat, told: &BTreeSet<Identity>) -> bool {
    match process.state {
        'Z' | 'X' => true,
        // It stops before it leaves the kernel.
        'D' => told.contains(&id(process)),
        _ => is_stopped(process),
    }
}

fn id(process: &ProcessStat) -> Identity {
    (process.pid, process.start_ticks)
}

fn signal(pid: i32, signal: Signal) -> io::Result<()> {
    let Some(pid) = Pid::from_raw(pid) else { return Ok(()) };
    match rustix::process::kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use crate::processes::pause::*;

    /// A shell in a group of its own that runs `script`; killed with its group at the end.
    struct Shell(Child);

    impl Shell {
        fn run(script: &str) -> Self {
            Self(Command::new("sh").args(["-c", script]).process_group(0).spawn().unwrap())
        }

        fn pid(&self) -> i32 {
            i32::try_from(self.0.id()).unwrap()
        }

        fn states(&self) -> String {
            of_container(None, self.pid()).unwrap().iter().map(|process| process.state).collect()
        }

        fn wait_for(&self, condition: impl Fn(&str) -> bool) {
            let deadline = Instant::now() + Duration::from_secs(10);
            while !condition(&self.states()) && Instant::now() < deadline {
                std::thread::yield_now();
            }
            assert!(condition(&self.states()), "{}", self.states());
        }
    }

    impl Drop for Shell {
        fn drop(&mut self) {
            rustix::process::kill_process_group(Pid::from_child(&self.0), Signal::KILL).ok();
            self.0.wait().ok();
        }
    }

    #[test]
    fn pausing_reaches_grandchildren_and_can_be_undone() {
        let shell = Shell::run("sleep 60 & wait");
        shell.wait_for(|states| states.len() == 2);
        let paused = pause(None, shell.pid()).unwrap();
        assert_eq!(shell.states(), "TT");
        resume(None, shell.pid(), &paused).unwrap();
        shell.wait_for(|states| !states.contains('T'));
    }

    #[test]
    fn pausing_reaches_all_that_a_busy_shell_starts_meanwhile() {
        let shell = Shell::run("while :; do (true & true); done");
        let paused = pause(None, shell.pid()).unwrap();
        // Who waits for a disk stops when that is over.
        shell.wait_for(|states| states.chars().all(|state| matches!(state, 'T' | 'Z')));
        let still = shell.states();
        std::thread::yield_now();
        assert_eq!(shell.states(), still);
        resume(None, shell.pid(), &paused).unwrap();
    }

    #[test]
    fn what_was_stopped_before_stays_stopped() {
        let shell = Shell::run("sleep 60 & kill -STOP $!; wait");
        shell.wait_for(|states| states.len() == 2 && states.ends_with('T'));
        let paused = pause(None, shell.pid()).unwrap();
        assert_eq!(shell.states(), "TT");
        resume(None, shell.pid(), &paused).unwrap();
        shell.wait_for(|states| states == "ST");
    }
}
