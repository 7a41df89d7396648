//! How the root filesystem of a container is made.

use serde::{Deserialize, Serialize};

/// How root filesystems are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// An overlay; a copy where that is refused.
    #[default]
    Auto,
    /// An overlay or an error.
    Overlay,
    Copy,
}

/// A word that names no [`Storage`].
#[derive(Debug, thiserror::Error)]
#[error("unknown storage {0:?}: auto, overlay or copy")]
pub struct UnknownStorage(String);

impl std::str::FromStr for Storage {
    type Err = UnknownStorage;

    fn from_str(text: &str) -> Result<Self, UnknownStorage> {
        match text {
            "auto" => Ok(Self::Auto),
            "overlay" | "overlay2" => Ok(Self::Overlay),
            "copy" => Ok(Self::Copy),
            _ => Err(UnknownStorage(text.to_owned())),
        }
    }
}
