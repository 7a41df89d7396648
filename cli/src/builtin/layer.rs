//! The one layer of both images, as a stream: the executable under three names, and users.
//!
//! The same executable gives the same bytes, so that both images share the layer.

use std::fs::File;
use std::io::{Cursor, Read};

use tar::{EntryType, Header};

const BLOCK: u64 = 512;
/// Two blocks of zeros end an archive.
const END: usize = 1024;

const PASSWD: &str =
    "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nnobody:x:65534:\n";

/// The archive. `program` has `size` bytes; every entry is as old as it is.
pub(super) fn archive(program: File, size: u64, mtime: u64) -> impl Read {
    let mut before = Vec::new();
    for (path, body) in [("etc/passwd", PASSWD), ("etc/group", GROUP)] {
        if before.is_empty() {
            before.extend(head(EntryType::Directory, "etc/", 0o755, 0, mtime).as_bytes());
        }
        let length = u64::try_from(body.len()).unwrap_or_default();
        before.extend(head(EntryType::Regular, path, 0o644, length, mtime).as_bytes());
        before.extend(body.as_bytes());
        before.resize(before.len() + padding(length), 0);
    }
    before.extend(head(EntryType::Regular, "hello", 0o755, size, mtime).as_bytes());

    let mut after = vec![0; padding(size)];
    for name in ["whoami", "ryuk"] {
        let mut link = head(EntryType::Link, name, 0o755, 0, mtime);
        set(&mut link.as_old_mut().linkname, "hello");
        link.set_cksum();
        after.extend(link.as_bytes());
    }
    after.resize(after.len() + END, 0);

    Cursor::new(before).chain(program.take(size)).chain(Cursor::new(after))
}

fn head(kind: EntryType, path: &str, mode: u32, size: u64, mtime: u64) -> Header {
    let mut header = Header::new_ustar();
    set(&mut header.as_old_mut().name, path);
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(mtime);
    header.set_size(size);
    header.set_cksum();
    header
}

fn set(field: &mut [u8; 100], text: &str) {
    field[..text.len()].copy_from_slice(text.as_bytes());
}

/// Zeros that fill the last block.
fn padding(size: u64) -> usize {
    let rest = size.next_multiple_of(BLOCK) - size;
    usize::try_from(rest).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_archive_of_one_program_under_two_names() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 700]).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let mut bytes = Vec::new();
        archive(file, 700, 1_700_000_000).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() % 512, 0);
        let mut seen = Vec::new();
        for entry in tar::Archive::new(&*bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut body = Vec::new();
            entry.read_to_end(&mut body).unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            let link = entry.link_name_bytes().map(|name| name.into_owned());
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            seen.push((name, header.mode().unwrap(), body.len(), link));
        }
        assert_eq!(
            seen,
            [
                ("etc/".to_owned(), 0o755, 0, None),
                ("etc/passwd".to_owned(), 0o644, PASSWD.len(), None),
                ("etc/group".to_owned(), 0o644, GROUP.len(), None),
                ("hello".to_owned(), 0o755, 700, None),
                ("whoami".to_owned(), 0o755, 0, Some(b"hello".to_vec())),
                ("ryuk".to_owned(), 0o755, 0, Some(b"hello".to_vec())),
            ]
        );
    }
}
