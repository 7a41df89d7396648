//! Builds netlink messages (netlink(7)): a header, a fixed part, then attributes, each with
//! its length and number, and some with attributes inside.

use rustix::io::Errno;

/// Flags of a message.
pub(crate) const NLM_F_REQUEST: u16 = 0x1;
pub(crate) const NLM_F_ACK: u16 = 0x4;
pub(crate) const NLM_F_REPLACE: u16 = 0x100;
pub(crate) const NLM_F_EXCL: u16 = 0x200;
pub(crate) const NLM_F_CREATE: u16 = 0x400;
pub(crate) const NLM_F_APPEND: u16 = 0x800;
pub(crate) const NLM_F_DUMP: u16 = 0x300;

/// Marks an attribute that holds attributes.
const NLA_F_NESTED: u16 = 0x8000;

pub(crate) const HEADER_BYTES: usize = 16;
const ATTRIBUTE_HEADER_BYTES: usize = 4;

/// A message for the kernel, with words for what it is to do.
#[derive(Debug)]
pub struct Request {
    /// As in "cannot …": an operation and its object.
    pub(super) what: String,
    pub(super) bytes: Vec<u8>,
    /// Refusals that mean there was nothing to do.
    pub(super) tolerated: Vec<Errno>,
}

impl Request {
    pub(crate) fn new(kind: u16, flags: u16, what: String) -> Self {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        Self { what, bytes, tolerated: Vec::new() }
    }

    /// The request succeeds also when the kernel refuses it with one of these.
    #[must_use]
    pub fn or(mut self, errnos: &[Errno]) -> Self {
        self.tolerated.extend_from_slice(errnos);
        self
    }

    /// Appends bytes as they are: the fixed part that comes before attributes.
    pub(crate) fn fixed(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self.pad();
        self
    }

    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        self.push(kind, |request| request.bytes.extend_from_slice(value));
        self
    }

    /// A number in this machine's order, as route netlink has them.
    pub(crate) fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// A number in network order, as netfilter has them.
    pub(crate) fn number_be(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Text with the NUL that the kernel's reader wants.
    pub(crate) fn text(mut self, kind: u16, value: &str) -> Self {
        self.push(kind, |request| {
            request.bytes.extend_from_slice(value.as_bytes());
            request.bytes.push(0);
        });
        self
    }

    pub(crate) fn maybe<T>(self, value: Option<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => add(self, value),
            None => self,
        }
    }

    /// An attribute made of what `inside` appends.
    pub(crate) fn nest(mut self, kind: u16, inside: impl FnOnce(Self) -> Self) -> Self {
        let start = self.open(kind | NLA_F_NESTED);
        self = inside(self);
        self.close(start);
        self
    }

    fn push(&mut self, kind: u16, value: impl FnOnce(&mut Self)) {
        let start = self.open(kind);
        value(self);
        self.close(start);
    }

    fn open(&mut self, kind: u16) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; ATTRIBUTE_HEADER_BYTES]);
        self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
        start
    }

    fn close(&mut self, start: usize) {
        let length = u16::try_from(self.bytes.len() - start).expect("attributes here are short");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.pad();
    }

    /// The next part begins at a multiple of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The message as it is sent.
    pub(super) fn encode(&self, sequence: u32, more_flags: u16) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let length = u32::try_from(bytes.len()).expect("messages here are short");
        let flags = u16::from_ne_bytes([bytes[6], bytes[7]]) | more_flags;
        bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_lengths_padding_and_nests() {
        let request = Request::new(16, NLM_F_CREATE, "test".into())
            .fixed(&[1, 2, 3, 4])
            .text(3, "ab")
            .nest(18, |inside| inside.bytes(1, &[9]));
        let bytes = request.encode(7, NLM_F_ACK);
        let expected: &[u8] = &[
            40, 0, 0, 0, 16, 0, 0x05, 0x04, 7, 0, 0, 0, 0, 0, 0, 0, // header
            1, 2, 3, 4, // fixed part
            7, 0, 3, 0, b'a', b'b', 0, 0, // text, one byte of padding
            12, 0, 18, 0x80, 5, 0, 1, 0, 9, 0, 0, 0, // nest
        ];
        #[cfg(target_endian = "little")]
        assert_eq!(bytes, expected);
        assert_eq!(bytes.len(), expected.len());
    }
}
