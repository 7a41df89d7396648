//! Bounds on what a Compose file may ask of the reader.

/// Bytes of one Compose or environment file. Real ones have some kilobytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
