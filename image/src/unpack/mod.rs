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
pub mod marks;
mod meta;
mod tree;

use std::io::{self, Read};
use std::path::Path;

use crate::tar::Reader;

pub use content::write_content;
pub use marks::{MARKED_BY_NAME, OPAQUE_XATTR};
pub(crate) use marks::{WHITEOUT, WHITEOUT_OPAQUE, is_whiteout};
pub(crate) use tree::lstat;

/// Holds `uid:gid` where the owner itself cannot be set.
pub const OWNER_XATTR: &str = "user.coracle.owner";

#[derive(Debug, Clone, Copy, Default)]
pub struct UnpackOptions {
    /// Only one user id is mapped: wanted owners are recorded in an attribute instead.
    pub one_id: bool,
}

/// What was unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Bytes in regular files, hardlinks counted once.
    pub file_bytes: u64,
    pub entries: u64,
    /// Some of its [`marks`] are by name: overlayfs would not read them.
    pub marked_by_name: bool,
    /// What could not be unpacked as it was, for the user.
    pub notes: Vec<String>,
}

/// Why a layer cannot be unpacked; always tells where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    #[error("cannot open the layer's directory")]
    Root { source: io::Error },

    #[error("the archive breaks off {place}")]
    Read { place: String, source: io::Error },

    #[error("invalid header {place}: {why}")]
    Header { place: String, why: String },

    #[error("refusing entry `{entry}`: {why}")]
    Refused { entry: String, why: String },

    #[error("cannot {doing} entry `{entry}`")]
    Apply { doing: &'static str, entry: String, source: io::Error },

    #[error("owner {uid}:{gid} of entry `{entry}` is outside the ids this user may use")]
    Owner { entry: String, uid: u64, gid: u64 },
}

impl UnpackError {
    /// What the user can do about it, when we know.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Owner { .. } => Some(
                "a larger range of subordinate ids in /etc/subuid and /etc/subgid would cover it"
                    .to_owned(),
            ),
            Self::Apply { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("the disk is full; `coracle system prune` removes what is unused".to_owned())
            }
            _ => None,
        }
    }

    pub(crate) fn read_end(source: io::Error) -> Self {
        Self::Read { place: "after its last entry".to_owned(), source }
    }
}

/// Unpacks an uncompressed layer archive into the existing directory `dir`.
///
/// Reads up to the end of the archive; what follows is left in `reader`.
pub fn unpack(
    reader: &mut dyn Read,
    dir: &Path,
    options: &UnpackOptions,
) -> Result<Unpacked, UnpackError> {
    let mut archive = Reader::new(reader);
    let mut applier = apply::Applier::new(dir, *options)?;
    while let Some(entry) = archive.next_entry()? {
        applier.apply(&entry, &mut archive)?;
    }
    applier.finish()
}
