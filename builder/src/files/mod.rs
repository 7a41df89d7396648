//! What `COPY`, `ADD` and `WORKDIR` do to files.
//!
//! # How it works
//!
//! A [`Tree`] is where files come from: a context with its ignore file, or a mounted root filesystem. [`select`] finds
//! what an instruction names in it, links followed inside it; what comes out, a [`Selection`], holds no list of files
//! but knows how to walk them: once for the key of the step ([`Selection::digest`], with [`Hashes`] for what did not
//! change since the last build) and, when the step must be carried out, once more to copy
//! ([`Selection::copy_into`]). Memory does not grow with the number of files, but for the names of one folder.
//!
//! The kernel resolves whatever is opened, beneath a handle of the tree or of the root: a path that was found to have no
//! links is opened with links forbidden, so that nobody can put one there meanwhile.
//!
//! The rules are those of `BuildKit` (`fsutil/copy`, `moby/patternmatcher`).
//!
//! # Limits
//!
//! Devices are refused. Folders are at most [`limits::FOLDER_DEPTH_MAX`] deep. What goes away meanwhile
//! is taken as gone. A file that changes until it is copied is found out by [`Stamp`]: the result must not be kept
//! under the key then.

mod archive;
mod content;
mod copier;
mod digest;
mod error;
mod glob;
mod hashes;
pub mod limits;
mod listing;
mod mode;
mod owner;
mod place;
mod remove;
mod resolve;
mod select;
#[cfg(test)]
mod tests;
mod tree;
mod walk;
mod xattrs;

pub use archive::unpack_context;
pub use copier::Copied;
pub use digest::{Content, Stamp};
pub use error::FilesError;
pub use hashes::Hashes;
pub use mode::ModeChange;
pub use owner::{Owner, find_owner};
pub use place::{Placement, make_folder};
pub use select::{Selection, Selectors, select};
pub use tree::Tree;

type Result<T> = std::result::Result<T, FilesError>;
