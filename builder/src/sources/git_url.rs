//! Addresses of git repositories: `https://HOST/REPO.git#REF:FOLDER`, `git@HOST:REPO`, `…?branch=B&subdir=D`. Pure.
//!
//! # How it works
//!
//! [`GitUrl::read`] has BuildKit's rules (`dfgitutil.ParseGitRef`): `git:` and `ssh:` and `USER@HOST:PATH` are always
//! repositories, `http:` and `https:` are when their path ends in `.git`, `github.com/…` is one as a build context
//! only. What follows `#`, and the query, say which part of it; the rest is what git is given.
//!
//! # Refused beyond BuildKit
//!
//! Users and hosts that begin with `-`: programs would take them for options.

use coracle_words::ErrorKind;
use coracle_words::strconv::parse_bool;

use super::url::{Parts, decode, is_whole, pairs};

/// Which files of which repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitUrl {
    /// What git is given.
    pub remote: String,
    /// A branch, tag or commit; the default branch without.
    pub reference: Option<String>,
    /// The beginning of a commit's id.
    pub checksum: Option<String>,
    /// Clean and relative; empty for all.
    pub subdir: String,
    /// `github.com/…`: it could be a folder as well, and `ADD` takes it for one.
    pub looks_local: bool,
    pub keeps_git_dir: Option<bool>,
    pub submodules: Option<bool>,
    /// `mtime=commit`: files have the time of the commit.
    pub mtime: Option<Mtime>,
    /// The commit is fetched by its id, whatever the reference points to.
    pub fetches_by_commit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mtime {
    Checkout,
    Commit,
}

/// It is the address of a repository, and there is something wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GitUrlError(String);

impl GitUrlError {
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::BadRequest
    }
}

/// The address before its query is looked at.
struct Address<'a> {
    remote: String,
    query: &'a str,
    fragment: String,
    looks_local: bool,
}

impl GitUrl {
    /// `None`: it is not the address of a repository.
    ///
    /// # Errors
    /// The query is wrong, or something in it could be taken for an option.
    pub fn read(text: &str) -> Result<Option<Self>, GitUrlError> {
        let Some(address) = address(text) else { return Ok(None) };
        let (reference, subdir) = match address.fragment.split_once(':') {
            Some((reference, subdir)) => (reference, clean(subdir)),
            None => (address.fragment.as_str(), String::new()),
        };
        let mut url = Self {
            reference: Some(reference.to_owned()).filter(|reference| !reference.is_empty()),
            subdir,
            looks_local: address.looks_local,
            remote: address.remote,
            ..Self::default()
        };
        url.read_query(&pairs(address.query))?;
        url.subdir = clean(&url.subdir);
        url.refuse_options()?;
        Ok(Some(url))
    }

    /// With what `ADD` says beside the address.
    ///
    /// # Errors
    /// It says something else than the address.
    pub fn with(
        mut self,
        keeps_git_dir: Option<bool>,
        checksum: Option<&str>,
    ) -> Result<Self, GitUrlError> {
        match (keeps_git_dir, self.keeps_git_dir) {
            (Some(a), Some(b)) if a != b => {
                return wrong("inconsistent keep-git-dir configuration".to_owned());
            }
            (given, had) => self.keeps_git_dir = had.or(given),
        }
        match (checksum.filter(|checksum| !checksum.is_empty()), &self.checksum) {
            (Some(a), Some(b)) if a != b => {
                return wrong(format!("checksum mismatch {a:?} != {b:?}"));
            }
            (Some(given), _) => self.checksum = Some(given.to_owned()),
            (None, _) => {}
        }
        Ok(self)
    }

    /// Whether an agent is needed to reach it.
    #[must_use]
    pub fn is_ssh(&self) -> bool {
        self.remote.starts_with("ssh://") || !self.remote.contains("://")
    }

    /// `HOST[:PORT]`, for what is kept by hosts.
    #[must_use]
    pub fn host(&self) -> &str {
        match Parts::read(&self.remote) {
            Some(parts) => parts.host,
            None => {
                let host = self.remote.split_once('@').map_or("", |(_, rest)| rest);
                host.split_once(':').map_or(host, |(host, _)| host)
            }
        }
    }

    /// The remote without a password.
    #[must_use]
    pub fn shown(&self) -> String {
        Parts::read(&self.remote).map_or_else(|| self.remote.clone(), |parts| parts.shown())
    }

    fn read_query(&mut self, pairs: &[(String, String)]) -> Result<(), GitUrlError> {
        let (mut tag, mut branch) = (None, None);
        for (index, (key, value)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(earlier, _)| earlier == key) {
                return wrong(format!("query {key:?} has multiple values"));
            }
            let is_switch = ["submodules", "keep-git-dir", "fetch-by-commit"].contains(&&**key);
            if value.is_empty() && !is_switch {
                return wrong(format!("query {key:?} has no value"));
            }
            match key.as_str() {
                "ref" => self.point_to(value)?,
                "tag" => tag = Some(beneath("refs/tags/", value)),
                "branch" => branch = Some(beneath("refs/heads/", value)),
                "subdir" if !self.subdir.is_empty() && self.subdir != *value => {
                    return wrong(format!("subdir conflicts: {:?} vs {value:?}", self.subdir));
                }
                "subdir" => self.subdir.clone_from(value),
                "checksum" | "commit" => self.checksum = Some(value.clone()),
                "keep-git-dir" => self.keeps_git_dir = Some(switch(key, value)?),
                "submodules" => self.submodules = Some(switch(key, value)?),
                "fetch-by-commit" => self.fetches_by_commit = switch(key, value)?,
                "mtime" if value == "checkout" => self.mtime = Some(Mtime::Checkout),
                "mtime" if value == "commit" => self.mtime = Some(Mtime::Commit),
                "mtime" => {
                    return wrong(format!(
                        "invalid mtime value: {value:?} (must be \"checkout\" or \"commit\")"
                    ));
                }
                _ => return wrong(format!("unexpected query {key:?}")),
            }
        }
        if let Some(tag) = &tag {
            self.point_to(tag)?;
        }
        match branch {
            Some(_) if tag.is_some() => wrong("branch conflicts with tag".to_owned()),
            Some(branch) => self.point_to(&branch),
            None => Ok(()),
        }
    }

    fn point_to(&mut self, wanted: &str) -> Result<(), GitUrlError> {
        match &self.reference {
            Some(had) if had != wanted => wrong(format!("ref conflicts: {had:?} vs {wanted:?}")),
            _ => {
                self.reference = Some(wanted.to_owned());
                Ok(())
            }
        }
    }

    fn refuse_options(&self) -> Result<(), GitUrlError> {
        if let Some(reference) = self.reference.as_deref().filter(|it| it.starts_with('-')) {
            return wrong(format!("invalid git ref {reference:?}"));
        }
        let user = match Parts::read(&self.remote) {
            Some(parts) => parts.user.unwrap_or_default(),
            None => self.remote.as_str(),
        };
        if user.starts_with('-') || self.host().starts_with('-') {
            return wrong(format!("invalid git remote {:?}", self.shown()));
        }
        Ok(())
    }
}

fn wrong<T>(words: String) -> Result<T, GitUrlError> {
    Err(GitUrlError(words))
}

fn address(text: &str) -> Option<Address<'_>> {
    if text.starts_with("./") || text.starts_with("../") {
        return None;
    }
    if text.starts_with("github.com/") {
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let fragment = decode(fragment, false)?;
        let fine = !text.chars().any(char::is_control) && decode(path, false).is_some();
        let remote = format!("https://{path}");
        return fine.then_some(Address { remote, query, fragment, looks_local: true });
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    match scheme.filter(is_word) {
        Some(_) => standard(text),
        None => scp(text),
    }
}

fn standard(text: &str) -> Option<Address<'_>> {
    let parts = Parts::read(text)?;
    let scheme = parts.scheme.to_ascii_lowercase();
    let path = decode(parts.path, false)?;
    let is_git = match scheme.as_str() {
        "http" | "https" => path.ends_with(".git"),
        "git" | "ssh" => true,
        _ => false,
    };
    let user = parts.user.map(|user| format!("{user}@")).unwrap_or_default();
    let remote = format!("{scheme}://{user}{}{}", parts.host, parts.path);
    let fragment = decode(parts.fragment, false)?;
    is_git.then_some(Address { remote, query: parts.query, fragment, looks_local: false })
}

/// `USER@HOST:PATH[?QUERY][#FRAGMENT]`.
fn scp(text: &str) -> Option<Address<'_>> {
    let (user, rest) = text.split_once('@')?;
    let (host, rest) = rest.split_once(':')?;
    let of = |word: &str, more: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if !of(user, "-_") || !of(host, "-.") || text.contains('\n') {
        return None;
    }
    let (path, query, fragment) = match rest.find(['?', '#']) {
        Some(at) if rest[at..].starts_with('?') => {
            let (query, fragment) = rest[at + 1..].split_once('#').unwrap_or((&rest[at + 1..], ""));
            (&rest[..at], query, fragment)
        }
        Some(at) => (&rest[..at], "", &rest[at + 1..]),
        None => (rest, "", ""),
    };
    is_whole(query).then(|| Address {
        remote: format!("{user}@{host}:{path}"),
        query,
        fragment: fragment.to_owned(),
        looks_local: false,
    })
}

fn beneath(folder: &str, name: &str) -> String {
    if name.starts_with(folder) { name.to_owned() } else { format!("{folder}{name}") }
}

fn switch(key: &str, value: &str) -> Result<bool, GitUrlError> {
    if value.is_empty() {
        return Ok(true);
    }
    parse_bool(value).ok_or_else(|| GitUrlError(format!("invalid {key} value: {value:?}")))
}

/// The path below a root, without `.`, `..` and doubled slashes.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
