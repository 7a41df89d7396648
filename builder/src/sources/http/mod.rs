//! Files of web servers: `ADD https://…`, contexts and Dockerfiles at an address.
//!
//! # How it works
//!
//! What was fetched before stays in the [`Cache`], with what the server said about it (`ETag`); the
//! server is asked whether that still holds, and the body comes again only when it does not. A file whose digest is
//! pinned and there is not asked for at all. The key of a step is the digest of the content with its name and time.
//!
//! Proxies, authorities and patience are those of registries.
//!
//! # Limits
//!
//! At most [`HTTP_SOURCE_BYTES_MAX`] bytes. A transfer that breaks is not taken up again.

mod file_name;
mod time;

use std::fs::{self, File, FileTimes};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coracle_image::digest::Hasher;
use coracle_image::{
    Answer, Asked, Digest, Download, DownloadError, Head, RegistrySettings, Secret,
};
use serde::{Deserialize, Serialize};

use super::cache::{Cache, remove, touch};
use super::error::SourceError;
use super::url::Parts;
use crate::limits::HTTP_SOURCE_BYTES_MAX;

pub use file_name::{file_name, name_in_address};

/// What is wanted, and how it is reached.
#[derive(Debug, Clone)]
pub struct HttpRequest<'a> {
    pub url: &'a str,
    /// `--checksum`.
    pub checksum: Option<Digest>,
    /// Whatever server and address say: `context` of a build context.
    pub name: Option<&'a str>,
    /// The value of the `Authorization` header.
    pub authorization: Option<Secret>,
    pub settings: &'a RegistrySettings,
}

/// A file that is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// A file of mode 600 with the time of the server, or of 1970.
    pub path: PathBuf,
    pub name: String,
    pub digest: Digest,
    /// Seconds since 1970.
    pub last_modified: Option<i64>,
    pub bytes: u64,
}

impl Fetched {
    /// What decides whether a step was done before.
    #[must_use]
    pub fn key(&self) -> String {
        let time = self.last_modified.map(|time| time.to_string()).unwrap_or_default();
        format!("{} {time} {}", self.digest, self.name)
    }
}

impl HttpRequest<'_> {
    fn named(&self, content_disposition: Option<&str>) -> String {
        file_name(self.url, self.name, content_disposition)
    }
}

/// The host that [`HttpRequest::authorization`] is looked up by, without its port.
#[must_use]
pub fn host_name(url: &str) -> Option<&str> {
    Parts::read(url).map(|parts| parts.host_name())
}

/// What is known of a file from the last time.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    digest: Digest,
    bytes: u64,
    etag: Option<String>,
    last_modified: Option<String>,
    content_disposition: Option<String>,
}

const VERSION: u32 = 1;
const RECORD: &str = "record.json";
const BODY: &str = "body";

/// Fetches a file, or finds that the one that is here is still the same. In a child only: see [`super::apart`].
///
/// # Errors
/// The server cannot be reached, has no such file, sends another than is pinned, or too much of it.
pub fn fetch(
    request: &HttpRequest<'_>,
    cache: &Cache,
    now: SystemTime,
) -> Result<Fetched, SourceError> {
    let known = known(request, cache);
    let known = match known {
        Some(known) if request.checksum.as_ref() == Some(&known.record.digest) => {
            return Ok(known.fetched(request, None));
        }
        known => known,
    };
    let mut asked = Asked { authorization: request.authorization.clone(), ..Asked::default() };
    if let Some(known) = &known {
        // A time alone says too little: a file may change twice in a second.
        asked.etag.clone_from(&known.record.etag);
    }
    match Download::ask(request.settings, request.url, &asked).map_err(refused)? {
        Answer::Unchanged(head) => {
            let known = known.ok_or(SourceError::Status { status: 304 })?;
            pinned(request, &known.record.digest)?;
            Ok(known.fetched(request, head.content_disposition))
        }
        Answer::Content(download) => {
            let fetched = save(request, *download, cache)?;
            cache.tidy(now);
            Ok(fetched)
        }
    }
}

fn refused(error: DownloadError) -> SourceError {
    match error {
        DownloadError::Status { status, .. } => SourceError::Status { status },
        error => SourceError::Download(error),
    }
}

fn pinned(request: &HttpRequest<'_>, got: &Digest) -> Result<(), SourceError> {
    match &request.checksum {
        Some(wanted) if wanted != got => Err(SourceError::Checksum {
            url: request.url.to_owned(),
            got: got.to_string(),
            wanted: wanted.to_string(),
        }),
        _ => Ok(()),
    }
}

/// A file of an earlier build.
struct Known {
    record: Record,
    place: PathBuf,
}

impl Known {
    /// One that is not whole is none.
    fn read(place: PathBuf) -> Option<Self> {
        let record: Record = serde_json::from_slice(&fs::read(place.join(RECORD)).ok()?).ok()?;
        let bytes = fs::metadata(place.join(BODY)).ok()?.len();
        (record.version == VERSION && bytes == record.bytes).then_some(Self { record, place })
    }

    fn fetched(self, request: &HttpRequest<'_>, content_disposition: Option<String>) -> Fetched {
        touch(&self.place);
        let Record { digest, bytes, last_modified, .. } = self.record;
        let given = content_disposition.or(self.record.content_disposition);
        Fetched {
            path: self.place.join(BODY),
            name: request.named(given.as_deref()),
            digest,
            last_modified: last_modified.as_deref().and_then(time::read),
            bytes,
        }
    }
}

/// The one that is pinned, or the one that was used last.
fn known(request: &HttpRequest<'_>, cache: &Cache) -> Option<Known> {
    let mut found: Vec<_> =
        cache.places("http", request.url).into_iter().filter_map(Known::read).collect();
    let pinned = request.checksum.as_ref();
    let at = found.iter().position(|known| Some(&known.record.digest) == pinned).unwrap_or(0);
    (at < found.len()).then(|| found.swap_remove(at))
}

fn save(
    request: &HttpRequest<'_>,
    mut download: Download,
    cache: &Cache,
) -> Result<Fetched, SourceError> {
    let too_large = || SourceError::TooLarge { url: download_url(request) };
    if download.length().is_some_and(|bytes| bytes > HTTP_SOURCE_BYTES_MAX) {
        return Err(too_large());
    }
    let head = download.head();
    let new = cache.unfinished()?;
    let written = write(&new, &mut download, head.last_modified.as_deref());
    let made = written.and_then(|(digest, bytes)| {
        if bytes > HTTP_SOURCE_BYTES_MAX {
            return Err(too_large());
        }
        pinned(request, &digest)?;
        let Head { etag, last_modified, content_disposition } = head;
        let record =
            Record { version: VERSION, digest, bytes, etag, last_modified, content_disposition };
        let text = serde_json::to_vec(&record).unwrap_or_default();
        fs::write(new.join(RECORD), text).map_err(SourceError::file("write", &new))?;
        Ok(record)
    });
    let record = made.inspect_err(|_| remove(&new))?;
    let what = format!("{} {}", record.digest, record.last_modified.as_deref().unwrap_or_default());
    let place = cache.place("http", request.url, &what);
    cache.finish(&new, &place)?;
    Ok(Known { record, place }.fetched(request, None))
}

fn download_url(request: &HttpRequest<'_>) -> String {
    Parts::read(request.url).map_or_else(|| request.url.to_owned(), |parts| parts.shown())
}

/// The body into a folder; its digest and length.
fn write(
    folder: &Path,
    download: &mut Download,
    last_modified: Option<&str>,
) -> Result<(Digest, u64), SourceError> {
    let path = folder.join(BODY);
    let failed = |error| SourceError::file("write", &path)(error);
    let mut options = fs::OpenOptions::new();
    let mut file: File =
        options.write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    while hasher.byte_count() <= HTTP_SOURCE_BYTES_MAX {
        let count = match download.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(SourceError::file("download", Path::new(download.url()))(error));
            }
        };
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(failed)?;
    }
    let seconds = last_modified.and_then(time::read).unwrap_or(0);
    let time = match u64::try_from(seconds) {
        Ok(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
        Err(_) => UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs()),
    };
    file.set_times(FileTimes::new().set_modified(time).set_accessed(time)).map_err(failed)?;
    let bytes = hasher.byte_count();
    Ok((hasher.finish(), bytes))
}

const BUFFER_BYTES: usize = 128 << 10;
