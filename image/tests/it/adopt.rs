//! Layers made of folders: no blob is kept, and what they are packed to is what they were.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use coracle_image::archive::{
    Composition, Input, LayoutOptions, LayoutPlace, LoadOptions, compose, load, save, write_layout,
};
use coracle_image::config::ImageConfig;
use coracle_image::store::LayerSource;
use coracle_image::{Digest, ImageError, Layer, Reference, Store};
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
    assert_eq!(store.kept_layers().unwrap(), [layer.diff_id]);
    store.recover(&nobody).unwrap();
    assert!(store.has_layer(&layer.diff_id));
    store.release_layer(&layer.diff_id).unwrap();
    store.recover(&nobody).unwrap();
    assert!(!store.has_layer(&layer.diff_id));
    let missing = store.keep_layers(&[layer.diff_id]).unwrap_err();
    assert!(matches!(missing, ImageError::LayerMissing { .. }));
}

/// An image of one adopted layer.
fn composition(store: &Store, root: &Path) -> Composition {
    let layer = store.adopt_folder(&upper(root), &skip).unwrap();
    let text = r#"{"architecture":"amd64","os":"linux","created":"2001-09-09T01:46:40Z",
        "config":{"Cmd":["sh"]},"history":[{"created_by":"COPY . /"}]}"#;
    Composition {
        config: ImageConfig::parse(text.as_bytes()).unwrap(),
        layers: vec![layer],
        names: vec![Reference::parse("made:1").unwrap()],
        annotations: [("a".to_owned(), "b".to_owned())].into(),
    }
}

#[test]
fn an_image_without_blobs_is_saved_and_loaded_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let new = composition(&store, root.path());
    let made = compose(&store, &new).unwrap();
    let again = compose(&store, &Composition { names: vec![], ..new.clone() }).unwrap();
    assert_eq!(again, made);
    let image = store.get(&made.id).unwrap();
    assert_eq!((image.names.len(), image.manifest_digest, image.size()), (1, made.digest, 5));

    let mut saved = Vec::new();
    save(&store, &["made:1"], &mut saved).unwrap();
    let other = tempfile::tempdir().unwrap();
    let loaded = open_store(other.path());
    let input = Input::Stream(&mut &saved[..]);
    let images = load(&loaded, input, &LoadOptions::default(), &|_, _| {}).unwrap();
    assert_eq!(images[0].id, made.id);
    let there = loaded.get(&made.id).unwrap();
    assert_eq!(there.manifest_digest, made.digest);
    let folder = |store: &Store| lines(&store.layer_dir(&new.layers[0].diff_id));
    assert_eq!(folder(&loaded), folder(&store));

    // Loaded where it was made, it is the same image, and its folder stays.
    let input = Input::Stream(&mut &saved[..]);
    load(&store, input, &LoadOptions::default(), &|_, _| {}).unwrap();
    assert_eq!(store.images().unwrap().len(), 1);
    let check = store.check(false, &[], &|| Ok(Vec::new())).unwrap();
    assert_eq!(check.findings, []);
}

#[test]
fn a_layout_is_loaded_from_an_archive_and_from_a_folder() {
    let layout = |for_docker: bool| {
        let root = tempfile::tempdir().unwrap();
        let store = open_store(root.path());
        let new = composition(&store, root.path());
        let options = LayoutOptions { for_docker, created: "2001-09-09T01:46:40Z".to_owned() };
        let mut tar = Vec::new();
        let archive = LayoutPlace::Archive(&mut tar);
        let written = write_layout(&store, &new, &options, archive).unwrap();
        let folder = root.path().join("layout");
        let place = LayoutPlace::Folder(&folder);
        assert_eq!(write_layout(&store, &new, &options, place).unwrap(), written);
        let index = std::fs::read_to_string(folder.join("index.json")).unwrap();
        assert!(
            index.contains("docker.io/library/made:1") && index.contains("2001-09-09"),
            "{index}"
        );
        let manifest = folder.join(format!("blobs/sha256/{}", written.digest.hex()));
        let manifest = std::fs::read_to_string(manifest).unwrap();
        assert!(manifest.contains("tar+gzip") && manifest.contains(r#""a":"b""#), "{manifest}");

        let other = tempfile::tempdir().unwrap();
        let loaded = open_store(other.path());
        for input in [Input::Stream(&mut &tar[..]), Input::Directory(folder.clone())] {
            let images = load(&loaded, input, &LoadOptions::default(), &|_, _| {}).unwrap();
            assert_eq!(images[0].id, new.documents().unwrap().id());
            assert_eq!(images[0].names[0].familiar(), "made:1");
        }
        (tar.len(), written.digest)
    };
    // Files are as old as the test: only what does not depend on them is compared.
    let (docker, oci) = (layout(true), layout(false));
    assert!(docker.0 > oci.0);
}

#[test]
fn a_damaged_layer_without_a_blob_is_found() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let new = composition(&store, root.path());
    compose(&store, &new).unwrap();
    let nobody = || Ok(Vec::new());
    assert_eq!(store.check(false, &[], &nobody).unwrap().findings, []);
    let diff = store.layer_dir(&new.layers[0].diff_id);
    std::fs::write(diff.join("etc/motd"), "other").unwrap();
    let findings = store.check(true, &[], &nobody).unwrap().findings;
    let [found] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(found.what, format!("layer {}", new.layers[0].diff_id.short()));
    let (begin, end) = ("its folder packs to ", "; pull, load or build the image again");
    assert!(found.problem.starts_with(begin) && found.problem.ends_with(end), "{found:?}");
    assert_eq!(found.repaired, None);
    let error = save(&store, &["made:1"], &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("is damaged: its folder packs to"), "{error}");
}
