//! Websockets (RFC 6455): as much as an attached client needs.
//!
//! # How it works
//!
//! The connection belongs to a worker that waits in one `poll` for it and for a monitor; so this is bytes in, bytes out.
//! That is also why no crate does it: the kept ones want to own the connection.
//!
//! # Limits
//!
//! A frame has at most [`FRAME_BYTES_MAX`]. There are no extensions; text and binary messages are both input.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// The most bytes of a frame that a client sends.
const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// What every server appends to a client's key.
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const CONTINUED: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// What the server answers to the key of a client.
pub(crate) fn accept(key: &str) -> String {
    let text = format!("{key}{MAGIC}");
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// A message of bytes.
pub(crate) fn message(bytes: &[u8]) -> Vec<u8> {
    frame(BINARY, bytes)
}

/// The last frame of a conversation.
pub(crate) fn close() -> Vec<u8> {
    // 1000: all went well.
    frame(CLOSE, &1000u16.to_be_bytes())
}

fn frame(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80 | kind];
    match (u8::try_from(bytes.len()), u16::try_from(bytes.len())) {
        (Ok(short), _) if short < 126 => out.push(short),
        (_, Ok(medium)) => {
            out.push(126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
    out
}

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Data(Vec<u8>),
    /// It wants this to be sent.
    Answer(Vec<u8>),
    /// It ends the conversation, or does not speak the protocol.
    End,
}

/// Takes frames apart as they come.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
}

impl Decoder {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Option<Said> {
        let [first, second] = *self.buffer.first_chunk::<2>()?;
        let is_masked = second & 0x80 != 0;
        // Reserved bits mean extensions, and clients mask what they send.
        if first & 0x70 != 0 || !is_masked {
            return Some(Said::End);
        }
        let (length, start) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*self.buffer.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*self.buffer.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let length = match usize::try_from(length) {
            Ok(length) if length <= FRAME_BYTES_MAX => length,
            _ => return Some(Said::End),
        };
        let mask: [u8; 4] = *self.buffer.get(start..)?.first_chunk()?;
        let from = start + mask.len();
        let data = self.buffer.get(from..from + length)?;
        let data: Vec<u8> =
            data.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        self.buffer.drain(..from + length);
        Some(match first & 0x0f {
            CONTINUED | TEXT | BINARY => Said::Data(data),
            PING => Said::Answer(frame(PONG, &data)),
            PONG => Said::Data(Vec::new()),
            _ => Said::End,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(kind: u8, text: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut out = frame(kind, text);
        let at = out.len() - text.len();
        out[1] |= 0x80;
        let data: Vec<u8> = text.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
        out.truncate(at);
        out.extend(mask);
        out.extend(data);
        out
    }

    #[test]
    fn the_answer_to_a_key_is_that_of_the_specification() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn frames_come_in_pieces() {
        let mut decoder = Decoder::default();
        let long = vec![7u8; 70_000];
        let all =
            [masked(BINARY, b"hi"), masked(PING, b"p"), masked(TEXT, &long), masked(CLOSE, b"")]
                .concat();
        let mut said = Vec::new();
        for piece in all.chunks(1000) {
            decoder.feed(piece);
            said.extend(std::iter::from_fn(|| decoder.next()));
        }
        let wanted = [
            Said::Data(b"hi".to_vec()),
            Said::Answer(frame(PONG, b"p")),
            Said::Data(long),
            Said::End,
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn who_does_not_mask_or_sends_too_much_is_not_spoken_with() {
        for bytes in
            [frame(BINARY, b"x"), vec![0x82, 0xff, 1, 0, 0, 0, 0, 0, 0, 0], vec![0xc2, 0x80]]
        {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            assert_eq!(decoder.next(), Some(Said::End), "{bytes:?}");
        }
    }
}
