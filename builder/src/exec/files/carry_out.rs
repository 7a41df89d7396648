//! Steps that copy files or make folders, carried out in a child.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use coracle_image::{Digest, Layer};
use serde::{Deserialize, Serialize};

use super::super::error::StepError;
use super::super::remote;
use super::super::workshop::Workshop;
use super::contexts::{Contexts, tree};
use super::mounted::{Mounted, leave};
use super::parts::selectors;
use crate::files::{
    ModeChange, Placement, Selection, Selectors, Tree, find_owner, make_folder, select,
};
use crate::plan::{Copy, From, Operation, Source};
use crate::request::BuildRequest;

/// What a step takes.
#[derive(Clone, Copy)]
pub(in crate::exec) struct Taken<'a> {
    pub(in crate::exec) request: &'a BuildRequest,
    pub(in crate::exec) contexts: &'a Contexts,
    /// What it stands on.
    pub(in crate::exec) layers: &'a [Digest],
    /// Layers of the steps that files come from.
    pub(in crate::exec) sources: &'a [Vec<Digest>],
    pub(in crate::exec) fetched: Option<&'a remote::All>,
}

/// What became of a step.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::exec) struct Carried {
    pub(in crate::exec) layer: Layer,
    /// Files of a context changed since their digest was made: the layer is not what the id of the step stands for.
    pub(in crate::exec) is_other: bool,
}

/// Carries a step out. In a child.
pub(in crate::exec) fn carry_out(
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
                    std::fs::hard_link(self.fetched(place)?, folder.join(name)).map_err(failed)?;
                    let tree = Tree::context(&folder, None)?;
                    let pattern = format!("/{}", escaped(&name.to_string_lossy()));
                    let selectors = Selectors { pattern: &pattern, exclude: &[], parents: false };
                    let selection = select(&tree, &selectors)?;
                    let selection = selection.unpacking(copy.unpack == Some(true));
                    selection.copy_into(root.as_fd(), &placement)?;
                }
                Source::Git { .. } => {
                    let tree = Tree::context(self.fetched(place)?, None)?;
                    let exclude = &copy.exclude;
                    let selectors = Selectors { pattern: "/", exclude, parents: false };
                    select(&tree, &selectors)?.copy_into(root.as_fd(), &placement)?;
                }
            }
        }
        Ok(is_other)
    }

    fn fetched(&self, place: usize) -> Result<&Path, StepError> {
        let fetched = self.taken.fetched.and_then(|all| all.get(&place)?.path.as_deref());
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

/// A name as a pattern that nothing else matches.
fn escaped(name: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\');
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain(Some(c))).collect()
}
