//! Layers made of folders: no blob is kept, and what they are packed to is what they were.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use coracle_image::store::LayerSource;
use coracle_image::{Digest, ImageError, Layer, Store};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};

use crate::support::{lines, open_store, xattr};

/// An upper folder as a container leaves it: a removed file, a hidden folder, what overlayfs noted.
fn upper(root: &Path) -> std::path::PathBuf {
    let upper = root.join("upper");
    std::fs::create_dir_all(upper.join("etc")).unwrap();
    std::fs::create_dir_all(upper.join("proc/self")).unwrap();
    std::fs::create_dir_all(upper.join("new")).unwrap();
    std::fs::write(upper.join("etc/motd"), "hello").unwrap();
    std::fs::write(upper.join("etc/hosts"), "ours").unwrap();
    std::fs::hard_link(upper.join("etc/motd"), upper.join("new/motd")).unwrap();
    std::os::unix::fs::symlink("motd", upper.join("new/link")).unwrap();
    mknodat(CWD, upper.join("etc/gone"), FileType::CharacterDevice, Mode::empty(), 0).unwrap();
    let set = |path: &Path, name: &str, value: &[u8]| {
        setxattr(path, name, value, XattrFlags::empty()).unwrap();
    };
    set(&upper.join("new"), "user.overlay.opaque", b"y");
    set(&upper.join("etc"), "user.overlay.impure", b"y");
    set(&upper.join("etc/motd"), "user.overlay.origin", b"x");
    set(&upper.join("etc/motd"), "user.kept", b"k");
    set(&upper, "user.overlay.impure", b"y");
    upper
}

fn skip(path: &[u8]) -> bool {
    path == b"proc" || path == b"etc/hosts"
}

fn packed(store: &Store, layer: &Layer) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    store.write_layer(layer, &mut bytes).map(|()| bytes)
}

#[test]
fn a_folder_becomes_a_layer_that_is_packed_when_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let folder = upper(root.path());
    let etc = std::fs::metadata(folder.join("etc")).unwrap();
    let layer = store.adopt_folder(&folder, &skip).unwrap();
    assert!(!folder.exists());
    assert!(layer.without_blob && !layer.is_empty());
    assert_eq!((layer.blob_digest, layer.unpacked_size), (layer.diff_id, 5));
    assert!(!store.has_blob(&layer.diff_id));

    let diff = store.layer_dir(&layer.diff_id);
    let names = |root: &Path| -> Vec<String> {
        let all = lines(root).into_iter();
        all.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    let expected = ["etc", "etc/gone", "etc/motd", "new", "new/link", "new/motd"];
    assert_eq!(names(&diff), expected);
    // What was removed from a folder is not seen at its time.
    let after = std::fs::metadata(diff.join("etc")).unwrap();
    assert_eq!((after.mtime(), after.mtime_nsec()), (etc.mtime(), etc.mtime_nsec()));
    assert_eq!(xattr(&diff.join("new"), "user.overlay.opaque").as_deref(), Some(&b"y"[..]));
    for (path, name) in [
        ("etc", "user.overlay.impure"),
        ("etc/motd", "user.overlay.origin"),
        ("", "user.overlay.impure"),
    ] {
        assert_eq!(xattr(&diff.join(path), name), None, "{path} {name}");
    }

    let bytes = packed(&store, &layer).unwrap();
    assert_eq!((Digest::of(&bytes), bytes.len() as u64), (layer.diff_id, layer.blob_size));
    // It is there for whoever brings the same, as a blob or as a folder.
    let source = LayerSource { diff_id: Some(layer.diff_id), ..LayerSource::default() };
    assert_eq!(store.existing_layer(&source).unwrap().as_ref(), Some(&layer));
    let other_blob = LayerSource { blob_digest: Some(Digest::of(b"gzip")), ..source.clone() };
    assert_eq!(store.existing_layer(&other_blob).unwrap(), None);
    let loaded = store.ingest_layer(&source, &mut &bytes[..], &|_| {}).unwrap();
    assert!(!loaded.without_blob && store.has_blob(&layer.diff_id));

    std::fs::write(diff.join("etc/motd"), "HELLO").unwrap();
    std::fs::remove_file(store.blob_path(&layer.diff_id)).unwrap();
    let damaged = packed(&store, &layer).unwrap_err().to_string();
    let expected = format!("layer {} is damaged: its folder packs to sha256:", layer.diff_id);
    assert!(damaged.starts_with(&expected), "{damaged}");
}

#[test]
fn the_same_folder_twice_is_one_layer() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let make = |name: &str| {
        let folder = root.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let first = store.adopt_folder(&make("a"), &|_| false).unwrap();
    assert!(first.is_empty());
    let second = make("b");
    assert_eq!(store.adopt_folder(&second, &|_| false).unwrap(), first);
    assert!(!second.exists());
}

#[test]
fn a_folder_that_is_not_all_there_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let folder = upper(root.path());
    setxattr(folder.join("new"), "user.overlay.redirect", b"/old", XattrFlags::empty()).unwrap();
    let error = store.adopt_folder(&folder, &skip).unwrap_err();
    assert_eq!(
        crate::support::chain(&error),
        "cannot pack `new`: `user.overlay.redirect` says that a part of it is elsewhere"
    );
    assert!(folder.exists());
}

#[test]
fn a_layer_stays_while_it_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let layer = store.adopt_folder(&upper(root.path()), &skip).unwrap();
    let nobody = || Ok(Vec::new());
    store.keep_layers(&[layer.diff_id]).unwrap();
    store.recover(&nobody).unwrap();
    assert!(store.has_layer(&layer.diff_id));
    store.release_layer(&layer.diff_id).unwrap();
    store.recover(&nobody).unwrap();
    assert!(!store.has_layer(&layer.diff_id));
    let missing = store.keep_layers(&[layer.diff_id]).unwrap_err();
    assert!(matches!(missing, ImageError::LayerMissing { .. }));
}
