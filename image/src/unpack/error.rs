//! Why a layer cannot be unpacked; always tells where.

use std::io;

use crate::tar::TarError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    #[error("cannot open the layer's directory")]
    Root { source: io::Error },

    #[error(transparent)]
    Archive(#[from] TarError),

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
}
