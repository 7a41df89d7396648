//! What mounts show, where it has to be a copy.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use coracle_image::Digest;

use super::super::error::StepError;
use super::super::workshop::Workshop;
use super::contexts::{Contexts, tree};
use super::mounted::{Mounted, leave};
use crate::files::{Placement, Selectors, Tree, select};
use crate::plan::From;
use crate::request::BuildRequest;

/// A copy that a mount shows.
#[derive(Debug)]
pub(in crate::exec) struct Shown<'a> {
    pub(in crate::exec) from: &'a From,
    pub(in crate::exec) source: &'a str,
    /// Those of the step that it comes from.
    pub(in crate::exec) layers: Vec<Digest>,
    pub(in crate::exec) target: PathBuf,
}

/// Makes copies; whether one is not what its digest was made of. In a child.
pub(in crate::exec) fn materialise(
    workshop: &Workshop,
    of: (&BuildRequest, &Contexts),
    all: &[Shown<'_>],
) -> Result<bool, StepError> {
    leave()?;
    let mut is_other = false;
    for shown in all {
        is_other |= copy(workshop, of, shown)?;
    }
    Ok(is_other)
}

fn copy(
    workshop: &Workshop,
    (request, contexts): (&BuildRequest, &Contexts),
    Shown { from, source, layers, target }: &Shown<'_>,
) -> Result<bool, StepError> {
    let folder = target.parent().unwrap_or(Path::new("/"));
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
    match from {
        From::Context(name) => {
            let place = (request, name.as_deref());
            let tree = tree(place, &scratch)?;
            let copied = select(&tree, &selectors)?.copy_into(root.as_fd(), &placement)?;
            return Ok(contexts.is_other(place, &selectors, copied.stamp));
        }
        From::Step(_) => {
            let mounted = Mounted::new(workshop, layers, scratch.join("from"))?;
            let tree = Tree::root_filesystem(&mounted.target)?;
            select(&tree, &selectors)?.copy_into(root.as_fd(), &placement)?;
        }
        From::Nothing => std::fs::create_dir_all(target).map_err(failed)?,
    }
    Ok(false)
}
