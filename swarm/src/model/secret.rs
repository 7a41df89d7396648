//! Secrets and configs: a name, labels, and content that is sealed at rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;
use super::meta::Meta;
use super::task::LogDriver as Driver;

/// The label of a version that was rotated in: whose version it is. It is called `NAME.vN`.
pub const VERSION_OF: &str = "coracle.version-of";

/// `Spec` of a secret or config. The content is not in it: only the API's answer for a config has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SecretSpec {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// Of secrets, an external store; refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// `golang`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templating: Option<Driver>,
}

/// Bytes under the data key of the swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Sealed {
    /// Base64.
    pub nonce: String,
    /// Base64, with the authentication tag.
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Secret {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(flatten)]
    pub meta: Meta,
    pub spec: SecretSpec,
    #[serde(rename = "Coracle", skip_serializing_if = "is_default")]
    pub sealed: Sealed,
}

impl Secret {
    /// The name that it is a version of; its own, when it never was rotated.
    #[must_use]
    pub fn stands_for(&self) -> &str {
        self.spec.labels.get(VERSION_OF).unwrap_or(&self.spec.name)
    }

    /// What is wanted of its name, as it is to be of this version.
    #[must_use]
    pub fn as_version(&self, mut wanted: SecretSpec) -> SecretSpec {
        if self.spec.name != wanted.name {
            wanted.labels.insert(VERSION_OF.to_owned(), self.stands_for().to_owned());
            wanted.name.clone_from(&self.spec.name);
        }
        wanted
    }

    /// Which version it is, from 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        let beyond = self.spec.name.strip_prefix(self.stands_for());
        let number = beyond.and_then(|rest| rest.strip_prefix(".v")?.parse().ok());
        number.unwrap_or(1)
    }
}

/// The one of a name, or else the newest that stands for it.
#[must_use]
pub fn named<'a>(all: &'a BTreeMap<String, Secret>, name: &str) -> Option<&'a Secret> {
    let whole = all.values().find(|one| one.spec.name == name);
    whole.or_else(|| {
        all.values().filter(|one| one.stands_for() == name).max_by_key(|one| one.version())
    })
}

/// A config is kept as a secret is.
pub type Config = Secret;
