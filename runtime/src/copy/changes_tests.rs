//! Tests of the parent module, with folders made by hand and with real overlays.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use coracle_image::unpack::OPAQUE_XATTR;
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};

use super::changes;

fn whiteout(path: &Path) {
    mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
}

fn opaque(path: &Path) {
    setxattr(path, OPAQUE_XATTR, b"y", XattrFlags::empty()).unwrap();
}

fn copy_up(lower: &Path, upper: &Path, name: &str) {
    fs::create_dir_all(upper.join(name).parent().unwrap()).unwrap();
    fs::copy(lower.join(name), upper.join(name)).unwrap();
    let time = fs::metadata(lower.join(name)).unwrap().modified().unwrap();
    fs::File::open(upper.join(name)).unwrap().set_modified(time).unwrap();
}

struct Places {
    _temp: tempfile::TempDir,
    base: PathBuf,
    upper: PathBuf,
}

/// Two layers and an empty upper folder.
fn places() -> Places {
    let temp = tempfile::tempdir().unwrap();
    let base = temp.path().to_owned();
    for dir in ["low/etc", "low/old/deep", "high/etc", "upper"] {
        fs::create_dir_all(base.join(dir)).unwrap();
    }
    for file in ["low/etc/motd", "low/etc/passwd", "low/old/deep/file", "low/old/gone"] {
        fs::write(base.join(file), "low").unwrap();
    }
    fs::write(base.join("high/etc/fstab"), "high").unwrap();
    whiteout(&base.join("high/etc/passwd"));
    Places { upper: base.join("upper"), _temp: temp, base }
}

fn diff(places: &Places) -> Vec<String> {
    diff_besides(places, &BTreeSet::new())
}

fn diff_besides(places: &Places, made: &BTreeSet<PathBuf>) -> Vec<String> {
    let layers = [places.base.join("low"), places.base.join("high")];
    let all = changes(&places.upper, &layers, made).unwrap();
    all.iter().map(|c| format!("{} {}", c.kind.letter(), c.path.display())).collect()
}

#[test]
fn nothing_and_traces_of_a_start_are_no_change() {
    let places = places();
    assert!(diff(&places).is_empty());
    let upper = &places.upper;
    for dir in ["etc", "dev/pts", "proc", "sys", "sbin"] {
        fs::create_dir_all(upper.join(dir)).unwrap();
    }
    for file in [".dockerenv", "etc/resolv.conf", "dev/console", "sbin/docker-init"] {
        fs::write(upper.join(file), "").unwrap();
    }
    assert!(diff(&places).is_empty(), "{:?}", diff(&places));
    fs::write(upper.join("etc/hosts"), "not empty").unwrap();
    fs::write(upper.join("sbin/tool"), "").unwrap();
    assert_eq!(diff(&places), ["C /etc", "A /etc/hosts", "C /sbin", "A /sbin/tool"]);
}

#[test]
fn places_of_delivered_files_are_no_change() {
    let places = places();
    let upper = &places.upper;
    let mut container = crate::model::Container::default();
    for target in ["/run/secrets/s1", "/etc/abs", "/c1"] {
        let place = upper.join(&target[1..]);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, "").unwrap();
        let target = target.to_owned();
        container.delivered.push(crate::model::DeliveredFile { target, ..Default::default() });
    }
    let made = crate::delivered::places_made(&container);
    assert!(diff_besides(&places, &made).is_empty(), "{:?}", diff_besides(&places, &made));
    fs::write(upper.join("run/secrets/own"), "").unwrap();
    assert_eq!(diff_besides(&places, &made), ["C /run", "C /run/secrets", "A /run/secrets/own"]);
}

#[test]
fn added_changed_and_deleted() {
    let places = places();
    let (low, upper) = (places.base.join("low"), &places.upper);
    fs::create_dir_all(upper.join("d1/d2")).unwrap();
    fs::write(upper.join("d1/f"), "x").unwrap();
    symlink("f", upper.join("d1/l")).unwrap();
    copy_up(&places.base.join("high"), upper, "etc/fstab");
    whiteout(&upper.join("etc/motd"));
    // A whiteout of what the layers do not show is nothing.
    whiteout(&upper.join("etc/passwd"));
    assert_eq!(diff(&places), ["A /d1", "A /d1/d2", "A /d1/f", "A /d1/l", "C /etc", "D /etc/motd"]);
    fs::write(upper.join("etc/fstab"), "more").unwrap();
    copy_up(&low, upper, "old/gone");
    assert!(diff(&places).contains(&"C /etc/fstab".to_owned()));
    assert!(!diff(&places).iter().any(|line| line.contains("old")));
    fs::set_permissions(upper.join("old"), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(diff(&places).last().unwrap(), "C /old");
}

#[test]
fn replaced_directories_hide_what_was_there() {
    let places = places();
    let upper = &places.upper;
    fs::create_dir_all(upper.join("old")).unwrap();
    opaque(&upper.join("old"));
    fs::write(upper.join("old/new"), "").unwrap();
    assert_eq!(diff(&places), ["C /old", "D /old/deep", "D /old/gone", "A /old/new"]);
    fs::remove_dir_all(upper.join("old")).unwrap();
    fs::write(upper.join("old"), "a file now").unwrap();
    assert_eq!(diff(&places), ["C /old"]);
}

#[test]
fn a_symlink_in_the_place_of_a_directory_is_not_entered() {
    let places = places();
    symlink("/etc", places.upper.join("etc")).unwrap();
    assert_eq!(diff(&places), ["C /etc"]);
}

#[test]
fn a_real_overlay_says_the_same() {
    if coracle_sys::mount::leave_namespace().is_err() {
        eprintln!("skipped: a_real_overlay_says_the_same needs CAP_SYS_ADMIN");
        return;
    }
    let places = places();
    let merged = places.base.join("merged");
    fs::create_dir(&merged).unwrap();
    fs::create_dir(places.base.join("work")).unwrap();
    let overlay = crate::rootfs::Overlay {
        layers: vec![places.base.join("low"), places.base.join("high")],
        upper: places.upper.clone(),
        work: places.base.join("work"),
        folder: places.base.clone(),
        volatile: false,
        storage: crate::model::Storage::Overlay,
    };
    overlay.mount(&merged).unwrap();
    fs::remove_file(merged.join("etc/motd")).unwrap();
    fs::remove_dir_all(merged.join("old")).unwrap();
    fs::create_dir_all(merged.join("old/other")).unwrap();
    fs::write(merged.join("etc/new"), "").unwrap();
    // Opened for writing, so copied up, and left as it is.
    drop(fs::OpenOptions::new().append(true).open(merged.join("etc/fstab")).unwrap());
    assert_eq!(
        diff(&places),
        [
            "C /etc",
            "D /etc/motd",
            "A /etc/new",
            "C /old",
            "D /old/deep",
            "D /old/gone",
            "A /old/other"
        ]
    );
    crate::rootfs::unmount(&merged).unwrap();
}
