//! DNS messages: writing answers.
//!
//! # How it works
//!
//! The question is repeated byte for byte, so that a resolver that mixes case as a check finds
//! its own; the owner of each record is a pointer to it. Answers say "recursion available" and
//! are not authoritative, as Docker's.
//!
//! # Limits
//!
//! Records that do not fit are left out and the answer is marked as truncated: the asker comes
//! again over TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::limits::{TTL_SECONDS, UDP_BYTES_MAX, UDP_BYTES_MIN};
use super::terms::{
    CLASS_IN, HEADER_BYTES, Query, Question, Rcode, TYPE_A, TYPE_AAAA, TYPE_OPT, TYPE_PTR,
    Transport,
};

const FLAGS_ANSWER: u16 = 0x8080;
const FLAG_TRUNCATED: u8 = 0x02;
/// The opcode, "recursion desired" and "checking disabled" are the asker's.
const FLAGS_COPIED: u16 = 0x7910;
/// The question's name, always right after the header.
const OWNER: [u8; 2] = [0xc0, 0x0c];
const EDNS_BYTES: usize = 11;

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// A name as [`encode_name`] makes it.
    Ptr(Vec<u8>),
}

impl From<IpAddr> for Record {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::A(address),
            IpAddr::V6(address) => Self::Aaaa(address),
        }
    }
}

impl Query {
    /// An answer that fits `transport`.
    pub(super) fn answer(&self, rcode: Rcode, records: &[Record], transport: Transport) -> Vec<u8> {
        let mut bytes = header(self.id, self.flags, rcode);
        bytes[5] = 1;
        put_question(&mut bytes, &self.question);
        let room = self.bytes_max(transport) - if self.edns.is_some() { EDNS_BYTES } else { 0 };
        let mut count: u16 = 0;
        for record in records {
            let before = bytes.len();
            put_record(&mut bytes, record);
            if bytes.len() > room {
                bytes.truncate(before);
                bytes[2] |= FLAG_TRUNCATED;
                break;
            }
            count += 1;
        }
        bytes[6..8].copy_from_slice(&count.to_be_bytes());
        self.put_edns(&mut bytes, 0);
        bytes
    }

    /// Another server's answer made one to this query; cut down to nothing if it is too long.
    pub(super) fn adopt(&self, mut bytes: Vec<u8>, transport: Transport) -> Vec<u8> {
        if bytes.len() > self.bytes_max(transport) {
            let mut cut = self.answer(Rcode::NoError, &[], transport);
            cut[2] |= FLAG_TRUNCATED;
            return cut;
        }
        bytes[..2].copy_from_slice(&self.id.to_be_bytes());
        let name = &self.question.name;
        bytes[HEADER_BYTES..HEADER_BYTES + name.len()].copy_from_slice(name);
        bytes
    }

    fn bytes_max(&self, transport: Transport) -> usize {
        usize::from(match (transport, self.edns) {
            (Transport::Tcp, _) => u16::MAX,
            (Transport::Udp, None) => UDP_BYTES_MIN,
            (Transport::Udp, Some(edns)) => edns.udp_bytes.clamp(UDP_BYTES_MIN, UDP_BYTES_MAX),
        })
    }

    fn put_edns(&self, bytes: &mut Vec<u8>, extended_rcode: u8) {
        let Some(edns) = self.edns else { return };
        bytes[11] = 1;
        bytes.push(0);
        bytes.extend(TYPE_OPT.to_be_bytes());
        bytes.extend(UDP_BYTES_MAX.to_be_bytes());
        bytes.extend([extended_rcode, 0, if edns.dnssec_ok { 0x80 } else { 0 }, 0]);
        bytes.extend([0, 0]);
    }
}

/// For a query whose question cannot be repeated.
pub(super) fn without_question(id: u16, flags: u16, rcode: Rcode) -> Vec<u8> {
    header(id, flags, rcode)
}

/// Version 0 is the only one there is; the code is 16, of which EDNS carries the upper bits.
pub(super) fn bad_edns_version(query: &Query) -> Vec<u8> {
    let mut bytes = header(query.id, query.flags, Rcode::NoError);
    bytes[5] = 1;
    put_question(&mut bytes, &query.question);
    query.put_edns(&mut bytes, 1);
    bytes
}

/// A dotted name as messages carry it; `None` if it cannot be one.
pub(super) fn encode_name(name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    (bytes.len() <= 255).then_some(bytes)
}

fn header(id: u16, flags: u16, rcode: Rcode) -> Vec<u8> {
    let flags = FLAGS_ANSWER | (flags & FLAGS_COPIED) | rcode as u16;
    let mut bytes = Vec::with_capacity(usize::from(UDP_BYTES_MIN));
    bytes.extend(id.to_be_bytes());
    bytes.extend(flags.to_be_bytes());
    bytes.resize(HEADER_BYTES, 0);
    bytes
}

fn put_question(bytes: &mut Vec<u8>, question: &Question) {
    bytes.extend(&question.name);
    bytes.extend(question.kind.to_be_bytes());
    bytes.extend(question.class.to_be_bytes());
}

fn put_record(bytes: &mut Vec<u8>, record: &Record) {
    let (v4, v6);
    let (kind, data): (u16, &[u8]) = match record {
        Record::A(address) => {
            v4 = address.octets();
            (TYPE_A, &v4)
        }
        Record::Aaaa(address) => {
            v6 = address.octets();
            (TYPE_AAAA, &v6)
        }
        Record::Ptr(name) => (TYPE_PTR, name),
    };
    let length = u16::try_from(data.len()).expect("addresses and names are short");
    bytes.extend(OWNER);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(CLASS_IN.to_be_bytes());
    bytes.extend(TTL_SECONDS.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(data);
}
