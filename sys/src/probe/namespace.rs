//! Try things out as root of a user namespace that ends at once.

use std::fs::File;
use std::io::{self, Read};

use rustix::process::WaitOptions;
use rustix::thread::UnshareFlags;

use crate::error::{Context, SyscallError};
use crate::fork::{Fork, exit_now, fork};
use crate::idmap::{IdMap, Lack};
use crate::userns;

/// First byte of the child's report.
const ENTERED: u8 = 1;
const REFUSED: u8 = 0;

/// Runs `job` in a child that is root of new user and mount namespaces, and returns what
/// it returns. Mounts and everything else made in there end with the child.
///
/// # Errors
/// The kernel's refusal of the namespaces, or EBUSY when this process has threads.
pub fn in_user_namespace(job: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, SyscallError> {
    let (read, write) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).call(|| "pipe2()".into())?;
    match fork()? {
        Fork::Child => {
            drop(read);
            let report = match userns::create(&IdMap::Single { why: Lack::Probe }) {
                Ok(()) => {
                    let mut report = vec![ENTERED];
                    report.extend(job());
                    report
                }
                Err(error) => {
                    let mut report = vec![REFUSED];
                    report.extend(error.errno().unwrap_or(0).to_ne_bytes());
                    report.extend(error.call.as_bytes());
                    report
                }
            };
            let sent = rustix::io::write(&write, &report);
            exit_now(i32::from(sent.is_err()))
        }
        Fork::Parent(child) => {
            drop(write);
            let mut report = Vec::new();
            let read = File::from(read).read_to_end(&mut report);
            rustix::process::waitpid(Some(child), WaitOptions::empty())
                .call(|| format!("waitpid({child})"))?;
            read.call(|| "read(pipe of the probe)".into())?;
            parse(&report)
        }
    }
}

fn parse(report: &[u8]) -> Result<Vec<u8>, SyscallError> {
    match report.split_first() {
        Some((&ENTERED, rest)) => Ok(rest.to_vec()),
        Some((&REFUSED, rest)) if rest.len() >= 4 => {
            let errno = i32::from_ne_bytes([rest[0], rest[1], rest[2], rest[3]]);
            let call = String::from_utf8_lossy(&rest[4..]).into_owned();
            Err(SyscallError { call, source: io::Error::from_raw_os_error(errno) })
        }
        _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof)).call(|| "the probe died".into()),
    }
}

/// Gives this process a network namespace of its own.
///
/// # Errors
/// As `unshare(2)`.
pub fn unshare_network() -> Result<(), SyscallError> {
    // SAFETY: CLONE_NEWNET touches neither the descriptor table nor the address space.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }
        .call(|| "unshare(CLONE_NEWNET)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_back() {
        assert_eq!(parse(b"\x01abc").unwrap(), b"abc");
        let mut refusal = vec![REFUSED];
        refusal.extend(1i32.to_ne_bytes());
        refusal.extend(b"unshare()");
        let error = parse(&refusal).unwrap_err();
        assert_eq!((error.call.as_str(), error.errno()), ("unshare()", Some(1)));
        assert!(parse(b"").is_err());
    }
}
