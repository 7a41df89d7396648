//! What is on record of a result.

use coracle_image::{Digest, Layer};
use coracle_runtime::model::Timestamp;
use serde::{Deserialize, Serialize};

/// A result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) struct Record {
    /// What it put on top of what it stands on.
    pub(in crate::exec) layer: Layer,
    pub(in crate::exec) created: Timestamp,
    /// The name of its step.
    pub(in crate::exec) description: String,
    pub(in crate::exec) kind: Kind,
    /// What it stands on.
    pub(in crate::exec) parent: Option<Digest>,
}

/// What made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) enum Kind {
    Command,
    Files,
}
