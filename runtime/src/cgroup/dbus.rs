//! Just enough D-Bus to make one call and read its answer.
//!
//! # How it works
//!
//! SASL EXTERNAL without an identity (the socket's credentials speak: inside a user
//! namespace we do not know our outer id), then little-endian messages as the D-Bus
//! specification lays them out.
//!
//! # Limits
//!
//! Messages up to [`MESSAGE_BYTES_MAX`]; `unix:` addresses; no descriptors.

use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::Duration;

/// More than systemd ever says about one unit.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// How long the other side may take for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Writes values in D-Bus's layout: every value is aligned to its own size.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    pub(super) fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes.extend(value.to_le_bytes());
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.u32(value.into());
    }

    pub(super) fn string(&mut self, text: &str) {
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    pub(super) fn signature(&mut self, text: &str) {
        self.bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    /// An array whose elements are aligned to `align`; its length counts no padding before
    /// the first element.
    pub(super) fn array(&mut self, align: usize, elements: impl FnOnce(&mut Self)) {
        self.u32(0);
        let length_at = self.bytes.len() - 4;
        self.align(align);
        let start = self.bytes.len();
        elements(self);
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// One `(sv)`: a named property.
    pub(super) fn property(&mut self, name: &str, signature: &str, value: impl FnOnce(&mut Self)) {
        self.align(8);
        self.string(name);
        self.signature(signature);
        value(self);
    }
}

/// A method call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    pub(super) signature: &'a str,
    pub(super) body: Encoder,
}

impl Call<'_> {
    pub(super) fn encode(self, serial: u32) -> Vec<u8> {
        let mut out = Encoder::default();
        // Little-endian, method call, no flags, version 1.
        out.bytes.extend([b'l', 1, 0, 1]);
        out.u32(u32::try_from(self.body.bytes.len()).unwrap_or(u32::MAX));
        out.u32(serial);
        out.array(8, |fields| {
            for (code, signature, text) in [
                (1, "o", self.path),
                (6, "s", self.destination),
                (2, "s", self.interface),
                (3, "s", self.member),
            ] {
                fields.align(8);
                fields.bytes.push(code);
                fields.signature(signature);
                fields.string(text);
            }
            if !self.signature.is_empty() {
                fields.align(8);
                fields.bytes.push(8);
                fields.signature("g");
                fields.signature(self.signature);
            }
        });
        out.align(8);
        out.bytes.extend(self.body.bytes);
        out.bytes
    }
}

/// What came back, as far as we look at it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// 2 answer, 3 error, 4 signal.
    pub(super) kind: u8,
    pub(super) reply_to: u32,
    pub(super) member: String,
    pub(super) error: String,
    /// The strings and object paths at the start of the body.
    pub(super) strings: Vec<String>,
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Decoder<'_> {
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn u8(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4);
        let bytes = self.bytes.get(self.at..self.at.checked_add(4)?)?;
        self.at += 4;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn text(&mut self, length: usize) -> Option<String> {
        let end = self.at.checked_add(length)?;
        let text = std::str::from_utf8(self.bytes.get(self.at..end)?).ok()?.to_owned();
        self.at = end + 1;
        Some(text)
    }

    fn string(&mut self) -> Option<String> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.text(length)
    }

    fn signature(&mut self) -> Option<String> {
        let length = self.u8()?;
        self.text(length.into())
    }
}

/// Reads one whole message; `header` is the fixed part and the fields, unpadded.
pub(super) fn decode(header: &[u8], body: &[u8]) -> Option<Message> {
    let mut message = Message { kind: *header.get(1)?, ..Message::default() };
    let mut signature = String::new();
    let mut fields = Decoder { bytes: header, at: 16 };
    loop {
        fields.align(8);
        if fields.at >= header.len() {
            break;
        }
        let code = fields.u8()?;
        match (code, fields.signature()?.as_str()) {
            (3, "s") => message.member = fields.string()?,
            (4, "s") => message.error = fields.string()?,
            (8, "g") => signature = fields.signature()?,
            (5, "u") => message.reply_to = fields.u32()?,
            (_, "s" | "o") => drop(fields.string()?),
            (_, "u") => drop(fields.u32()?),
            (_, "g") => drop(fields.signature()?),
            _ => return None,
        }
    }
    let mut values = Decoder { bytes: body, at: 0 };
    for kind in signature.chars() {
        match kind {
            's' | 'o' => message.strings.push(values.string()?),
            'u' => drop(values.u32()?),
            _ => break,
        }
    }
    Some(message)
}

/// A connection to a bus, or straight to systemd.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    serial: u32,
}

impl Connection {
    /// Connects and authenticates.
    pub(super) fn open(address: &str) -> io::Result<Self> {
        let stream = connect(address)?;
        Self::authenticate(stream)
    }

    pub(super) fn authenticate(mut stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_write_timeout(Some(ANSWER_MAX))?;
        stream.write_all(b"\0AUTH EXTERNAL\r\nDATA\r\n")?;
        for _ in 0..2 {
            let line = read_line(&mut stream)?;
            if line.starts_with("OK") {
                stream.write_all(b"BEGIN\r\n")?;
                return Ok(Self { stream, serial: 0 });
            }
            if !line.starts_with("DATA") {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, line));
            }
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "no OK from the bus"))
    }

    pub(super) fn send(&mut self, call: Call<'_>) -> io::Result<u32> {
        self.serial += 1;
        self.stream.write_all(&call.encode(self.serial))?;
        Ok(self.serial)
    }

    /// Sends a call and waits for its answer; an error answer becomes an error.
    pub(super) fn call(&mut self, call: Call<'_>) -> io::Result<Message> {
        let serial = self.send(call)?;
        loop {
            let message = self.receive()?;
            if message.reply_to == serial {
                return match message.kind {
                    3 => Err(io::Error::other(format!(
                        "{}: {}",
                        message.error,
                        message.strings.join(" ")
                    ))),
                    _ => Ok(message),
                };
            }
        }
    }

    pub(super) fn receive(&mut self) -> io::Result<Message> {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "malformed D-Bus message");
        let mut fixed = [0u8; 16];
        self.stream.read_exact(&mut fixed)?;
        if fixed[0] != b'l' {
            return Err(broken());
        }
        let number = |at: usize| {
            let bytes = [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
            usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX)
        };
        let (body, fields) = (number(4), number(12));
        if body > MESSAGE_BYTES_MAX || fields > MESSAGE_BYTES_MAX {
            return Err(broken());
        }
        let mut rest = vec![0u8; fields.next_multiple_of(8) + body];
        self.stream.read_exact(&mut rest)?;
        let mut header = fixed.to_vec();
        header.extend(&rest[..fields]);
        decode(&header, &rest[fields.next_multiple_of(8)..]).ok_or_else(broken)
    }
}

fn read_line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0u8; 1];
    while line.len() < 1024 {
        stream.read_exact(&mut byte)?;
        if byte[0] == b'\n' {
            break;
        }
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Tries each `unix:` address of a list.
fn connect(addresses: &str) -> io::Result<UnixStream> {
    let mut last = io::Error::new(io::ErrorKind::Unsupported, "no unix: address");
    for address in addresses.split(';') {
        let Some(options) = address.strip_prefix("unix:") else { continue };
        for option in options.split(',') {
            let stream = match option.split_once('=') {
                Some(("path", path)) => UnixStream::connect(unescape(path)),
                Some(("abstract", name)) => SocketAddr::from_abstract_name(unescape(name))
                    .and_then(|address| UnixStream::connect_addr(&address)),
                _ => continue,
            };
            match stream {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}

/// `%2f` and the like.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let escaped = (*byte == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_as_the_specification_lays_it_out() {
        let mut body = Encoder::default();
        body.string("a");
        let call = Call {
            destination: "d.d",
            path: "/",
            interface: "i.i",
            member: "M",
            signature: "s",
            body,
        };
        let bytes = call.encode(7);
        assert_eq!(&bytes[..12], [b'l', 1, 0, 1, 6, 0, 0, 0, 7, 0, 0, 0]);
        // Path, destination, interface, member, signature; the last ends at 16 + 71.
        assert_eq!(&bytes[12..16], [71, 0, 0, 0]);
        assert_eq!(&bytes[16..26], b"\x01\x01o\0\x01\0\0\0/\0");
        assert_eq!(&bytes[80..87], b"\x08\x01g\0\x01s\0");
        assert_eq!(&bytes[88..], b"\x01\0\0\0a\0");
        let message = decode(&bytes[..87], &bytes[88..]).unwrap();
        assert_eq!((message.member.as_str(), message.strings), ("M", vec!["a".to_owned()]));
    }

    #[test]
    fn a_cut_message_is_refused() {
        assert_eq!(decode(b"l\x02\0\x01\0\0\0\0\x01\0\0\0\x06\0\0\0\x05\x01u\0", b""), None);
    }

    #[test]
    fn addresses() {
        assert_eq!(unescape("/run/a%20b%2"), "/run/a b%2");
        assert!(connect("tcp:host=x").is_err());
    }
}
