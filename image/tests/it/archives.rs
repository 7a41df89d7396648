//! `import`, `load`, `save`, `commit` on real images and on archives found in the wild.

use std::fs::File;
use std::path::Path;

use coracle_image::archive::{
    CommitOptions, ImportOptions, Input, LoadOptions, Loaded, commit, import, load, save,
};
use coracle_image::config::ContainerConfig;
use coracle_image::{ImageError, Platform, Reference, Store};

use crate::support::{Tar, chain, has_ids, is_root, lines, open_store, shared, skip, xattr};

fn load_path(store: &Store, path: &Path) -> Result<Vec<Loaded>, ImageError> {
    let input = if path.is_dir() {
        Input::Directory(path.to_owned())
    } else {
        Input::File(File::open(path).unwrap())
    };
    load(store, input, &LoadOptions::default(), &|_, _| {})
}

fn describe(store: &Store, outcome: Result<Vec<Loaded>, ImageError>) -> String {
    let loaded = match outcome {
        Ok(loaded) => loaded,
        Err(error) => return chain(&error),
    };
    let lines = loaded.iter().map(|loaded| {
        let image = store.get(&loaded.id).unwrap();
        let names: Vec<_> = loaded.names.iter().map(Reference::familiar).collect();
        let notes: String = loaded.notes.iter().map(|note| format!(" ({note})")).collect();
        format!(
            "{} [{}] {}/{} {} layers, {} bytes{notes}",
            image.id.short(),
            names.join(" "),
            image.os,
            image.architecture,
            image.layers.len(),
            image.size()
        )
    });
    lines.collect::<Vec<_>>().join("; ")
}

fn load_all(dir: &Path) -> String {
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let mut text = Vec::new();
    for path in paths {
        let root = tempfile::tempdir().unwrap();
        let store = open_store(root.path());
        let name = path.file_name().unwrap().to_str().unwrap();
        text.push(format!("{name}: {}", describe(&store, load_path(&store, &path))));
    }
    text.join("\n").replace(dir.to_str().unwrap(), "$DIR")
}

#[test]
fn archives_from_the_wild() {
    let test = "archives_from_the_wild";
    if !is_root() {
        return skip(test, "needs root");
    }
    let Some(dir) = shared(test, "images/oci-fixtures/archives") else { return };
    insta::assert_snapshot!(load_all(&dir));
}

#[test]
fn layouts_from_the_wild() {
    let test = "layouts_from_the_wild";
    let Some(dir) = shared(test, "images/oci-fixtures/layouts") else { return };
    insta::assert_snapshot!(load_all(&dir));
}

#[test]
fn hostile_image_archives() {
    let test = "hostile_image_archives";
    let Some(dir) = shared(test, "images/oci-fixtures/hostile") else { return };
    insta::assert_snapshot!(load_all(&dir));
}

#[test]
fn real_images() {
    let test = "real_images";
    let Some(dir) = shared(test, "images") else { return };
    let mut text = Vec::new();
    for name in [
        "alpine-3.20.3-amd64-oci",
        "busybox-1.38.0-glibc-amd64-oci",
        "busybox-1.38.0-musl-multiarch-oci",
        "hello-world-amd64-docker-save.tar",
    ] {
        let root = tempfile::tempdir().unwrap();
        let store = open_store(root.path());
        text.push(format!("{name}: {}", describe(&store, load_path(&store, &dir.join(name)))));
    }
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn save_and_load_keep_ids_names_and_manifest_digests() {
    let test = "save_and_load_keep_ids_names_and_manifest_digests";
    let Some(dir) = shared(test, "images") else { return };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = open_store(one.path());
    let alpine = load_path(&first, &dir.join("alpine-3.20.3-amd64-oci")).unwrap().remove(0);
    for name in ["alpine:3.20", "alpine:latest", "other:1"] {
        first.tag(&alpine.id, &Reference::parse(name).unwrap()).unwrap();
    }
    let mut bytes = Vec::new();
    save(&first, &["alpine"], &mut bytes).unwrap();

    let second = open_store(two.path());
    let loaded =
        load(&second, Input::Stream(&mut &bytes[..]), &LoadOptions::default(), &|_, _| {}).unwrap();
    let names: Vec<_> = loaded[0].names.iter().map(Reference::familiar).collect();
    assert_eq!(names, ["alpine:3.20", "alpine:latest"]);
    let (a, b) = (first.get(&alpine.id).unwrap(), second.get(&alpine.id).unwrap());
    assert_eq!((a.manifest_digest, a.layers), (b.manifest_digest, b.layers));

    let mut by_id = Vec::new();
    save(&first, &[alpine.id.short()], &mut by_id).unwrap();
    let third = tempfile::tempdir().unwrap();
    let third = open_store(third.path());
    let loaded =
        load(&third, Input::Stream(&mut &by_id[..]), &LoadOptions::default(), &|_, _| {}).unwrap();
    assert_eq!((loaded[0].id, loaded[0].names.len()), (alpine.id, 0));

    let error = save(&first, &["nosuch"], &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "No such image: nosuch");
}

#[test]
fn load_takes_only_the_platform_asked_for() {
    let test = "load_takes_only_the_platform_asked_for";
    let Some(dir) = shared(test, "images") else { return };
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let load_for = |platforms: &str, path: &str| {
        let platforms: Vec<Platform> =
            platforms.split(',').map(|one| one.parse().unwrap()).collect();
        let path = dir.join(path);
        let input = if path.is_dir() {
            Input::Directory(path)
        } else {
            Input::File(File::open(path).unwrap())
        };
        describe(&store, load(&store, input, &LoadOptions { platforms }, &|_, _| {}))
    };
    let multiarch = "busybox-1.38.0-musl-multiarch-oci";
    assert!(load_for("linux/arm64", multiarch).contains("linux/arm64 1 layers"));
    assert_eq!(
        load_for("linux/s390x", multiarch),
        "no image for linux/s390x in the archive; it has linux/amd64, linux/arm64, linux/arm/v7, linux/386"
    );
    // An image here has one platform: the first that this host runs, or the first.
    assert!(load_for("linux/s390x,linux/arm64,linux/386", multiarch).contains(" 1 layers"));
    let docker = "hello-world-amd64-docker-save.tar";
    assert_eq!(
        load_for("linux/arm64,linux/s390x", docker),
        "no image for linux/arm64, linux/s390x in the archive; it has linux/amd64"
    );
    assert!(load_for("linux/arm64,linux/amd64", docker).contains("linux/amd64"));
}

fn tiny_image(store: &Store) -> coracle_image::Image {
    let tar = Tar::new()
        .dir("etc")
        .file("etc/motd", b"hello")
        .file("etc/old", b"old")
        .dir("dir")
        .file("dir/below", b"x")
        .finish();
    let options = ImportOptions {
        names: vec![Reference::parse("tiny:1").unwrap()],
        changes: vec!["CMD [\"sh\"]".to_owned()],
        message: Some("a message".to_owned()),
        platform: Some("linux/amd64".parse().unwrap()),
    };
    let imported = import(store, &mut &tar[..], &options, &|_| {}).unwrap();
    store.get(&imported.id).unwrap()
}

#[test]
fn import_makes_an_image_of_one_layer() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let image = tiny_image(&store);
    assert_eq!(image.names[0].familiar(), "tiny:1");
    assert_eq!(image.size(), 9);
    let config = store.config(&image.id).unwrap();
    assert_eq!(config.config.cmd, Some(vec!["sh".to_owned()]));
    assert_eq!(config.history[0].comment.as_deref(), Some("a message"));
    assert_eq!(config.rootfs.diff_ids, [image.layers[0].diff_id]);
    // A plain archive is its own blob.
    assert_eq!(image.layers[0].blob_digest, image.layers[0].diff_id);
    let motd = store.layer_dir(&image.layers[0].diff_id).join("etc/motd");
    assert_eq!(std::fs::read_to_string(motd).unwrap(), "hello");
}

#[test]
fn commit_turns_overlay_marks_into_whiteouts_and_back() {
    let test = "commit_turns_overlay_marks_into_whiteouts_and_back";
    if !has_ids() {
        return skip(test, "needs ids");
    }
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let parent = tiny_image(&store);
    let upper = tempfile::tempdir().unwrap();
    let at = |path: &str| upper.path().join(path);
    std::fs::create_dir_all(at("etc")).unwrap();
    std::fs::create_dir_all(at("dir")).unwrap();
    std::fs::create_dir_all(at("proc")).unwrap();
    std::fs::write(at("etc/motd"), "changed").unwrap();
    std::fs::write(at("dir/new"), "n").unwrap();
    std::fs::hard_link(at("dir/new"), at("dir/new2")).unwrap();
    let mode = rustix::fs::Mode::empty();
    let kind = rustix::fs::FileType::CharacterDevice;
    rustix::fs::mknodat(rustix::fs::CWD, at("etc/old"), kind, mode, 0).unwrap();
    let set = |path: &str, name: &str, value: &[u8]| {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(at(path), name, value, flags).unwrap();
    };
    set("dir", "user.overlay.opaque", b"y");
    set("etc", "user.overlay.origin", b"x");
    set("dir/new", "user.coracle.owner", b"12:34");
    set("dir/new", "user.kept", b"k");

    let id = commit(
        &store,
        &CommitOptions {
            parent: &parent,
            upper: upper.path(),
            skip: &|path| path == b"proc",
            config: ContainerConfig { user: "5".to_owned(), ..ContainerConfig::default() },
            author: Some("me".to_owned()),
            comment: None,
            created_by: "sleep 1000".to_owned(),
            names: vec![Reference::parse("com:1").unwrap()],
        },
    )
    .unwrap();
    let image = store.get(&id).unwrap();
    assert_eq!(image.parent, Some(parent.id));
    assert_eq!(image.layers.len(), 2);
    assert_eq!(image.layers[1].unpacked_size, 8);
    let layer = store.layer_dir(&image.layers[1].diff_id);
    assert_eq!(
        lines(&layer),
        [
            "dir 755 0:0 dir",
            "dir/new 644 12:34 file 1",
            "dir/new2 644 12:34 file 1",
            "etc 755 0:0 dir",
            "etc/motd 644 0:0 file 7",
            "etc/old 0 0:0 char 0",
        ]
    );
    assert_eq!(xattr(&layer.join("dir"), "user.overlay.opaque").as_deref(), Some(&b"y"[..]));
    assert_eq!(xattr(&layer.join("etc"), "user.overlay.origin"), None);
    assert_eq!(xattr(&layer.join("dir/new"), "user.kept").as_deref(), Some(&b"k"[..]));
    let config = store.config(&id).unwrap();
    assert_eq!(config.history[1].created_by.as_deref(), Some("sleep 1000"));
    assert_eq!((config.history.len(), config.config.user.as_str()), (2, "5"));
}

#[test]
fn a_commit_without_changes_adds_no_layer() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let parent = tiny_image(&store);
    let upper = tempfile::tempdir().unwrap();
    let options = CommitOptions {
        parent: &parent,
        upper: upper.path(),
        skip: &|_| false,
        config: ContainerConfig::default(),
        author: None,
        comment: None,
        created_by: String::new(),
        names: vec![],
    };
    let id = commit(&store, &options).unwrap();
    assert_eq!(store.get(&id).unwrap().layers, parent.layers);
    assert!(store.config(&id).unwrap().history[1].empty_layer);
}

#[test]
fn no_image_archives_are_refused_with_a_reason() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let refusal = |bytes: &[u8]| {
        let mut bytes = bytes;
        let input = Input::Stream(&mut bytes);
        chain(&load(&store, input, &LoadOptions::default(), &|_, _| {}).unwrap_err())
    };
    assert_eq!(
        refusal(&Tar::new().file("bin/sh", b"x").finish()),
        "cannot load the archive: it has neither manifest.json nor index.json; `import` takes a root filesystem"
    );
    assert_eq!(
        refusal(&Tar::new().file("repositories", b"{}").finish()),
        "cannot load the archive: it was saved by a Docker older than 1.10, whose format is not supported"
    );
    assert_eq!(
        refusal(b"junk\n"),
        "cannot read the archive: the archive breaks off at its beginning: unexpected end of file"
    );
    assert_eq!(store.images().unwrap(), []);
}
