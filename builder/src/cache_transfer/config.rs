//! What a cache says about its layers.

use std::collections::BTreeMap;

use coracle_image::Digest;
use serde::{Deserialize, Serialize};

pub(super) const VERSION: u32 = 1;

/// The configuration of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    version: u32,
    #[serde(default)]
    pub(crate) results: BTreeMap<Digest, CachedResult>,
    #[serde(default)]
    pub(crate) contents: BTreeMap<Digest, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { version: VERSION, results: BTreeMap::new(), contents: BTreeMap::new() }
    }
}

/// What a step made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CachedResult {
    /// The digest of its layer's archive.
    pub(crate) layer: Digest,
    /// RFC 3339.
    pub(crate) created: String,
    /// The name of its step.
    pub(crate) description: String,
    /// A command made it.
    pub(crate) is_command: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<Digest>,
}
