//! The archive format: entries read from a stream, and written to one.
//!
//! [`Reader`] turns bytes into entries and their data, whatever mixture of ustar, PAX and GNU
//! extensions they are written in; [`path`] makes names relative and refuses those that climb
//! out. [`TarWriter`] writes ustar headers, with PAX records for what they cannot hold.
//!
//! # Not here
//!
//! No files: [`crate::unpack`] makes them of entries, [`crate::pack`] entries of them.

mod error;
mod format;
mod path;
mod pax;
mod reader;
mod sparse;
mod writer;

pub use error::TarError;
pub use format::EntryKind;
pub(crate) use path::printable;
pub use path::{clean, split};
pub use reader::{Entry, Reader};
pub use sparse::SparseMap;
pub(crate) use writer::{Head, TarWriter};
