//! Secrets and configs: a name, labels, and content that is sealed at rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;
use super::meta::Meta;
use super::task::LogDriver as Driver;

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

/// A config is kept as a secret is.
pub type Config = Secret;
