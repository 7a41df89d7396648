//! Layer archives to directories.
//!
//! # How it works
//!
//! [`crate::tar`] turns the byte stream into entries and their data, makes names relative to
//! the layer and refuses those that climb out. [`tree`] lets the kernel resolve each
//! parent beneath the layer's root, so that no symlink of the archive leads elsewhere;
//! the last component is never followed. [`apply`] creates what the entry says.
//!
//! Whiteouts become what overlayfs expects of a lower directory, where that can be made
//! ([`marks`]).
//!
//! # Limits
//!
//! Device nodes are skipped with a note; attributes the kernel refuses are noted.
//! Owners beyond the user's range are an error, except where only one id is mapped:
//! there they are recorded in [`OWNER_XATTR`].
//!
//! # Not here
//!
//! No decompression and no digests: [`crate::store`] does both on the way in.

mod apply;
mod content;
mod error;
pub mod marks;
mod meta;
mod tree;

pub use apply::{Unpacked, unpack};
pub use content::write_content;
pub use error::UnpackError;
pub use marks::{MARKED_BY_NAME, OPAQUE_XATTR};
pub(crate) use marks::{WHITEOUT, WHITEOUT_OPAQUE, is_whiteout};
pub use meta::{OWNER_XATTR, UnpackOptions};
pub(crate) use tree::lstat;
