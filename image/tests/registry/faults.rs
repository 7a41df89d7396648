//! Pulls from a server that misbehaves, each time in another way.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use coracle_image::{Digest, Platform, PullOptions, Silent, pull};

use crate::support::content::{Content, pull_from};
use crate::support::http::{Request, Response, Server};
use crate::support::images::{
    DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST, Pieces, Recorder, TestStore, name, settings,
    tar_with_file,
};

fn refused(content: Content) -> String {
    let server = Server::start(move |request| content.answer(request));
    pull_from(&server).unwrap_err().to_string()
}

#[test]
fn a_broken_blob_goes_on_where_it_broke() {
    let pieces = Pieces::with_file(&Platform::host(), 400_000);
    let target = format!("/v2/x/blobs/{}", Digest::of(&pieces.layers[0].0));
    let (content, broken) = (Content::of(&pieces), target.clone());
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        let response = content.answer(request);
        if request.target == broken && tries.fetch_add(1, Ordering::SeqCst) < 2 {
            return response.reset_after(100_000);
        }
        response
    });
    assert_eq!(pull_from(&server).unwrap(), Digest::of(&pieces.config));
    let ranges: Vec<u64> = server
        .header_of(&target, "range")
        .into_iter()
        .map(|range| range.map_or(0, |r| r[6..r.len() - 1].parse().unwrap()))
        .collect();
    // A reset may take bytes along that were on their way.
    assert_eq!(ranges.len(), 3);
    assert_eq!(ranges[0], 0);
    assert!(ranges[0] < ranges[1] && ranges[1] < ranges[2], "{ranges:?}");
}

#[test]
fn a_server_without_ranges_starts_over() {
    let pieces = Pieces::with_file(&Platform::host(), 400_000);
    let target = format!("/v2/x/blobs/{}", Digest::of(&pieces.layers[0].0));
    let (content, blob) = (Content::of(&pieces), pieces.layers[0].0.clone());
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        if request.target != target {
            return content.answer(request);
        }
        let whole = Response::new(200, blob.clone());
        if tries.fetch_add(1, Ordering::SeqCst) == 0 { whole.reset_after(100_000) } else { whole }
    });
    assert_eq!(pull_from(&server).unwrap(), Digest::of(&pieces.config));
}

#[test]
fn busy_servers_are_asked_again() {
    for status in [429, 500, 503] {
        let pieces = Pieces::small();
        let content = Content::of(&pieces);
        // Each request fails the first time.
        let seen = Mutex::new(Vec::new());
        let server = Server::start(move |request| {
            let mut seen = seen.lock().unwrap();
            if seen.contains(&request.target) {
                return content.answer(request);
            }
            seen.push(request.target.clone());
            Response::new(status, "busy").header("Retry-After", "0")
        });
        assert_eq!(pull_from(&server).unwrap(), Digest::of(&pieces.config), "{status}");
    }
}

#[test]
fn a_server_that_stays_busy_is_given_up() {
    let content = Content::of(&Pieces::small());
    let server = Server::start(move |request| match request.target.as_str() {
        "/v2/x/manifests/1" => Response::new(503, "busy"),
        _ => content.answer(request),
    });
    assert_eq!(
        pull_from(&server).unwrap_err().to_string(),
        "received unexpected HTTP status: 503 Service Unavailable"
    );
    let asked = server.requests().iter().filter(|r| r.ends_with("/manifests/1")).count();
    assert_eq!(asked, 4);
}

#[test]
fn a_retry_is_told() {
    let pieces = Pieces::small();
    let id = Digest::of(&pieces.layers[0].0).short();
    let target = format!("/v2/x/blobs/{}", Digest::of(&pieces.layers[0].0));
    let content = Content::of(&pieces);
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        if request.target == target && tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return Response::new(502, "");
        }
        content.answer(request)
    });
    let (to, recorder) = (TestStore::new(), Recorder::default());
    let reference = name(&format!("{}/x:1", server.host));
    pull(&to.store, &settings(), &reference, &PullOptions::default(), &recorder).unwrap();
    assert_eq!(recorder.lines()[2], format!("{id}: Retrying in 1 second"));
}

#[test]
fn the_pause_a_blob_asks_for_is_kept() {
    let pieces = Pieces::small();
    let id = Digest::of(&pieces.layers[0].0).short();
    let target = format!("/v2/x/blobs/{}", Digest::of(&pieces.layers[0].0));
    for status in [429, 503] {
        let content = Content::of(&pieces);
        let (target, tries) = (target.clone(), AtomicUsize::new(0));
        let server = Server::start(move |request| {
            if request.target == target && tries.fetch_add(1, Ordering::SeqCst) == 0 {
                return Response::new(status, "busy").header("Retry-After", "2");
            }
            content.answer(request)
        });
        let (to, recorder) = (TestStore::new(), Recorder::default());
        let reference = name(&format!("{}/x:1", server.host));
        let mut settings = settings();
        settings.retry.max_delay = std::time::Duration::from_secs(3);
        pull(&to.store, &settings, &reference, &PullOptions::default(), &recorder).unwrap();
        assert_eq!(recorder.lines()[2], format!("{id}: Retrying in 2 seconds"));
    }
}

#[test]
fn content_that_is_not_what_was_promised() {
    // Another blob of the same length.
    let pieces = Pieces::small();
    let (blob, digest) = (pieces.layers[0].0.clone(), Digest::of(&pieces.layers[0].0));
    let mut content = Content::of(&pieces);
    let mut changed = blob.clone();
    // The time in the gzip header: it decompresses to the same archive.
    changed[4] ^= 1;
    content.blobs.insert(digest.to_string(), changed);
    let error = refused(content);
    assert!(error.starts_with(&format!("blob {digest} is damaged")), "{error}");

    // More than announced.
    let mut content = Content::of(&pieces);
    content.blobs.insert(digest.to_string(), [&blob[..], b"more"].concat());
    let error = refused(content);
    assert!(error.ends_with(&format!("it sends more than the {} bytes announced", blob.len())));

    // Another configuration.
    let mut content = Content::of(&pieces);
    content.blobs.insert(Digest::of(&pieces.config).to_string(), b"{}".to_vec());
    let error = refused(content);
    assert!(error.contains("has digest sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a, expected"), "{error}");
}

#[test]
fn a_manifest_by_digest_is_verified() {
    let pieces = Pieces::small();
    let mut content = Content::of(&pieces);
    let wanted = Digest::of(b"another");
    content.manifests.insert(wanted.to_string(), (OCI_MANIFEST.to_owned(), pieces.manifest));
    let server = Server::start(move |request| content.answer(request));
    let reference = name(&format!("{}/x@{wanted}", server.host));
    let to = TestStore::new();
    let error = pull(&to.store, &settings(), &reference, &PullOptions::default(), &Silent)
        .unwrap_err()
        .to_string();
    assert!(error.ends_with(&format!("expected {wanted}")), "{error}");
}

#[test]
fn what_cannot_be_run_is_refused_by_name() {
    let mut schema1 = Content::default();
    schema1.manifest(
        "1",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        br#"{"schemaVersion":1,"fsLayers":[]}"#,
    );
    assert!(refused(schema1).contains("manifest schema 1"));

    let plain = tar_with_file("f", 10);
    let foreign = Pieces::new(
        &Platform::host(),
        &[("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", plain.clone(), plain)],
    );
    let error = refused(Content::of(&foreign));
    assert!(error.contains("is foreign: it must be fetched from elsewhere"), "{error}");

    let mut huge = Content::default();
    let mut bytes = br#"{"schemaVersion":2}"#.to_vec();
    bytes.resize((4 << 20) + 1, b' ');
    huge.manifest("1", DOCKER_MANIFEST, &bytes);
    let error = refused(huge);
    assert!(error.ends_with("is larger than 4194304 bytes"), "{error}");
}

#[test]
fn an_index_is_resolved_by_platform() {
    let platform = |text: &str| text.parse::<Platform>().unwrap();
    let (arm, s390x) = (platform("linux/arm64"), platform("linux/s390x"));
    let (first, second) = (Pieces::with_file(&arm, 10), Pieces::with_file(&s390x, 20));
    let content = Content::index(&[("linux/arm64", &first), ("linux/s390x", &second)]);
    let index_digest = Digest::of(&content.manifests["1"].1);
    let server = Server::start(move |request| content.answer(request));
    let reference = name(&format!("{}/x:1", server.host));
    let to = TestStore::new();

    let mut options = PullOptions { platform: Some(s390x.clone()), ..PullOptions::default() };
    let outcome = pull(&to.store, &settings(), &reference, &options, &Silent).unwrap();
    assert_eq!(outcome.image_id, Digest::of(&second.config));
    assert_eq!(outcome.digest, index_digest);
    assert_eq!(outcome.warning, None);

    options.platform = Some(platform("linux/riscv64"));
    let error = pull(&to.store, &settings(), &reference, &options, &Silent).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no matching manifest for linux/riscv64 in the manifest list entries"
    );

    options = PullOptions { platform: Some(s390x), all_platforms: true };
    let outcome = pull(&to.store, &settings(), &reference, &options, &Silent).unwrap();
    assert_eq!(outcome.image_id, Digest::of(&second.config));
    assert_eq!(to.store.images().unwrap().len(), 2);
    assert_eq!(to.store.find(&reference.familiar()).unwrap().id, Digest::of(&second.config));
}

#[test]
fn a_single_manifest_for_another_platform_comes_with_a_warning() {
    let platform: Platform = "linux/s390x".parse().unwrap();
    let content = Content::of(&Pieces::with_file(&platform, 10));
    let server = Server::start(move |request| content.answer(request));
    let reference = name(&format!("{}/x:1", server.host));
    let to = TestStore::new();
    let options =
        PullOptions { platform: Some("linux/arm64".parse().unwrap()), ..PullOptions::default() };
    for _ in 0..2 {
        let outcome = pull(&to.store, &settings(), &reference, &options, &Silent).unwrap();
        assert_eq!(
            outcome.warning.unwrap(),
            format!(
                "WARNING: image with reference {}/x:1 was found but its platform (linux/s390x) does not match the specified platform (linux/arm64)",
                server.host
            )
        );
    }
}

#[test]
fn mirrors_come_first_and_failing_ones_are_passed_over() {
    let pieces = Pieces::small();
    let mut content = Content::of(&pieces);
    let manifests: Vec<_> = content.manifests.drain().collect();
    let server = Server::start(move |request| {
        let request = Request {
            target: request.target.replace("/v2/library/x/", "/v2/x/"),
            ..request.clone()
        };
        match request.target.strip_prefix("/v2/x/manifests/") {
            Some(key) => manifests.iter().find(|(known, _)| known == key).map_or_else(
                || Response::new(404, ""),
                |(_, (media_type, bytes))| {
                    Response::new(200, bytes.clone()).header("Content-Type", media_type)
                },
            ),
            None => content.answer(&request),
        }
    });
    let broken = Server::start(|_| Response::new(404, ""));
    let mut settings = settings();
    settings.mirrors = vec![format!("http://{}", broken.host), format!("http://{}", server.host)];
    let to = TestStore::new();
    let outcome =
        pull(&to.store, &settings, &name("x:1"), &PullOptions::default(), &Silent).unwrap();
    assert_eq!(outcome.reference, name("docker.io/library/x:1"));
    assert!(to.store.find("x:1").is_ok());
    assert!(!broken.requests().is_empty());
}

#[test]
fn nobody_listens() {
    let to = TestStore::new();
    // Port 1 of this machine is not in use.
    let error =
        pull(&to.store, &settings(), &name("127.0.0.1:1/x"), &PullOptions::default(), &Silent)
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to resolve reference \"127.0.0.1:1/x:latest\": failed to do request: \
         Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused"
    );
}

#[test]
fn a_configuration_of_another_kind() {
    let pieces = Pieces::small();
    let text = String::from_utf8(pieces.manifest).unwrap();
    let helm = text.replace(OCI_CONFIG, "application/vnd.cncf.helm.config.v1+json");
    let mut content = Content::default();
    content.manifest("1", OCI_MANIFEST, helm.as_bytes());
    let error = refused(content);
    assert!(error.contains("is no container image"), "{error}");
}
