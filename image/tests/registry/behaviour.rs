//! How servers are asked: once for shared layers, through proxies, with tokens.

use std::sync::Barrier;
use std::thread;

use coracle_image::{
    Credential, CredentialStore, Digest, Platform, PullOptions, Secret, Silent, Store,
    StoreOptions, pull,
};

use crate::support::content::{Content, pull_from};
use crate::support::http::{Request, Response, Server};
use crate::support::images::{Pieces, TestStore, name, settings, tar_with_file};

#[test]
fn two_pulls_at_once_share_each_layer() {
    let pieces = Pieces::with_file(&Platform::host(), 300_000);
    let target = format!("GET /v2/x/blobs/{}", Digest::of(&pieces.layers[0].0));
    let content = Content::of(&pieces);
    let server = Server::start(move |request| content.answer(request));
    let reference = name(&format!("{}/x:1", server.host));
    let directory = tempfile::tempdir().unwrap();
    let together = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let store = Store::open(directory.path(), StoreOptions::default()).unwrap();
                together.wait();
                let options = PullOptions::default();
                pull(&store, &settings(), &reference, &options, &Silent).unwrap();
            });
        }
    });
    let downloads = server.requests().iter().filter(|request| **request == target).count();
    assert_eq!(downloads, 1);
}

#[test]
fn a_layer_that_occurs_twice_is_fetched_once() {
    let plain = tar_with_file("f", 1000);
    let layer = ("application/vnd.oci.image.layer.v1.tar", plain.clone(), plain.clone());
    let pieces = Pieces::new(&Platform::host(), &[layer.clone(), layer]);
    let target = format!("GET /v2/x/blobs/{}", Digest::of(&plain));
    let content = Content::of(&pieces);
    let server = Server::start(move |request| content.answer(request));
    assert_eq!(pull_from(&server).unwrap(), Digest::of(&pieces.config));
    assert_eq!(server.requests().iter().filter(|request| **request == target).count(), 1);
}

#[test]
fn a_proxy_is_used_for_other_hosts() {
    let pieces = Pieces::small();
    let content = Content::of(&pieces);
    let proxy = Server::start(move |request| {
        let Some(target) = request.target.strip_prefix("http://registry.test") else {
            return Response::new(405, "");
        };
        content.answer(&Request { target: target.to_owned(), ..request.clone() })
    });
    let mut settings = settings();
    settings.insecure_registries = vec!["registry.test".to_owned()];
    settings.http_proxy = Some(format!("http://{}", proxy.host));
    settings.https_proxy.clone_from(&settings.http_proxy);
    let to = TestStore::new();
    let reference = name("registry.test/x:1");
    let options = PullOptions::default();
    pull(&to.store, &settings, &reference, &options, &Silent).unwrap();
    assert_eq!(
        proxy.requests()[..2],
        ["CONNECT registry.test:443".to_owned(), "GET http://registry.test/v2/".to_owned()]
    );

    settings.no_proxy = Some(".test".to_owned());
    let error = pull(&TestStore::new().store, &settings, &reference, &options, &Silent);
    assert_eq!(
        error.unwrap_err().to_string(),
        "failed to resolve reference \"registry.test/x:1\": failed to do request: \
         Get \"http://registry.test/v2/\": dial tcp: lookup registry.test: no such host"
    );
}

#[test]
fn a_token_that_does_not_reach_is_a_refusal() {
    let challenge = "Bearer realm=\"http://HOST/token\",service=\"s\",error=\"insufficient_scope\"";
    let server = Server::start(move |request| {
        if request.target.starts_with("/token") {
            return Response::new(200, r#"{"access_token":"t"}"#);
        }
        let host = &request.headers["host"];
        Response::new(
            401,
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
        )
        .header("WWW-Authenticate", &challenge.replace("HOST", host))
    });
    let error = pull_from(&server).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(
        error.to_string(),
        format!(
            "pull access denied for {}/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            server.host
        )
    );
    let authorizations = server.header_of("/v2/x/manifests/1", "authorization");
    assert_eq!(authorizations, [Some("Bearer t".to_owned()), Some("Bearer t".to_owned())]);
}

#[test]
fn an_identity_token_is_exchanged() {
    let pieces = Pieces::small();
    let content = Content::of(&pieces);
    let server = Server::start(move |request| {
        if request.target == "/token" {
            return Response::new(200, r#"{"access_token":"short"}"#);
        }
        if request.headers.get("authorization").map(String::as_str) != Some("Bearer short") {
            let realm = format!("Bearer realm=\"http://{}/token\"", request.headers["host"]);
            return Response::new(401, "").header("WWW-Authenticate", &realm);
        }
        content.answer(request)
    });
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.auth.config_dir = directory.path().to_owned();
    CredentialStore::new(settings.auth.clone())
        .store(&server.host, &Credential::IdentityToken(Secret::new("long")))
        .unwrap();
    let to = TestStore::new();
    let reference = name(&format!("{}/x:1", server.host));
    pull(&to.store, &settings, &reference, &PullOptions::default(), &Silent).unwrap();
    assert!(server.requests().contains(&"POST /token".to_owned()));
}
