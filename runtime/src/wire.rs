//! What a monitor and its clients say to each other: frames on a stream socket.
//!
//! A frame is one byte of kind, four bytes of length (little endian), then the payload.
//! Bulk data (stdin, stdout, stderr) goes as it is; everything else is JSON.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::model::EndpointSettings;
use crate::start::failure::Failure;

/// The largest payload of one frame, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The length of a frame's header, in bytes.
pub const HEADER_BYTES: usize = 5;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Monitor to client: output of the container.
    Stdout = 1,
    Stderr = 2,
    /// Monitor to client: a [`Notice`].
    Notice = 3,
    /// Client to monitor: input for the container.
    Stdin = 16,
    /// Client to monitor: no more input.
    StdinEnd = 17,
    /// Client to monitor: a [`Request`].
    Request = 18,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Stdout, Self::Stderr, Self::Notice, Self::Stdin, Self::StdinEnd, Self::Request]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// What a monitor tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The container's process runs; with what the user should know about how.
    Started { pid: i32, warnings: Vec<String> },
    /// It could not be started.
    Failed(Failure),
    /// It ended, and what comes after it (removal, restart policy) has been decided.
    Exited { code: i32 },
    /// A request was carried out.
    Done,
    /// A request was refused.
    Refused { message: String },
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Send output from now on, and take input if `stdin`.
    Attach {
        stdin: bool,
        stdout: bool,
        stderr: bool,
    },
    /// Set the size of the terminal, in characters.
    Resize {
        columns: u16,
        rows: u16,
    },
    /// Send a signal to the container's first process.
    Signal {
        number: i32,
    },
    /// End the container: signal, grace in milliseconds (none: wait for ever), SIGKILL.
    /// The restart policy no longer applies. [`Notice::Exited`] is the answer.
    Stop {
        signal: i32,
        grace_ms: Option<u64>,
        /// Record the event `stop` when it has ended: not when it is about to be removed.
        announce: bool,
        /// It is to be started again: one that removes itself stays.
        keep: bool,
    },
    /// Tell when the container has ended.
    Wait,
    /// Say that you are there.
    Ping,
    Pause,
    Unpause,
    /// The record changed: read it again.
    Reload,
    /// Connect the container to the network with this id.
    JoinNetwork {
        network: String,
        wish: Box<EndpointSettings>,
    },
    /// Disconnect it.
    LeaveNetwork {
        network: String,
    },
}

/// Reads frames from a byte stream that may arrive in any pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
}

impl Decoder {
    /// Takes what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// `InvalidData` for an unknown kind or an oversized frame: the peer is not ours.
    pub fn next_frame(&mut self) -> io::Result<Option<(Kind, Vec<u8>)>> {
        let Some(header) = self.buffer.get(..HEADER_BYTES) else { return Ok(None) };
        let kind = Kind::from_byte(header[0]).ok_or(io::ErrorKind::InvalidData)?;
        let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
        if length > FRAME_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if self.buffer.len() < HEADER_BYTES + length {
            return Ok(None);
        }
        let payload = self.buffer[HEADER_BYTES..HEADER_BYTES + length].to_vec();
        self.buffer.drain(..HEADER_BYTES + length);
        Ok(Some((kind, payload)))
    }
}

/// A frame as bytes.
///
/// # Panics
/// When `payload` is longer than [`FRAME_BYTES_MAX`].
#[must_use]
pub fn frame(kind: Kind, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() <= FRAME_BYTES_MAX, "callers cut data into frames");
    let length = u32::try_from(payload.len()).expect("the limit fits in 32 bits");
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.push(kind as u8);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A JSON message as a frame.
///
/// # Panics
/// Never: the messages above always serialise.
#[must_use]
pub fn message(kind: Kind, value: &impl Serialize) -> Vec<u8> {
    let bytes = serde_json::to_vec(value).expect("plain data always serialises");
    if bytes.len() <= FRAME_BYTES_MAX {
        return frame(kind, &bytes);
    }
    // Words of the user's made it too long.
    let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    shorten_all(&mut value);
    let mut bytes = serde_json::to_vec(&value).unwrap_or_default();
    // Too many of them: the peer cannot understand it, and says so.
    bytes.truncate(FRAME_BYTES_MAX);
    frame(kind, &bytes)
}

fn shorten_all(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = coracle_words::shorten(text).into_owned(),
        serde_json::Value::Array(all) => all.iter_mut().for_each(shorten_all),
        serde_json::Value::Object(all) => all.values_mut().for_each(shorten_all),
        _ => {}
    }
}

/// Blocks until a whole frame arrived; `None` when the peer hung up.
///
/// # Errors
/// As `read(2)`, or `InvalidData` for a peer that is not ours.
pub fn read_frame(
    stream: &mut impl Read,
    decoder: &mut Decoder,
) -> io::Result<Option<(Kind, Vec<u8>)>> {
    let mut chunk = [0u8; 16 * 1024];
    loop {
        if let Some(frame) = decoder.next_frame()? {
            return Ok(Some(frame));
        }
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(length) => decoder.push(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sends a request.
///
/// # Errors
/// As `write(2)`.
pub fn send(stream: &mut impl Write, request: &Request) -> io::Result<()> {
    stream.write_all(&message(Kind::Request, request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_whole_from_any_pieces() {
        let mut bytes = frame(Kind::Stdout, b"hello");
        bytes.extend(message(Kind::Notice, &Notice::Exited { code: 3 }));
        let mut decoder = Decoder::default();
        let mut got = Vec::new();
        for byte in bytes {
            decoder.push(&[byte]);
            while let Some(frame) = decoder.next_frame().unwrap() {
                got.push(frame);
            }
        }
        assert_eq!(got[0], (Kind::Stdout, b"hello".to_vec()));
        assert_eq!(got[1], (Kind::Notice, br#"{"Exited":{"code":3}}"#.to_vec()));
    }

    #[test]
    fn a_stranger_is_refused() {
        let mut decoder = Decoder::default();
        decoder.push(b"GET / HTTP/1.1");
        assert!(decoder.next_frame().is_err());
        let mut decoder = Decoder::default();
        decoder.push(&[1, 255, 255, 255, 255]);
        assert!(decoder.next_frame().is_err());
    }
}
