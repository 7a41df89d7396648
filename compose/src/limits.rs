//! Bounds on what a Compose file may ask of the reader.

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
