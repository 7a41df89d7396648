//! The monitors of a world's containers, and what it takes to kill one.
//!
//! # Limits
//!
//! A signal is sent when `kill` returns, not delivered: on a busy machine a killed process is there for a
//! while. A command that comes meanwhile sees a container that runs, and has nothing to recover. So [`kill`]
//! returns when the kernel shows that the process has ended, as the product looks at it: a zombie has.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::{TestEnv, agreement, wait};

/// The one monitor of a container.
#[track_caller]
pub fn of(env: &TestEnv, container: &str) -> Pid {
    let id = env.run(["inspect", "--format", "{{.Id}}", container]).success().line();
    let found = agreement::monitors(env).remove(&id).unwrap_or_default();
    assert_eq!(found.len(), 1, "monitors of {container}: {found:?}");
    Pid::from_raw(found[0]).expect("a pid")
}

/// Kills the monitor of a container, and waits until it has ended. The next command finds it lost.
#[track_caller]
pub fn kill(env: &TestEnv, container: &str) {
    let monitor = of(env, container);
    kill_process(monitor, Signal::KILL).expect("our own process");
    wait::until("the monitor has ended", || has_ended(monitor));
}

/// Whether a process is gone, or only its parent has not heard of its end.
fn has_ended(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    // The name of the program is in brackets, and may hold some.
    stat.map_or(true, |stat| {
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        state.starts_with(['Z', 'X'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_process_has_ended_before_its_parent_looks() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert!(!has_ended(pid));
        child.kill().unwrap();
        wait::until("it has ended", || has_ended(pid));
        child.wait().unwrap();
        assert!(has_ended(pid));
    }
}
