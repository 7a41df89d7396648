//! Connections of clients: one container each, with what it got.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendFlags,
};

use crate::netlink::Netlink;
use crate::protocol::{Join, MESSAGE_BYTES_MAX, Reply, Request};

/// Who joined: its description and the two descriptors that came with it.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) join: Join,
    pub(crate) namespace: OwnedFd,
    pub(crate) netlink: Netlink,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) socket: OwnedFd,
    pub(crate) joined: Option<Joined>,
}

/// Why a client is heard no more.
#[derive(Debug)]
pub(crate) enum Heard {
    Request(Box<Request>, Vec<OwnedFd>),
    /// It said what is no request.
    Nonsense(String),
    /// Nothing now.
    Nothing,
    Gone,
}

impl Client {
    /// The next message.
    pub(crate) fn hear(&self) -> Heard {
        let mut bytes = vec![0u8; MESSAGE_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut ancillary,
            RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
        );
        let length = match received {
            Ok(message) if message.bytes > 0 => message.bytes,
            Err(Errno::AGAIN | Errno::INTR) => return Heard::Nothing,
            _ => return Heard::Gone,
        };
        let mut descriptors = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                descriptors.extend(received);
            }
        }
        match serde_json::from_slice(&bytes[..length]) {
            Ok(request) => Heard::Request(Box::new(request), descriptors),
            Err(error) => Heard::Nonsense(format!("not a request: {error}")),
        }
    }

    /// Answers; a client that is gone is noticed by its socket.
    pub(crate) fn tell(&self, reply: &Reply) {
        let bytes = serde_json::to_vec(reply).expect("plain data always serialises");
        rustix::net::sendmsg(
            self.socket.as_fd(),
            &[IoSlice::new(&bytes)],
            &mut SendAncillaryBuffer::default(),
            SendFlags::NOSIGNAL,
        )
        .ok();
    }
}
