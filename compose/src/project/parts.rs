//! The parts of a service and the top-level objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::resources::RestartPolicy;
use super::values::{Bytes, Duration, maybe_integer, text_of};

/// A published port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Port {
    pub target: u16,
    /// A port or a range; absent for a free one.
    pub published: Option<String>,
    pub host_ip: Option<String>,
    pub protocol: Option<String>,
}

/// A network that a service joins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NetworkUse {
    pub aliases: Vec<String>,
    pub ipv4_address: String,
    pub ipv6_address: String,
    pub link_local_ips: Vec<String>,
    pub mac_address: String,
    pub driver_opts: BTreeMap<String, String>,
    pub priority: i64,
    pub gw_priority: i64,
    pub interface_name: String,
}

/// A mount.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct VolumeUse {
    #[serde(rename = "type")]
    pub kind: String,
    pub source: String,
    pub target: String,
    pub read_only: bool,
    pub bind: Option<Bind>,
    pub volume: Option<VolumeOptions>,
    pub tmpfs: Option<Tmpfs>,
    pub image: Option<ImageOptions>,
}

/// Settings of a bind mount.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Bind {
    pub propagation: String,
    /// A folder that is missing is made, unless the file says otherwise.
    pub create_host_path: bool,
    pub selinux: String,
    pub recursive: String,
}

impl Default for Bind {
    fn default() -> Self {
        let text = String::new;
        Self { propagation: text(), create_host_path: true, selinux: text(), recursive: text() }
    }
}

/// Settings of a volume mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct VolumeOptions {
    pub nocopy: bool,
    pub subpath: String,
    pub labels: BTreeMap<String, String>,
}

/// Settings of a tmpfs mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Tmpfs {
    pub size: Bytes,
    #[serde(deserialize_with = "maybe_integer")]
    pub mode: Option<i64>,
}

/// Settings of an image mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ImageOptions {
    pub subpath: String,
}

/// A config or a secret of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FileUse {
    pub source: String,
    pub target: String,
    pub uid: Option<String>,
    pub gid: Option<String>,
    #[serde(deserialize_with = "mode")]
    pub mode: Option<u32>,
}

/// A health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Health {
    pub test: Vec<String>,
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub start_period: Option<Duration>,
    pub start_interval: Option<Duration>,
    #[serde(deserialize_with = "maybe_integer")]
    pub retries: Option<i64>,
    pub disable: bool,
}

/// A process that is run in the container; of `pre_start`, in one of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// None is what the image runs.
    #[serde(deserialize_with = "words_or_none")]
    pub command: Vec<String>,
    /// Empty is the service's.
    pub image: String,
    pub user: String,
    pub privileged: bool,
    pub working_dir: String,
    pub environment: BTreeMap<String, Option<String>>,
    /// Once for each container, not for the service.
    pub per_replica: bool,
}

/// Where output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Logging {
    pub driver: Option<String>,
    #[serde(deserialize_with = "options")]
    pub options: BTreeMap<String, String>,
}

/// A restart policy in the engine's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restart {
    pub name: String,
    pub attempts: u32,
}

impl Restart {
    /// `deploy` says it instead of `restart`, as a whole.
    pub(super) fn of(restart: &str, deploy: Option<&RestartPolicy>) -> Self {
        let (condition, attempts) = match deploy {
            Some(policy) => {
                let attempts = policy.max_attempts.unwrap_or(0);
                (policy.condition.as_str(), u32::try_from(attempts).unwrap_or(0))
            }
            None => {
                let (name, attempts) = restart.split_once(':').unwrap_or((restart, ""));
                (name, attempts.parse().unwrap_or(0))
            }
        };
        let name = match condition {
            "" | "none" => "no",
            "any" => "always",
            other => other,
        };
        let attempts = if name == "on-failure" || deploy.is_none() { attempts } else { 0 };
        Self { name: name.to_owned(), attempts }
    }
}

/// A network of the project.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Network {
    /// The canonical form this was read from.
    #[serde(skip)]
    pub raw: Value,
    pub name: Option<String>,
    pub driver: String,
    #[serde(deserialize_with = "options")]
    pub driver_opts: BTreeMap<String, String>,
    pub ipam: Ipam,
    pub external: bool,
    pub internal: bool,
    pub attachable: bool,
    pub enable_ipv4: Option<bool>,
    pub enable_ipv6: Option<bool>,
    pub labels: BTreeMap<String, String>,
}

/// How a network gives addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Ipam {
    pub driver: String,
    pub config: Vec<IpamBlock>,
}

/// A block of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IpamBlock {
    pub subnet: String,
    pub gateway: String,
    pub ip_range: String,
    pub aux_addresses: BTreeMap<String, String>,
}

/// A volume of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// The canonical form this was read from.
    #[serde(skip)]
    pub raw: Value,
    pub name: Option<String>,
    pub driver: String,
    #[serde(deserialize_with = "options")]
    pub driver_opts: BTreeMap<String, String>,
    pub external: bool,
    pub labels: BTreeMap<String, String>,
}

/// Where a config or a secret comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ConfigOrSecret {
    pub name: Option<String>,
    pub file: Option<String>,
    /// The variable that holds it.
    pub environment: Option<String>,
    pub content: Option<String>,
    pub external: bool,
}

fn options<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let map = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?.unwrap_or_default();
    let text = |value: Value| if value.is_null() { String::new() } else { text_of(value) };
    Ok(map.into_iter().map(|(key, value)| (key, text(value))).collect())
}

fn words_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    super::values::words(deserializer).map(Option::unwrap_or_default)
}

/// A mode: octal digits as text, or a number.
fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    use serde::de::Error;
    let value = Value::deserialize(deserializer)?;
    let read = match &value {
        Value::Null => return Ok(None),
        Value::String(text) => u32::from_str_radix(text.trim_start_matches("0o"), 8).ok(),
        other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    read.map(Some).ok_or_else(|| D::Error::custom(format!("{value} is no mode")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_that_are_no_number_have_no_limit() {
        for (text, attempts) in [("on-failure", 0), ("on-failure:3", 3), ("on-failure:x", 0)] {
            let wanted = Restart { name: "on-failure".to_owned(), attempts };
            assert_eq!(Restart::of(text, None), wanted);
        }
        // `deploy` counts as a whole where it says anything.
        let deploy = |condition: &str, attempts| {
            let policy = RestartPolicy {
                condition: condition.to_owned(),
                max_attempts: attempts,
                ..RestartPolicy::default()
            };
            let restart = Restart::of("on-failure:3", Some(&policy));
            (restart.name, restart.attempts)
        };
        assert_eq!(deploy("any", None), ("always".to_owned(), 0));
        assert_eq!(deploy("on-failure", Some(2)), ("on-failure".to_owned(), 2));
        assert_eq!(deploy("none", Some(2)), ("no".to_owned(), 0));
        assert_eq!(deploy("", None), ("no".to_owned(), 0));
        assert_eq!(Restart::of("", None).name, "no");
    }
}
