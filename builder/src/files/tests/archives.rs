//! Archives of `ADD`, and as contexts.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, symlink};

use super::super::{FilesError, Hashes, Selectors, select, unpack_context};
use super::{Case, to};

/// An archive with a folder, a file with two names, a link, and a file in a folder that is not listed.
fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    let mut add = |kind, name: &str, mode, link: &str, content: &str| {
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_500_000_000);
        header.set_size(content.len() as u64);
        if link.is_empty() {
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        } else {
            builder.append_link(&mut header, name, link).unwrap();
        }
    };
    add(tar::EntryType::Directory, "top/", 0o750, "", "");
    add(tar::EntryType::Regular, "top/f", 0o640, "", "in tar");
    add(tar::EntryType::Link, "top/h", 0o640, "top/f", "");
    add(tar::EntryType::Symlink, "top/l", 0o777, "f", "");
    add(tar::EntryType::Regular, "noparent/g", 0o4755, "", "g");
    builder.into_inner().unwrap()
}

fn add(case: &Case, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
    fs::write(case.context().join(name), bytes).unwrap();
    let tree = case.tree();
    let selection = select(&tree, &Selectors { pattern: name, ..Selectors::default() })?;
    let stamp = selection.digest(&mut Hashes::in_memory())?.stamp;
    let root = File::open(case.root()).unwrap();
    let copied = selection.unpacking(true).copy_into(root.as_fd(), &to("/t"))?;
    assert_eq!(copied.stamp, stamp);
    Ok(())
}

#[test]
fn archives() {
    let compressed = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &archive()).unwrap();
        encoder.finish().unwrap()
    };
    let unpacked = "t/ t/noparent/ t/noparent/g t/top/ t/top/f t/top/h t/top/l->f";
    for bytes in [archive(), compressed] {
        let case = Case::new(&[]);
        add(&case, "plain", &bytes).unwrap();
        assert_eq!(case.listing(), unpacked);
        let found = |path: &str| fs::metadata(case.root().join("t").join(path)).unwrap();
        assert_eq!(found("top").mode() & 0o7777, 0o750);
        assert_eq!(found("noparent").mode() & 0o7777, 0o755);
        assert_eq!(
            (found("noparent/g").mode() & 0o7777, found("top/f").mtime()),
            (0o4755, 1_500_000_000)
        );
        assert_eq!(found("top/f").ino(), found("top/h").ino());
    }
    for (name, bytes) in [
        ("no.tar.gz", &b"no archive"[..]),
        ("empty.tar", &[0; 10240]),
        ("bz.tar.bz2", b"BZh9 and on"),
    ] {
        let case = Case::new(&[]);
        add(&case, name, bytes).unwrap();
        assert_eq!(case.listing(), "t", "{name}");
        assert_eq!(fs::read(case.root().join("t")).unwrap(), bytes);
    }
}

#[test]
fn archives_onto_what_is_there() {
    let case = Case::new(&[]);
    let root = case.root();
    fs::create_dir_all(root.join("t/top/f/deep")).unwrap();
    fs::write(root.join("t/top/k"), "keep").unwrap();
    fs::write(root.join("t/top/l"), "old").unwrap();
    symlink("/etc/../../etc", root.join("t/noparent")).unwrap();
    add(&case, "a.tar", &archive()).unwrap();
    assert_eq!(
        case.listing(),
        "t/ t/etc/ t/etc/g t/noparent->/etc/../../etc t/top/ t/top/f t/top/h t/top/k t/top/l->f"
    );
}

#[test]
fn hostile_archives() {
    let entry = |kind: u8, name: &str, link: &str| {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_cksum();
        header.as_bytes().to_vec()
    };
    for bytes in [
        entry(b'0', "../out", ""),
        entry(b'0', "a/../../out", ""),
        [entry(b'5', "a", ""), entry(b'1', "x", "../../etc/passwd")].concat(),
        [entry(b'2', "l", "../../../../../../etc"), entry(b'1', "x", "l/passwd")].concat(),
        [entry(b'5', "a", ""), entry(b'1', "x", "a")].concat(),
        entry(b'1', "x", "x"),
    ] {
        let case = Case::new(&[]);
        add(&case, "a.tar", &bytes).unwrap_err();
        assert!(fs::read_dir(case.temp.path()).unwrap().count() == 2);
        assert!(!case.root().join("t/x").exists());
    }
    // Links lead nowhere but inside, devices are left out.
    let case = Case::new(&[]);
    let bytes = [
        entry(b'2', "l", "../../../../../.."),
        entry(b'0', "l/f", ""),
        entry(b'2', "loop", "/"),
        entry(b'0', "loop/loop/g", ""),
        entry(b'3', "null", ""),
        entry(b'4', "disk", ""),
        entry(b'6', "pipe", ""),
    ];
    add(&case, "a.tar", &bytes.concat()).unwrap();
    assert_eq!(case.listing(), "t/ t/f t/g t/l->../../../../../.. t/loop->/ t/pipe");
    // One that breaks off.
    let case = Case::new(&[]);
    let whole = archive();
    add(&case, "a.tar", &whole[..1027]).unwrap_err();
}

#[test]
fn an_archive_as_a_context() {
    let case = Case::new(&[]);
    unpack_context(&mut archive().as_slice(), &case.root()).unwrap();
    assert_eq!(case.listing(), "noparent/ noparent/g top/ top/f top/h top/l->f");
}
