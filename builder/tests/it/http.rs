//! Files of web servers: what comes, what is kept, what is asked again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

use coracle_builder::sources::http::{Fetched, HttpRequest, fetch};
use coracle_builder::sources::{Cache, SourceError};
use coracle_image::{Digest, RegistrySettings, Secret};

use crate::web::{Web, header, path};

struct Client {
    folder: tempfile::TempDir,
    settings: RegistrySettings,
}

impl Client {
    fn new() -> Self {
        let retry = coracle_image::RetryPolicy { attempts: 1, ..Default::default() };
        let settings = RegistrySettings { retry, ..Default::default() };
        Self { folder: tempfile::tempdir().unwrap(), settings }
    }

    fn request<'a>(&'a self, url: &'a str) -> HttpRequest<'a> {
        let settings = &self.settings;
        HttpRequest { url, checksum: None, name: None, authorization: None, settings }
    }

    fn fetch(&self, request: &HttpRequest<'_>) -> Result<Fetched, SourceError> {
        fetch(request, &Cache::new(self.folder.path().join("sources")), SystemTime::now())
    }

    fn get(&self, url: &str) -> Fetched {
        self.fetch(&self.request(url)).unwrap()
    }
}

#[test]
fn a_file_has_the_time_of_the_server_and_is_the_callers_alone() {
    let web = Web::new(Box::new(|_| {
        ("200 OK\r\nLast-Modified: Wed, 01 Jan 2020 00:00:00 GMT".to_owned(), b"hello".to_vec())
    }));
    let client = Client::new();
    let fetched = client.get(&web.url("a/f.txt?x=1"));
    assert_eq!((fetched.name.as_str(), fetched.bytes), ("f.txt", 5));
    assert_eq!(fetched.digest, Digest::of(b"hello"));
    assert_eq!(fetched.last_modified, Some(1_577_836_800));
    let about = fs::metadata(&fetched.path).unwrap();
    assert_eq!(about.permissions().mode() & 0o7777, 0o600);
    let modified = about.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(modified.as_secs(), 1_577_836_800);
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let web = Web::new(Box::new(|lines| match header(lines, "if-none-match") {
        Some("\"1\"") => ("304 Not Modified".to_owned(), Vec::new()),
        _ => ("200 OK\r\nETag: \"1\"".to_owned(), b"one".to_vec()),
    }));
    let client = Client::new();
    let first = client.get(&web.url("f"));
    let second = client.get(&web.url("f"));
    assert_eq!(first, second);
    assert_eq!(fs::read(&second.path).unwrap(), b"one");
    assert_eq!(web.asked.lock().unwrap().len(), 2);
}

#[test]
fn a_time_alone_does_not_say_that_a_file_is_the_same() {
    const TIME: &str = "Wed, 01 Jan 2020 00:00:00 GMT";
    let web = Web::new(Box::new(|lines| match header(lines, "if-modified-since") {
        Some(TIME) => ("304 Not Modified".to_owned(), Vec::new()),
        _ => (format!("200 OK\r\nLast-Modified: {TIME}"), b"one".to_vec()),
    }));
    let client = Client::new();
    assert_eq!(client.get(&web.url("f")), client.get(&web.url("f")));
    let asked = web.asked.lock().unwrap();
    assert!(asked.iter().all(|lines| header(lines, "if-modified-since").is_none()));
}

#[test]
fn a_changed_file_does_not_disturb_whoever_reads_the_old_one() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let web = Web::new(Box::new(move |_| {
        let now = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        (format!("200 OK\r\nETag: \"{now}\""), format!("version {now}").into_bytes())
    }));
    let client = Client::new();
    let old = client.get(&web.url("f"));
    let new = client.get(&web.url("f"));
    assert_eq!(fs::read(&old.path).unwrap(), b"version 0");
    assert_eq!(fs::read(&new.path).unwrap(), b"version 1");
    assert_ne!(old.key(), new.key());
}

#[test]
fn a_pinned_file_that_is_here_needs_no_server() {
    let web = Web::new(Box::new(|_| ("200 OK".to_owned(), b"pinned".to_vec())));
    let client = Client::new();
    let url = web.url("f");
    let pinned =
        |text: &[u8]| HttpRequest { checksum: Some(Digest::of(text)), ..client.request(&url) };
    client.fetch(&pinned(b"pinned")).unwrap();
    client.fetch(&pinned(b"pinned")).unwrap();
    assert_eq!(web.asked.lock().unwrap().len(), 1);
    let error = client.fetch(&pinned(b"other")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "failed to load cache key: digest mismatch for {url}: {} (expected: {})",
            Digest::of(b"pinned"),
            Digest::of(b"other")
        )
    );
}

#[test]
fn redirects_are_followed_and_a_secret_does_not_go_to_others() {
    let target = Web::new(Box::new(|_| ("200 OK".to_owned(), b"there".to_vec())));
    let to = target.url("real").replace("127.0.0.1", "localhost");
    let web = Web::new(Box::new(move |lines| match path(lines) {
        "/old" => (format!("302 Found\r\nLocation: {to}"), Vec::new()),
        _ => ("200 OK".to_owned(), b"here".to_vec()),
    }));
    let client = Client::new();
    let url = web.url("old");
    let authorization = Some(Secret::new("Bearer hush"));
    let request = HttpRequest { authorization, ..client.request(&url) };
    let fetched = client.fetch(&request).unwrap();
    assert_eq!(fs::read(&fetched.path).unwrap(), b"there");
    assert_eq!(fetched.name, "old");
    assert_eq!(header(&web.asked.lock().unwrap()[0], "authorization"), Some("Bearer hush"));
    assert_eq!(header(&target.asked.lock().unwrap()[0], "authorization"), None);
}

#[test]
fn failures_have_buildkits_words() {
    let web = Web::of_folder(std::path::Path::new("/nonexistent"));
    let client = Client::new();
    let error = client.fetch(&client.request(&web.url("f"))).unwrap_err();
    assert_eq!(error.to_string(), "failed to load cache key: invalid response status 404");
    let error = client.fetch(&client.request("http://127.0.0.1:1/x")).unwrap_err();
    assert_eq!(
        error.told().to_string(),
        "failed to load cache key: Get \"http://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: \
         connection refused"
    );
    assert_eq!(fs::read_dir(client.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_transfer_that_breaks_leaves_nothing() {
    let web = Web::new(Box::new(|_| ("200 OK\r\nContent-Length: 100".to_owned(), b"x".to_vec())));
    let client = Client::new();
    assert!(client.fetch(&client.request(&web.url("f"))).is_err());
    let left = fs::read_dir(client.folder.path().join("sources")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}
