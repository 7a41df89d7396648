//! DNS messages: reading a question, recognising its answer.
//!
//! # How it works
//!
//! Only the header, the one question and the EDNS record of a query are understood. The name in
//! a question has nothing before it that it could point to, so a compression pointer there is an
//! error; names of further records are stepped over, and a pointer ends those. No pointer is
//! ever followed: nothing can loop.
//!
//! # Limits
//!
//! A query has at most [`QUERY_BYTES_MAX`] bytes and exactly one question. Records after the
//! ones that the header counts are left alone.

use super::answer;
use super::limits::QUERY_BYTES_MAX;
use super::terms::{Edns, Query, Question, Rcode, TYPE_OPT};

const NAME_BYTES_MAX: usize = 255;

const FLAG_RESPONSE: u16 = 0x8000;
const MASK_OPCODE: u16 = 0x7800;
const MASK_RCODE: u16 = 0x000f;

/// Why bytes are no query, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    /// Answering could start a loop, or there is nobody to answer.
    Ignore,
    /// Send this.
    Answer(Vec<u8>),
}

/// The message is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Malformed;

impl Query {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Rejected> {
        let mut reader = Reader { bytes, at: 0 };
        let header = reader.header().map_err(|Malformed| Rejected::Ignore)?;
        if header.flags & FLAG_RESPONSE != 0 {
            return Err(Rejected::Ignore);
        }
        let refuse =
            |rcode| Rejected::Answer(answer::without_question(header.id, header.flags, rcode));
        if header.flags & MASK_OPCODE != 0 {
            return Err(refuse(Rcode::NotImplemented));
        }
        if bytes.len() > QUERY_BYTES_MAX || header.questions != 1 {
            return Err(refuse(Rcode::FormatError));
        }
        let rest = |mut reader: Reader<'_>| {
            let question = reader.question()?;
            Ok((question, reader.edns(&header)?))
        };
        let (question, edns) = rest(reader).map_err(|Malformed| refuse(Rcode::FormatError))?;
        let query = Self { id: header.id, flags: header.flags, question, edns };
        match query.edns {
            Some(edns) if edns.version != 0 => {
                Err(Rejected::Answer(answer::bad_edns_version(&query)))
            }
            _ => Ok(query),
        }
    }
}

impl Question {
    /// The name in small letters with dots between labels; `None` if no name of ours can be it.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.name.as_slice();
        while let Some((&length, after)) = rest.split_first() {
            if length == 0 {
                break;
            }
            let (label, after) = after.split_at_checked(usize::from(length))?;
            if label.contains(&b'.') {
                return None;
            }
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(std::str::from_utf8(label).ok()?);
            rest = after;
        }
        text.make_ascii_lowercase();
        Some(text)
    }

    /// Whether `other` asks the same. Length bytes are below the letters, so that ignoring case
    /// over the whole name changes none of them.
    fn same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.class == other.class
            && self.name.eq_ignore_ascii_case(&other.name)
    }
}

/// The id of an answer, if the bytes are long enough for one.
pub(super) fn id(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|&id| u16::from_be_bytes(id))
}

/// The code of `bytes`, if they answer `question`.
pub(super) fn rcode_of_answer(bytes: &[u8], question: &Question) -> Option<u16> {
    let mut reader = Reader { bytes, at: 0 };
    let header = reader.header().ok()?;
    let answers = header.flags & FLAG_RESPONSE != 0
        && header.flags & MASK_OPCODE == 0
        && header.questions == 1
        && reader.question().is_ok_and(|theirs| question.same(&theirs));
    answers.then_some(header.flags & MASK_RCODE)
}

struct Header {
    id: u16,
    flags: u16,
    questions: u16,
    /// Answers and authorities.
    others: [u16; 2],
    additional: u16,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let rest = self.bytes.get(self.at..).ok_or(Malformed)?;
        let taken = rest.first_chunk::<N>().ok_or(Malformed)?;
        self.at += N;
        Ok(*taken)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_be_bytes)
    }

    fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        self.at = end.ok_or(Malformed)?;
        Ok(())
    }

    fn header(&mut self) -> Result<Header, Malformed> {
        Ok(Header {
            id: self.u16()?,
            flags: self.u16()?,
            questions: self.u16()?,
            others: [self.u16()?, self.u16()?],
            additional: self.u16()?,
        })
    }

    fn question(&mut self) -> Result<Question, Malformed> {
        let start = self.at;
        loop {
            let [length] = self.take()?;
            match length {
                0 => break,
                1..=63 => self.skip(usize::from(length))?,
                _ => return Err(Malformed),
            }
        }
        let name = self.bytes.get(start..self.at).ok_or(Malformed)?;
        if name.len() > NAME_BYTES_MAX {
            return Err(Malformed);
        }
        Ok(Question { name: name.to_vec(), kind: self.u16()?, class: self.u16()? })
    }

    /// Steps over an owner's name; true if it is the root.
    fn owner(&mut self) -> Result<bool, Malformed> {
        let start = self.at;
        loop {
            let [length] = self.take()?;
            match length {
                0 => return Ok(self.at == start + 1),
                1..=63 => self.skip(usize::from(length))?,
                192.. => {
                    self.skip(1)?;
                    return Ok(false);
                }
                _ => return Err(Malformed),
            }
        }
    }

    fn edns(&mut self, header: &Header) -> Result<Option<Edns>, Malformed> {
        for _ in 0..header.others.iter().map(|&count| u32::from(count)).sum() {
            self.record()?;
        }
        let mut found = None;
        for _ in 0..header.additional {
            let edns = self.record()?;
            if edns.is_some() && found.is_some() {
                return Err(Malformed);
            }
            found = found.or(edns);
        }
        Ok(found)
    }

    /// Steps over a record; what it says if it is an EDNS one.
    fn record(&mut self) -> Result<Option<Edns>, Malformed> {
        let root = self.owner()?;
        let (kind, class) = (self.u16()?, self.u16()?);
        let [_, version, flags, _] = self.take()?;
        let length = self.u16()?;
        self.skip(usize::from(length))?;
        if kind != TYPE_OPT {
            return Ok(None);
        }
        if !root {
            return Err(Malformed);
        }
        Ok(Some(Edns { udp_bytes: class, version, dnssec_ok: flags & 0x80 != 0 }))
    }
}
