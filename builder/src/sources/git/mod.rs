//! Git repositories, by the host's `git`.
//!
//! # How it works
//!
//! [`resolve`] finds out which commit an address means, with `ls-remote`; that is the key of a step. [`checkout`]
//! fetches this commit alone, writes its files into a folder of the [`Cache`](super::Cache), and submodules as they
//! are noted there. Both may wait for the network: see [`super::apart`].
//!
//! References are compared as text with those that the server has, and only the name the server gave goes back to
//! git, behind `--`. See `program` for what git may do.
//!
//! # Limits
//!
//! The files git writes are bounded by the disk alone. Authorities in `certs.d` do not count for git.
//!
//! # Other than BuildKit
//!
//! The files `.git` that submodules have, with a path of the building machine, are left out unless the repository
//! itself is kept. A host whose key changed is refused.

mod checkout;
mod program;
mod references;

use std::path::Path;

use coracle_image::Secret;
use serde::{Deserialize, Serialize};

use super::cache::{Cache, remove};
use super::error::SourceError;
use super::git_url::{GitUrl, Mtime};

pub use checkout::{Checkout, checkout};
pub use program::GitSettings;

use program::{Failure, Git, Written};

/// Which repository, and how it is reached.
#[derive(Debug, Clone)]
pub struct GitRequest<'a> {
    pub url: &'a GitUrl,
    /// Files have the time of the commit whatever the address says: a date for the whole build is given.
    pub times_of_commit: bool,
    /// The caller's agent, for `ssh`.
    pub agent: Option<&'a Path>,
    /// The value of the `Authorization` header.
    pub authorization: Option<Secret>,
    pub settings: &'a GitSettings,
}

/// What an address means now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// `refs/heads/main`, or a commit's id.
    pub reference: String,
    /// What the reference points to: a commit, or the object of a tag.
    pub id: String,
    /// The commit, where the reference is a tag with an object.
    pub commit: Option<String>,
    /// What git said.
    pub log: String,
}

impl GitRequest<'_> {
    fn keeps_git_dir(&self) -> bool {
        self.url.keeps_git_dir == Some(true) && self.url.subdir.is_empty()
    }

    fn has_submodules(&self) -> bool {
        self.url.submodules != Some(false)
    }

    fn has_times_of_commit(&self) -> bool {
        match self.url.mtime {
            Some(mtime) => mtime == Mtime::Commit,
            None => self.times_of_commit,
        }
    }

    /// What decides whether a step was done before.
    #[must_use]
    pub fn key(&self, resolved: &Resolved) -> String {
        let keeps = self.url.keeps_git_dir == Some(true);
        let mut key = match &resolved.commit {
            Some(commit) if !keeps => commit.clone(),
            _ => resolved.id.clone(),
        };
        if keeps {
            key = format!("{key}.git#{} {}", resolved.reference, self.url.shown());
        }
        if !self.url.subdir.is_empty() {
            key = format!("{key}:{}", self.url.subdir);
        }
        if !self.has_submodules() {
            key.push_str("(skip-submodules)");
        }
        if self.has_times_of_commit() {
            key.push_str("(mtime=commit)");
        }
        key
    }

    fn git<'a>(&'a self, scratch: &'a Path) -> Result<Git<'a>, SourceError> {
        if self.url.is_ssh() && self.agent.is_none() {
            return Err(SourceError::NoAgent { id: "default".to_owned() });
        }
        // No submodule gets it, but those on GitHub of what is there: that is what its own tools do.
        let github = ["https://github.com/", "https://www.github.com/"];
        let remote = self.url.remote.as_str();
        let scope = github.into_iter().find(|it| remote.starts_with(it)).unwrap_or(remote);
        let authorization = self.authorization.as_ref().map(|secret| (scope.to_owned(), secret));
        let (settings, agent) = (self.settings, self.agent);
        Ok(Git { settings, authorization, agent, scratch, git_dir: None, work_tree: None })
    }

    /// A failure with what was done.
    fn failed(&self, what: &'static str) -> impl Fn(Failure) -> SourceError + use<'_> {
        move |failure| match failure {
            Failure::Missing => SourceError::NoGit { name: self.url.shown() },
            Failure::Refused(words) => {
                SourceError::Fetch(format!("{what} {}: {words}", self.url.shown()))
            }
            Failure::Io(error) => SourceError::file("run", Path::new("git"))(error),
        }
    }
}

/// Finds out which commit is meant. In a child only: see [`super::apart`].
///
/// # Errors
/// There is no git, the repository cannot be read, has no such reference, or points to something else than is pinned.
pub fn resolve(request: &GitRequest<'_>, cache: &Cache) -> Result<Resolved, SourceError> {
    if let Some(resolved) = references::known(request.url)? {
        return Ok(resolved);
    }
    let scratch = cache.unfinished()?;
    let resolved = request.git(&scratch).and_then(|git| ask(request, &git));
    remove(&scratch);
    resolved.map_err(|error| match error {
        SourceError::Fetch(words) => SourceError::Repository(words),
        error => error,
    })
}

fn ask(request: &GitRequest<'_>, git: &Git<'_>) -> Result<Resolved, SourceError> {
    let remote = request.url.remote.as_str();
    let reference = match &request.url.reference {
        Some(reference) => reference.clone(),
        None => {
            let asked = git.run(["ls-remote", "--symref", "--", remote, "HEAD"]);
            let failed = request.failed("error fetching default branch for repository");
            let listed = asked.map_err(failed)?.out;
            references::default_branch(&listed).ok_or_else(|| {
                let shown = request.url.shown();
                let words = format!("could not find default branch for repository: {shown}");
                SourceError::Repository(words)
            })?
        }
    };
    let with_object = format!("{reference}^{{}}");
    let asked = git.run(["ls-remote", "--", remote, &reference, &with_object]);
    let Written { out, .. } = asked.map_err(request.failed("failed to fetch remote"))?;
    let mut resolved = references::pick(&reference, &out, request.url)?;
    resolved.log = out;
    Ok(resolved)
}
