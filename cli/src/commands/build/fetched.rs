//! Contexts that are somewhere else: a repository, or what a web server has.
//!
//! # How it works
//!
//! What is fetched lies in the cache of sources (`builder/sources` in the data root) until it is forgotten there. Its
//! Dockerfile is opened beneath its folder by the kernel, links too: whoever wrote the repository does not choose
//! among our files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use coracle_builder::progress::{Event, Progress};
use coracle_builder::request::BuildRequest;
use coracle_builder::sources::git::{self, GitRequest};
use coracle_builder::sources::git_url::GitUrl;
use coracle_builder::sources::{Cache, SourceError, apart, http, secrets};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use super::args::failed;
use super::dockerfile::{self, Unread};
use super::locate::Missing;
use super::surroundings::network;
use crate::error::CliError;
use crate::settings::Settings;

/// Fetches for a build, and tells of it.
pub(crate) struct Fetcher<'a> {
    pub(crate) settings: &'a Settings,
    /// Whose secrets and agents are shown to servers.
    pub(crate) request: &'a BuildRequest,
    pub(crate) progress: &'a mut dyn Progress,
    /// Vertices that were told of.
    pub(crate) told: usize,
}

/// Something that was fetched.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) path: PathBuf,
    /// When it was last changed, in seconds: `Last-Modified`, or the time of the commit.
    pub(crate) modified: Option<i64>,
}

/// An address and a failure, with what Docker says the fetching was for.
fn refused(what: &str, error: &SourceError) -> CliError {
    let failure = failed(&format!("failed to solve: {what}: {error}"));
    CliError { hint: error.hint(), ..failure }
}

impl Fetcher<'_> {
    fn cache(&self) -> Cache {
        Cache::new(self.settings.data_root.join("builder/sources"))
    }

    /// Does `job` as a line of work of its own.
    fn tell<T>(
        &mut self,
        name: String,
        log: impl FnOnce(&T) -> String,
        job: impl FnOnce(&Self) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let vertex = self.told;
        self.told += 1;
        self.progress.tell(Event::Known { vertex, name, inputs: Vec::new() });
        self.progress.tell(Event::Started { vertex, at: SystemTime::now() });
        let result = job(self);
        let at = SystemTime::now();
        if let Ok(done) = &result {
            let bytes = log(done).into_bytes();
            if !bytes.is_empty() {
                self.progress.tell(Event::Log { vertex, stream: 2, bytes, at });
            }
        }
        let error = result.as_ref().err().map(short);
        self.progress.tell(Event::Completed { vertex, at, error });
        result
    }

    /// Does `job`, which is no fetching, as a line of work of its own.
    pub(super) fn show<T>(
        &mut self,
        name: &str,
        job: impl FnOnce() -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let vertex = self.told;
        self.told += 1;
        self.progress.tell(Event::Known { vertex, name: name.to_owned(), inputs: Vec::new() });
        self.progress.tell(Event::Started { vertex, at: SystemTime::now() });
        let result = job();
        let error = result.as_ref().err().map(|error| bare(&error.message).to_owned());
        self.progress.tell(Event::Completed { vertex, at: SystemTime::now(), error });
        result
    }

    /// A repository, as a folder.
    pub(crate) fn repository(&mut self, address: &str) -> Result<Arrived, CliError> {
        let url = GitUrl::read(address).map_err(|error| failed(&error.to_string()))?;
        let Some(url) = url else {
            return Err(failed(&format!("{address} is not the address of a repository")));
        };
        let agent = self.request.ssh.get("default").cloned();
        let agent =
            agent.or_else(|| self.settings.environment.get("SSH_AUTH_SOCK").map(PathBuf::from));
        let settings = network(self.settings);
        let authorization = secrets::for_repository(&url, &self.request.secrets)
            .map_err(|error| refused("failed to read dockerfile", &error))?;
        let cache = self.cache();
        let is_open = url.shown() == url.remote;
        let shown = if is_open { address.to_owned() } else { url.shown() };
        let name = format!("[internal] load git source {shown}");
        let fetched = self.tell(
            name,
            |(log, _, _): &(String, PathBuf, i64)| log.clone(),
            |_| {
                let request = GitRequest {
                    url: &url,
                    times_of_commit: false,
                    agent: agent.as_deref(),
                    authorization,
                    settings: &settings,
                };
                apart(|| {
                    let now = SystemTime::now();
                    let resolved = git::resolve(&request, &cache)?;
                    let checkout = git::checkout(&request, &resolved, &cache, now)?;
                    Ok((
                        format!("{}{}", resolved.log, checkout.log),
                        checkout.path,
                        checkout.commit_time,
                    ))
                })
            },
        );
        let (_, path, time) =
            fetched.map_err(|error| refused("failed to read dockerfile", &error))?;
        Ok(Arrived { path, modified: Some(time) })
    }

    /// What a web server has, as a file.
    pub(crate) fn file(&mut self, url: &str, name: &str, what: &str) -> Result<Arrived, CliError> {
        let settings = network(self.settings).network;
        let cache = self.cache();
        let fetched = self.tell(
            name.to_owned(),
            |_| String::new(),
            |_| {
                apart(|| {
                    let request = http::HttpRequest {
                        url,
                        checksum: None,
                        name: Some("context"),
                        authorization: None,
                        settings: &settings,
                    };
                    http::fetch(&request, &cache, SystemTime::now())
                })
            },
        );
        let fetched = fetched.map_err(|error| refused(what, &error))?;
        Ok(Arrived { path: fetched.path, modified: fetched.last_modified })
    }
}

/// Without what the whole build says of it.
fn bare(message: &str) -> &str {
    let said = ["ERROR: ", "failed to build: ", "failed to solve: "];
    said.iter().fold(message, |rest, begin| rest.strip_prefix(begin).unwrap_or(rest))
}

/// Without what looking a source up is part of.
fn short(error: &SourceError) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to load cache key: ").map_or(text.clone(), str::to_owned)
}

/// The Dockerfile in a folder that somebody else wrote. Ignore files count in folders of the caller's alone.
pub(crate) fn dockerfile_in(
    folder: &Path,
    file: Option<&str>,
) -> Result<coracle_builder::request::Dockerfile, Missing> {
    let wanted = file.unwrap_or(dockerfile::NAME);
    let small = "dockerfile";
    let unread = |why: String| {
        let name = Path::new(wanted).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Unread { why: format!("open {name}: {why}"), name, no_source: false }
    };
    let read = |path: &str| read_beneath(folder, path);
    let mut found = read(wanted);
    let mut path = wanted;
    if found.is_err()
        && file.is_none()
        && let Ok(bytes) = read(small)
    {
        (found, path) = (Ok(bytes), small);
    }
    let bytes = found.map_err(|error| unread(crate::files::reason(&error)))?;
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut dockerfile = dockerfile::of_bytes(bytes, path, None);
    dockerfile.name = name;
    Ok(dockerfile)
}

fn read_beneath(folder: &Path, path: &str) -> std::io::Result<Vec<u8>> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let root = openat(CWD, folder, flags, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(&root, path, flags, Mode::empty(), resolve)?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(coracle_builder::limits::DOCKERFILE_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_of_others_stay_in_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir(path.join("sub")).unwrap();
        std::fs::write(path.join("sub/dockerfile"), "FROM a\n").unwrap();
        std::fs::write(path.join("hostname"), "inner").unwrap();
        symlink("/hostname", path.join("Dockerfile")).unwrap();
        let found = dockerfile_in(path, None).unwrap();
        assert_eq!(found.text, "inner", "an absolute link begins at the folder");
        assert!(dockerfile_in(path, Some("../../../etc/hostname")).is_err());
        let small = dockerfile_in(&path.join("sub"), None).unwrap();
        assert_eq!((small.text.as_str(), small.name.as_str()), ("FROM a\n", "dockerfile"));
    }
}
