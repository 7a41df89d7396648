//! What entries become, and what is refused: archives made by hand.

use crate::support::{Tar, World, any_owner, chain, has_ids, is_root, lines, skip, xattr};
use coracle_image::unpack::UnpackOptions;
use std::os::unix::fs::MetadataExt;

#[test]
fn files_directories_links_and_fifos() {
    if !has_ids() {
        return skip("files_directories_links_and_fifos", "needs ids");
    }
    let world = World::new();
    let tar = Tar::new()
        .with(b'5', "./", |h| h.mode = 0o711)
        .with(b'5', "etc/", |h| (h.mode, h.uid, h.gid) = (0o2750, 5, 6))
        .file("etc/passwd", b"root")
        .with(b'0', "bin/su", |h| (h.mode, h.uid, h.gid) = (0o4755, 7, 8))
        .hardlink("bin/su2", "/bin/su")
        .symlink("lib", "usr/lib")
        .with(b'6', "run/pipe", |h| h.mode = 0o622)
        .with(b'3', "dev/null", |h| h.device = 1)
        .finish();
    let unpacked = world.unpack(&tar).unwrap();
    assert_eq!(unpacked.file_bytes, 4);
    assert_eq!(unpacked.notes, ["dev/null: device node skipped"]);
    assert_eq!(
        world.listing(),
        [
            "bin 755 0:0 dir",
            "bin/su 4755 7:8 file 0",
            "bin/su2 4755 7:8 file 0",
            "etc 2750 5:6 dir",
            "etc/passwd 644 0:0 file 4",
            "lib 777 0:0 -> usr/lib",
            "run 755 0:0 dir",
            "run/pipe 622 0:0 fifo",
        ]
    );
    let root = std::fs::metadata(world.layer()).unwrap();
    assert_eq!(root.mode() & 0o7777, 0o711);
}

#[test]
fn times_are_kept_to_the_nanosecond_for_directories_too() {
    let world = World::new();
    let tar = Tar::new()
        .pax(&[("mtime", b"1234567890.123456789")])
        .dir("d")
        .pax(&[("mtime", b"-5.5")])
        .file("d/f", b"")
        .pax(&[("mtime", b"77.000000001")])
        .symlink("d/l", "f")
        .finish();
    world.unpack(&tar).unwrap();
    let time = |path: &str| {
        let meta = std::fs::symlink_metadata(world.layer().join(path)).unwrap();
        (meta.mtime(), meta.mtime_nsec())
    };
    assert_eq!(time("d"), (1_234_567_890, 123_456_789));
    assert_eq!(time("d/f"), (-6, 500_000_000));
    assert_eq!(time("d/l"), (77, 1));
}

#[test]
fn whiteouts_become_what_overlayfs_reads() {
    if !is_root() {
        return skip("whiteouts_become_what_overlayfs_reads", "needs root");
    }
    let world = World::new();
    let tar = Tar::new()
        .file("a/.wh.gone", b"")
        .file("b/.wh..wh..opq", b"")
        .file("b/new", b"n")
        // Nothing of a folder that hides all is hidden again, in either order.
        .file("b/.wh.old", b"")
        .file("c/.wh.old", b"")
        .file("c/.wh..wh..opq", b"")
        .file("c/new", b"n")
        // Hidden below and created again in the same layer, in either order.
        .file(".wh.dir1", b"")
        .dir("dir1")
        .file("dir2/x", b"x")
        .file(".wh.dir2", b"")
        .file(".wh.implied", b"")
        .file("implied/x", b"x")
        .file(".wh.file", b"")
        .file("file", b"f")
        .file(".wh..wh.plnk/77", b"")
        .finish();
    world.unpack(&tar).unwrap();
    assert_eq!(
        world.listing(),
        [
            "a 755 0:0 dir",
            "a/gone 0 0:0 char 0",
            "b 755 0:0 dir",
            "b/new 644 0:0 file 1",
            "c 755 0:0 dir",
            "c/new 644 0:0 file 1",
            "dir1 755 0:0 dir",
            "dir2 755 0:0 dir",
            "dir2/x 644 0:0 file 1",
            "file 644 0:0 file 1",
            "implied 755 0:0 dir",
            "implied/x 644 0:0 file 1",
        ]
    );
    let opaque = |path: &str| xattr(&world.layer().join(path), "user.overlay.opaque");
    for path in ["b", "c", "dir1", "dir2", "implied"] {
        assert_eq!(opaque(path).as_deref(), Some(&b"y"[..]), "{path}");
    }
    assert_eq!(opaque("a"), None);
}

#[test]
fn attributes_are_set_refused_or_left_out() {
    if !has_ids() {
        return skip("attributes_are_set_refused_or_left_out", "needs ids");
    }
    // cap_net_raw=ep, version 2.
    let capability = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let world = World::new();
    let tar = Tar::new()
        .pax(&[
            ("SCHILY.xattr.user.note", b"a\n=b\0"),
            ("SCHILY.xattr.security.capability", &capability),
            ("SCHILY.xattr.user.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.user.coracle.owner", b"0:0"),
        ])
        .with(b'0', "ping", |h| (h.mode, h.uid) = (0o755, 3))
        .finish();
    let unpacked = world.unpack(&tar).unwrap();
    let path = world.layer().join("ping");
    assert_eq!(xattr(&path, "user.note").as_deref(), Some(&b"a\n=b\0"[..]));
    assert_eq!(xattr(&path, "security.capability").as_deref(), Some(&capability[..]));
    assert_eq!(xattr(&path, "user.overlay.redirect"), None);
    assert_eq!(xattr(&path, "user.coracle.owner"), None);
    assert_eq!(
        unpacked.notes,
        [
            "ping: attribute user.overlay.redirect left out",
            "ping: attribute user.coracle.owner left out",
        ]
    );
}

#[test]
fn long_names_of_both_kinds() {
    let world = World::new();
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let mut gnu_name = long.clone().into_bytes();
    gnu_name.push(0);
    let tar = Tar::new()
        .with(b'L', "././@LongLink", |h| h.size = gnu_name.len() as u64)
        .raw(&gnu_name)
        .raw(&vec![0; gnu_name.len().next_multiple_of(512) - gnu_name.len()])
        .file("cut", b"gnu")
        .pax(&[("path", b"pax/\xff\n"), ("linkpath", long.as_bytes())])
        .symlink("cut", "cut")
        .finish();
    world.unpack(&tar).unwrap();
    assert_eq!(world.read(&long), "gnu");
    let link = std::fs::read_dir(world.layer().join("pax")).unwrap().next().unwrap().unwrap();
    assert_eq!(std::fs::read_link(link.path()).unwrap().to_str(), Some(long.as_str()));
}

#[test]
fn sparse_files_of_each_format() {
    let world = World::new();
    let map_1_0 = {
        let mut map = b"2\n0\n1\n1000000\n1\n".to_vec();
        map.resize(512, 0);
        map.extend(b"ab");
        map
    };
    let tar = Tar::new()
        .pax(&[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"one"),
            ("GNU.sparse.realsize", b"2000000"),
        ])
        .file("GNUSparseFile.0/one", &map_1_0)
        .pax(&[("GNU.sparse.size", b"2000000"), ("GNU.sparse.map", b"0,1,1000000,1")])
        .file("zero", b"ab")
        .finish();
    let unpacked = world.unpack(&tar).unwrap();
    assert_eq!(unpacked.file_bytes, 4_000_000);
    for name in ["one", "zero"] {
        let bytes = std::fs::read(world.layer().join(name)).unwrap();
        assert_eq!((bytes.len(), bytes[0], bytes[1_000_000]), (2_000_000, b'a', b'b'), "{name}");
        let blocks = std::fs::metadata(world.layer().join(name)).unwrap().blocks();
        assert!(blocks < 100, "{name} has no holes: {blocks} blocks");
    }
}

#[test]
fn later_entries_replace_earlier_ones_of_any_type() {
    let world = World::new();
    let tar = Tar::new()
        .file("a/b/c", b"1")
        .file("a", b"2")
        .dir("f")
        .symlink("f", "a")
        .dir("f")
        .file("f/x", b"3")
        .symlink("l", "f")
        .file("l", b"4")
        .file("x", b"5")
        .hardlink("x", "x")
        .finish();
    world.unpack(&tar).unwrap();
    assert_eq!(world.read("a"), "2");
    assert_eq!(world.read("f/x"), "3");
    assert_eq!(world.read("l"), "4");
    assert_eq!(world.read("x"), "5");
}

#[test]
fn symlinks_in_a_path_lead_nowhere_but_into_the_layer() {
    let world = World::new();
    let outside = world.outside();
    let tar = Tar::new()
        .symlink("abs", &outside)
        .file("abs/one", b"1")
        .symlink("up", "../../../../../..")
        .file("up/two", b"2")
        .symlink("self", "/proc/self/root")
        .finish();
    let error = chain(&world.unpack(&tar).unwrap_err());
    // An absolute target that does not exist within the layer is a dangling one.
    assert_eq!(error, "refusing entry `abs/one`: a part of its path is no directory");

    let world = World::new();
    let tar = Tar::new()
        .symlink("up", "../../../../../..")
        .file("up/two", b"2")
        .dir("etc")
        .symlink("abs", "/etc")
        .file("abs/three", b"3")
        .finish();
    world.unpack(&tar).unwrap();
    assert_eq!(world.read("two"), "2");
    assert_eq!(world.read("etc/three"), "3");
}

#[test]
fn hostile_entries_are_refused_by_name() {
    for (tar, expected) in hostile_names().into_iter().chain(hostile_headers()) {
        let world = World::new();
        let error = world.unpack(&tar.finish()).unwrap_err();
        assert_eq!(chain(&error), expected);
    }
}

fn hostile_names() -> Vec<(Tar, &'static str)> {
    vec![
        (
            Tar::new().file("../evil", b"x"),
            "refusing entry `../evil`: its name leads out of the layer",
        ),
        (
            Tar::new().file("/../evil", b"x"),
            "refusing entry `/../evil`: its name leads out of the layer",
        ),
        (
            Tar::new().dir("a").file("a/../../evil", b"x"),
            "refusing entry `a/../../evil`: its name leads out of the layer",
        ),
        (
            Tar::new().hardlink("h", "../outside/secret"),
            "refusing entry `h`: its link target is invalid",
        ),
        (
            Tar::new().symlink("s", "../outside").hardlink("h", "s/secret"),
            "refusing entry `h`: its link target is not in this layer",
        ),
        (
            Tar::new().hardlink("h", "/etc/hostname"),
            "refusing entry `h`: its link target is not in this layer",
        ),
        (
            Tar::new().dir("d").hardlink("h", "d"),
            "refusing entry `h`: its link target is a directory",
        ),
        (Tar::new().hardlink("h", ""), "refusing entry `h`: its link target is empty"),
        (Tar::new().symlink("s", ""), "refusing entry `s`: its link target is empty"),
        (Tar::new().file("", b"x"), "refusing entry ``: it has no name"),
        (
            Tar::new().file("d/.wh...", b""),
            "refusing entry `d/.wh...`: it is a whiteout of no file",
        ),
        (Tar::new().file("d/.wh..", b""), "refusing entry `d/.wh..`: it is a whiteout of no file"),
        (Tar::new().file(".wh.", b""), "refusing entry `.wh.`: it is a whiteout of no file"),
        (
            Tar::new().file("f", b"").file("f/x", b""),
            "refusing entry `f/x`: a part of its path is no directory",
        ),
        (
            Tar::new().symlink("a", "b").symlink("b", "a").file("a/x", b""),
            "refusing entry `a/x`: its path leads through a cycle of symlinks",
        ),
    ]
}

fn hostile_headers() -> Vec<(Tar, &'static str)> {
    vec![
        (
            Tar::new().with(b'0', "big", |h| h.size = 1 << 40),
            "the archive breaks off in entry `big`: unexpected end of file",
        ),
        (
            Tar::new().with(b'0', "big", |h| h.size = u64::MAX >> 1),
            "invalid header in entry `big`: the size is too large",
        ),
        (
            Tar::new().with(b'0', "f", |h| h.uid = 4_294_967_296),
            "owner 4294967296:0 of entry `f` is outside the ids this user may use",
        ),
        (
            Tar::new().with(b'0', "f", |h| h.gid = 4_294_967_295),
            "owner 0:4294967295 of entry `f` is outside the ids this user may use",
        ),
        (
            Tar::new().pax(&[("uid", b"99999999999")]).file("f", b""),
            "owner 99999999999:0 of entry `f` is outside the ids this user may use",
        ),
        (
            Tar::new().with(b'V', "label", |_| {}),
            "invalid header in entry `label`: unknown type `V`",
        ),
        (
            Tar::new().pax(&[("path", b"a\0b")]).file("f", b""),
            "refusing entry `a\\0b`: its name contains a NUL byte",
        ),
        (
            Tar::new().file("ok", b"").with(b'x', "p", |h| h.size = 1 << 30),
            "invalid header in entry `p`: an extended header is too long",
        ),
        (
            Tar::new()
                .pax(&[("GNU.sparse.size", b"5"), ("GNU.sparse.map", b"4,2")])
                .file("s", b"ab"),
            "invalid header in entry `s`: its sparse map goes beyond the file",
        ),
    ]
}

#[test]
fn a_hardlink_to_a_symlink_is_another_symlink() {
    let world = World::new();
    let target = format!("{}/secret", world.outside());
    let tar = Tar::new().symlink("s", &target).hardlink("h", "s").finish();
    world.unpack(&tar).unwrap();
    assert_eq!(std::fs::read_link(world.layer().join("h")).unwrap().to_str(), Some(&*target));
}

#[test]
fn a_symlink_is_replaced_and_never_written_through() {
    let world = World::new();
    let target = format!("{}/secret", world.outside());
    let tar = Tar::new().symlink("s", &target).file("s", b"evil").finish();
    world.unpack(&tar).unwrap();
    assert_eq!(world.read("s"), "evil");

    let world = World::new();
    let outside = world.outside();
    let tar = Tar::new().symlink("d", &outside).with(b'5', "d", |h| h.mode = 0o777).finish();
    world.unpack(&tar).unwrap();
    assert!(world.layer().join("d").symlink_metadata().unwrap().is_dir());
}

#[test]
fn many_extended_headers_do_not_pile_up() {
    let world = World::new();
    let mut tar = Tar::new();
    for _ in 0..100 {
        tar = tar.pax(&[("comment", b"x")]);
    }
    let error = world.unpack(&tar.file("f", b"").finish()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid header in entry `PaxHeaders/x`: too many extended headers for one entry"
    );
}

#[test]
fn owners_that_cannot_be_set_are_refused_or_recorded() {
    if any_owner().one_id {
        let world = World::new();
        let owner = u64::from(u32::MAX - 1);
        let tar = Tar::new().with(b'0', "f", |h| (h.uid, h.gid) = (owner, 34)).finish();
        let error = world.unpack_with(&tar, UnpackOptions { one_id: false }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "owner 4294967294:34 of entry `f` is outside the ids this user may use"
        );
        world.unpack_with(&tar, UnpackOptions { one_id: true }).unwrap();
        let owner = xattr(&world.layer().join("f"), "user.coracle.owner");
        assert_eq!(owner.as_deref(), Some(&b"4294967294:34"[..]));
    } else {
        skip("owners_that_cannot_be_set_are_refused_or_recorded", "every owner can be set here");
    }
}

#[test]
fn modes_and_times_are_kept_whatever_the_owner() {
    let world = World::new();
    let tar = Tar::new()
        .with(b'0', "su", |h| (h.mode, h.uid, h.gid) = (0o4755, 12, 34))
        .with(b'5', "d", |h| (h.mode, h.uid) = (0o1777, 12))
        .file("d/f", b"x")
        .finish();
    world.unpack(&tar).unwrap();
    let meta = |path: &str| std::fs::metadata(world.layer().join(path)).unwrap();
    assert_eq!(meta("su").mode() & 0o7777, 0o4755);
    assert_eq!((meta("d").mode() & 0o7777, meta("d").mtime()), (0o1777, 1_000_000));
}

#[test]
fn overlayfs_hides_what_whiteouts_hide() {
    let test = "overlayfs_hides_what_whiteouts_hide";
    if !is_root() {
        return skip(test, "needs root");
    }
    let (below, above) = (World::new(), World::new());
    let lower = Tar::new()
        .file("gone", b"1")
        .file("kept", b"1")
        .file("dir/old", b"1")
        .file("again/old", b"1")
        .file("removed/x", b"1")
        .finish();
    let upper = Tar::new()
        .file(".wh.gone", b"")
        .file(".wh.removed", b"")
        .file("dir/.wh..wh..opq", b"")
        .file("dir/new", b"2")
        .file(".wh.again", b"")
        .file("again/new", b"2")
        .finish();
    below.unpack(&lower).unwrap();
    above.unpack(&upper).unwrap();
    let merged = tempfile::tempdir().unwrap();
    let (above, below) = (above.layer(), below.layer());
    let data = format!("lowerdir={}:{},userxattr", above.display(), below.display());
    let data = std::ffi::CString::new(data).unwrap();
    let flags = rustix::mount::MountFlags::RDONLY;
    if rustix::mount::mount("overlay", merged.path(), "overlay", flags, &*data).is_err() {
        return skip(test, "cannot mount an overlay");
    }
    let mut names: Vec<_> =
        lines(merged.path()).iter().map(|l| l.split(' ').next().unwrap().to_owned()).collect();
    rustix::mount::unmount(merged.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
    names.sort();
    assert_eq!(names, ["again", "again/new", "dir", "dir/new", "kept"]);
}

#[test]
fn damaged_archives_neither_panic_nor_write_outside() {
    let honest = Tar::new()
        .dir("d")
        .pax(&[("mtime", b"1.5"), ("SCHILY.xattr.user.a", b"b")])
        .file("d/f", &[b'x'; 700])
        .symlink("up", "../../..")
        .file("up/g", b"y")
        .hardlink("h", "d/f")
        .pax(&[("GNU.sparse.size", b"900"), ("GNU.sparse.map", b"0,1,800,1")])
        .file("s", b"ab")
        .file("d/.wh.x", b"")
        .finish();
    // A fixed sequence, so that a failure can be repeated.
    let mut state: u64 = 42;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut unpacked = 0;
    for _ in 0..400 {
        let mut bytes = honest.clone();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            bytes[at] = u8::try_from(random(256)).unwrap();
            repair_checksum(&mut bytes, at);
        }
        bytes.truncate(bytes.len() - random(2) * random(600));
        unpacked += usize::from(World::new().unpack(&bytes).is_ok());
    }
    assert!(unpacked > 50, "only {unpacked} got past the checksums");
}

/// Makes the header that holds `at` valid again, so that the change is looked at.
fn repair_checksum(bytes: &mut [u8], at: usize) {
    let block = &mut bytes[at / 512 * 512..][..512];
    if &block[257..262] == b"ustar" {
        block[148..156].fill(b' ');
        let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
}
