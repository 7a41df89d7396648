//! Writing archives: ustar headers, with PAX records for what they cannot hold.

use std::io::{self, Read, Write};

use super::format::{BLOCK, EntryKind};
use super::pax;

/// One entry's header.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    /// Relative, without a final slash: the kind decides about that.
    pub(crate) name: Vec<u8>,
    pub(crate) kind: EntryKind,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whole seconds, as Docker writes layers.
    pub(crate) mtime: i64,
    pub(crate) size: u64,
    pub(crate) device: (u32, u32),
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
}

/// Writes an archive entry by entry.
pub(crate) struct TarWriter<W> {
    out: W,
}

impl<W: Write> TarWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes an entry without data.
    pub(crate) fn head(&mut self, head: &Head) -> io::Result<()> {
        let mut name = head.name.clone();
        if head.kind == EntryKind::Directory {
            name.push(b'/');
        }
        let mut records = Vec::new();
        if name.len() > 100 {
            pax::write(&mut records, "path", &name);
        }
        if head.link.len() > 100 {
            pax::write(&mut records, "linkpath", &head.link);
        }
        for (key, value, digits) in [
            ("size", i128::from(head.size), 11),
            ("uid", i128::from(head.uid), 7),
            ("gid", i128::from(head.gid), 7),
            ("mtime", i128::from(head.mtime), 11),
        ] {
            if octal(value, digits).is_none() {
                pax::write(&mut records, key, value.to_string().as_bytes());
            }
        }
        for (key, value) in &head.xattrs {
            pax::write(&mut records, &format!("{}{key}", pax::XATTR_PREFIX), value);
        }
        if !records.is_empty() {
            let name = [b"PaxHeaders.0/", last_part(&head.name)].concat();
            let head = Head { name, mode: 0o644, size: records.len() as u64, ..Head::default() };
            self.block(&head, &head.name, b'x')?;
            self.data(&records)?;
        }
        self.block(head, &name, head.kind.flag())
    }

    /// Writes a file of exactly `head.size` bytes: a longer one is cut, and zeros follow a
    /// shorter one, for it may change while it is read.
    pub(crate) fn file(&mut self, head: &Head, content: &mut dyn Read) -> io::Result<()> {
        self.head(head)?;
        let copied = io::copy(&mut content.take(head.size), &mut self.out)?;
        io::copy(&mut io::repeat(0).take(head.size - copied), &mut self.out)?;
        self.pad(head.size)
    }

    /// Begins a file, whose content comes by what is returned.
    pub(crate) fn begin(&mut self, head: &Head) -> io::Result<Content<'_, W>> {
        self.head(head)?;
        Ok(Content { tar: self, size: head.size, left: head.size })
    }

    /// Writes a small file from memory, as root's and readable.
    pub(crate) fn bytes(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let name = name.as_bytes().to_vec();
        let head = Head { name, mode: 0o644, size: content.len() as u64, ..Head::default() };
        self.file(&head, &mut &*content)
    }

    /// Writes the end mark and returns the output.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn data(&mut self, data: &[u8]) -> io::Result<()> {
        self.out.write_all(data)?;
        self.pad(data.len() as u64)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let missing = size.next_multiple_of(BLOCK as u64) - size;
        self.out.write_all(&[0; BLOCK][..usize::try_from(missing).unwrap_or(0)])
    }

    fn block(&mut self, head: &Head, name: &[u8], flag: u8) -> io::Result<()> {
        let mut block = [0; BLOCK];
        put(&mut block[..100], name);
        put(&mut block[157..257], &head.link);
        for (range, value) in [
            (100..108, i128::from(head.mode & 0o7777)),
            (108..116, i128::from(head.uid)),
            (116..124, i128::from(head.gid)),
            (124..136, i128::from(head.size)),
            (136..148, i128::from(head.mtime)),
            (329..337, i128::from(head.device.0)),
            (337..345, i128::from(head.device.1)),
        ] {
            // What does not fit is in a PAX record; the field then says 0.
            let text = octal(value, range.len() - 1).unwrap_or_else(|| "0".to_owned());
            let width = range.len() - 1;
            put(&mut block[range], format!("{text:0>width$}").as_bytes());
        }
        block[156] = flag;
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        put(&mut block[148..155], format!("{sum:06o}\0").as_bytes());
        self.out.write_all(&block)
    }
}

/// The content of a file that was begun: exactly as many bytes as its header says.
pub(crate) struct Content<'a, W> {
    tar: &'a mut TarWriter<W>,
    size: u64,
    left: u64,
}

impl<W: Write> Content<'_, W> {
    pub(crate) fn end(self) -> io::Result<()> {
        match self.left {
            0 => self.tar.pad(self.size),
            left => Err(io::Error::other(format!("{left} bytes are missing"))),
        }
    }
}

impl<W: Write> Write for Content<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("it is longer than it was"));
        }
        let count = self.tar.out.write(bytes)?;
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tar.out.flush()
    }
}

fn put(field: &mut [u8], text: &[u8]) {
    let len = text.len().min(field.len());
    field[..len].copy_from_slice(&text[..len]);
}

fn octal(value: i128, digits: usize) -> Option<String> {
    let text = format!("{:o}", u64::try_from(value).ok()?);
    (text.len() <= digits).then_some(text)
}

fn last_part(name: &[u8]) -> &[u8] {
    let last = name.rsplit(|b| *b == b'/').next().unwrap_or(name);
    &last[..last.len().min(80)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reader_understands_it() {
        let mut writer = TarWriter::new(Vec::new());
        let long = "d/".repeat(80) + "file";
        let head = Head {
            name: long.clone().into_bytes(),
            mode: 0o4755,
            uid: 3_000_000,
            mtime: -7,
            size: 3,
            xattrs: vec![("user.x".to_owned(), b"1\n2".to_vec())],
            ..Head::default()
        };
        writer.file(&head, &mut &b"abcdef"[..]).unwrap();
        let head = Head { name: b"short".to_vec(), size: 4, ..Head::default() };
        writer.file(&head, &mut &b"a"[..]).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes.len() % BLOCK, 0);

        let mut archive = tar::Archive::new(&bytes[..]);
        let mut entries = archive.entries().unwrap();
        let mut first = entries.next().unwrap().unwrap();
        assert_eq!(first.path().unwrap().to_str(), Some(&*long));
        assert_eq!(first.header().mode().unwrap(), 0o4755);
        let records: Vec<_> = first
            .pax_extensions()
            .unwrap()
            .unwrap()
            .filter_map(|record| record.ok()?.key().ok().map(str::to_owned))
            .collect();
        assert_eq!(records[..3], ["path", "uid", "mtime"]);
        let mut text = String::new();
        first.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        let mut second = entries.next().unwrap().unwrap();
        text.clear();
        second.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a\0\0\0");
    }
}
