//! A connection that carries names' messages, each after its length: a container's to us, or ours to
//! another server.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::SendFlags;

/// A message's length comes before it over TCP (RFC 1035 4.2.2).
const LENGTH_BYTES: usize = 2;
pub(super) const MESSAGE_BYTES_MAX: usize = 65_535;

/// The connection, with what came and did not go yet.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) socket: OwnedFd,
    pub(super) number: u64,
    pub(super) peer: SocketAddr,
    pub(super) since: Instant,
    input: Vec<u8>,
    pub(super) output: Vec<u8>,
    /// For one of ours: the id of its question.
    pub(super) question: Option<u16>,
    /// Questions that were not answered yet.
    pub(super) pending: usize,
    /// Nothing more comes in; what is pending is answered all the same.
    pub(super) ended: bool,
}

impl Stream {
    pub(super) fn new(socket: OwnedFd, number: u64, peer: SocketAddr, since: Instant) -> Self {
        let (input, output) = (Vec::new(), Vec::new());
        Self {
            socket,
            number,
            peer,
            since,
            input,
            output,
            question: None,
            pending: 0,
            ended: false,
        }
    }

    /// Nothing more is to be said on either side.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.pending == 0 && self.output.is_empty()
    }

    /// Reads what is there; false at the end.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        while self.input.len() < LENGTH_BYTES + MESSAGE_BYTES_MAX {
            match rustix::io::read(&self.socket, &mut buffer[..]) {
                Ok(0) => return Ok(false),
                Ok(length) => self.input.extend_from_slice(&buffer[..length]),
                Err(Errno::AGAIN) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// The next whole message.
    pub(super) fn message(&mut self) -> Option<Vec<u8>> {
        let length: [u8; LENGTH_BYTES] = self.input.get(..LENGTH_BYTES)?.try_into().ok()?;
        let end = LENGTH_BYTES + usize::from(u16::from_be_bytes(length));
        let message = self.input.get(LENGTH_BYTES..end)?.to_vec();
        self.input.drain(..end);
        Some(message)
    }

    /// Adds a message to what is to be sent.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        // The server makes none that is longer.
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.output.extend_from_slice(&length.to_be_bytes());
        self.output.extend_from_slice(&bytes[..usize::from(length)]);
    }

    /// Sends what finds room.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match rustix::net::send(&self.socket, &self.output, SendFlags::NOSIGNAL) {
                Ok(length) => drop(self.output.drain(..length)),
                Err(Errno::AGAIN | Errno::NOTCONN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
