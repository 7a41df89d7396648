//! What `ADD` takes from elsewhere. Its content counts, so a child finds it out before the id of its step is worked out:
//! files are fetched for that, of a repository it is the commit, whose files are fetched when the step is not cached.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::error::StepError;
use super::jobs::Child;
use crate::plan::{Dated, Operation, Source};
use crate::request::BuildRequest;
use crate::sources::git::{self, GitRequest, GitSettings, Resolved};
use crate::sources::git_url::GitUrl;
use crate::sources::{Cache, http, secrets};

/// The folder of what was fetched, in that of the builder.
pub(super) const FOLDER: &str = "sources";

/// Something from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// Its place among the sources of the step.
    pub(super) number: usize,
    /// What counts of it.
    pub(super) key: String,
    /// A file, or the folder of a repository, when it is here.
    pub(super) path: Option<PathBuf>,
    /// The commit of a repository.
    resolved: Option<Resolved>,
    /// What git said.
    pub(super) log: String,
}

/// The files of a repository, which are here now.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Brought {
    pub(super) number: usize,
    pub(super) path: PathBuf,
    pub(super) log: String,
}

/// Whether a step takes anything from elsewhere.
pub(super) fn is_needed(operation: &Operation) -> bool {
    let is_remote = |source: &Source| matches!(source, Source::Http { .. } | Source::Git { .. });
    matches!(operation, Operation::Copy(copy) if copy.sources.iter().any(is_remote))
}

/// Finds out what a step takes from elsewhere. In a child: it starts threads.
pub(super) fn fetch(
    operation: &Operation,
    request: &BuildRequest,
    settings: &GitSettings,
    folder: PathBuf,
) -> Result<Vec<Fetched>, StepError> {
    let Operation::Copy(copy) = operation else { return Ok(Vec::new()) };
    let cache = Cache::new(folder);
    let mut out = Vec::new();
    for (number, source) in copy.sources.iter().enumerate() {
        match source {
            Source::Http { url, name, checksum } => {
                let wanted = (url.as_str(), name.as_str(), checksum.as_deref());
                let fetched = file(wanted, request, settings, &cache)?;
                // As in BuildKit: its time is taken over, and does not count.
                let key = format!("{} {}", fetched.digest, fetched.name);
                let path = Some(fetched.path);
                out.push(Fetched { number, key, path, resolved: None, log: String::new() });
            }
            Source::Git { url, keeps_git_dir, checksum } => {
                let wanted = (url.as_str(), keeps_git_dir.then_some(true), checksum.as_deref());
                let (key, resolved) = repository(wanted, request, settings, &|request| {
                    let resolved = git::resolve(request, &cache)?;
                    Ok((request.key(&resolved), resolved))
                })?;
                let log = resolved.log.clone();
                out.push(Fetched { number, key, path: None, resolved: Some(resolved), log });
            }
            Source::Files { .. } | Source::Content { .. } => {}
        }
    }
    Ok(out)
}

/// Whether files of a repository are not here yet.
pub(super) fn is_incomplete(all: &All) -> bool {
    all.values().any(|one| one.path.is_none())
}

/// Fetches the files of repositories that are not here yet. In a child: it starts threads.
pub(super) fn bring(
    operation: &Operation,
    request: &BuildRequest,
    settings: &GitSettings,
    folder: PathBuf,
    all: &All,
) -> Result<Vec<Brought>, StepError> {
    let Operation::Copy(copy) = operation else { return Ok(Vec::new()) };
    let cache = Cache::new(folder);
    let mut out = Vec::new();
    for (number, one) in all.iter().filter(|(_, one)| one.path.is_none()) {
        let (Some(Source::Git { url, keeps_git_dir, checksum }), Some(resolved)) =
            (copy.sources.get(*number), &one.resolved)
        else {
            continue;
        };
        let wanted = (url.as_str(), keeps_git_dir.then_some(true), checksum.as_deref());
        let checkout = repository(wanted, request, settings, &|request| {
            Ok(git::checkout(request, resolved, &cache, SystemTime::now())?)
        })?;
        out.push(Brought { number: *number, path: checkout.path, log: checkout.log });
    }
    Ok(out)
}

/// A file at an address, by the name it is to have and what it must be.
fn file(
    (url, name, checksum): (&str, &str, Option<&str>),
    request: &BuildRequest,
    settings: &GitSettings,
    cache: &Cache,
) -> Result<http::Fetched, StepError> {
    let checksum = checksum.map(str::parse).transpose();
    let checksum = checksum.map_err(|error: coracle_image::DigestError| {
        StepError::new(format!("invalid checksum: {error}"))
    })?;
    let request = http::HttpRequest {
        url,
        checksum,
        name: Some(name).filter(|name| !name.is_empty()),
        authorization: secrets::for_address(url, &request.secrets)?,
        settings: &settings.network,
    };
    Ok(http::fetch(&request, cache, SystemTime::now())?)
}

/// Does something with a repository.
fn repository<T>(
    (url, keeps_git_dir, checksum): (&str, Option<bool>, Option<&str>),
    request: &BuildRequest,
    settings: &GitSettings,
    work: &dyn Fn(&GitRequest<'_>) -> Result<T, StepError>,
) -> Result<T, StepError> {
    let read = GitUrl::read(url).map_err(|error| StepError::new(error.to_string()))?;
    let not_git = || StepError::new(format!("{url} is not the address of a repository"));
    let url = read.ok_or_else(not_git)?;
    let url =
        url.with(keeps_git_dir, checksum).map_err(|error| StepError::new(error.to_string()))?;
    work(&GitRequest {
        url: &url,
        times_of_commit: false,
        agent: request.ssh.get("default").map(PathBuf::as_path),
        authorization: secrets::for_repository(&url, &request.secrets)?,
        settings,
    })
}

/// When what a stage fetches was last changed, in seconds, where the one that it comes from says so.
pub(super) fn modified(
    of: &Dated,
    request: &BuildRequest,
    settings: &GitSettings,
    folder: PathBuf,
) -> Result<Option<i64>, StepError> {
    let cache = Cache::new(folder);
    // It waits for the network, and starts threads.
    let mut child = Child::start(|| match of {
        Dated::Context(_) => Ok(None),
        Dated::Http { url, checksum } => {
            Ok(file((url, "", checksum.as_deref()), request, settings, &cache)?.last_modified)
        }
        Dated::Git { url, checksum } => {
            let wanted = (url.as_str(), None, checksum.as_deref());
            repository(wanted, request, settings, &|request| {
                let resolved = git::resolve(request, &cache)?;
                let checkout = git::checkout(request, &resolved, &cache, SystemTime::now())?;
                Ok(Some(checkout.commit_time))
            })
        }
    })?;
    while !child.read() {}
    child.finish()
}

/// By their places.
pub(super) type All = BTreeMap<usize, Fetched>;
