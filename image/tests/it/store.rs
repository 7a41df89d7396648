//! The store: what becomes visible, what is removed, what a crash leaves.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use coracle_image::archive::{CommitOptions, ImportOptions, commit, import};
use coracle_image::config::ContainerConfig;
use coracle_image::store::{ImageUser, PruneFilter, RemoveOptions, Removed};
use coracle_image::{Digest, Image, ImageError, LayerSource, Reference, Store};

use crate::support::{Tar, chain, is_root, lines, open_store, skip};

const CHILD_ROOT: &str = "CORACLE_TEST_CRASH_ROOT";

fn no_users() -> Result<Vec<ImageUser>, ImageError> {
    Ok(Vec::new())
}

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

/// An image of one file; the same content gives the same layer.
fn image(store: &Store, name: &str, content: &str) -> Image {
    let tar = Tar::new().file("f", content.as_bytes()).finish();
    let options = ImportOptions {
        names: vec![reference(name)],
        message: Some(name.to_owned()),
        ..ImportOptions::default()
    };
    let imported = import(store, &mut &tar[..], &options, &|_| {}).unwrap();
    store.get(&imported.id).unwrap()
}

fn child_of(store: &Store, parent: &Image, name: &str) -> Image {
    let upper = tempfile::tempdir().unwrap();
    std::fs::write(upper.path().join("more"), name).unwrap();
    let options = CommitOptions {
        parent,
        upper: upper.path(),
        skip: &|_| false,
        config: ContainerConfig::default(),
        author: None,
        comment: None,
        created_by: "x".to_owned(),
        names: vec![reference(name)],
    };
    let id = commit(store, &options).unwrap();
    store.get(&id).unwrap()
}

fn files(root: &Path) -> Vec<String> {
    let mut found = lines(root);
    found.retain(|line| line.starts_with("blobs/sha256/") || line.starts_with("layers/"));
    found
}

fn remove(store: &Store, text: &str) -> String {
    remove_with(store, text, false, &no_users)
}

fn remove_with(
    store: &Store,
    text: &str,
    force: bool,
    users: &dyn Fn() -> Result<Vec<ImageUser>, ImageError>,
) -> String {
    let options = RemoveOptions { force, no_prune: false };
    match store.remove(text, options, users) {
        Err(error) => error.to_string(),
        Ok(report) => {
            let line = |removed: &Removed| match removed {
                Removed::Untagged(name) => format!("Untagged: {name}"),
                Removed::Deleted(id) => format!("Deleted: {}", id.short()),
            };
            report.iter().map(line).collect::<Vec<_>>().join(", ")
        }
    }
}

#[test]
fn images_are_found_by_name_digest_and_id() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    let a = image(&store, "alpine:3.20", "a");
    image(&store, "bb", "b");
    let digest = format!("alpine@{}", a.manifest_digest);
    store.add_repo_digest(&a.id, &reference(&digest)).unwrap();
    for text in [
        "alpine:3.20",
        "docker.io/library/alpine:3.20",
        &digest,
        &a.id.to_string(),
        &a.id.hex(),
        &a.id.short(),
        &format!("sha256:{}", a.id.short()),
    ] {
        assert_eq!(store.find(text).unwrap().id, a.id, "{text}");
    }
    for (text, expected) in [
        ("alpine", "No such image: alpine:latest"),
        ("nosuch", "No such image: nosuch:latest"),
        ("Bad", "No such image: Bad"),
        ("", "No such image: "),
    ] {
        assert_eq!(store.find(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn tags_move_and_have_rules() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    let (a, b) = (image(&store, "a", "a"), image(&store, "b", "b"));
    store.tag(&b.id, &reference("a")).unwrap();
    assert!(store.get(&a.id).unwrap().is_dangling());
    assert_eq!(store.find("a:latest").unwrap().id, b.id);
    let digest = format!("x@sha256:{}", "0".repeat(64));
    for (name, expected) in [
        (digest.as_str(), "refusing to create a tag with a digest reference"),
        ("sha256:1", "refusing to create an ambiguous tag using digest algorithm as name"),
    ] {
        assert_eq!(store.tag(&a.id, &reference(name)).unwrap_err().to_string(), expected);
    }
}

#[test]
fn removing_follows_docker() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    let a = image(&store, "a:1", "a");
    let layer = a.layers[0].diff_id.short();
    store.tag(&a.id, &reference("a:2")).unwrap();
    store.tag(&a.id, &reference("my/img:1")).unwrap();

    assert_eq!(remove(&store, "my/img:1"), "Untagged: my/img:1");
    assert_eq!(remove(&store, "nosuch"), "No such image: nosuch:latest");
    let short = a.id.short();
    assert_eq!(
        remove(&store, &short),
        format!(
            "conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
        )
    );
    let child = child_of(&store, &a, "child");
    assert_eq!(
        remove(&store, &short),
        format!(
            "conflict: unable to delete {short} (cannot be forced) - image has dependent child images"
        )
    );
    assert_eq!(remove(&store, "a:1"), "Untagged: a:1");
    assert_eq!(remove(&store, "a:2"), "Untagged: a:2");
    // The child takes its parent, which has no name any more, with it.
    let (id, chain) = (child.id.short(), coracle_chain(&child));
    assert_eq!(
        remove(&store, "child"),
        format!(
            "Untagged: child:latest, Deleted: {id}, Deleted: {chain}, Deleted: {short}, Deleted: {layer}"
        )
    );
    assert_eq!(files(dir.path()), [""; 0]);
}

/// The chain id of an image of two layers.
fn coracle_chain(image: &Image) -> String {
    let text = format!("{} {}", image.layers[0].diff_id, image.layers[1].diff_id);
    Digest::of(text.as_bytes()).short()
}

#[test]
fn containers_stand_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    let a = image(&store, "hello-world", "a");
    let layers: Vec<_> = a.layers.iter().map(|layer| layer.diff_id).collect();
    let user = |running| {
        let container = "b2af3fd172d6".repeat(5);
        let layers = layers.clone();
        move || {
            let (container, layers) = (container.clone(), layers.clone());
            Ok(vec![ImageUser { container, running, image: a.id, layers }])
        }
    };
    let short = a.id.short();
    assert_eq!(
        remove_with(&store, "hello-world", false, &user(false)),
        format!(
            "conflict: unable to delete hello-world (must be forced) - container b2af3fd172d6 is using its referenced image {short}"
        )
    );
    assert_eq!(
        remove_with(&store, &short, true, &user(true)),
        format!(
            "conflict: unable to delete {short} (cannot be forced) - image is being used by running container b2af3fd172d6"
        )
    );
    assert_eq!(
        remove_with(&store, "hello-world", true, &user(false)),
        format!("Untagged: hello-world:latest, Deleted: {short}")
    );
    // The stopped container can be started again: its layer is still there.
    assert!(store.has_layer(&layers[0]));
    store.recover(&no_users).unwrap();
    assert!(!store.has_layer(&layers[0]));
}

#[test]
fn prune_takes_nameless_images_or_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    image(&store, "a", "old");
    let a = image(&store, "a", "new");
    let used = image(&store, "used", "used");
    let users = || {
        let container = "c".repeat(64);
        Ok(vec![ImageUser { container, running: false, image: used.id, layers: vec![] }])
    };
    let (report, freed) = store.prune(&PruneFilter::default(), &|_| true, &users).unwrap();
    assert_eq!((report.len(), freed), (2, 3));
    assert_eq!(store.images().unwrap().len(), 2);
    let (report, _) = store.prune(&PruneFilter { all: true }, &|_| true, &users).unwrap();
    assert_eq!(report[0], Removed::Untagged("a:latest".to_owned()));
    assert_eq!(report[1], Removed::Deleted(a.id));
    assert_eq!(store.images().unwrap()[0].id, used.id);
}

#[test]
fn shared_layers_are_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    let a = image(&store, "a", "12345");
    let b = child_of(&store, &a, "bb");
    let usage = store.usage().unwrap();
    assert_eq!(usage.layers_size, 7);
    let of = |image: &Image| {
        let usage = usage.images[&image.id];
        (usage.size, usage.shared_size, usage.unique_size)
    };
    assert_eq!((of(&a), of(&b)), ((5, 5, 0), (7, 5, 2)));
}

#[test]
fn damaged_layers_never_become_visible() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    let tar = Tar::new().file("f", b"data").finish();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    let gzip = gzip.finish().unwrap();
    let good = LayerSource {
        blob_digest: Some(Digest::of(&gzip)),
        blob_size: Some(gzip.len() as u64),
        media_type: None,
        diff_id: Some(Digest::of(&tar)),
    };
    let other = Digest::of(b"other");
    let mut cut = gzip.clone();
    cut.truncate(gzip.len() / 2);
    let mut broken = gzip.clone();
    broken[gzip.len() / 2] ^= 0xff;
    let ingest = |source: &LayerSource, bytes: &[u8]| {
        store.ingest_layer(source, &mut &bytes[..], &|_| {}).map_err(|e| chain(&e))
    };
    let wrong_blob = LayerSource { blob_digest: Some(other), ..good.clone() };
    assert!(ingest(&wrong_blob, &gzip).unwrap_err().starts_with("blob sha256:d9298a10d1b0"));
    let wrong_size = LayerSource { blob_size: Some(7), ..good.clone() };
    assert!(ingest(&wrong_size, &gzip).unwrap_err().ends_with("bytes instead of 7"));
    let wrong_diff = LayerSource { diff_id: Some(other), ..good.clone() };
    assert!(ingest(&wrong_diff, &gzip).unwrap_err().starts_with("layer is damaged: it unpacks to"));
    assert!(ingest(&good, &cut).unwrap_err().starts_with("cannot read the data of layer"));
    ingest(&good, &broken).unwrap_err();
    ingest(&good, b"").unwrap_err();
    assert_eq!(files(dir.path()), [""; 0]);

    let layer = ingest(&good, &gzip).unwrap();
    assert_eq!((layer.diff_id, layer.blob_digest), (Digest::of(&tar), Digest::of(&gzip)));
    assert_eq!(layer.media_type, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(store.existing_layer(&good).unwrap(), Some(layer));
}

#[test]
fn an_image_without_its_layers_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = image(&open_store(one.path()), "a", "a");
    let store = open_store(one.path());
    let new = coracle_image::NewImage {
        config_bytes: store.config_bytes(&a.id).unwrap(),
        manifest_bytes: store.manifest_bytes(&a).unwrap(),
        manifest_media_type: a.manifest_media_type.clone(),
        layers: a.layers.clone(),
        ..coracle_image::NewImage::default()
    };
    let other = open_store(two.path());
    let error = other.commit_image(&new).unwrap_err();
    assert_eq!(error.to_string(), format!("layer {} is not in the store", a.layers[0].diff_id));
    assert_eq!(other.images().unwrap(), []);
}

#[test]
fn two_threads_adding_one_layer_share_the_work() {
    let dir = tempfile::tempdir().unwrap();
    let tar = Tar::new().file("f", &[7; 100_000]).finish();
    let source = LayerSource { diff_id: Some(Digest::of(&tar)), ..LayerSource::default() };
    let work = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // Stores of their own, as two processes have.
                let store = open_store(dir.path());
                let _lock = store.lock_layer(&Digest::of(&tar)).unwrap();
                if store.existing_layer(&source).unwrap().is_none() {
                    work.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    store.ingest_layer(&source, &mut &tar[..], &|_| {}).unwrap();
                }
            });
        }
    });
    assert_eq!(work.into_inner(), 1);
}

#[test]
fn nothing_is_collected_while_someone_holds_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path());
    let tar = Tar::new().file("f", b"x").finish();
    let layer = store.ingest_layer(&LayerSource::default(), &mut &tar[..], &|_| {}).unwrap();
    // This store has ingested and so holds what it needs.
    let other = open_store(dir.path());
    other.recover(&no_users).unwrap();
    assert!(other.has_layer(&layer.diff_id));
    drop(store);
    other.recover(&no_users).unwrap();
    assert!(!other.has_layer(&layer.diff_id));
    assert_eq!(files(dir.path()), [""; 0]);
}

/// Not a test by itself: the process that the next test kills.
#[test]
#[expect(clippy::disallowed_methods, reason = "the parent passes its directory")]
fn crash_child() {
    let Some(root) = std::env::var_os(CHILD_ROOT) else { return };
    let store = open_store(Path::new(&root));
    store.recover(&no_users).unwrap();
    let out = std::io::stdout();
    for round in 0..3 {
        let mut tar = Tar::new();
        for n in 0..40 {
            tar = tar.file(&format!("d/{n}"), format!("{round} {n}").repeat(3000).as_bytes());
        }
        let options = ImportOptions {
            names: vec![reference(&format!("round:{round}"))],
            ..ImportOptions::default()
        };
        let tick = |_| {
            let mut out = out.lock();
            out.write_all(b"\x01").unwrap();
            out.flush().unwrap();
        };
        import(&store, &mut &tar.finish()[..], &options, &tick).unwrap();
        tick(coracle_image::Progress::default());
    }
}

#[test]
fn a_killed_process_leaves_each_image_whole_or_absent() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen_partial = 0;
    for point in (0..24).step_by(2) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::crash_child", "--nocapture", "--quiet"])
            .env(CHILD_ROOT, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ticks = 0;
        let mut byte = [0];
        let mut out = child.stdout.take().unwrap();
        while ticks <= point && out.read(&mut byte).unwrap() == 1 {
            ticks += usize::from(byte[0] == 1);
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let store = open_store(dir.path());
        if std::fs::read_dir(dir.path().join("tmp")).unwrap().count() > 0 {
            seen_partial += 1;
        }
        store.recover(&no_users).unwrap();
        let images = store.images().unwrap();
        for image in &images {
            for layer in &image.layers {
                let files = lines(&store.layer_dir(&layer.diff_id));
                assert_eq!(files.len(), 41, "point {point}");
                let mut blob = store.open_blob(&layer.blob_digest).unwrap();
                let mut bytes = Vec::new();
                blob.read_to_end(&mut bytes).unwrap();
                assert_eq!(Digest::of(&bytes), layer.blob_digest, "point {point}");
            }
            store.config(&image.id).unwrap();
        }
        let unique: std::collections::HashSet<_> =
            images.iter().flat_map(|i| i.layers.iter().map(|l| l.diff_id)).collect();
        let layers = std::fs::read_dir(dir.path().join("layers")).unwrap().count();
        assert_eq!(layers, unique.len(), "point {point}: a layer of no image is left");
    }
    assert!(seen_partial > 0, "no kill hit a process at work");
}

#[test]
fn a_full_disk_leaves_the_store_as_it_was() {
    let test = "a_full_disk_leaves_the_store_as_it_was";
    if !is_root() {
        return skip(test, "needs root");
    }
    let dir = tempfile::tempdir().unwrap();
    let flags = rustix::mount::MountFlags::empty();
    let size = c"size=600k";
    if rustix::mount::mount("tmpfs", dir.path(), "tmpfs", flags, size).is_err() {
        return skip(test, "cannot mount a tmpfs");
    }
    let outcome = std::panic::catch_unwind(|| {
        let root = dir.path().join("store");
        let store = open_store(&root);
        let small = image(&store, "small", "s");
        let before = files(&root);
        let tar = Tar::new().file("big", &[1; 400_000]).finish();
        let error = import(&store, &mut &tar[..], &ImportOptions::default(), &|_| {}).unwrap_err();
        assert!(chain(&error).contains("No space left on device"), "{}", chain(&error));
        assert_eq!(error.hint().unwrap().split(';').next(), Some("the disk is full"));
        drop(store);
        let store = open_store(&root);
        store.recover(&no_users).unwrap();
        assert_eq!(files(&root), before);
        assert_eq!(store.find("small").unwrap(), small);
        image(&store, "other", "o");
    });
    rustix::mount::unmount(dir.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
