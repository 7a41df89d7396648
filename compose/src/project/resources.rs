//! Limits, devices and what `deploy` says.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::values::{Bytes, Duration, integer, maybe_integer, nano_cpus, text_of};

/// `deploy`, as far as it has a meaning without a swarm.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Deploy {
    pub mode: String,
    #[serde(deserialize_with = "maybe_integer")]
    pub replicas: Option<i64>,
    pub resources: Resources,
    pub restart_policy: Option<RestartPolicy>,
}

/// `deploy.resources`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Resources {
    pub limits: Limits,
    pub reservations: Limits,
}

/// One side of `deploy.resources`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Limits {
    #[serde(deserialize_with = "nano_cpus")]
    pub cpus: Option<i64>,
    pub memory: Bytes,
    #[serde(deserialize_with = "maybe_integer")]
    pub pids: Option<i64>,
    pub devices: Vec<DeviceRequest>,
}

/// `deploy.restart_policy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RestartPolicy {
    pub condition: String,
    #[serde(deserialize_with = "maybe_integer")]
    pub max_attempts: Option<i64>,
    pub delay: Option<Duration>,
    pub window: Option<Duration>,
}

/// A request to a device driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DeviceRequest {
    pub capabilities: Vec<String>,
    pub driver: String,
    #[serde(deserialize_with = "maybe_integer")]
    pub count: Option<i64>,
    pub device_ids: Vec<String>,
    pub options: BTreeMap<String, String>,
}

/// A device of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DeviceUse {
    pub source: String,
    pub target: String,
    pub permissions: String,
}

/// `ulimits`: one number, or two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ulimit {
    pub soft: i64,
    pub hard: i64,
}

impl<'de> Deserialize<'de> for Ulimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Both {
            #[serde(deserialize_with = "integer")]
            soft: i64,
            #[serde(deserialize_with = "integer")]
            hard: i64,
        }
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_object() {
            let both = Both::deserialize(value).map_err(serde::de::Error::custom)?;
            return Ok(Self { soft: both.soft, hard: both.hard });
        }
        let both = integer(value).map_err(serde::de::Error::custom)?;
        Ok(Self { soft: both, hard: both })
    }
}

/// `blkio_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Blkio {
    pub weight: u16,
    pub weight_device: Vec<Weight>,
    pub device_read_bps: Vec<Rate>,
    pub device_read_iops: Vec<Rate>,
    pub device_write_bps: Vec<Rate>,
    pub device_write_iops: Vec<Rate>,
}

/// A device and its weight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Weight {
    #[serde(alias = "Path")]
    pub path: String,
    #[serde(alias = "Weight")]
    pub weight: u16,
}

/// A device and its rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Rate {
    #[serde(alias = "Path")]
    pub path: String,
    #[serde(alias = "Rate", deserialize_with = "rate")]
    pub rate: u64,
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = text_of(serde_json::Value::deserialize(deserializer)?);
    text.parse().map_err(serde::de::Error::custom)
}
