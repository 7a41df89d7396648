//! Importing archives from servers that answer well, late, badly or not to the end.

use std::error::Error as _;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use coracle_image::archive::{ImportOptions, import};
use coracle_image::{Download, RegistrySettings};

use crate::support::http::{Response, Server};
use crate::support::images::{TestStore, gzip, name, settings, tar_with_file};

fn refused(settings: &RegistrySettings, url: &str) -> String {
    Download::open(settings, url).unwrap_err().to_string()
}

#[test]
fn an_archive_at_a_url_becomes_an_image() {
    let archive = gzip(&tar_with_file("f", 400_000));
    let server = Server::start(move |request| match request.target.as_str() {
        "/root.tar.gz?v=1" => Response::new(302, "").header("Location", "/moved"),
        "/moved" => Response::new(200, archive.clone()),
        _ => Response::new(404, "no"),
    });
    let url = format!("http://{}/root.tar.gz?v=1", server.host);
    let mut download = Download::open(&settings(), &url).unwrap();
    assert_eq!(download.url(), url);
    let to = TestStore::new();
    let options = ImportOptions { names: vec![name("made:1")], ..ImportOptions::default() };
    let imported = import(&to.store, &mut download, &options, &|_| ()).unwrap();
    let image = to.store.find("made:1").unwrap();
    assert_eq!(image.id, imported.id);
    let file = to.store.layer_dir(&image.layers[0].diff_id).join("f");
    assert_eq!(std::fs::metadata(file).unwrap().len(), 400_000);
}

#[test]
fn only_the_answer_200_brings_an_archive() {
    let server = Server::start(|request| match request.target.as_str() {
        "/empty" => Response::new(204, ""),
        "/secret" => Response::new(403, ""),
        _ => Response::new(404, "not here"),
    });
    let at = |path: &str| format!("http://{}/{path}", server.host);
    for (path, status) in
        [("x", "404 Not Found"), ("empty", "204 No Content"), ("secret", "403 Forbidden")]
    {
        let url = at(path);
        let expected = format!("failed to GET {url} with status {status}");
        assert_eq!(refused(&settings(), &url), expected);
    }
    // What no second attempt can mend is asked for once.
    assert_eq!(server.requests(), ["GET /x", "GET /empty", "GET /secret"]);
    let error = Download::open(&settings(), &at("secret")).unwrap_err();
    assert!(error.hint().unwrap().contains("credentials"));
}

#[test]
fn a_busy_server_is_asked_again_and_given_up_in_the_end() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request| match request.target.as_str() {
        "/later" if tries.fetch_add(1, Ordering::SeqCst) > 0 => Response::new(200, "bytes"),
        _ => Response::new(503, "busy").header("Retry-After", "0"),
    });
    let mut text = String::new();
    let url = format!("http://{}/later", server.host);
    Download::open(&settings(), &url).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "bytes");

    let url = format!("http://{}/never", server.host);
    let expected = format!("failed to GET {url} with status 503 Service Unavailable");
    assert_eq!(refused(&settings(), &url), expected);
    let asked = server.requests().iter().filter(|r| r.ends_with("/never")).count();
    assert_eq!(asked, settings().retry.attempts as usize);
}

#[test]
fn a_download_that_breaks_leaves_no_image() {
    let archive = tar_with_file("f", 400_000);
    let server = Server::start(move |_| Response::new(200, archive.clone()).reset_after(100_000));
    let url = format!("http://{}/root.tar", server.host);
    let mut download = Download::open(&settings(), &url).unwrap();
    let to = TestStore::new();
    let error = import(&to.store, &mut download, &ImportOptions::default(), &|_| ()).unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.starts_with(&format!("Get \"{url}\": ")), "{error}: {cause}");
    assert!(to.store.images().unwrap().is_empty());
}

#[test]
fn an_archive_that_is_too_large_is_not_begun() {
    let length = coracle_image::limits::DOWNLOAD_BYTES_MAX + 1;
    let server = Server::start(move |_| {
        Response::new(200, "").header("Content-Length", &length.to_string())
    });
    let url = format!("http://{}/", server.host);
    let expected = format!("the archive at {url} is larger than {} bytes", length - 1);
    assert_eq!(refused(&settings(), &url), expected);
}

#[test]
fn the_proxy_of_registries_is_used() {
    let proxy = Server::start(|_| Response::new(200, "through"));
    let settings =
        RegistrySettings { http_proxy: Some(format!("http://{}", proxy.host)), ..settings() };
    let mut text = String::new();
    Download::open(&settings, "http://far.invalid/root.tar")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "through");
    assert_eq!(proxy.requests(), ["GET http://far.invalid/root.tar"]);
}

#[test]
fn a_password_in_the_url_is_sent_but_not_shown() {
    let server = Server::start(|_| Response::new(404, ""));
    let error = refused(&settings(), &format!("http://me:secret@{}/x", server.host));
    assert!(error.contains("me:xxxxx@") && !error.contains("secret"), "{error}");
    // `me:secret`.
    let sent = server.header_of("/x", "authorization");
    assert_eq!(sent, [Some("Basic bWU6c2VjcmV0".to_owned())]);
}
