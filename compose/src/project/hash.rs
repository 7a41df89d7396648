//! The hash by which a changed service is noticed.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Network, Service, Volume};

/// What may change without a new container: how the image is had, how many containers there
/// are, and in which order they start.
const APART: [&str; 6] = ["build", "pull_policy", "scale", "depends_on", "profiles", "develop"];

impl Service {
    /// The hash of what makes its containers.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.essence())
    }

    /// The canonical form without what does not make another container.
    #[must_use]
    pub fn essence(&self) -> Value {
        essence(&self.raw)
    }
}

impl Network {
    /// The hash of how it is made.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&json!({
            "driver": self.driver, "driver_opts": self.driver_opts, "internal": self.internal,
            "attachable": self.attachable, "labels": self.labels, "ipv4": self.enable_ipv4,
            "ipv6": self.enable_ipv6, "ipam": self.ipam,
        }))
    }
}

impl Volume {
    /// The hash of how it is made.
    #[must_use]
    pub fn hash(&self) -> String {
        let Self { driver, driver_opts, labels, .. } = self;
        hash(&json!({"driver": driver, "driver_opts": driver_opts, "labels": labels}))
    }
}

/// As [`Service::essence`], of a canonical form that was kept.
#[must_use]
pub fn essence(raw: &Value) -> Value {
    let mut value = raw.clone();
    if let Value::Object(map) = &mut value {
        map.retain(|key, _| !APART.contains(&key.as_str()));
        if let Some(Value::Object(deploy)) = map.get_mut("deploy") {
            deploy.remove("replicas");
        }
    }
    value
}

/// SHA-256 of a value, in hexadecimal digits; the order of keys does not matter.
#[must_use]
pub fn hash(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    hex::encode(Sha256::digest(sorted.to_string().as_bytes()))
}
