//! What a mount shows, where it has to be a copy.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use coracle_image::Digest;

use super::super::error::StepError;
use super::super::jobs::Child;
use super::super::workshop::Workshop;
use super::contexts::{Contexts, tree};
use super::mounted::{Mounted, leave};
use crate::files::{Placement, Selectors, Tree, select};
use crate::plan::From;
use crate::request::BuildRequest;

/// Copies what a mount shows to `target`, and waits for it; whether it is not what its digest was made of.
pub(in crate::exec) fn materialise(
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
