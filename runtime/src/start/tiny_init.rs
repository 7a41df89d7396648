//! PID 1 of a container started with `--init`: reaps what nobody else reaps.
//!
//! # How it works
//!
//! The executable is visible in the container as `/sbin/docker-init` and runs as
//! `docker-init -- COMMAND ARG…`. It starts the command in a process group of its own,
//! hands every signal on to it, reaps zombies, and ends with the command: by its exit
//! status, or 128 plus the number of the signal that ended it. When it ends, the kernel
//! ends whatever else is left in the PID namespace.
//!
//! # Limits
//!
//! No option but `--`. Signals go to the command alone, not to its whole group.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;

use coracle_sys::SyscallError;
use coracle_sys::init_calls::{Blocked, block_all, send, spawn_foreground, wait_signal};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

/// Exit code for a command that is not there, as a shell has it.
const NOT_FOUND: i32 = 127;
/// Exit code for a command that is there but cannot be executed.
const NOT_EXECUTABLE: i32 = 126;
/// Exit code when we fail ourselves.
const FAILED: i32 = 1;

/// Runs until the command ends; returns the exit code for this process.
///
/// `args` are the words after the program's own name. What fails before the command
/// runs is reported on standard error: the container has no other way to tell.
pub fn main(args: &[OsString]) -> i32 {
    let Some(argv) = command(args) else {
        complain("no command given");
        return FAILED;
    };
    let started = block_all().and_then(|blocked| {
        // Anywhere but in a PID namespace of our own, orphans would pass us by.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
        spawn_foreground(&argv, &blocked).map(|child| (blocked, child))
    });
    match started.and_then(|(blocked, child)| attend(child, &blocked)) {
        Ok(code) => code,
        Err(error) => {
            let name = argv.first().map(|word| word.to_string_lossy()).unwrap_or_default();
            complain(&format!("{name}: {error}: {}", error.source));
            failure_code(&error)
        }
    }
}

/// The command after the `--`.
fn command(args: &[OsString]) -> Option<Vec<CString>> {
    let words = match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    };
    if words.is_empty() {
        return None;
    }
    words.iter().map(|word| CString::new(word.as_bytes()).ok()).collect()
}

fn failure_code(error: &SyscallError) -> i32 {
    if !error.call.starts_with("exec") {
        return FAILED;
    }
    match Errno::from_io_error(&error.source) {
        Some(Errno::NOENT | Errno::NOTDIR) => NOT_FOUND,
        _ => NOT_EXECUTABLE,
    }
}

/// Hands on signals and reaps until `child` has ended.
fn attend(child: Pid, blocked: &Blocked) -> Result<i32, SyscallError> {
    loop {
        let number = wait_signal(blocked)?;
        if number == Signal::CHILD.as_raw() {
            if let Some(code) = reap(child) {
                return Ok(code);
            }
        } else {
            // It may have ended already; its SIGCHLD is then on its way.
            send(child, number).ok();
        }
    }
}

/// Reaps every zombie; `Some` once `child` was among them.
fn reap(child: Pid) -> Option<i32> {
    let mut code = None;
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => code = Some(exit_code(status)),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return code,
        }
    }
}

fn exit_code(status: WaitStatus) -> i32 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => FAILED,
    }
}

fn complain(message: &str) {
    // There is nobody left to tell if standard error is closed.
    let line = format!("docker-init: {message}\n");
    rustix::io::write(rustix::stdio::stderr(), line.as_bytes()).ok();
}
