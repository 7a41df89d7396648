//! Indexes as a whole: pulled, found by platform, pushed, removed.

use coracle_image::store::{RemoveOptions, Removed};
use coracle_image::{Digest, Platform, PullOptions, Silent, Store, pull, push};

use crate::support::content::Content;
use crate::support::docker_registry::{DockerRegistry, Setup, available};
use crate::support::http::Server;
use crate::support::images::{OCI_CONFIG, Pieces, TestStore, descriptor, name, settings};

const ALL: PullOptions = PullOptions { platform: None, all_platforms: true };

fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

/// An attestation as builders attach it: a manifest whose one layer is no archive.
fn attestation() -> Pieces {
    let statement = br#"{"_type":"https://in-toto.io/Statement/v0.1"}"#.to_vec();
    let config = br#"{"architecture":"unknown","os":"unknown"}"#.to_vec();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
        descriptor(OCI_CONFIG, &config, ""),
        descriptor("application/vnd.in-toto+json", &statement, ""),
    );
    Pieces { config, manifest: manifest.into_bytes(), layers: vec![(statement, Vec::new())] }
}

/// A store with the index `HOST/x:1` of two images and an attestation; its name and digest.
fn pulled() -> (TestStore, String, Digest, [Pieces; 2]) {
    let host = Pieces::with_file(&Platform::host(), 10_000);
    let other = Pieces::with_file(&platform("linux/s390x"), 20_000);
    let own = Platform::host();
    let own = format!("{}/{}", own.os, own.architecture);
    let entries =
        [("linux/s390x", &other), (own.as_str(), &host), ("unknown/unknown", &attestation())];
    let content = Content::index(&entries);
    let digest = Digest::of(&content.manifests["1"].1);
    let server = Server::start(move |request| content.answer(request));
    let text = format!("{}/x:1", server.host);
    let to = TestStore::new();
    let outcome = pull(&to.store, &settings(), &name(&text), &ALL, &Silent).unwrap();
    assert_eq!((outcome.digest, outcome.image_id), (digest, Digest::of(&host.config)));
    (to, text, digest, [host, other])
}

fn found(store: &Store, text: &str, wanted: &str) -> Option<Digest> {
    store.find_variant(text, &platform(wanted)).unwrap().map(|image| image.id)
}

#[test]
fn a_name_leads_to_each_platform_of_its_index() {
    let (to, text, _, [host, other]) = pulled();
    let own = Platform::host().to_string();
    assert_eq!(to.store.find(&text).unwrap().id, Digest::of(&host.config));
    assert_eq!(found(&to.store, &text, &own), Some(Digest::of(&host.config)));
    assert_eq!(found(&to.store, &text, "linux/s390x"), Some(Digest::of(&other.config)));
    assert_eq!(found(&to.store, &text, "linux/riscv64"), None);

    // Another image under that name: the index is forgotten.
    Pieces::small().put(&to.store, "third:1");
    let third = to.store.find("third:1").unwrap();
    to.store.tag(&third.id, &name(&text)).unwrap();
    assert_eq!(found(&to.store, &text, "linux/s390x"), None);
}

#[test]
fn the_content_of_an_index_counts_once() {
    let (to, text, digest, [host, other]) = pulled();
    let indexes = to.store.indexes().unwrap();
    let index = &indexes[&name(&text).to_string()];
    let ids: Vec<_> = index.images.iter().map(|image| image.id).collect();
    assert_eq!(
        (index.digest, ids),
        (digest, vec![Digest::of(&other.config), Digest::of(&host.config)])
    );
    // All there is in this store, the attestation too.
    let blobs = std::fs::read_dir(to.store.root().join("blobs/sha256")).unwrap();
    let all: u64 = blobs.map(|blob| blob.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(to.store.content_size(&index.images, Some(index)), all);
    let own = to.store.find(&text).unwrap();
    let packed: u64 = own.layers.iter().map(|layer| layer.blob_size).sum();
    let of_own = packed + (host.config.len() + host.manifest.len()) as u64;
    assert_eq!(to.store.content_size([&own, &own], None), of_own);
}

#[test]
fn an_index_is_pushed_as_it_came() {
    if !available("an_index_is_pushed_as_it_came") {
        return;
    }
    let (from, text, digest, [_, other]) = pulled();
    let registry = DockerRegistry::start(&Setup::default());
    let copy = format!("{}/copy:1", registry.host);
    from.store.tag_as(&text, &name(&copy)).unwrap();
    let pushed = push(&from.store, &settings(), &name(&copy), None, &Silent).unwrap();
    assert_eq!(pushed.digest, digest);

    let to = TestStore::new();
    let outcome = pull(&to.store, &settings(), &name(&copy), &ALL, &Silent).unwrap();
    assert_eq!(outcome.digest, digest);
    assert_eq!(found(&to.store, &copy, "linux/s390x"), Some(Digest::of(&other.config)));

    // One of them alone is an image of its own.
    let single = format!("{}/single:1", registry.host);
    to.store.tag_as(&copy, &name(&single)).unwrap();
    let s390x = platform("linux/s390x");
    let pushed = push(&to.store, &settings(), &name(&single), Some(&s390x), &Silent).unwrap();
    assert_eq!(pushed.digest, Digest::of(&other.manifest));
    let riscv = platform("linux/riscv64");
    let error = push(&to.store, &settings(), &name(&single), Some(&riscv), &Silent).unwrap_err();
    assert!(error.to_string().contains("wanted linux/riscv64, actual: linux/"), "{error}");

    // What a removed variant leaves is no index any more.
    let id = Digest::of(&other.config).to_string();
    let force = RemoveOptions { force: true, no_prune: false };
    to.store.remove(&id, force, &|| Ok(Vec::new())).unwrap();
    let error = push(&to.store, &settings(), &name(&copy), None, &Silent).unwrap_err();
    assert!(error.to_string().contains("an index of 2 images, of which 1 are here"), "{error}");
}

#[test]
fn the_images_of_an_index_go_with_its_last_name() {
    let (to, text, _, [host, other]) = pulled();
    to.store.tag_as(&text, &name("again:1")).unwrap();
    let options = RemoveOptions::default();
    let first = to.store.remove(&text, options, &|| Ok(Vec::new())).unwrap();
    assert!(!first.iter().any(|line| matches!(line, Removed::Deleted(_))), "{first:?}");
    assert_eq!(found(&to.store, "again:1", "linux/s390x"), Some(Digest::of(&other.config)));

    let last = to.store.remove("again:1", options, &|| Ok(Vec::new())).unwrap();
    for pieces in [&host, &other] {
        let id = Digest::of(&pieces.config);
        assert!(last.contains(&Removed::Deleted(id)), "{last:?}");
    }
    let left = std::fs::read_dir(to.store.root().join("blobs/sha256")).unwrap().count();
    assert_eq!(left, 0, "blobs of the index are gone too");
}
