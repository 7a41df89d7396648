//! The last steps inside the container, from libcontainer's hands to the user's program.
//!
//! # How it works
//!
//! libcontainer has entered the namespaces and the root, and switched the user. It was
//! given CAP_SYS_ADMIN and CAP_SETPCAP beyond what the container gets, because a seccomp
//! filter without no-new-privileges needs the first and dropping from the bounding set
//! the second. Here both are used and go away, in this order: enter the working directory,
//! find the program (so that a missing one is told apart from a filtered call), bounding set, filter, remaining
//! sets, process limits, exec. A failure goes through a pipe that exec closes.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coracle_sys::seccomp::Instruction;
use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError,
};
use rustix::process::Signal;
use rustix::termios::{Winsize, tcsetwinsize};
use rustix::thread::{CapabilitySet, CapabilitySets};
use serde::{Deserialize, Serialize};

use super::failure::{CANNOT_RUN, Failure, NOT_FOUND};
use crate::spec::ProcessLimit;

/// The capabilities a process ends up with.
/// Each is a mask with bit n for capability number n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FinalCapabilities {
    pub bounding: u64,
    pub effective: u64,
    pub permitted: u64,
    pub inheritable: u64,
}

/// A program to run in a container, and what it is allowed.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub argv: Vec<String>,
    /// `KEY=value` each.
    pub env: Vec<String>,
    pub working_dir: PathBuf,
    pub capabilities: FinalCapabilities,
    /// Empty means unconfined.
    pub filter: Vec<Instruction>,
    pub no_new_privileges: bool,
    /// End with the process that started it.
    pub dies_with_parent: bool,
    pub limits: Vec<ProcessLimit>,
    pub oom_score_adj: Option<i32>,
    pub fresh_network: bool,
    /// Who makes devices in the network namespace before the program runs.
    pub wiring: Option<Arc<OwnedFd>>,
    /// Where only one id is mapped: who answers for the others, and those it begins with.
    pub believed: Option<Arc<OwnedFd>>,
    pub start_ids: crate::one_id::StartIds,
    /// Columns and rows; set in here, so that the program never sees another size.
    pub terminal_size: Option<(u16, u16)>,
    pub masked: Vec<PathBuf>,
    /// Where a failure is told; exec closes it.
    pub failure: Arc<OwnedFd>,
}

impl Executor for Payload {
    fn exec(&self, _spec: &Spec) -> Result<(), ExecutorError> {
        let failure = self.run();
        let bytes = serde_json::to_vec(&failure).unwrap_or_default();
        let mut pipe = fs::File::from(
            self.failure.try_clone().map_err(|error| ExecutorError::Other(error.to_string()))?,
        );
        pipe.write_all(&bytes).map_err(|error| ExecutorError::Other(error.to_string()))?;
        coracle_sys::fork::exit_now(failure.code)
    }

    fn validate(&self, _spec: &Spec) -> Result<(), ExecutorValidationError> {
        Ok(())
    }

    /// The environment is passed to exec; the process's own stays as it is.
    fn setup_envs(
        &self,
        _envs: std::collections::HashMap<String, String>,
    ) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }
}

impl Payload {
    /// Comes back only with the reason why it failed.
    fn run(&self) -> Failure {
        // First of all: the working directory may be one of them.
        if let Err(error) = crate::start::masked::cover(&self.masked) {
            return Failure::setup(error);
        }
        if let Err(failure) = crate::start::working_dir::enter(&self.working_dir) {
            return failure;
        }
        let name = self.argv.first().map_or("", String::as_str);
        let program = match find_program(name, &self.env) {
            Ok(program) => program,
            Err(failure) => return with_shells(failure, name, &self.env),
        };
        if let Err(error) = self.confine() {
            return Failure::setup(error);
        }
        let to_c = |text: &String| CString::new(text.as_bytes());
        let argv: Result<Vec<_>, _> = self.argv.iter().map(to_c).collect();
        let env: Result<Vec<_>, _> = self.env.iter().map(to_c).collect();
        let (Ok(path), Ok(argv), Ok(env)) =
            (CString::new(program.as_os_str().as_bytes()), argv, env)
        else {
            return Failure::new(
                CANNOT_RUN,
                format!("exec: {name:?}: an argument holds a NUL byte"),
            );
        };
        for limit in &self.limits {
            if let Err((message, hint)) = limit.apply() {
                return Failure { hint, ..Failure::setup(message) };
            }
        }
        let error = coracle_sys::exec::execve(&path, &argv, &env);
        let code = match error.kind() {
            io::ErrorKind::NotFound => NOT_FOUND,
            io::ErrorKind::PermissionDenied => CANNOT_RUN,
            // Docker gives the code of its own helper here.
            _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => 255,
            _ => CANNOT_RUN,
        };
        Failure::new(code, format!("exec {}: {}", program.display(), describe(&error)))
    }

    fn size_terminal(&self) -> Result<(), String> {
        let Some((columns, rows)) = self.terminal_size else { return Ok(()) };
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(io::stdin(), size).map_err(|error| format!("ioctl(TIOCSWINSZ): {error}"))
    }

    fn confine(&self) -> Result<(), String> {
        coracle_sys::signal::reset().map_err(chain)?;
        self.size_terminal()?;
        if self.dies_with_parent {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
                .map_err(|error| format!("prctl(PR_SET_PDEATHSIG): {error}"))?;
        }
        if self.fresh_network {
            coracle_netns::raise_loopback().map_err(|error| error.to_string())?;
        }
        if let Some(wiring) = &self.wiring {
            crate::networks::hand_over(wiring.as_fd())?;
        }
        for capability in CapabilitySet::all().difference(set(self.capabilities.bounding)).iter() {
            // A capability that this kernel does not know is not there to be dropped.
            match rustix::thread::remove_capability_from_bounding_set(capability) {
                Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                Err(error) => return Err(format!("prctl(PR_CAPBSET_DROP): {error}")),
            }
        }
        rustix::thread::clear_ambient_capability_set()
            .map_err(|error| format!("prctl(PR_CAP_AMBIENT_CLEAR_ALL): {error}"))?;
        if self.no_new_privileges {
            rustix::thread::set_no_new_privs(true)
                .map_err(|error| format!("prctl(PR_SET_NO_NEW_PRIVS): {error}"))?;
        }
        if let Some(score) = self.oom_score_adj {
            fs::write("/proc/self/oom_score_adj", score.to_string())
                .map_err(|error| format!("write(/proc/self/oom_score_adj, {score}): {error}"))?;
        }
        if let Some(server) = &self.believed {
            crate::one_id::confine(server.as_fd(), &self.start_ids).map_err(chain)?;
        }
        if !self.filter.is_empty() {
            coracle_sys::seccomp::install(&self.filter).map_err(chain)?;
        }
        rustix::thread::set_capabilities(
            None,
            CapabilitySets {
                effective: set(self.capabilities.effective),
                permitted: set(self.capabilities.permitted),
                inheritable: set(self.capabilities.inheritable),
            },
        )
        .map_err(|error| format!("capset(): {error}"))
    }
}

fn set(mask: u64) -> CapabilitySet {
    CapabilitySet::from_bits_truncate(mask)
}

fn chain(error: coracle_sys::SyscallError) -> String {
    format!("{error}: {}", error.source)
}

/// An error number in the words of strerror(3), without Rust's suffix.
fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    plain.to_lowercase()
}

/// Where the program is, by the container's `PATH`.
fn find_program(name: &str, env: &[String]) -> Result<PathBuf, Failure> {
    let missing =
        || Failure::new(NOT_FOUND, format!("exec: {name:?}: executable file not found in $PATH"));
    if name.is_empty() {
        return Err(missing());
    }
    if name.contains('/') {
        return check_program(Path::new(name))
            .map(|()| PathBuf::from(name))
            .map_err(|(code, why)| Failure::new(code, format!("exec: {name:?}: {why}")));
    }
    let path = env.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or("");
    let mut denied = None;
    for folder in path.split(':') {
        let folder = if folder.is_empty() { "." } else { folder };
        let candidate = Path::new(OsStr::new(folder)).join(name);
        match check_program(&candidate) {
            Ok(()) => return Ok(candidate),
            Err((CANNOT_RUN, _)) if denied.is_none() && candidate.is_file() => {
                denied =
                    Some(Failure::new(CANNOT_RUN, format!("exec: {name:?}: permission denied")));
            }
            Err(_) => {}
        }
    }
    Err(denied.unwrap_or_else(missing))
}

/// Shells that people ask for by habit.
const SHELLS: [&str; 8] = ["bash", "zsh", "fish", "ksh", "ash", "dash", "sh", "busybox"];

/// Names the shells that are there to whoever asked for one that is not.
fn with_shells(failure: Failure, name: &str, env: &[String]) -> Failure {
    let asked = Path::new(name).file_name().and_then(OsStr::to_str).unwrap_or_default();
    if failure.code != NOT_FOUND || !SHELLS.contains(&asked) {
        return failure;
    }
    // `/bin/bash` may well be in another folder.
    let there = |shell: &&str| find_program(shell, env).is_ok();
    let shells: Vec<&str> = SHELLS.into_iter().filter(there).collect();
    let hint = match shells.as_slice() {
        [] => "there is no shell in this container".to_owned(),
        shells => format!("the shells in this container: {}", shells.join(", ")),
    };
    Failure { hint: Some(hint), ..failure }
}

fn check_program(path: &Path) -> Result<(), (i32, String)> {
    let meta = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            (NOT_FOUND, format!("stat {}: {}", path.display(), describe(&error)))
        }
        _ => (CANNOT_RUN, describe(&error)),
    })?;
    if meta.is_dir() {
        return Err((CANNOT_RUN, "is a directory: permission denied".to_owned()));
    }
    if meta.permissions().mode() & 0o111 == 0 || meta.size() == 0 && !meta.is_file() {
        return Err((CANNOT_RUN, "permission denied".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::start::payload::*;

    #[test]
    fn programs_are_found_or_told_why_not() {
        let temp = tempfile::tempdir().unwrap();
        let plain = temp.path().join("plain");
        fs::write(&plain, "x").unwrap();
        let env = [format!("PATH=/nosuch:{}", temp.path().display())];
        let failure = find_program("nosuch", &env).unwrap_err();
        assert_eq!(failure.code, 127);
        assert_eq!(failure.message, "exec: \"nosuch\": executable file not found in $PATH");
        let failure = find_program("plain", &env).unwrap_err();
        assert_eq!((failure.code, &*failure.message), (126, "exec: \"plain\": permission denied"));
        let failure = find_program("/nosuch/path", &env).unwrap_err();
        assert_eq!(failure.code, 127);
        assert_eq!(
            failure.message,
            "exec: \"/nosuch/path\": stat /nosuch/path: no such file or directory"
        );
        let failure = find_program("/", &env).unwrap_err();
        assert_eq!(failure.message, "exec: \"/\": is a directory: permission denied");
        let failure =
            with_shells(find_program("/nosuch/sh", &env).unwrap_err(), "/nosuch/sh", &env);
        assert_eq!(failure.hint.as_deref(), Some("there is no shell in this container"));
        let shell = temp.path().join("ash");
        fs::write(&shell, "x").unwrap();
        fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
        let failure = with_shells(find_program("bash", &env).unwrap_err(), "bash", &env);
        assert_eq!(failure.hint.as_deref(), Some("the shells in this container: ash"));
        let failure = with_shells(find_program("nosuch", &env).unwrap_err(), "nosuch", &env);
        assert_eq!(failure.hint, None);
        fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find_program("plain", &env).unwrap(), plain);
    }
}
