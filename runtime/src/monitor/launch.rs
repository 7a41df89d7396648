//! Start a monitor from a command.

use std::ffi::CString;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use coracle_sys::fork::{Fork, exit_now, fork};
use coracle_sys::process::ProcessId;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, WaitOptions};

use crate::order::MonitorOrder;
use crate::paths::Paths;
use crate::session::Session;

/// Largest order, in bytes: paths and some numbers.
const ORDER_BYTES_MAX: usize = 64 * 1024;

/// The monitor's descriptors, beyond the standard ones.
pub(super) const CONTROL_FD: i32 = 3;
pub(super) const LOCK_FD: i32 = 4;

/// A monitor that waits for its order. It ends when this is dropped.
#[derive(Debug)]
#[must_use = "give it an order"]
pub(crate) struct Ready {
    /// The container that it is for.
    id: String,
    /// Gone with the order.
    stream: Option<UnixStream>,
    child: Pid,
}

impl Drop for Ready {
    fn drop(&mut self) {
        if self.stream.take().is_some() {
            // It hears that nothing comes any more. Nothing of ours lives on after the command.
            rustix::process::waitpid(Some(self.child), WaitOptions::empty()).ok();
        }
    }
}

/// Starts a monitor that waits for its order: it gets ready while its container is made. Its
/// command line tells whoever looks at processes which container that is.
///
/// The lock of a new session goes to it; it lets go of it once others can find the namespaces.
///
/// # Errors
/// When the process cannot be made.
pub(crate) fn call_ahead(
    session: &mut Session,
    paths: &Paths,
    id: &str,
) -> Result<Ready, SyscallError> {
    let argument_of = |path: &std::path::Path| {
        CString::new(path.as_os_str().as_bytes()).expect("a path that was opened holds no NUL")
    };
    let argv = [
        argument(super::MONITOR_ARGV0),
        argument(id),
        argument_of(&paths.data),
        argument_of(&paths.run),
    ];
    let lock = session.lock.take();
    let (stream, child) = spawn(&argv, lock.as_ref())?;
    Ok(Ready { id: id.to_owned(), stream: Some(stream), child })
}

/// Gives an order to a monitor, the one that is ready or a new one, and returns the stream on
/// which it tells how it went.
///
/// `record` is called with the process before it may do anything.
///
/// # Errors
/// When the process cannot be made or recorded.
pub(crate) fn launch(
    session: &mut Session,
    order: &MonitorOrder,
    record: impl FnOnce(ProcessId) -> std::io::Result<()>,
) -> Result<UnixStream, SyscallError> {
    let json = serde_json::to_vec(order).expect("plain data always serialises");
    let length = u32::try_from(json.len()).expect("an order is short").to_le_bytes();
    let mut ready = match session.ready.take_if(|ready| ready.id == order.id) {
        Some(ready) => ready,
        None => call_ahead(session, &order.paths(), &order.id)?,
    };
    let pid = ready.child.as_raw_nonzero().get();
    record(ProcessId::of(pid).unwrap_or(ProcessId { pid, start_ticks: 0 }))
        .call(|| "write the container's state".into())?;
    let mut stream = ready.stream.take().expect("only an order takes it");
    stream.write_all(&[&length[..], &json].concat()).call(|| "write(monitor)".into())?;
    Ok(stream)
}

/// Waits for the order; `None` when there is none: whoever called has ended.
pub(super) fn take_order(mut stream: &UnixStream) -> Option<MonitorOrder> {
    let mut length = [0u8; size_of::<u32>()];
    stream.read_exact(&mut length).ok()?;
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    (length <= ORDER_BYTES_MAX).then_some(())?;
    let mut json = vec![0u8; length];
    stream.read_exact(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Starts the parent of an `exec` session, whose description is in `session`.
///
/// # Errors
/// When the process cannot be made.
pub(crate) fn launch_exec(session: &OwnedFd) -> Result<UnixStream, SyscallError> {
    let (stream, _) = spawn(&[argument(super::EXEC_ARGV0)], Some(session))?;
    Ok(stream)
}

fn argument(text: &str) -> CString {
    CString::new(text).expect("neither JSON nor our names hold a NUL")
}

/// Forks a process that becomes this executable again, seen read-only.
fn spawn(argv: &[CString], extra: Option<&OwnedFd>) -> Result<(UnixStream, Pid), SyscallError> {
    let (ours, theirs) = UnixStream::pair().call(|| "socketpair()".into())?;
    let exe = coracle_sys::exe::open_sealed()?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .call(|| "open(/dev/null)".into())?;
    match fork()? {
        Fork::Parent(child) => Ok((ours, child)),
        Fork::Child => {
            drop(ours);
            let error = become_helper(&null, &theirs, extra, &exe, argv);
            // Nobody listens on standard error any more; the closed socket tells.
            drop(error);
            exit_now(1)
        }
    }
}

fn become_helper(
    null: &OwnedFd,
    control: &UnixStream,
    extra: Option<&OwnedFd>,
    exe: &OwnedFd,
    argv: &[CString],
) -> std::io::Error {
    let arrange = || -> std::io::Result<OwnedFd> {
        rustix::process::setsid()?;
        rustix::process::chdir("/")?;
        crate::core_dumps::allow_again();
        // Move what is needed out of the way of the numbers it must get.
        let high = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 10);
        let (null, control, exe) =
            (high(null.as_fd())?, high(control.as_fd())?, high(exe.as_fd())?);
        let extra = extra.map(|extra| high(extra.as_fd())).transpose()?;
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        coracle_sys::fd::place(control.as_fd(), CONTROL_FD)?;
        coracle_sys::fd::place(extra.as_ref().unwrap_or(&null).as_fd(), LOCK_FD)?;
        coracle_sys::fd::close_on_exec_from(LOCK_FD + 1)?;
        Ok(exe)
    };
    match arrange() {
        Ok(exe) => coracle_sys::exec::fexecve(exe.as_fd(), argv, &[]),
        Err(error) => error,
    }
}
