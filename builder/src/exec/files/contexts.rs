//! Contexts: their content for ids, read once, and told of while it is read.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use coracle_image::Digest;

use super::super::error::StepError;
use super::super::key::Key;
use super::super::surroundings::is_interrupted;
use crate::files::{FilesError, Hashes, Selectors, Stamp, Tree, select};
use crate::ignore::Ignore;
use crate::progress::{CANCELED, Event, Progress, Status, TICK, Vertex};
use crate::request::{BuildRequest, Context};

/// A context of a request: the main one, or one by its name.
pub(super) type Place<'a> = (&'a BuildRequest, Option<&'a str>);

/// The lines of work that show contexts being read, with their titles, by request and name.
pub(in crate::exec) type Shown = HashMap<(usize, Option<String>), (Vertex, String)>;

/// The contexts of a build, and what was found out about them.
#[derive(Debug)]
pub(in crate::exec) struct Contexts {
    hashes: Hashes,
    known: HashMap<Digest, (String, Stamp)>,
    vertices: Shown,
    shown: HashMap<Vertex, u64>,
    /// Where an empty folder may be.
    scratch: PathBuf,
}

impl Contexts {
    /// `hashes` is where those of files are remembered.
    pub(in crate::exec) fn new(hashes: &Path, vertices: Shown) -> Self {
        let (known, shown) = (HashMap::new(), HashMap::new());
        let scratch = hashes.parent().unwrap_or(hashes).to_owned();
        Self { hashes: Hashes::open(hashes), known, vertices, shown, scratch }
    }

    /// The digest of what an operation takes of a context.
    ///
    /// Somebody who waits for it sees that it goes on, and may end it.
    pub(in crate::exec) fn digest(
        &mut self,
        request: usize,
        place: Place<'_>,
        selectors: &Selectors<'_>,
        progress: &mut dyn Progress,
        interrupt: Option<BorrowedFd<'_>>,
    ) -> Result<String, StepError> {
        let known = known_as(place, selectors)?;
        if let Some((digest, _)) = self.known.get(&known) {
            return Ok(digest.clone());
        }
        let told = self.vertices.get(&(request, place.1.map(str::to_owned))).cloned();
        let vertex = told.as_ref().map(|(vertex, _)| *vertex);
        let started = SystemTime::now();
        if let Some(vertex) = vertex {
            progress.tell(Event::Started { vertex, at: started });
        }
        let mut looked = Instant::now();
        let mut ends = || {
            if looked.elapsed() < TICK {
                return false;
            }
            looked = Instant::now();
            progress.tick();
            is_interrupted(interrupt)
        };
        let read = tree(place, &self.scratch).and_then(|tree| {
            let selected = select(&tree, selectors);
            let read = selected.and_then(|it| it.digest_until(&mut self.hashes, &mut ends));
            read.map_err(|error| of_context(error, place, told.clone()))
        });
        if let Some(vertex) = vertex {
            let shown = self.shown.entry(vertex).or_default();
            *shown += read.as_ref().map_or(0, |content| content.bytes);
            let at = SystemTime::now();
            progress.tell(Event::Status(Status {
                vertex,
                id: format!("transferring {}:", place.1.unwrap_or("context")),
                current: *shown,
                total: 0,
                started,
                completed: Some(at),
            }));
            // What is not there is told by the step that wants it.
            let error = read.as_ref().err().and_then(|error| match error.is_canceled {
                true => Some(CANCELED.to_owned()),
                false => error.told.is_some().then(|| error.message.clone()),
            });
            progress.tell(Event::Completed { vertex, at, error });
        }
        let content = read?;
        let digest = content.key.to_string();
        self.known.insert(known, (digest.clone(), content.stamp));
        Ok(digest)
    }

    /// Whether what was copied is not what the digest was made of.
    pub(super) fn is_other(
        &self,
        place: Place<'_>,
        selectors: &Selectors<'_>,
        copied: Stamp,
    ) -> bool {
        let known = known_as(place, selectors).ok();
        let known = known.and_then(|known| self.known.get(&known));
        known.is_some_and(|(_, stamp)| *stamp != copied)
    }

    /// Remembers the digests of files for the next build.
    pub(in crate::exec) fn save(&mut self) {
        // They are made anew where they cannot be written.
        drop(self.hashes.save());
    }
}

/// What a context is called where it is read.
pub(in crate::exec) fn context_title(name: Option<&str>) -> String {
    match name {
        None => "[internal] load build context".to_owned(),
        Some(name) => format!("[context {name}] load from client"),
    }
}

/// Why a context could not be read. What the host refuses is told where it is read, as `BuildKit` does.
fn of_context(error: FilesError, place: Place<'_>, told: Option<(Vertex, String)>) -> StepError {
    let FilesError::Io { doing, path, source } = &error else {
        let is_canceled = matches!(error, FilesError::Ended);
        return StepError { is_canceled, ..StepError::from(error) };
    };
    let folder = folder(place).ok().flatten().unwrap_or(Path::new("/"));
    let path = folder.join(path.trim_start_matches('/'));
    let doing = match *doing {
        "look at" | "look for" => "lstat",
        doing => doing,
    };
    let why = in_words(source);
    StepError {
        told,
        is_internal: source.kind() != std::io::ErrorKind::PermissionDenied,
        ..StepError::new(format!("error from sender: {doing} {}: {why}", path.display()))
    }
}

/// An error of the host, without its number.
fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn known_as(place: Place<'_>, selectors: &Selectors<'_>) -> Result<Digest, StepError> {
    let mut key = Key::new("context");
    let folder = folder(place)?.unwrap_or(Path::new("")).to_string_lossy();
    let ignore = ignore_text(place).unwrap_or_default();
    key.text(&folder).text(ignore).text(selectors.pattern).number(selectors.parents.into());
    for pattern in selectors.exclude {
        key.text(pattern);
    }
    Ok(key.finish())
}

/// None where there is nothing.
fn folder((request, name): Place<'_>) -> Result<Option<&Path>, StepError> {
    let context = match name {
        None => Some(&request.context),
        Some(name) => request.contexts.get(name),
    };
    match context {
        Some(Context::Folder(folder)) => Ok(Some(folder)),
        Some(Context::Nothing) | None => Ok(None),
        Some(other) => Err(StepError::new(format!("{other:?} was not fetched"))),
    }
}

/// The text of the ignore file of a context.
fn ignore_text((request, name): Place<'_>) -> Option<&str> {
    match name {
        None => request.dockerfile.ignore.as_deref(),
        Some(name) => request.ignores.get(name).map(String::as_str),
    }
}

/// A context as a tree; `empty` is a folder without anything for one that there is not.
pub(super) fn tree(place: Place<'_>, empty: &Path) -> Result<Tree, StepError> {
    let ignore = ignore_text(place).map(Ignore::parse);
    let Some(folder) = folder(place)? else {
        let empty = empty.join("empty context");
        std::fs::create_dir_all(&empty)
            .map_err(|error| StepError::internal("make a folder", &error))?;
        return Ok(Tree::context(&empty, None)?);
    };
    Ok(Tree::context(folder, ignore.as_ref())?)
}
