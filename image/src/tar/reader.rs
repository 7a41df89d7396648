//! The archive as a stream of entries: ustar, star, PAX, GNU and old tars.
//!
//! # Limits
//!
//! Extended headers have at most [`EXTENDED_HEADER_BYTES_MAX`] bytes, so memory does not
//! depend on what a header claims. Reading ends at the first end-of-archive mark, as
//! Docker's does; a missing mark at the end of the stream is accepted.

use std::io::{self, ErrorKind, Read};

use super::error::TarError;
use super::format::{BLOCK, EntryKind};
use super::path::printable;
use super::pax::{self, Record};
use super::sparse::{self, InDataMap, PaxSparse, Segment, SparseMap};
use crate::limits::{EXTENDED_HEADER_BYTES_MAX, EXTENDED_HEADERS_MAX};

const OLD_GNU_SPARSE_IN_HEADER: usize = 4;
const OLD_GNU_SPARSE_IN_BLOCK: usize = 21;

/// One entry, with extensions merged in. Its data is read from the [`Reader`].
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: Vec<u8>,
    pub link: Vec<u8>,
    pub kind: EntryKind,
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    /// Seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Bytes of the file, without holes.
    pub size: u64,
    pub sparse: Option<SparseMap>,
    pub xattrs: Vec<Record>,
}

impl Entry {
    /// The name for messages.
    pub fn shown(&self) -> String {
        printable(&self.name)
    }
}

/// Extensions that precede an entry.
#[derive(Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: Vec<Record>,
    count: usize,
}

/// Reads entries and, between them, their data.
pub struct Reader<'a> {
    inner: &'a mut dyn Read,
    /// Data of the present entry that was not read yet, and the padding after it.
    remaining: u64,
    padding: u64,
    /// The entry or header read last, for messages, and whether we are still in it.
    last: Option<String>,
    within: bool,
}

type Result<T> = std::result::Result<T, TarError>;

impl<'a> Reader<'a> {
    pub fn new(inner: &'a mut dyn Read) -> Self {
        Self { inner, remaining: 0, padding: 0, last: None, within: false }
    }

    /// The next entry; `None` at the end of the archive.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_data()?;
            self.within = false;
            let Some(block) = self.next_header()? else {
                if extensions.count > 0 {
                    return Err(self.bad("extended headers without an entry"));
                }
                return Ok(None);
            };
            self.enter(&header_name(&block));
            let size = self.field(&block, 124..136, "size")?;
            match block[156] {
                b'x' => {
                    let data = self.extended(size, &mut extensions)?;
                    extensions.pax.extend(pax::parse(&data).map_err(|why| self.bad(why))?);
                }
                // Global records (`git archive` writes a comment) are ignored, as Docker does.
                b'g' => drop(self.extended(size, &mut extensions)?),
                b'L' => {
                    extensions.long_name = Some(until_nul(self.extended(size, &mut extensions)?))
                }
                b'K' => {
                    extensions.long_link = Some(until_nul(self.extended(size, &mut extensions)?))
                }
                _ => return self.entry(&block, size, extensions).map(Some),
            }
        }
    }

    /// Reads data of the present entry; 0 at its end.
    pub fn read_data(&mut self, buf: &mut [u8]) -> Result<usize> {
        let wanted = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(buf.len());
        if wanted == 0 {
            return Ok(0);
        }
        let n = retry(|| self.inner.read(&mut buf[..wanted])).map_err(|e| self.broken(e))?;
        if n == 0 {
            return Err(self.broken(ErrorKind::UnexpectedEof.into()));
        }
        self.remaining -= n as u64;
        Ok(n)
    }

    fn place(&self) -> String {
        match &self.last {
            None => "at its beginning".to_owned(),
            Some(name) if self.within => format!("in entry `{name}`"),
            Some(name) => format!("after entry `{name}`"),
        }
    }

    /// From here on, messages are about the entry `name`.
    fn enter(&mut self, name: &[u8]) {
        self.last = Some(printable(name));
        self.within = true;
    }

    fn broken(&self, source: io::Error) -> TarError {
        TarError::Read { place: self.place(), source }
    }

    fn bad(&self, why: impl Into<String>) -> TarError {
        TarError::Header { place: self.place(), why: why.into() }
    }

    /// Nothing after the last entry's data is its end as well, as in Go: Docker's client leaves padding and end out
    /// where it puts a Dockerfile from elsewhere into a context.
    fn skip_data(&mut self) -> Result<()> {
        let padding = self.padding;
        let mut left = self.remaining.saturating_add(padding);
        (self.remaining, self.padding) = (0, 0);
        let mut scratch = [0; 16 * 1024];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(scratch.len());
            let n =
                retry(|| self.inner.read(&mut scratch[..wanted])).map_err(|e| self.broken(e))?;
            if n == 0 {
                if left <= padding {
                    return Ok(());
                }
                return Err(self.broken(ErrorKind::UnexpectedEof.into()));
            }
            left -= n as u64;
        }
        Ok(())
    }

    /// A block; `None` when the stream ends just before it.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match retry(|| self.inner.read(&mut block[filled..])).map_err(|e| self.broken(e))? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(self.broken(ErrorKind::UnexpectedEof.into())),
                n => filled += n,
            }
        }
        Ok(Some(block))
    }

    /// A header with a correct checksum; `None` at the end of the archive.
    fn next_header(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block == [0; BLOCK] {
            return match self.block()? {
                None => Ok(None),
                Some(second) if second == [0; BLOCK] => Ok(None),
                Some(_) => Err(self.bad("a block of zeros in the middle of the archive")),
            };
        }
        let sum = |byte: fn(u8) -> i64| -> i64 {
            let checked = |at| if (148..156).contains(&at) { b' ' } else { block[at] };
            (0..BLOCK).map(|at| byte(checked(at))).sum()
        };
        let expected = self.field(&block, 148..156, "checksum")?;
        // Some old tars summed up signed characters.
        let matches = |sum: i64| u64::try_from(sum).is_ok_and(|sum| sum == expected);
        if !matches(sum(i64::from)) && !matches(sum(|byte| i64::from(byte.cast_signed()))) {
            return Err(self.bad("the checksum is wrong"));
        }
        Ok(Some(block))
    }

    /// The content of an extended header.
    fn extended(&mut self, size: u64, extensions: &mut Extensions) -> Result<Vec<u8>> {
        extensions.count += 1;
        if extensions.count > EXTENDED_HEADERS_MAX {
            return Err(self.bad("too many extended headers for one entry"));
        }
        if size > EXTENDED_HEADER_BYTES_MAX {
            return Err(self.bad("an extended header is too long"));
        }
        self.set_size(size);
        let mut data = vec![0; usize::try_from(size).unwrap_or(0)];
        let mut filled = 0;
        while filled < data.len() {
            filled += self.read_data(&mut data[filled..])?;
        }
        Ok(data)
    }

    fn set_size(&mut self, size: u64) {
        self.remaining = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
    }

    /// A field that must be a number of at least 0.
    fn field(&self, block: &[u8; BLOCK], at: std::ops::Range<usize>, name: &str) -> Result<u64> {
        match numeric(&block[at]).map(u64::try_from) {
            Some(Ok(n)) => Ok(n),
            Some(Err(_)) => Err(self.bad(format!("the {name} is negative"))),
            None => Err(self.bad(format!("the {name} is no number"))),
        }
    }

    fn entry(&mut self, block: &[u8; BLOCK], size: u64, ext: Extensions) -> Result<Entry> {
        let Extensions { long_name, long_link, pax, .. } = ext;
        let name = sparse::real_name(&pax)
            .or_else(|| text(&pax, "path"))
            .map(<[u8]>::to_vec)
            .or(long_name)
            .unwrap_or_else(|| header_name(block));
        self.enter(&name);
        let link = text(&pax, "linkpath")
            .map(<[u8]>::to_vec)
            .or(long_link)
            .unwrap_or_else(|| until_nul(block[157..257].to_vec()));
        let kind = EntryKind::of_flag(block[156], &name)
            .ok_or_else(|| self.bad(format!("unknown type `{}`", block[156].escape_ascii())))?;
        let size = self.pax_number(&pax, "size")?.map_or(Ok(size), Ok)?;
        if size > i64::MAX as u64 - BLOCK as u64 {
            return Err(self.bad("the size is too large"));
        }
        let mtime = match text(&pax, "mtime") {
            Some(value) => {
                pax::time(value).ok_or_else(|| self.bad("the PAX mtime is no number"))?
            }
            None => (numeric(&block[136..148]).unwrap_or(0), 0),
        };
        let mut entry = Entry {
            kind,
            link,
            mode: u32::try_from(self.field(block, 100..108, "mode")? & 0o7777).unwrap_or(0),
            uid: self
                .pax_number(&pax, "uid")?
                .map_or_else(|| self.field(block, 108..116, "uid"), Ok)?,
            gid: self
                .pax_number(&pax, "gid")?
                .map_or_else(|| self.field(block, 116..124, "gid"), Ok)?,
            mtime,
            size: 0,
            sparse: None,
            xattrs: Vec::new(),
            name,
        };
        // Only files have data, whatever the header of another kind says; in an
        // incremental dump a directory lists its files.
        if block[156] == b'D' {
            self.set_size(size);
        }
        if kind == EntryKind::File {
            self.set_size(size);
            entry.sparse = self.sparse_map(block, &pax)?;
            if let Some(map) = &entry.sparse {
                map.check(self.remaining).map_err(|why| self.bad(why))?;
            }
            entry.size = self.remaining;
        }
        entry.xattrs = pax
            .into_iter()
            .filter_map(|(key, value)| {
                key.strip_prefix(pax::XATTR_PREFIX).map(|name| (name.to_owned(), value))
            })
            .collect();
        Ok(entry)
    }

    fn pax_number(&self, pax: &[Record], key: &str) -> Result<Option<u64>> {
        match text(pax, key).map(pax::number) {
            None => Ok(None),
            Some(Some(n)) => Ok(Some(n)),
            Some(None) => Err(self.bad(format!("the PAX {key} is no number"))),
        }
    }

    fn sparse_map(&mut self, block: &[u8; BLOCK], pax: &[Record]) -> Result<Option<SparseMap>> {
        if block[156] == b'S' {
            return self.old_gnu_sparse(block).map(Some);
        }
        match sparse::from_pax(pax).map_err(|why| self.bad(why))? {
            None => Ok(None),
            Some(PaxSparse::Map(map)) => Ok(Some(map)),
            Some(PaxSparse::InData { size }) => {
                let mut map = InDataMap::new();
                loop {
                    let mut block = [0; BLOCK];
                    let mut filled = 0;
                    while filled < BLOCK {
                        match self.read_data(&mut block[filled..])? {
                            0 => return Err(self.bad("its sparse map breaks off")),
                            n => filled += n,
                        }
                    }
                    if let Some(segments) = map.feed(&block).map_err(|why| self.bad(why))? {
                        return Ok(Some(SparseMap { size, segments }));
                    }
                }
            }
        }
    }

    fn old_gnu_sparse(&mut self, block: &[u8; BLOCK]) -> Result<SparseMap> {
        let size = self.field(block, 483..495, "real size")?;
        let mut segments = Vec::new();
        self.gnu_segments(&block[386..482], OLD_GNU_SPARSE_IN_HEADER, &mut segments)?;
        let mut more = block[482] != 0;
        while more {
            let next = self.block()?;
            let next = next.ok_or_else(|| self.broken(ErrorKind::UnexpectedEof.into()))?;
            self.gnu_segments(&next, OLD_GNU_SPARSE_IN_BLOCK, &mut segments)?;
            more = next[504] != 0;
            if segments.len() > crate::limits::SPARSE_SEGMENTS_MAX {
                return Err(self.bad("its sparse map is too long"));
            }
        }
        Ok(SparseMap { size, segments })
    }

    fn gnu_segments(&self, data: &[u8], count: usize, out: &mut Vec<Segment>) -> Result<()> {
        for pair in data.chunks_exact(24).take(count) {
            if pair[0] == 0 && pair[12] == 0 {
                break;
            }
            let number = |field: &[u8]| numeric(field).and_then(|n| u64::try_from(n).ok());
            let (Some(offset), Some(len)) = (number(&pair[..12]), number(&pair[12..])) else {
                return Err(self.bad("its sparse map is broken"));
            };
            out.push(Segment { offset, len });
        }
        Ok(())
    }
}

fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The value of a PAX key; an empty one means "as if it were not there".
fn text<'a>(pax: &'a [Record], key: &str) -> Option<&'a [u8]> {
    let found = pax.iter().rev().find(|(k, _)| k == key)?;
    (!found.1.is_empty()).then_some(found.1.as_slice())
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(nul) = bytes.iter().position(|b| *b == 0) {
        bytes.truncate(nul);
    }
    bytes
}

/// The name in the header itself, with the prefix that ustar and star put before it.
fn header_name(block: &[u8; BLOCK]) -> Vec<u8> {
    let name = until_nul(block[..100].to_vec());
    if &block[257..263] != b"ustar\0" {
        return name;
    }
    let is_star = &block[508..512] == b"tar\0";
    let mut full = until_nul(block[345..if is_star { 476 } else { 500 }].to_vec());
    if full.is_empty() {
        return name;
    }
    full.push(b'/');
    full.extend(name);
    full
}

/// A number in octal, or in base 256 when the first bit is set.
fn numeric(field: &[u8]) -> Option<i64> {
    let first = *field.first()?;
    if first & 0x80 != 0 {
        let negative = first & 0x40 != 0;
        let mut value: i128 = if negative { -1 } else { 0 };
        for (at, byte) in field.iter().enumerate() {
            let byte = if at == 0 && !negative { byte & 0x7f } else { *byte };
            value = value.checked_mul(256)? | i128::from(byte);
        }
        return i64::try_from(value).ok();
    }
    let is_blank = |b: &u8| *b == b' ' || *b == 0;
    let start = field.iter().position(|b| !is_blank(b)).unwrap_or(field.len());
    let digits = &field[start..];
    let digits = &digits[..digits.iter().position(is_blank).unwrap_or(digits.len())];
    let mut value: i64 = 0;
    for digit in digits {
        if !(b'0'..=b'7').contains(digit) {
            return None;
        }
        value = value.checked_mul(8)?.checked_add(i64::from(digit - b'0'))?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(numeric(b"0000644\0"), Some(0o644));
        assert_eq!(numeric(b"   644 \0"), Some(0o644));
        assert_eq!(numeric(b"\0\0\0\0\0\0\0\0"), Some(0));
        assert_eq!(numeric(b"0000648\0"), None);
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0, 0, 1, 0]), Some(256));
        assert_eq!(numeric(&[0xff; 12]), Some(-1));
        assert_eq!(numeric(&[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(numeric(b"777777777777777777777777"), None);
    }

    #[test]
    fn names_may_have_a_prefix() {
        let mut block = [0; BLOCK];
        block[..1].copy_from_slice(b"b");
        block[345..346].copy_from_slice(b"a");
        assert_eq!(header_name(&block), b"b");
        block[257..263].copy_from_slice(b"ustar\0");
        assert_eq!(header_name(&block), b"a/b");
    }

    #[test]
    fn breaking_off_is_told_with_the_entry() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(1000);
        builder.append_data(&mut header, "some/file", &[7; 1000][..]).unwrap();
        let bytes = builder.into_inner().unwrap();

        let mut cut = &bytes[..700];
        let mut reader = Reader::new(&mut cut);
        let entry = reader.next_entry().unwrap().unwrap();
        assert_eq!((entry.size, entry.kind), (1000, EntryKind::File));
        let error = reader.next_entry().unwrap_err();
        assert_eq!(error.to_string(), "the archive breaks off in entry `some/file`");

        // The data is whole: what follows it may be missing.
        for end in [512 + 1000, 512 + 1010, 512 + 1024] {
            let mut cut = &bytes[..end];
            let mut reader = Reader::new(&mut cut);
            reader.next_entry().unwrap().unwrap();
            assert!(reader.next_entry().unwrap().is_none(), "{end}");
        }
    }
}
