//! Where a registry sends its clients, and what they take along.

use std::sync::atomic::{AtomicUsize, Ordering};

use coracle_image::{Credential, CredentialStore, Digest, Platform, PullOptions, Silent, pull};

use crate::support::content::{Content, pull_from};
use crate::support::http::{Response, Server};
use crate::support::images::{Pieces, TestStore, name, settings};

#[test]
fn a_loop_ends_soon() {
    for target in ["/v2/x/manifests/1", "/v2/x/blobs/"] {
        let content = Content::of(&Pieces::small());
        let server = Server::start(move |request| match request.target.starts_with(target) {
            true => Response::new(307, "").header("Location", &request.target),
            false => content.answer(request),
        });
        let error = pull_from(&server).unwrap_err().to_string();
        assert!(error.contains("too many redirects"), "{error}");
        let asked = server.requests().iter().filter(|line| line.contains(target)).count();
        assert!(asked <= 60, "{target}: {asked} requests");
    }
}

#[test]
fn blobs_elsewhere_are_fetched_without_the_password() {
    let pieces = Pieces::small();
    let (content, stored) = (Content::of(&pieces), Content::of(&pieces));
    let storage = Server::start(move |request| stored.answer(request));
    let elsewhere = storage.host.clone();
    let server = Server::start(move |request| {
        if !request.headers.contains_key("authorization") {
            return Response::new(401, "").header("WWW-Authenticate", "Basic realm=\"r\"");
        }
        match request.target.contains("/blobs/") {
            true => {
                let location = format!("http://{elsewhere}{}", request.target);
                Response::new(307, "").header("Location", &location)
            }
            false => content.answer(request),
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.auth.config_dir = directory.path().to_owned();
    CredentialStore::new(settings.auth.clone())
        .store(&server.host, &Credential::basic("u", "secret"))
        .unwrap();
    let to = TestStore::new();
    let reference = name(&format!("{}/x:1", server.host));
    pull(&to.store, &settings, &reference, &PullOptions::default(), &Silent).unwrap();
    let blob = format!("/v2/x/blobs/{}", Digest::of(&pieces.layers[0].0));
    assert_eq!(server.header_of(&blob, "authorization").iter().flatten().count(), 1);
    assert_eq!(storage.header_of(&blob, "authorization"), [None]);
}

#[test]
fn a_byte_for_each_request_is_given_up() {
    let pieces = Pieces::with_file(&Platform::host(), 100_000);
    let target = format!("/v2/x/blobs/{}", Digest::of(&pieces.layers[0].0));
    let (content, slow) = (Content::of(&pieces), target.clone());
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        let mut response = content.answer(request);
        if request.target == slow {
            tries.fetch_add(1, Ordering::SeqCst);
            let all = response.body.len().to_string();
            response.body.truncate(1);
            return response.header("Content-Length", &all);
        }
        response
    });
    let error = pull_from(&server).unwrap_err().to_string();
    assert!(error.contains(&target), "{error}");
    assert_eq!(server.header_of(&target, "range").len(), 4, "as often as without any byte");
}
