//! Bounds on what a Compose file may ask of the reader.

use std::cell::Cell;

/// Bytes of one Compose or environment file. Real ones have some kilobytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Levels of nesting. The format itself has about ten.
pub(crate) const DEPTH_MAX: usize = 100;

/// Nodes of one file after its aliases are written out: a few lines of aliases of aliases
/// stand for more than any machine holds.
pub(crate) const NODES_MAX: usize = 500_000;

/// Files that `include` and `extends` may bring in.
pub(crate) const FILES_MAX: usize = 1000;

/// Ports of one range in short syntax.
pub(crate) const PORTS_MAX: usize = 65_536;

/// Levels of variables in the defaults of variables.
pub(crate) const TEMPLATE_DEPTH_MAX: usize = 50;

/// Bytes of a value after interpolation.
pub(crate) const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of all values of a file of variables.
pub(crate) const VALUES_BYTES_MAX: usize = 4 * VALUE_BYTES_MAX;

/// Values that expansions make in a project: ports of ranges, services taken over by `extends`.
const MADE_MAX: usize = 1_000_000;

/// Bytes that variables put into a project.
const PUT_IN_MAX: usize = 64 * 1024 * 1024;

/// Bytes of all files of a project.
pub(crate) const ALL_FILES_BYTES_MAX: usize = 4 * FILE_BYTES_MAX;

/// What a project may grow to, however little its files say. Counts up; never back.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    made: Cell<usize>,
    put_in: Cell<usize>,
}

impl Budget {
    /// Before so many values are made.
    pub(crate) fn make(&self, values: usize) -> Result<(), String> {
        let what = "values made of ranges of ports and by `extends`";
        count(&self.made, values, MADE_MAX, what)
    }

    /// When variables have put in so many bytes.
    pub(crate) fn put_in(&self, bytes: usize) -> Result<(), String> {
        count(&self.put_in, bytes, PUT_IN_MAX, "bytes that variables put in")
    }
}

fn count(so_far: &Cell<usize>, more: usize, most: usize, what: &str) -> Result<(), String> {
    so_far.set(so_far.get().saturating_add(more));
    if so_far.get() <= most {
        return Ok(());
    }
    Err(format!("the project grows beyond any use: more than {most} {what}"))
}
