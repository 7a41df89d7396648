//! Processes of a container that outlive its first one.
//!
//! # How it works
//!
//! A pid namespace ends with its first process, and whatever is in it. A container that has the
//! host's pids, or another container's, leaves its other processes behind; as in Docker they end
//! with it. A cgroup of its own tells which they are. Without one they are those of its mount
//! namespace, children and `exec` sessions alike, and their descendants. It is held open, so that
//! its number is nobody else's meanwhile; where that came too late, or a monitor was killed, they
//! are known by their root, which is a mount that names the container's folder. They are killed
//! until none is found.
//!
//! # Limits
//!
//! Without a cgroup, a process is not found that took a mount namespace of its own, for which it
//! needs CAP_SYS_ADMIN, and lost its parent; nor, by its root alone, one that has changed it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use coracle_sys::process::ProcessId;
use rustix::process::Signal;

use crate::cgroup;
use crate::model::Container;
use crate::processes::find::{MountNamespace, ProcessStat, with_descendants};
use crate::spec::PidMode;

/// How long they may take to end. One that is stuck in the kernel is left to it.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// Looks in a row that must find nobody: one may pass a child that is just being born.
const QUIET_LOOKS: u32 = 2;

/// What tells the processes of a container from others; nothing for one whose processes all end
/// with the first.
#[derive(Debug, Default)]
pub(crate) struct Remnants(Option<Mark>);

#[derive(Debug)]
struct Mark {
    id: String,
    home: Option<MountNamespace>,
}

impl Remnants {
    /// Those of a container, by its first process if that is still there.
    pub(crate) fn of(container: &Container, init: Option<i32>) -> Self {
        let own = matches!(PidMode::parse(&container.host_config.pid_mode), Ok(PidMode::Private));
        let home = || init.and_then(|init| MountNamespace::of(init).ok());
        Self((!own).then(|| Mark { id: container.id.clone(), home: home() }))
    }

    /// Ends what is left of a container whose first process has ended. False: not all of it.
    pub(crate) fn end(&self, cgroup: Option<&Path>) -> bool {
        let Some(mark) = &self.0 else { return true };
        if cgroup.is_some_and(|cgroup| cgroup::kill(cgroup).is_ok()) {
            return true;
        }
        let deadline = Instant::now() + PATIENCE;
        let mut quiet = 0;
        while quiet < QUIET_LOOKS {
            let left = mark.processes().unwrap_or_default();
            let alive: Vec<_> = left.iter().filter(|one| !matches!(one.state, 'Z' | 'X')).collect();
            if alive.is_empty() {
                quiet += 1;
                continue;
            }
            quiet = 0;
            if Instant::now() > deadline {
                return false;
            }
            for process in alive {
                let found = ProcessId { pid: process.pid, start_ticks: process.start_ticks };
                // One that is gone by now is what is wanted.
                let _sent: bool = found.signal(Signal::KILL);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        true
    }
}

impl Mark {
    fn processes(&self) -> io::Result<Vec<ProcessStat>> {
        match &self.home {
            Some(home) => home.processes(),
            None => with_descendants(|pid| {
                let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo"));
                mounts.is_ok_and(|mounts| root_names(&mounts, &self.id))
            }),
        }
    }
}

/// Whether the root in a list of mounts (proc(5)) is in, or made of, the folder of a container.
fn root_names(mountinfo: &str, id: &str) -> bool {
    let folder = format!("/containers/{id}/");
    let is_root = |line: &&str| line.split_ascii_whitespace().nth(4) == Some("/");
    mountinfo.lines().filter(is_root).any(|line| line.contains(&folder))
}

#[cfg(test)]
mod tests {
    use crate::processes::remnants::root_names;

    #[test]
    fn only_the_root_says_whose_a_process_is() {
        let mounts = "30 1 0:50 / / rw - overlay overlay rw,upperdir=/d/containers/ab/upper\n\
                      31 30 0:20 /d/containers/cd/hosts /etc/hosts rw - ext4 /dev/vda rw\n";
        assert!(root_names(mounts, "ab"));
        assert!(!root_names(mounts, "cd") && !root_names(mounts, "a") && !root_names("", "ab"));
        assert!(root_names("30 1 8:1 /d/containers/ab/copy / rw - ext4 /dev/vda rw\n", "ab"));
    }
}
