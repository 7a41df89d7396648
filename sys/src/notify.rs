//! Answer system calls of another process: seccomp user notification.
//!
//! # How it works
//!
//! A filter that returns [`RET_USER_NOTIF`] stops the calling thread until whoever holds
//! the filter's listener answers for the kernel (seccomp_unotify(2)). The filter is
//! installed with "wait killable": otherwise a signal at the wrong moment makes the call
//! start over, and programs that signal themselves often never get through.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::error::{Context, SyscallError};
use crate::seccomp::Instruction;

/// What a filter returns to have the call answered.
pub const RET_USER_NOTIF: u32 = libc::SECCOMP_RET_USER_NOTIF;
/// What a filter returns to let the call pass.
pub const RET_ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// Linux 5.19; not in libc yet.
const FLAG_WAIT_KILLABLE_RECV: libc::c_ulong = 1 << 5;
/// `SECCOMP_IOCTL_NOTIF_SET_FLAGS`, Linux 6.6: `_IOW('!', 4, __u64)`.
const IOCTL_SET_FLAGS: libc::c_ulong = 0x4008_2104;
/// The answer is run on the same CPU as the question.
const FD_SYNC_WAKE_UP: u64 = 1;
/// `_IOWR('!', 0, struct seccomp_notif)` of 80 bytes.
const IOCTL_RECV: libc::c_ulong = 0xc050_2100;
/// `_IOWR('!', 1, struct seccomp_notif_resp)` of 24 bytes.
const IOCTL_SEND: libc::c_ulong = 0xc018_2101;
/// `_IOW('!', 2, __u64)`.
const IOCTL_ID_VALID: libc::c_ulong = 0x4008_2102;
/// `_IOW('!', 3, struct seccomp_notif_addfd)` of 24 bytes.
const IOCTL_ADDFD: libc::c_ulong = 0x4018_2103;
const _: () = assert!(size_of::<libc::seccomp_notif_addfd>() == 24);
const _: () = assert!(size_of::<libc::seccomp_notif>() == 80);
const _: () = assert!(size_of::<libc::seccomp_notif_resp>() == 24);

#[repr(C)]
struct Program {
    length: u16,
    filter: *const Instruction,
}

/// One system call that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    pub id: u64,
    /// The calling thread, in our pid namespace.
    pub tid: i32,
    pub number: i32,
    pub arguments: [u64; 6],
}

/// What the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Value(i64),
    /// A positive error number.
    Error(i32),
    /// The kernel does the call after all.
    Continue,
}

/// Puts `filter` on this process and returns its listener. A filter that is stacked on one
/// with a listener cannot have another.
///
/// # Errors
/// EACCES without CAP_SYS_ADMIN and no-new-privileges, EBUSY when there is a listener,
/// EINVAL before Linux 5.0.
pub fn install(filter: &[Instruction]) -> Result<OwnedFd, SyscallError> {
    let describe = || format!("seccomp(NEW_LISTENER, {} instructions)", filter.len());
    let length = u16::try_from(filter.len())
        .map_err(|_| io::Error::from(rustix::io::Errno::INVAL))
        .call(describe)?;
    let program = Program { length, filter: filter.as_ptr() };
    let load = |flags: libc::c_ulong| {
        // SAFETY: `program` describes `length` instructions at `filter`, laid out as
        // `sock_filter`, alive for the call; the kernel copies them.
        unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        }
    };
    let mut rc = load(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | FLAG_WAIT_KILLABLE_RECV);
    if rc < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
        rc = load(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    }
    let fd = i32::try_from(rc).unwrap_or(-1);
    if fd < 0 {
        return Err(io::Error::last_os_error()).call(describe);
    }
    // SAFETY: the kernel just returned this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes question and answer share a CPU, which halves the time; older kernels cannot.
pub fn prefer_same_cpu(listener: BorrowedFd<'_>) {
    // SAFETY: the argument is the value itself, no memory is touched. A refusal costs time,
    // nothing else, so the result is not looked at.
    unsafe { libc::ioctl(listener.as_raw_fd(), request(IOCTL_SET_FLAGS), FD_SYNC_WAKE_UP) };
}

/// The type of an ioctl number differs between C libraries.
#[cfg(target_env = "musl")]
#[expect(clippy::cast_possible_truncation, reason = "ioctl numbers have 32 bits")]
fn request(number: libc::c_ulong) -> libc::c_int {
    (number as u32).cast_signed()
}

#[cfg(not(target_env = "musl"))]
fn request(number: libc::c_ulong) -> libc::c_ulong {
    number
}

/// Takes the next question. Blocks when there is none: poll first.
///
/// `None` when its caller was killed meanwhile.
///
/// # Errors
/// As the ioctl.
pub fn receive(listener: BorrowedFd<'_>) -> Result<Option<Notification>, SyscallError> {
    let mut raw = MaybeUninit::<libc::seccomp_notif>::zeroed();
    // SAFETY: `raw` is as large as the kernel's structure (asserted above) and zeroed, as
    // the call demands.
    let rc = unsafe { libc::ioctl(listener.as_raw_fd(), request(IOCTL_RECV), raw.as_mut_ptr()) };
    if rc != 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ENOENT | libc::EINTR) => Ok(None),
            _ => Err(error).call(|| "ioctl(SECCOMP_IOCTL_NOTIF_RECV)".into()),
        };
    }
    // SAFETY: plain data, zeroed and then filled by the kernel.
    let raw = unsafe { raw.assume_init() };
    Ok(Some(Notification {
        id: raw.id,
        tid: raw.pid.cast_signed(),
        number: raw.data.nr,
        arguments: raw.data.args,
    }))
}

/// Whether the caller still waits: false means its pid may belong to another by now.
#[must_use]
pub fn is_waiting(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the kernel reads one u64, which outlives the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), request(IOCTL_ID_VALID), &raw const id) == 0 }
}

/// Answers a question. A caller that is gone is no error.
///
/// # Errors
/// As the ioctl.
pub fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> Result<(), SyscallError> {
    let (val, error, flags) = match answer {
        Answer::Value(value) => (value, 0, 0),
        Answer::Error(number) => (0, -number, 0),
        Answer::Continue => (0, 0, 1),
    };
    let mut raw = libc::seccomp_notif_resp { id, val, error, flags };
    // SAFETY: `raw` has the kernel's layout and outlives the call.
    let rc = unsafe { libc::ioctl(listener.as_raw_fd(), request(IOCTL_SEND), &raw mut raw) };
    if rc == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOENT) => Ok(()),
        _ => Err(error).call(|| format!("ioctl(SECCOMP_IOCTL_NOTIF_SEND, {answer:?})")),
    }
}

/// Answers a question with a descriptor of the caller's own for what `file` is. A caller
/// that is gone is no error.
///
/// # Errors
/// EMFILE when the caller has no room, EINVAL before Linux 5.14.
pub fn give(
    listener: BorrowedFd<'_>,
    id: u64,
    file: BorrowedFd<'_>,
    close_on_exec: bool,
) -> Result<(), SyscallError> {
    let describe = || format!("ioctl(SECCOMP_IOCTL_NOTIF_ADDFD, {})", file.as_raw_fd());
    let raw = libc::seccomp_notif_addfd {
        id,
        flags: libc::SECCOMP_ADDFD_FLAG_SEND.try_into().unwrap_or_default(),
        srcfd: file.as_raw_fd().cast_unsigned(),
        newfd: 0,
        newfd_flags: if close_on_exec { libc::O_CLOEXEC.cast_unsigned() } else { 0 },
    };
    // SAFETY: `raw` has the kernel's layout (its size is asserted above) and outlives the
    // call; `file` is open for the whole borrow.
    let rc = unsafe { libc::ioctl(listener.as_raw_fd(), request(IOCTL_ADDFD), &raw const raw) };
    if rc >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOENT) => Ok(()),
        _ => Err(error).call(describe),
    }
}

/// Reads memory of thread `tid` at `address`; stops at the first page that is not there.
///
/// # Errors
/// EFAULT when nothing is readable, EPERM, ESRCH.
pub fn read_memory(tid: i32, address: u64, into: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = remote(address, into.len())?;
    // SAFETY: `local` describes `into`, which is writable for its length; `remote` is only
    // a number to this process.
    let got = unsafe { libc::process_vm_readv(tid, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(got).map_err(|_| io::Error::last_os_error())
}

/// Writes all of `bytes` into the memory of thread `tid`.
///
/// # Errors
/// EFAULT when not all of it is writable, EPERM, ESRCH.
pub fn write_memory(tid: i32, address: u64, bytes: &[u8]) -> io::Result<()> {
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let remote = remote(address, bytes.len())?;
    // SAFETY: the kernel only reads from `local`, which describes `bytes`.
    let put = unsafe { libc::process_vm_writev(tid, &raw const local, 1, &raw const remote, 1, 0) };
    match usize::try_from(put) {
        Ok(length) if length == bytes.len() => Ok(()),
        Ok(_) => Err(rustix::io::Errno::FAULT.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

fn remote(address: u64, length: usize) -> io::Result<libc::iovec> {
    let address = usize::try_from(address).map_err(|_| rustix::io::Errno::FAULT)?;
    Ok(libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: length })
}

/// Closes every descriptor of this process but `kept`, whoever believes to own them.
///
/// Only for a forked child that uses nothing else afterwards.
///
/// # Errors
/// ENOSYS before Linux 5.9.
pub fn close_all_but(kept: BorrowedFd<'_>) -> io::Result<()> {
    let kept = u32::try_from(kept.as_raw_fd()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let close = |first: u32, last: u32| {
        // SAFETY: the caller's promise: nothing but `kept` is used any more, so no owner
        // of a closed descriptor acts on it; at exit destructors do not run.
        let rc = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    };
    if kept > 0 {
        close(0, kept - 1)?;
    }
    close(kept + 1, u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_this_process() {
        let tid = rustix::process::getpid().as_raw_nonzero().get();
        let mut target = *b"before";
        let address = u64::try_from(target.as_ptr().expose_provenance()).unwrap();
        let mut copy = [0u8; 6];
        assert_eq!(read_memory(tid, address, &mut copy).unwrap(), 6);
        assert_eq!(&copy, b"before");
        target.copy_from_slice(b"middle");
        write_memory(tid, address, b"behind").unwrap();
        assert_eq!(std::hint::black_box(&target), b"behind");
        let error = read_memory(tid, 1, &mut copy).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EFAULT));
    }
}
