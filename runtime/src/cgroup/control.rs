//! What one does with a cgroup that is there: processes in, freeze, kill.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

/// How long a frozen or killed cgroup may take to become so.
const SETTLE_MAX: Duration = Duration::from_secs(10);
const ENODEV: i32 = rustix::io::Errno::NODEV.raw_os_error();

/// Moves process `pid` into the cgroup.
///
/// # Errors
/// EACCES when no common ancestor is ours (see [`super::enter`]), ESRCH when it is gone.
pub fn join(path: &Path, pid: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).open(path.join("cgroup.procs"))?;
    io::Write::write_all(&mut file, pid.to_string().as_bytes())
}

/// The processes in the cgroup itself and below, as seen from here.
///
/// # Errors
/// As `read(2)`; a cgroup that is gone has none.
pub fn processes(path: &Path) -> io::Result<Vec<i32>> {
    let text = match fs::read_to_string(path.join("cgroup.procs")) {
        Ok(text) => text,
        Err(error)
            if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ENODEV) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    // 0 is a process outside our pid namespace: not ours to move.
    let mut pids: Vec<i32> =
        text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 0).collect();
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

/// Stops (or resumes) every process of the cgroup, and waits until that is done.
///
/// # Errors
/// As `write(2)`; `TimedOut` when a process does not reach the freezer.
pub fn freeze(path: &Path, on: bool) -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .open(path.join("cgroup.freeze"))
        .and_then(|mut file| io::Write::write_all(&mut file, if on { b"1" } else { b"0" }))?;
    wait_for(path, if on { "frozen 1" } else { "frozen 0" })
}

/// Whether the cgroup is frozen.
#[must_use]
pub fn is_frozen(path: &Path) -> bool {
    has_line(&path.join("cgroup.events"), "frozen 1")
}

/// Whether the kernel killed a process of the cgroup for want of memory.
#[must_use]
pub fn was_oom_killed(path: &Path) -> bool {
    fs::read_to_string(path.join("memory.events")).is_ok_and(|text| {
        text.lines().filter_map(|line| line.strip_prefix("oom_kill ")).any(|count| count != "0")
    })
}

/// Kills every process of the cgroup and waits until they are gone.
///
/// # Errors
/// As `write(2)`; `TimedOut` when one does not die.
pub fn kill(path: &Path) -> io::Result<()> {
    let killed = fs::OpenOptions::new()
        .write(true)
        .open(path.join("cgroup.kill"))
        .and_then(|mut file| io::Write::write_all(&mut file, b"1"));
    match killed {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => {
            // Before Linux 5.14: one by one. New ones may appear meanwhile; the wait tells.
            for pid in processes(path)? {
                if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                    match rustix::process::kill_process(pid, rustix::process::Signal::KILL) {
                        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                        Err(errno) => return Err(errno.into()),
                    }
                }
            }
        }
        other => other?,
    }
    wait_for(path, "populated 0")
}

pub(super) fn has_line(file: &Path, line: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.lines().any(|found| found == line))
}

/// Waits for a line of `cgroup.events`; the kernel announces a change by POLLPRI.
fn wait_for(path: &Path, line: &str) -> io::Result<()> {
    let events = path.join("cgroup.events");
    let file = File::open(&events)?;
    let deadline = Instant::now() + SETTLE_MAX;
    loop {
        // Reading the same description again is what re-arms the notice.
        let mut text = [0u8; 256];
        let length = rustix::io::pread(file.as_fd(), &mut text, 0)?;
        let text = String::from_utf8_lossy(&text[..length]);
        if text.lines().any(|found| found == line) {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(1),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut fds = [PollFd::new(&file, PollFlags::PRI)];
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
