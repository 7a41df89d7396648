//! How much a bake file may ask for.

/// Bytes of a file; those of people are smaller by three orders of magnitude.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Letters and values that all expressions of a call make, together: a few lines can ask for any number.
pub(super) const VALUES_MAX: usize = 16 * 1024 * 1024;

/// Expressions within each other, those of functions that are called included.
pub(super) const DEPTH_MAX: usize = 200;

/// Targets that a matrix makes.
pub(super) const MATRIX_MAX: usize = 4096;
