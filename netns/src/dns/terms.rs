//! The words of DNS that readers and writers of messages share: a query, its types and codes.
//!
//! # Not here
//!
//! How they stand in a message: [`super::message`] reads it, [`super::answer`] writes it.

pub(super) const HEADER_BYTES: usize = 12;

pub(super) const TYPE_A: u16 = 1;
pub(super) const TYPE_PTR: u16 = 12;
pub(super) const TYPE_MX: u16 = 15;
pub(super) const TYPE_AAAA: u16 = 28;
pub(super) const TYPE_OPT: u16 = 41;
pub(super) const TYPE_SVCB: u16 = 64;
pub(super) const TYPE_HTTPS: u16 = 65;
pub(super) const CLASS_IN: u16 = 1;

/// How a question came, and how it is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    Tcp,
}

/// Codes we say ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rcode {
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

/// A query that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) id: u16,
    pub(super) flags: u16,
    pub(super) question: Question,
    pub(super) edns: Option<Edns>,
}

/// What is asked, as it stood in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Length-prefixed labels up to and with the root's; case as asked.
    pub(super) name: Vec<u8>,
    pub(super) kind: u16,
    pub(super) class: u16,
}

/// The asker's EDNS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    pub(super) udp_bytes: u16,
    pub(super) version: u8,
    /// "DNSSEC OK", which an answer repeats.
    pub(super) dnssec_ok: bool,
}
