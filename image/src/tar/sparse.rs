//! Maps of sparse files: where data lies, in the four forms GNU tar has used.

use super::pax::{Record, number};
use crate::limits::SPARSE_SEGMENTS_MAX;

/// A stretch of data in a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

/// A sparse file: its size with holes, and its data in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparseMap {
    pub(crate) size: u64,
    pub(crate) segments: Vec<Segment>,
}

impl SparseMap {
    /// Accepts a map that is in order, within the file, and as long as the stored data.
    pub(super) fn check(&self, stored: u64) -> Result<(), &'static str> {
        let (mut end, mut total) = (0_u64, 0_u64);
        for segment in &self.segments {
            if segment.offset < end {
                return Err("its sparse map is out of order");
            }
            end = segment.offset.checked_add(segment.len).ok_or("its sparse map overflows")?;
            total = total.checked_add(segment.len).ok_or("its sparse map overflows")?;
        }
        if end > self.size {
            return Err("its sparse map goes beyond the file");
        }
        if total != stored {
            return Err("its sparse map does not fit the stored data");
        }
        Ok(())
    }
}

/// What PAX records say about a sparse file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PaxSparse {
    /// Formats 0.0 and 0.1: the map is in the records.
    Map(SparseMap),
    /// Format 1.0: the map comes before the data.
    InData { size: u64 },
}

/// The name a sparse file really has, if the records give one.
pub(super) fn real_name(records: &[Record]) -> Option<&[u8]> {
    value(records, "GNU.sparse.name")
}

/// Reads the records of the three PAX forms; `None` when the file is not sparse.
pub(super) fn from_pax(records: &[Record]) -> Result<Option<PaxSparse>, &'static str> {
    const BROKEN: &str = "its sparse records are broken";
    let size = value(records, "GNU.sparse.realsize").or_else(|| value(records, "GNU.sparse.size"));
    if let Some(major) = value(records, "GNU.sparse.major") {
        return match (major, value(records, "GNU.sparse.minor")) {
            (b"1", Some(b"0")) => {
                let size = size.and_then(number).ok_or(BROKEN)?;
                Ok(Some(PaxSparse::InData { size }))
            }
            _ => Err("its sparse format is unknown"),
        };
    }
    let numbers: Vec<u64> = match value(records, "GNU.sparse.map") {
        Some(map) => map.split(|b| *b == b',').map(number).collect::<Option<_>>().ok_or(BROKEN)?,
        None => records
            .iter()
            .filter(|(key, _)| key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes")
            .map(|(_, value)| number(value))
            .collect::<Option<_>>()
            .ok_or(BROKEN)?,
    };
    if numbers.is_empty() {
        return Ok(None);
    }
    let size = size.and_then(number).ok_or(BROKEN)?;
    let segments = pairs(&numbers).ok_or(BROKEN)?;
    Ok(Some(PaxSparse::Map(SparseMap { size, segments })))
}

fn value<'a>(records: &'a [Record], key: &str) -> Option<&'a [u8]> {
    records.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_slice())
}

fn pairs(numbers: &[u64]) -> Option<Vec<Segment>> {
    if !numbers.len().is_multiple_of(2) || numbers.len() / 2 > SPARSE_SEGMENTS_MAX {
        return None;
    }
    Some(numbers.chunks_exact(2).map(|p| Segment { offset: p[0], len: p[1] }).collect())
}

/// Reads the map of format 1.0 from the head of the data, block by block.
pub(super) struct InDataMap {
    text: Vec<u8>,
    at: usize,
    wanted: Option<usize>,
    numbers: Vec<u64>,
}

impl InDataMap {
    pub(super) fn new() -> Self {
        Self { text: Vec::new(), at: 0, wanted: None, numbers: Vec::new() }
    }

    /// Takes another block; the segments once they are complete.
    pub(super) fn feed(&mut self, block: &[u8]) -> Result<Option<Vec<Segment>>, &'static str> {
        const BROKEN: &str = "its sparse map is broken";
        self.text.drain(..self.at);
        self.at = 0;
        self.text.extend_from_slice(block);
        while self.wanted.is_none_or(|wanted| self.numbers.len() < wanted) {
            let Some(end) = self.text[self.at..].iter().position(|b| *b == b'\n') else {
                // The longest number has 20 digits.
                return if self.text.len() - self.at > 20 { Err(BROKEN) } else { Ok(None) };
            };
            let n: u64 = number(&self.text[self.at..self.at + end]).ok_or(BROKEN)?;
            self.at += end + 1;
            if self.wanted.is_some() {
                self.numbers.push(n);
                continue;
            }
            let count = usize::try_from(n).ok().filter(|n| *n <= SPARSE_SEGMENTS_MAX);
            self.wanted = Some(count.ok_or("its sparse map is too long")? * 2);
        }
        pairs(&self.numbers).map(Some).ok_or(BROKEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: &str) -> Record {
        (key.to_owned(), value.as_bytes().to_vec())
    }

    const SEGMENTS: [Segment; 2] = [Segment { offset: 0, len: 3 }, Segment { offset: 10, len: 5 }];

    #[test]
    fn all_pax_forms_give_the_same_map() {
        let expected = PaxSparse::Map(SparseMap { size: 20, segments: SEGMENTS.to_vec() });
        let zero = [
            record("GNU.sparse.size", "20"),
            record("GNU.sparse.numblocks", "2"),
            record("GNU.sparse.offset", "0"),
            record("GNU.sparse.numbytes", "3"),
            record("GNU.sparse.offset", "10"),
            record("GNU.sparse.numbytes", "5"),
        ];
        assert_eq!(from_pax(&zero), Ok(Some(expected.clone())));
        let one = [record("GNU.sparse.size", "20"), record("GNU.sparse.map", "0,3,10,5")];
        assert_eq!(from_pax(&one), Ok(Some(expected)));

        let mut map = InDataMap::new();
        assert_eq!(map.feed(b"2\n0\n3\n1"), Ok(None));
        assert_eq!(map.feed(b"0\n5\n\0\0\0"), Ok(Some(SEGMENTS.to_vec())));
    }

    #[test]
    fn hostile_maps_are_refused() {
        let map = |size, segments: &[(u64, u64)]| SparseMap {
            size,
            segments: segments.iter().map(|&(offset, len)| Segment { offset, len }).collect(),
        };
        assert_eq!(map(20, &[(0, 3), (10, 5)]).check(8), Ok(()));
        assert_eq!(map(20, &[(5, 3), (0, 5)]).check(8), Err("its sparse map is out of order"));
        assert_eq!(map(9, &[(0, 3), (8, 5)]).check(8), Err("its sparse map goes beyond the file"));
        assert_eq!(map(9, &[(1, u64::MAX)]).check(8), Err("its sparse map overflows"));
        assert_eq!(map(20, &[(0, 3)]).check(8), Err("its sparse map does not fit the stored data"));
        assert_eq!(InDataMap::new().feed(b"999999999\n"), Err("its sparse map is too long"));
        assert!(InDataMap::new().feed(&[b'1'; 512]).is_err());
    }
}
