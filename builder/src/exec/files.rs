//! Steps that are about files: their content for ids, and the copying, in children.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use coracle_image::{Digest, Layer};
use coracle_runtime::Stack;
use serde::{Deserialize, Serialize};

use super::error::StepError;
use super::jobs::Child;
use super::key::{self, Key};
use super::remote;
use super::surroundings::is_interrupted;
use super::workshop::Workshop;
use crate::files::{FilesError, Hashes, ModeChange, Placement, Selection, Selectors, Stamp, Tree};
use crate::files::{find_owner, make_folder, select};
use crate::ignore::Ignore;
use crate::plan::{Copy, From, Operation, Source};
use crate::progress::{CANCELED, Event, Progress, Status, TICK, Vertex};
use crate::request::{BuildRequest, Context};

impl std::convert::From<FilesError> for StepError {
    fn from(error: FilesError) -> Self {
        let is_internal = error.kind() == coracle_words::ErrorKind::Internal;
        let mut message = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            message = format!("{message}: {cause}");
        }
        Self { is_internal, ..Self::new(message) }
    }
}

/// A context of a request: the main one, or one by its name.
type Place<'a> = (&'a BuildRequest, Option<&'a str>);

/// The contexts of a build, and what was found out about them.
#[derive(Debug)]
pub(super) struct Contexts {
    hashes: Hashes,
    known: HashMap<Digest, (String, Stamp)>,
    /// Who shows that they are read, by request and name.
    vertices: HashMap<(usize, Option<String>), Vertex>,
    shown: HashMap<Vertex, u64>,
    /// Where an empty folder may be.
    scratch: PathBuf,
}

impl Contexts {
    /// `hashes` is where those of files are remembered.
    pub(super) fn new(hashes: &Path, vertices: HashMap<(usize, Option<String>), Vertex>) -> Self {
        let (known, shown) = (HashMap::new(), HashMap::new());
        let scratch = hashes.parent().unwrap_or(hashes).to_owned();
        Self { hashes: Hashes::open(hashes), known, vertices, shown, scratch }
    }

    /// The digest of what an operation takes of a context.
    ///
    /// Somebody who waits for it sees that it goes on, and may end it.
    pub(super) fn digest(
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
        let vertex = self.vertices.get(&(request, place.1.map(str::to_owned))).copied();
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
            read.map_err(|error| of_context(error, place, vertex))
        });
        if let Some(vertex) = vertex {
            let shown = self.shown.entry(vertex).or_default();
            *shown += read.as_ref().map_or(0, |content| content.bytes);
            let at = SystemTime::now();
            progress.tell(Event::Status(Status {
                vertex,
                id: "transferring context:".to_owned(),
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
    fn is_other(&self, place: Place<'_>, selectors: &Selectors<'_>, copied: Stamp) -> bool {
        let known = known_as(place, selectors).ok();
        let known = known.and_then(|known| self.known.get(&known));
        known.is_some_and(|(_, stamp)| *stamp != copied)
    }

    /// Remembers the digests of files for the next build.
    pub(super) fn save(&mut self) {
        // They are made anew where they cannot be written.
        drop(self.hashes.save());
    }
}

/// What a context is called where it is read.
pub(super) fn context_title(name: Option<&str>) -> String {
    match name {
        None => "[internal] load build context".to_owned(),
        Some(name) => format!("[context {name}] load from client"),
    }
}

/// Why a context could not be read. What the host refuses is told where it is read, as `BuildKit` does.
fn of_context(error: FilesError, place: Place<'_>, vertex: Option<Vertex>) -> StepError {
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
        told: vertex.map(|vertex| (vertex, context_title(place.1))),
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

/// The ignore file counts for the main context alone.
fn ignore_text((request, name): Place<'_>) -> Option<&str> {
    request.dockerfile.ignore.as_deref().filter(|_| name.is_none())
}

/// A context as a tree; `empty` is a folder without anything for one that there is not.
fn tree(place: Place<'_>, empty: &Path) -> Result<Tree, StepError> {
    let ignore = ignore_text(place).map(Ignore::parse);
    let Some(folder) = folder(place)? else {
        let empty = empty.join("empty context");
        std::fs::create_dir_all(&empty)
            .map_err(|error| StepError::internal("make a folder", &error))?;
        return Ok(Tree::context(&empty, None)?);
    };
    Ok(Tree::context(folder, ignore.as_ref())?)
}

/// A name as a pattern that nothing else matches.
fn escaped(name: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\');
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain(Some(c))).collect()
}

/// How the source `number` of an operation is selected.
pub(super) fn selectors(operation: &Operation, number: usize) -> Selectors<'_> {
    let (_, pattern) = key::sources(operation).get(number).copied().unwrap_or((&From::Nothing, ""));
    match operation {
        Operation::Copy(copy) => {
            Selectors { pattern, exclude: &copy.exclude, parents: copy.parents }
        }
        _ => Selectors { pattern, exclude: &[], parents: false },
    }
}

/// What names a part of the result `id`.
pub(super) fn part(operation: &Operation, number: usize, id: &str) -> Digest {
    let selectors = selectors(operation, number);
    let mut key = Key::new("part");
    key.text(id).text(selectors.pattern).number(selectors.parents.into());
    for pattern in selectors.exclude {
        key.text(pattern);
    }
    key.finish()
}

/// Reads the digests of parts of other steps: numbers of sources, with the layers that they are in. In a child.
pub(super) fn digests(
    workshop: &Workshop,
    operation: &Operation,
    parts: &[(usize, Vec<Digest>)],
) -> Result<Vec<(usize, String)>, StepError> {
    leave()?;
    let scratch = workshop.scratch()?;
    let mut out = Vec::new();
    for (number, layers) in parts {
        let root = Mounted::new(workshop, layers, scratch.join(number.to_string()))?;
        let tree = Tree::root_filesystem(&root.target)?;
        let selection = select(&tree, &selectors(operation, *number))?;
        out.push((*number, selection.digest(&mut Hashes::in_memory())?.key.to_string()));
    }
    Ok(out)
}

/// What a step takes.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    pub(super) request: &'a BuildRequest,
    pub(super) contexts: &'a Contexts,
    /// What it stands on.
    pub(super) layers: &'a [Digest],
    /// Layers of the steps that files come from.
    pub(super) sources: &'a [Vec<Digest>],
    pub(super) fetched: Option<&'a remote::All>,
}

/// What became of a step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Carried {
    pub(super) layer: Layer,
    /// Files of a context changed since their digest was made: the layer is not what the id of the step stands for.
    pub(super) is_other: bool,
}

/// Carries a step out. In a child.
pub(super) fn carry_out(
    workshop: &Workshop,
    operation: &Operation,
    taken: &Taken<'_>,
) -> Result<Carried, StepError> {
    leave()?;
    let scratch = workshop.scratch()?;
    let link = matches!(operation, Operation::Copy(copy) if copy.link);
    let below = if link { &[] } else { taken.layers };
    let root = Mounted::new(workshop, below, scratch.join("root"))?;
    let handle = File::open(&root.target).map_err(|e| StepError::internal("open a root", &e))?;
    let mut is_other = false;
    match operation {
        Operation::Folder { path, owner } => {
            let owner = find_owner(Some(handle.as_fd()), owner)?;
            make_folder(handle.as_fd(), path, owner, workshop.one_id())?;
        }
        Operation::Copy(copy) => {
            let copier = Copier { workshop, operation, copy, taken, scratch: &scratch };
            is_other = copier.copy(&handle)?;
        }
        Operation::Image { .. } | Operation::Run(_) => {}
    }
    drop(handle);
    let layer = root.layer(workshop)?;
    drop(root);
    Ok(Carried { layer, is_other })
}

/// Mounts of this process are its own from here on.
pub(super) fn leave() -> Result<(), StepError> {
    coracle_sys::mount::leave_namespace()
        .map_err(|error| StepError::internal("make a mount namespace", &error))
}

/// Layers that are mounted, with a folder for what is written.
pub(super) struct Mounted {
    stack: Stack,
    pub(super) target: PathBuf,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // The namespace ends with the process, and the mount with that.
        drop(Stack::unmount(&self.target));
    }
}

impl Mounted {
    pub(super) fn new(
        workshop: &Workshop,
        layers: &[Digest],
        folder: PathBuf,
    ) -> Result<Self, StepError> {
        let failed = |error| StepError::internal("mount a root filesystem", &error);
        let target = folder.join("merged");
        std::fs::create_dir_all(&target)
            .map_err(|error| StepError::internal("make a folder", &error))?;
        let stack = Stack::new(workshop.folders(layers), folder, workshop.storage());
        let stack = stack.map_err(failed)?;
        stack.mount(&target).map_err(failed)?;
        Ok(Self { stack, target })
    }

    pub(super) fn take_down(self) -> Result<(), StepError> {
        Stack::unmount(&self.target)
            .map_err(|error| StepError::internal("take a root filesystem down", &error))
    }

    fn layer(&self, workshop: &Workshop) -> Result<Layer, StepError> {
        let failed = |error| StepError::internal("make a layer", &error);
        Stack::unmount(&self.target).map_err(failed)?;
        let written = self.stack.written().map_err(failed)?;
        Ok(workshop.store.adopt_folder(&written, &|_| false)?)
    }
}

/// Copies files into the root of a step.
struct Copier<'a> {
    workshop: &'a Workshop,
    operation: &'a Operation,
    copy: &'a Copy,
    taken: &'a Taken<'a>,
    scratch: &'a Path,
}

impl Copier<'_> {
    /// Whether files of a context changed since their digest was made.
    fn copy(&self, root: &File) -> Result<bool, StepError> {
        let copy = self.copy;
        let accounts = (!copy.link).then_some(root.as_fd());
        let mode = match copy.chmod.as_str() {
            "" => None,
            text => Some(
                ModeChange::parse(text)
                    .ok_or_else(|| StepError::new(format!("invalid chmod parameter: '{text}'")))?,
            ),
        };
        let placement = Placement {
            destination: copy.destination.clone(),
            owner: find_owner(accounts, &copy.chown)?,
            mode,
            time: None,
            one_id: self.workshop.one_id(),
            replaces: false,
        };
        let (mut number, mut is_other) = (0, false);
        for (place, source) in copy.sources.iter().enumerate() {
            match source {
                Source::Files { from, .. } => {
                    let layers = self.taken.sources.get(number).map_or(&[][..], Vec::as_slice);
                    is_other |= self.files(root, (from, number, layers), &placement)?;
                    number += 1;
                }
                Source::Content { name, text } => {
                    let selection = Selection::of_content(name, text.as_bytes());
                    selection.copy_into(root.as_fd(), &placement)?;
                }
                Source::Http { name, .. } => {
                    // Under its own name: that is what it has in a folder.
                    let folder = self.scratch.join(format!("http.{place}"));
                    let failed = |error| StepError::internal("make a folder", &error);
                    std::fs::create_dir(&folder).map_err(failed)?;
                    let name = Path::new(name).file_name().unwrap_or("index".as_ref());
                    std::fs::hard_link(&self.fetched(place)?.path, folder.join(name))
                        .map_err(failed)?;
                    let tree = Tree::context(&folder, None)?;
                    let pattern = format!("/{}", escaped(&name.to_string_lossy()));
                    let selectors = Selectors { pattern: &pattern, exclude: &[], parents: false };
                    let selection = select(&tree, &selectors)?;
                    let selection = selection.unpacking(copy.unpack == Some(true));
                    selection.copy_into(root.as_fd(), &placement)?;
                }
                Source::Git { .. } => {
                    let tree = Tree::context(&self.fetched(place)?.path, None)?;
                    let exclude = &copy.exclude;
                    let selectors = Selectors { pattern: "/", exclude, parents: false };
                    select(&tree, &selectors)?.copy_into(root.as_fd(), &placement)?;
                }
            }
        }
        Ok(is_other)
    }

    fn fetched(&self, place: usize) -> Result<&remote::Fetched, StepError> {
        let fetched = self.taken.fetched.and_then(|all| all.get(&place));
        fetched.ok_or_else(|| StepError::new("a source was not fetched"))
    }

    fn files(
        &self,
        root: &File,
        (from, number, layers): (&From, usize, &[Digest]),
        placement: &Placement,
    ) -> Result<bool, StepError> {
        let selectors = selectors(self.operation, number);
        let unpacks = self.copy.is_add && self.copy.unpack != Some(false);
        match from {
            From::Context(name) => {
                let place = (self.taken.request, name.as_deref());
                let tree = tree(place, self.scratch)?;
                let selection = select(&tree, &selectors)?.unpacking(unpacks);
                let copied = selection.copy_into(root.as_fd(), placement)?;
                return Ok(self.taken.contexts.is_other(place, &selectors, copied.stamp));
            }
            From::Step(_) => {
                let folder = self.scratch.join(format!("from.{number}"));
                let mounted = Mounted::new(self.workshop, layers, folder)?;
                let tree = Tree::root_filesystem(&mounted.target)?;
                select(&tree, &selectors)?.copy_into(root.as_fd(), placement)?;
            }
            From::Nothing => {
                let folder = self.scratch.join(format!("from.{number}"));
                std::fs::create_dir_all(&folder)
                    .map_err(|error| StepError::internal("make a folder", &error))?;
                let tree = Tree::root_filesystem(&folder)?;
                select(&tree, &selectors)?.copy_into(root.as_fd(), placement)?;
            }
        }
        Ok(false)
    }
}

/// Copies what a mount shows to `target`, and waits for it; whether it is not what its digest was made of.
pub(super) fn materialise(
    workshop: &Workshop,
    (from, source): (&From, &str),
    (request, contexts): (&BuildRequest, &Contexts),
    layers: &[Digest],
    target: &Path,
) -> Result<bool, StepError> {
    let mut child = Child::start(|| {
        leave()?;
        let folder = target.parent().unwrap_or(target);
        let failed = |error| StepError::internal("make a folder", &error);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let root = File::open(folder).map_err(failed)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let placement = Placement {
            destination: format!("/{name}"),
            one_id: workshop.one_id(),
            ..Placement::default()
        };
        let selectors = Selectors { pattern: source, exclude: &[], parents: false };
        let scratch = workshop.scratch()?;
        let mut is_other = false;
        match from {
            From::Context(name) => {
                let place = (request, name.as_deref());
                let tree = tree(place, &scratch)?;
                let copied = select(&tree, &selectors)?.copy_into(root.as_fd(), &placement)?;
                is_other = contexts.is_other(place, &selectors, copied.stamp);
            }
            From::Step(_) => {
                let mounted = Mounted::new(workshop, layers, scratch.join("from"))?;
                let tree = Tree::root_filesystem(&mounted.target)?;
                select(&tree, &selectors)?.copy_into(root.as_fd(), &placement)?;
            }
            From::Nothing => std::fs::create_dir_all(target).map_err(failed)?,
        }
        Ok(is_other)
    })?;
    while !child.read() {}
    child.finish()
}
