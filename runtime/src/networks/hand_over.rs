//! How a container's network namespace gets from its first process to the monitor.
//!
//! # How it works
//!
//! The process has entered its namespaces and has not run the program yet. It opens a
//! route-netlink socket, whose namespace is the container's, sends it over a socket it was
//! given, and waits. The monitor takes it to the helper and answers with one byte once the
//! devices are there; when it hangs up instead, the program is never run. So the monitor has
//! no need to enter namespaces, and trusts no path in the container's `/proc`.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};

/// What goes along with the descriptor, and the answer.
const WORD: &[u8] = b"n";

/// A container's network namespace and a socket in it.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) namespace: OwnedFd,
    pub(crate) route: OwnedFd,
}

/// In the container: opens a socket there, hands it over, waits until the network is made.
///
/// # Errors
/// In words; when the other side hung up, the network could not be made.
pub(crate) fn hand_over(to: BorrowedFd<'_>) -> Result<(), String> {
    let route = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|error| format!("socket(AF_NETLINK): {error}"))?;
    send(to, route.as_fd()).map_err(|error| format!("cannot hand over the network: {error}"))?;
    drop(route);
    let mut answer = [0u8; WORD.len()];
    match retry(|| rustix::net::recv(to, &mut answer[..], RecvFlags::empty())) {
        Ok((length, _)) if length == WORD.len() => Ok(()),
        Ok(_) => Err("the container's network could not be made".to_owned()),
        Err(error) => Err(format!("cannot hear whether the network is made: {error}")),
    }
}

/// The monitor's end, from before the container's process exists.
///
/// When it is dropped the process learns that nothing comes any more. Closing alone would not
/// do: the process is a fork of the monitor and has a copy of this end until it runs the
/// program.
#[derive(Debug)]
pub(crate) struct Waiting {
    socket: OwnedFd,
}

impl Waiting {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// Waits for the socket, or until `other` has something to say; then `None`.
    ///
    /// # Errors
    /// When what arrives is no such socket.
    pub(crate) fn take_over(&self, other: BorrowedFd<'_>) -> Result<Option<Handed>, SyscallError> {
        let mut fds = [
            PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(other, PollFlags::IN),
        ];
        retry(|| rustix::event::poll(&mut fds, None)).call(|| "poll(container)".into())?;
        if !fds[0].revents().contains(PollFlags::IN) {
            return Ok(None);
        }
        let received = receive(self.socket.as_fd()).call(|| "recvmsg(container)".into())?;
        let Some(route) = received else { return Ok(None) };
        let namespace = coracle_sys::net::namespace_of(route.as_fd())?;
        Ok(Some(Handed { namespace, route }))
    }

    /// Lets the container's program run.
    ///
    /// # Errors
    /// When the process is gone.
    pub(crate) fn release(&self) -> io::Result<()> {
        retry(|| rustix::net::send(&self.socket, WORD, SendFlags::NOSIGNAL))?;
        Ok(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Not connected any more is as good. The word of `release` is still read.
        rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both).ok();
    }
}

fn send(to: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> Result<(), Errno> {
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)), "the space is for one");
    rustix::net::sendmsg(to, &[IoSlice::new(WORD)], &mut control, SendFlags::NOSIGNAL).map(drop)
}

fn receive(from: BorrowedFd<'_>) -> Result<Option<OwnedFd>, Errno> {
    let mut word = [0u8; WORD.len()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    rustix::net::recvmsg(from, &mut [IoSliceMut::new(&mut word)], &mut control, flags)?;
    let rights = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    Ok(rights)
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn pair() -> (OwnedFd, OwnedFd) {
        rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .unwrap()
    }

    #[test]
    fn a_socket_crosses_and_the_program_may_run() {
        let (ours, theirs) = pair();
        let (silent, _quiet) = pair();
        let container = std::thread::spawn(move || hand_over(theirs.as_fd()));
        // Finding the namespace takes a privilege that tests may lack; the socket crosses.
        let route = receive(ours.as_fd()).unwrap().unwrap();
        let ours = Waiting::new(ours);
        assert_eq!(rustix::net::sockopt::socket_domain(&route).unwrap(), AddressFamily::NETLINK);
        ours.release().unwrap();
        assert_eq!(container.join().unwrap(), Ok(()));
        assert!(ours.take_over(silent.as_fd()).unwrap().is_none(), "it hung up");
    }

    #[test]
    fn a_monitor_that_gives_up_stops_the_program() {
        let (ours, theirs) = pair();
        // As in the container's process itself.
        let _copy = ours.try_clone().unwrap();
        let container = std::thread::spawn(move || hand_over(theirs.as_fd()));
        drop(receive(ours.as_fd()).unwrap().unwrap());
        drop(Waiting::new(ours));
        assert_eq!(
            container.join().unwrap().unwrap_err(),
            "the container's network could not be made"
        );
    }

    #[test]
    fn whatever_else_is_said_ends_the_wait() {
        let (ours, _theirs) = pair();
        let (report, other) = pair();
        rustix::net::send(&other, b"failed", SendFlags::empty()).unwrap();
        assert!(Waiting::new(ours).take_over(report.as_fd()).unwrap().is_none());
    }
}
