//! The files of one commit.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Timespec, Timestamps};
use rustix::process::umask;

use serde::{Deserialize, Serialize};

use super::program::{Failure, Git};
use super::{GitRequest, Resolved};
use crate::sources::cache::{Cache, remove, touch};
use crate::sources::error::SourceError;

/// Files that are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    /// The folder that was asked for.
    pub path: PathBuf,
    pub commit: String,
    /// Seconds since 1970.
    pub commit_time: i64,
    /// What git said; empty when the files were here.
    pub log: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    commit: String,
    commit_time: i64,
}

const VERSION: u32 = 1;
const RECORD: &str = "record.json";
const FILES: &str = "files";

/// Brings the files here, if they are not. In a child only: see [`crate::sources::apart`]; it changes the umask.
///
/// # Errors
/// There is no git, the commit cannot be fetched, or it has no such folder.
pub fn checkout(
    request: &GitRequest<'_>,
    resolved: &Resolved,
    cache: &Cache,
    now: SystemTime,
) -> Result<Checkout, SourceError> {
    let place = cache.place("git", &request.key(resolved), "");
    if let Some(record) = kept(&place) {
        touch(&place);
        return finished(request, &place, record, String::new());
    }
    let new = cache.unfinished()?;
    let mask = umask(Mode::from_raw_mode(0o022));
    let made = make(request, resolved, &new);
    umask(mask);
    let (record, log) = made.inspect_err(|_| remove(&new))?;
    cache.finish(&new, &place)?;
    cache.tidy(now);
    finished(request, &place, record, log)
}

fn kept(place: &Path) -> Option<Record> {
    let record: Record = serde_json::from_slice(&fs::read(place.join(RECORD)).ok()?).ok()?;
    (record.version == VERSION).then_some(record)
}

fn finished(
    request: &GitRequest<'_>,
    place: &Path,
    record: Record,
    log: String,
) -> Result<Checkout, SourceError> {
    let files = place.join(FILES);
    let path = match request.url.subdir.as_str() {
        "" => files,
        subdir => {
            only_folders(&files, subdir)?;
            files.join(subdir)
        }
    };
    Ok(Checkout { path, commit: record.commit, commit_time: record.commit_time, log })
}

/// No part of the way is a link.
fn only_folders(root: &Path, subdir: &str) -> Result<(), SourceError> {
    let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let root = rustix::fs::open(root, how, Mode::empty())
        .map_err(|error| SourceError::file("open", root)(error.into()))?;
    let opened = rustix::fs::openat2(root.as_fd(), subdir, how, Mode::empty(), resolve);
    opened.map(drop).map_err(|error| {
        let why = match error {
            rustix::io::Errno::NOENT => format!("failed to lstat {subdir:?}: not found"),
            _ => format!("git subpath {subdir:?} contains non-directory"),
        };
        SourceError::Fetch(format!("invalid subdir {subdir}: {why}"))
    })
}

/// The files, and what is noted of them, in a folder of its own.
fn make(
    request: &GitRequest<'_>,
    resolved: &Resolved,
    new: &Path,
) -> Result<(Record, String), SourceError> {
    let files = new.join(FILES);
    let keeps = request.keeps_git_dir();
    let repository = if keeps { files.join(".git") } else { new.join("repository") };
    fs::create_dir(&files).map_err(SourceError::file("make", &files))?;
    let git = Git { git_dir: Some(&repository), ..request.git(new)? };
    let mut log = initialize(request, &git, resolved, keeps)?;
    let failed = request.failed("failed to fetch remote");
    let at = fetch(&git, &request.url.remote, resolved, keeps, &mut log).map_err(&failed)?;

    let git = Git { work_tree: Some(&files), ..git };
    let failed = request.failed("failed to checkout remote");
    let commit =
        git.run(["rev-parse", "--verify", &format!("{at}^{{commit}}")]).map_err(&failed)?;
    let commit = commit.out.trim().to_owned();
    let written = git.run(["checkout", "--quiet", "--force", "--detach", &commit]);
    log.push_str(&written.map_err(&failed)?.notes);
    if request.has_submodules() && files.join(".gitmodules").symlink_metadata().is_ok() {
        let failed = request.failed("failed to update submodules for");
        log.push_str(&submodules(&git).map_err(failed)?);
    }
    let seconds = git.run(["log", "-1", "--format=%ct", &commit, "--"]).map_err(&failed)?.out;
    let commit_time = seconds.trim().parse().unwrap_or(0);
    let tidied = if keeps { forget_remote(request, &git, &repository) } else { bare(new, &files) };
    tidied?;
    if request.has_times_of_commit() {
        set_times(&files, commit_time).map_err(SourceError::file("set times in", &files))?;
    }
    let record = Record { version: VERSION, commit, commit_time };
    let text = serde_json::to_vec(&record).unwrap_or_default();
    fs::write(new.join(RECORD), text).map_err(SourceError::file("write", new))?;
    for left in ["notes", "known_hosts"] {
        drop(fs::remove_file(new.join(left)));
    }
    Ok((record, log))
}

fn initialize(
    request: &GitRequest<'_>,
    git: &Git<'_>,
    resolved: &Resolved,
    keeps: bool,
) -> Result<String, SourceError> {
    let mut args = vec!["init", "--template="];
    if !keeps {
        args.push("--bare");
    }
    if resolved.id.len() == 64 {
        args.push("--object-format=sha256");
    }
    let made = git.run(args).map_err(request.failed("failed to init repo for"))?;
    Ok(made.out)
}

/// Fetches what is wanted; what it is called in the new repository.
fn fetch(
    git: &Git<'_>,
    remote: &str,
    resolved: &Resolved,
    keeps: bool,
    log: &mut String,
) -> Result<String, Failure> {
    let id = resolved.id.as_str();
    if resolved.reference != id {
        let target = if keeps { resolved.reference.as_str() } else { "refs/coracle/source" };
        let refspec = format!("+{}:{target}", resolved.reference);
        log.push_str(&shallow(
            git,
            &["fetch", "--no-tags", "--update-head-ok", "--depth=1", "--", remote, &refspec],
        )?);
        let got = git.run(["rev-parse", "--verify", target])?.out;
        if got.trim() == id {
            return Ok(id.to_owned());
        }
    }
    // The commit itself: it is what was asked for, or the reference has moved on since.
    let one = shallow(git, &["fetch", "--no-tags", "--depth=1", "--", remote, id]);
    match one {
        Ok(notes) => log.push_str(&notes),
        Err(Failure::Refused(words)) if is_hidden(&words) => {
            let all = "+refs/heads/*:refs/remotes/origin/*";
            log.push_str(&git.run(["fetch", "--tags", "--", remote, all])?.notes);
        }
        Err(failure) => return Err(failure),
    }
    match git.run(["cat-file", "-e", &format!("{id}^{{commit}}")]) {
        Ok(_) => Ok(id.to_owned()),
        Err(Failure::Refused(_)) => Err(Failure::Refused(format!(
            "fetched ref {} does not match expected commit {id} and commit can not be found in \
             the repository",
            resolved.reference
        ))),
        Err(failure) => Err(failure),
    }
}

/// The server does not give commits by their ids.
fn is_hidden(words: &str) -> bool {
    ["not our ref", "unadvertised object", "couldn't find remote ref"]
        .iter()
        .any(|sign| words.contains(sign))
}

/// Without depth, where the server knows none. What git said.
fn shallow(git: &Git<'_>, args: &[&str]) -> Result<String, Failure> {
    match git.run(args) {
        Err(Failure::Refused(words)) if words.contains("--depth") || words.contains("shallow") => {
            git.run(args.iter().filter(|arg| **arg != "--depth=1"))
        }
        other => other,
    }
    .map(|written| written.notes)
}

fn submodules(git: &Git<'_>) -> Result<String, Failure> {
    shallow(git, &["submodule", "update", "--init", "--recursive", "--depth=1"])
}

/// What a kept repository says of where it comes from: the address without a password, and nothing of this machine.
fn forget_remote(
    request: &GitRequest<'_>,
    git: &Git<'_>,
    repository: &Path,
) -> Result<(), SourceError> {
    let failed = request.failed("failed to set remote origin to");
    git.run(["remote", "add", "origin", &request.url.shown()]).map_err(failed)?;
    match fs::remove_file(repository.join("FETCH_HEAD")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SourceError::file("remove", &repository.join("FETCH_HEAD"))(error))
        }
        _ => Ok(()),
    }
}

/// Only the files stay. No repository has a file `.git`; those that are there are the submodules'.
fn bare(new: &Path, files: &Path) -> Result<(), SourceError> {
    let repository = new.join("repository");
    fs::remove_dir_all(&repository).map_err(SourceError::file("remove", &repository))?;
    let failed = |error| SourceError::file("read", files)(error);
    each(files, &mut |path, is_folder| match path.file_name() {
        Some(name) if name == ".git" && !is_folder => fs::remove_file(path),
        _ => Ok(()),
    })
    .map_err(failed)
}

fn set_times(files: &Path, seconds: i64) -> io::Result<()> {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    let set = |path: &Path| {
        rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)
    };
    each(files, &mut |path, _| set(path))?;
    set(files)
}

/// All below a folder that nobody else knows of, what is in a folder before it. Links are not followed.
fn each(root: &Path, visit: &mut dyn FnMut(&Path, bool) -> io::Result<()>) -> io::Result<()> {
    let mut folders = vec![root.to_owned()];
    let mut after = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                after.push(entry.path());
            } else {
                visit(&entry.path(), false)?;
            }
        }
    }
    // Those below come later in the list.
    after.iter().rev().try_for_each(|folder| visit(folder, true))
}
