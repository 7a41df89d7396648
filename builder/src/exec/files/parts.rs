//! Parts of the results of other steps: how they are named, and their content for ids.

use coracle_image::Digest;

use super::super::error::StepError;
use super::super::key::{self, Key};
use super::super::workshop::Workshop;
use super::mounted::{Mounted, leave};
use crate::files::{Hashes, Selectors, Tree, select};
use crate::plan::{From, Operation};

/// How the source `number` of an operation is selected.
pub(in crate::exec) fn selectors(operation: &Operation, number: usize) -> Selectors<'_> {
    let (_, pattern) = key::sources(operation).get(number).copied().unwrap_or((&From::Nothing, ""));
    match operation {
        Operation::Copy(copy) => {
            Selectors { pattern, exclude: &copy.exclude, parents: copy.parents }
        }
        _ => Selectors { pattern, exclude: &[], parents: false },
    }
}

/// What names a part of the result `id`.
pub(in crate::exec) fn part(operation: &Operation, number: usize, id: &str) -> Digest {
    let selectors = selectors(operation, number);
    let mut key = Key::new("part");
    key.text(id).text(selectors.pattern).number(selectors.parents.into());
    for pattern in selectors.exclude {
        key.text(pattern);
    }
    key.finish()
}

/// Reads the digests of parts of other steps: numbers of sources, with the layers that they are in. In a child.
pub(in crate::exec) fn digests(
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
