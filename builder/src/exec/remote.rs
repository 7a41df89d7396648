//! What `ADD` takes from elsewhere: it is fetched in a child before the id of its step is worked out, because its content
//! counts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::error::StepError;
use super::jobs::Child;
use crate::plan::{Dated, Operation, Source};
use crate::request::BuildRequest;
use crate::sources::git::{self, Checkout, GitRequest, GitSettings, Resolved};
use crate::sources::git_url::GitUrl;
use crate::sources::{Cache, http, secrets};

/// The folder of what was fetched, in that of the builder.
pub(super) const FOLDER: &str = "sources";

/// Something that is here now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// Its place among the sources of the step.
    pub(super) number: usize,
    /// What counts of it.
    pub(super) key: String,
    /// A file, or the folder of a repository.
    pub(super) path: PathBuf,
    /// What git said.
    pub(super) log: String,
}

/// Whether a step takes anything from elsewhere.
pub(super) fn is_needed(operation: &Operation) -> bool {
    let is_remote = |source: &Source| matches!(source, Source::Http { .. } | Source::Git { .. });
    matches!(operation, Operation::Copy(copy) if copy.sources.iter().any(is_remote))
}

/// Fetches what a step takes from elsewhere. In a child: it starts threads.
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
                let path = fetched.path;
                out.push(Fetched { number, key, path, log: String::new() });
            }
            Source::Git { url, keeps_git_dir, checksum } => {
                let wanted = (url.as_str(), keeps_git_dir.then_some(true), checksum.as_deref());
                let (key, resolved, checkout) = repository(wanted, request, settings, &cache)?;
                let log = format!("{}{}", resolved.log, checkout.log);
                out.push(Fetched { number, key, path: checkout.path, log });
            }
            Source::Files { .. } | Source::Content { .. } => {}
        }
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

/// A repository, with what counts of it.
fn repository(
    (url, keeps_git_dir, checksum): (&str, Option<bool>, Option<&str>),
    request: &BuildRequest,
    settings: &GitSettings,
    cache: &Cache,
) -> Result<(String, Resolved, Checkout), StepError> {
    let read = GitUrl::read(url).map_err(|error| StepError::new(error.to_string()))?;
    let not_git = || StepError::new(format!("{url} is not the address of a repository"));
    let url = read.ok_or_else(not_git)?;
    let url =
        url.with(keeps_git_dir, checksum).map_err(|error| StepError::new(error.to_string()))?;
    let request = GitRequest {
        url: &url,
        times_of_commit: false,
        agent: request.ssh.get("default").map(PathBuf::as_path),
        authorization: secrets::for_repository(&url, &request.secrets)?,
        settings,
    };
    let resolved = git::resolve(&request, cache)?;
    let key = request.key(&resolved);
    let checkout = git::checkout(&request, &resolved, cache, SystemTime::now())?;
    Ok((key, resolved, checkout))
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
            let (_, _, checkout) =
                repository((url, None, checksum.as_deref()), request, settings, &cache)?;
            Ok(Some(checkout.commit_time))
        }
    })?;
    while !child.read() {}
    child.finish()
}

/// By their places.
pub(super) type All = BTreeMap<usize, Fetched>;
