//! The process in which a container's [`Supervisor`] runs, and how filters reach it.
//!
//! # How it works
//!
//! The monitor forks it before the container starts: the container's first steps are
//! already asked about, when the monitor does not listen yet. It ends with the last
//! process under its filters, or with the monitor. Where its socket was removed, a second one
//! takes its place for later processes of the container, and is ended by the monitor.
//!
//! ```text
//! monitor ──fork──> server <──socket── process about to become the container's program:
//!                      ▲                installs the filter, sends its listener and ids
//!                      └──listener───── the kernel, on behalf of every process under it
//! ```

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::event::{PollFd, PollFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::process::{Pid, Signal};

use super::calls::filter;
use super::files::put_record_at;
use super::ids::StartIds;
use super::supervisor::Supervisor;

/// Room for 65536 groups would be a megabyte; nobody has more than this.
const GREETING_BYTES_MAX: usize = 64 * 1024;

/// How long a server lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Until the last process under its filters has gone.
    Processes,
    /// Until it is killed: it is there for processes that come and go.
    Monitor,
}

/// Starts the server behind `socket`.
///
/// # Errors
/// As `fork(2)`.
pub fn spawn(socket: &UnixListener, span: Span) -> Result<Pid, SyscallError> {
    let socket = socket.try_clone().call(|| "dup(socket of the id server)".into())?;
    let monitor = rustix::process::getpid();
    match fork()? {
        Fork::Parent(pid) => Ok(pid),
        Fork::Child => exit_now(i32::from(child(&socket, monitor, span).is_err())),
    }
}

fn child(socket: &UnixListener, monitor: Pid, span: Span) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if rustix::process::getppid() != Some(monitor) {
        return Ok(());
    }
    coracle_sys::notify::close_all_but(socket.as_fd())?;
    serve(socket, span)
}

/// Answers as long as it is to.
///
/// # Errors
/// As `poll(2)`.
pub fn serve(socket: &UnixListener, span: Span) -> io::Result<()> {
    let mut supervisor = Supervisor::new();
    let mut started = false;
    while span == Span::Monitor || !(started && supervisor.is_empty()) {
        let joins = {
            let mut fds = vec![PollFd::new(socket, PollFlags::IN)];
            fds.extend(supervisor.fds().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            match rustix::event::poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            !fds[0].revents().is_empty()
        };
        if joins {
            // A caller that says nothing useful is dropped; its processes get ENOSYS.
            if let Ok((listener, first)) = socket.accept().and_then(|(stream, _)| greet(&stream)) {
                supervisor.add(listener, first);
                started = true;
            }
        }
        supervisor.serve_ready();
    }
    Ok(())
}

fn greet(stream: &UnixStream) -> io::Result<(OwnedFd, StartIds)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut text = vec![0u8; GREETING_BYTES_MAX];
    let got = rustix::net::recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut text)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let listener = ancillary
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        })
        .ok_or(io::ErrorKind::InvalidData)?;
    Ok((listener, serde_json::from_slice(&text[..got.bytes])?))
}

/// Puts this process under the filter and hands it to the server at the other end of
/// `server`. From here on its ids are `first`; what is to have an owner gets it.
///
/// Needs CAP_SYS_ADMIN or no-new-privileges. To be called before any filter that forbids
/// `seccomp` or `sendmsg`, and as id 0.
///
/// # Errors
/// As seccomp(2) and `sendmsg(2)`. After the latter the calls of the filter fail.
pub fn confine(server: BorrowedFd<'_>, first: &StartIds) -> Result<(), SyscallError> {
    for (path, owner) in &first.owners {
        put_record_at(path, *owner);
    }
    let text = serde_json::to_vec(first).map_err(io::Error::from).call(|| "ids".into())?;
    let listener = coracle_sys::notify::install(&filter())?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds = [listener.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    let sent =
        rustix::net::sendmsg(server, &[IoSlice::new(&text)], &mut ancillary, SendFlags::NOSIGNAL);
    sent.map(drop).call(|| "sendmsg(listener to the id server)".into())
}
