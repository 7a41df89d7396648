//! The hashes by which changes are noticed, and what of a service they are about.

use serde_json::Value;

use super::{Network, Service, Volume};
use crate::hash;

/// What may change without a new container: how the image is had, how many containers there
/// are, and in which order they start.
const APART: [&str; 5] = ["build", "pull_policy", "scale", "depends_on", "profiles"];

impl Service {
    /// The hash of what makes its containers.
    #[must_use]
    pub fn hash(&self) -> String {
        hash::service(&self.raw)
    }
}

impl Network {
    /// The hash of how it is made.
    #[must_use]
    pub fn hash(&self) -> String {
        hash::network(&self.raw)
    }
}

impl Volume {
    /// The hash of how it is made.
    #[must_use]
    pub fn hash(&self) -> String {
        hash::volume(&self.raw)
    }
}

/// The canonical form of a service without what does not make another container.
#[must_use]
pub fn essence(raw: &Value) -> Value {
    let mut value = raw.clone();
    if let Value::Object(map) = &mut value {
        map.retain(|key, _| !APART.contains(&key.as_str()));
        if let Some(Value::Object(deploy)) = map.get_mut("deploy") {
            deploy.shift_remove("replicas");
        }
    }
    value
}
