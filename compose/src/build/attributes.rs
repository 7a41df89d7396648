//! `build` of a service, in types.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::project::{Bytes, FileUse, Ulimit};

/// How the image of a service is built.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub(super) context: String,
    pub(super) dockerfile: String,
    pub(super) dockerfile_inline: String,
    pub(super) entitlements: Vec<String>,
    pub(super) args: BTreeMap<String, Option<Value>>,
    pub(super) provenance: String,
    pub(super) sbom: String,
    pub(super) ssh: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) cache_from: Vec<String>,
    pub(super) cache_to: Vec<String>,
    pub(super) no_cache: bool,
    pub(super) no_cache_filter: Vec<String>,
    pub(super) additional_contexts: BTreeMap<String, String>,
    pub(super) pull: bool,
    pub(super) extra_hosts: Vec<String>,
    pub(super) isolation: String,
    pub(super) network: String,
    pub(super) target: String,
    pub(super) secrets: Vec<FileUse>,
    pub(super) shm_size: Bytes,
    pub(super) tags: Vec<String>,
    pub(super) ulimits: BTreeMap<String, Limit>,
    pub(super) platforms: Vec<String>,
    pub(super) privileged: bool,
}

/// One number stands for itself: it is told from a pair.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Limit {
    Single(i64),
    Both(Ulimit),
}

impl Limit {
    pub(super) fn shown(&self, name: &str) -> String {
        match self {
            Self::Single(limit) => format!("{name}={limit}"),
            Self::Both(limit) => format!("{name}={}:{}", limit.soft, limit.hard),
        }
    }
}
