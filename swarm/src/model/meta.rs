//! What every object has: version, and when it was made and changed.

use coracle_words::Timestamp;
use serde::{Deserialize, Serialize};

/// The number of the transaction that changed an object last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Version {
    #[serde(skip_serializing_if = "super::is_default")]
    pub index: u64,
}

/// Flattened into each object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Meta {
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
