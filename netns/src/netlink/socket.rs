//! Sends requests and reads the answers.
//!
//! # How it works
//!
//! The kernel handles a request while it is being sent, so its answers wait already when the
//! call returns; a reader that would have to wait reads nothing that matters, and nothing
//! here ever blocks. Of several requests sent together the kernel works each, in order, also
//! after one failed; only the last is asked for an acknowledgement, because failures are told
//! without asking.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_sys::SyscallError;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::attributes::{Message, attribute, messages, text, u32_at};
use super::error::{NetlinkError, Refusal};
use super::message::{HEADER_BYTES, NLM_F_ACK, NLM_F_DUMP, Request};

/// Kinds of messages that every family has.
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// A list changed while it was being read.
const NLM_F_DUMP_INTR: u16 = 0x10;
/// An error carries attributes of its own.
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// What the kernel fills at most at once when a reader offers it.
const BUFFER_BYTES: usize = 32 * 1024;
/// A list that changes each time it is read so often is not worth waiting for.
const DUMP_ATTEMPTS: u32 = 8;

/// A netlink socket.
#[derive(Debug)]
pub struct Netlink {
    fd: OwnedFd,
    sequence: Cell<u32>,
}

impl Netlink {
    /// Uses a socket that was made, in whatever network namespace, by
    /// [`coracle_sys::netlink`].
    #[must_use]
    pub fn new(fd: OwnedFd) -> Self {
        Self { fd, sequence: Cell::new(0) }
    }

    /// A route-netlink socket of the calling thread's network namespace.
    ///
    /// # Errors
    /// As [`coracle_sys::netlink::route_socket`].
    pub fn here() -> Result<Self, SyscallError> {
        Ok(Self::new(coracle_sys::netlink::route_socket()?))
    }

    /// Does one thing.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn call(&self, request: Request) -> Result<(), NetlinkError> {
        self.call_all(&[request])
    }

    /// Does several things with one message. All are tried, also after one failed.
    ///
    /// # Errors
    /// The first refusal.
    pub fn call_all(&self, requests: &[Request]) -> Result<(), NetlinkError> {
        match requests.len() {
            0 => Ok(()),
            count => self.exchange(requests, count - 1),
        }
    }

    /// Sends all requests together, and reads until `last` of them has been answered.
    pub(crate) fn exchange(&self, requests: &[Request], last: usize) -> Result<(), NetlinkError> {
        let first_sequence = self.sequence.get().wrapping_add(1);
        let mut datagram = Vec::new();
        for (index, request) in requests.iter().enumerate() {
            let flags = if index == last { NLM_F_ACK } else { 0 };
            datagram.extend(request.encode(self.next_sequence(), flags));
        }
        self.send(&datagram, &requests[0].what)?;

        let mut failure = None;
        let answered = self.receive(&requests[last].what, |message| {
            let index = message.sequence.wrapping_sub(first_sequence);
            let Some(request) = usize::try_from(index).ok().and_then(|i| requests.get(i)) else {
                return false;
            };
            if message.kind == NLMSG_ERROR
                && let Some(error) = refusal(request, &message)
                && failure.is_none()
            {
                failure = Some(error);
            }
            message.kind == NLMSG_ERROR && usize::try_from(index).is_ok_and(|i| i == last)
        })?;
        match failure {
            Some(error) => Err(error),
            None if answered => Ok(()),
            None => Err(NetlinkError::NoAnswer { what: requests[last].what.clone() }),
        }
    }

    /// Asks for one thing and gives `read` the body of each answer; `None` answers are left out.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub(crate) fn get<T>(
        &self,
        request: &Request,
        mut read: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, NetlinkError> {
        self.list(request, 0, &mut read)?
            .ok_or_else(|| NetlinkError::Unsteady { what: request.what.clone(), attempts: 1 })
    }

    /// Asks for a list and gives `read` the body of each entry; `None` entries are left out.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub(crate) fn dump<T>(
        &self,
        request: &Request,
        mut read: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, NetlinkError> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(list) = self.list(request, NLM_F_DUMP, &mut read)? {
                return Ok(list);
            }
        }
        Err(NetlinkError::Unsteady { what: request.what.clone(), attempts: DUMP_ATTEMPTS })
    }

    /// `None` when the list changed while it was read.
    fn list<T>(
        &self,
        request: &Request,
        flags: u16,
        read: &mut impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Option<Vec<T>>, NetlinkError> {
        let sequence = self.next_sequence();
        self.send(&request.encode(sequence, flags), &request.what)?;
        let (mut found, mut failure, mut steady) = (Vec::new(), None, true);
        let answered = self.receive(&request.what, |message| {
            if message.sequence != sequence {
                return false;
            }
            steady &= message.flags & NLM_F_DUMP_INTR == 0;
            match message.kind {
                // Both begin with an error number.
                NLMSG_ERROR | NLMSG_DONE => {
                    failure = refusal(request, &message);
                    return true;
                }
                _ => found.extend(read(message.body)),
            }
            // A single answer is the end; a list ends with a message that says so.
            flags == 0
        })?;
        match failure {
            Some(error) => Err(error),
            None if answered => Ok(steady.then_some(found)),
            None => Err(NetlinkError::NoAnswer { what: request.what.clone() }),
        }
    }

    fn next_sequence(&self) -> u32 {
        self.sequence.set(self.sequence.get().wrapping_add(1));
        self.sequence.get()
    }

    fn send(&self, datagram: &[u8], what: &str) -> Result<(), NetlinkError> {
        rustix::io::retry_on_intr(|| rustix::net::send(&self.fd, datagram, SendFlags::empty()))
            .map(|_| ())
            .map_err(|errno| NetlinkError::Transport { what: what.into(), source: errno.into() })
    }

    /// Gives `read` each message until it says that it was the last; false when the kernel
    /// has no more before that.
    fn receive(
        &self,
        what: &str,
        mut read: impl FnMut(Message<'_>) -> bool,
    ) -> Result<bool, NetlinkError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let received = rustix::io::retry_on_intr(|| {
                rustix::net::recv(&self.fd, &mut buffer[..], RecvFlags::DONTWAIT)
            });
            let length = match received {
                Ok((length, _)) => length,
                Err(Errno::AGAIN) => return Ok(false),
                Err(errno) => {
                    return Err(NetlinkError::Transport {
                        what: what.into(),
                        source: errno.into(),
                    });
                }
            };
            let mut ended = false;
            for message in messages(&buffer[..length]) {
                ended |= read(message);
            }
            if ended {
                return Ok(true);
            }
        }
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The error that an answer carries, unless it is success or tolerated.
fn refusal(request: &Request, message: &Message<'_>) -> Option<NetlinkError> {
    // An error number, then the header of the request (which the socket's options made all
    // that comes back of it), then attributes.
    let number = u32_at(message.body, 0).map_or(0, u32::cast_signed);
    if number == 0 {
        return None;
    }
    let errno = Errno::from_raw_os_error(number.saturating_neg());
    if request.tolerated.contains(&errno) {
        return None;
    }
    let words = (message.flags & NLM_F_ACK_TLVS != 0)
        .then(|| message.body.get(4 + HEADER_BYTES..))
        .flatten()
        .and_then(|attributes| attribute(attributes, NLMSGERR_ATTR_MSG))
        .map(text);
    Some(NetlinkError::Refused {
        what: request.what.clone(),
        source: Refusal { errno, message: words },
    })
}
