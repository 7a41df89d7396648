//! Newer system calls: there, not in this kernel, or forbidden by a filter above us.

use std::os::fd::AsFd;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::process::PidfdFlags;

/// A call that we need and cannot make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingCall {
    pub name: &'static str,
    /// The kernel release that brought it.
    pub since: &'static str,
    /// A filter (of a container we are in) forbids it; the kernel may well have it.
    pub forbidden: bool,
}

/// The calls among those we need that cannot be made.
#[must_use]
pub fn missing_calls() -> Vec<MissingCall> {
    let pidfd = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
    let openat2 = rustix::fs::openat2(
        CWD,
        c"/",
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT,
    );
    // A pipe is no mount: refused with EINVAL where the call exists.
    let setattr =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).and_then(|(pipe, _)| {
            match crate::mount::set_readonly(pipe.as_fd(), false).map_err(|error| error.errno()) {
                Err(Some(errno)) if errno == Errno::NOSYS.raw_os_error() => Err(Errno::NOSYS),
                _ => Ok(()),
            }
        });
    [
        ("pidfd_open", "5.3", pidfd.map(drop)),
        ("openat2", "5.6", openat2.map(drop)),
        ("mount_setattr", "5.12", setattr),
    ]
    .into_iter()
    .filter_map(|(name, since, result)| match result {
        Err(Errno::NOSYS) => Some(MissingCall { name, since, forbidden: false }),
        Err(Errno::PERM) => Some(MissingCall { name, since, forbidden: true }),
        _ => None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_missing_where_the_tests_run() {
        assert_eq!(super::missing_calls(), []);
    }
}
