//! One service, with every attribute that has a meaning on one machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::parts::{FileUse, Health, Hook, Logging, NetworkUse, Port, Restart, VolumeUse};
use super::resources::{Blkio, Deploy, DeviceRequest, DeviceUse, Ulimit};
use super::values::{Bytes, Duration, maybe_integer, nano_cpus, text_of, texts, words};

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Service {
    #[serde(skip)]
    pub name: String,
    /// The canonical form this was read from.
    #[serde(skip)]
    pub raw: Value,
    /// Its extensions (`x-…`), which that form leaves out, by JSON pointer.
    #[serde(skip)]
    pub extensions: BTreeMap<String, Value>,
    pub annotations: BTreeMap<String, String>,
    pub attach: Option<bool>,
    pub blkio_config: Option<Blkio>,
    pub build: Option<Value>,
    #[serde(deserialize_with = "texts")]
    pub cap_add: Vec<String>,
    #[serde(deserialize_with = "texts")]
    pub cap_drop: Vec<String>,
    pub cgroup: String,
    #[serde(deserialize_with = "words")]
    pub command: Option<Vec<String>>,
    pub configs: Vec<FileUse>,
    pub container_name: Option<String>,
    #[serde(deserialize_with = "maybe_integer")]
    pub cpu_period: Option<i64>,
    #[serde(deserialize_with = "maybe_integer")]
    pub cpu_quota: Option<i64>,
    #[serde(deserialize_with = "maybe_integer")]
    pub cpu_shares: Option<i64>,
    #[serde(deserialize_with = "nano_cpus")]
    pub cpus: Option<i64>,
    pub cpuset: String,
    pub depends_on: BTreeMap<String, Dependency>,
    pub deploy: Deploy,
    pub devices: Vec<DeviceUse>,
    pub dns: Vec<String>,
    pub dns_opt: Vec<String>,
    pub dns_search: Vec<String>,
    pub domainname: String,
    #[serde(deserialize_with = "words")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(deserialize_with = "environment")]
    pub environment: BTreeMap<String, Option<String>>,
    #[serde(deserialize_with = "texts")]
    pub expose: Vec<String>,
    pub external_links: Vec<String>,
    pub extra_hosts: Vec<String>,
    pub gpus: Vec<DeviceRequest>,
    #[serde(deserialize_with = "texts")]
    pub group_add: Vec<String>,
    pub healthcheck: Option<Health>,
    pub hostname: String,
    pub image: Option<String>,
    pub init: Option<bool>,
    pub ipc: String,
    pub labels: BTreeMap<String, String>,
    pub links: Vec<String>,
    pub logging: Logging,
    pub mac_address: String,
    pub mem_limit: Bytes,
    pub mem_reservation: Bytes,
    pub memswap_limit: Bytes,
    pub network_mode: Option<String>,
    pub networks: BTreeMap<String, Option<NetworkUse>>,
    #[serde(deserialize_with = "maybe_integer")]
    pub oom_score_adj: Option<i64>,
    pub pid: String,
    #[serde(deserialize_with = "maybe_integer")]
    pub pids_limit: Option<i64>,
    pub platform: Option<String>,
    pub ports: Vec<Port>,
    pub pre_start: Vec<Hook>,
    pub post_start: Vec<Hook>,
    pub pre_stop: Vec<Hook>,
    pub privileged: bool,
    pub pull_policy: String,
    pub read_only: bool,
    pub restart: String,
    #[serde(deserialize_with = "maybe_integer")]
    pub scale: Option<i64>,
    pub secrets: Vec<FileUse>,
    pub security_opt: Vec<String>,
    pub shm_size: Bytes,
    pub stdin_open: bool,
    pub stop_grace_period: Option<Duration>,
    #[serde(deserialize_with = "maybe_text")]
    pub stop_signal: Option<String>,
    pub sysctls: BTreeMap<String, String>,
    pub tmpfs: Vec<String>,
    pub tty: bool,
    pub ulimits: BTreeMap<String, Ulimit>,
    #[serde(deserialize_with = "maybe_text")]
    pub user: Option<String>,
    pub userns_mode: String,
    pub uts: String,
    pub volumes: Vec<VolumeUse>,
    pub volumes_from: Vec<String>,
    pub working_dir: String,
}

/// When a service may start after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    #[default]
    ServiceStarted,
    ServiceHealthy,
    ServiceCompletedSuccessfully,
}

impl Condition {
    /// As the file has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceStarted => "service_started",
            Self::ServiceHealthy => "service_healthy",
            Self::ServiceCompletedSuccessfully => "service_completed_successfully",
        }
    }
}

/// One entry of `depends_on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Dependency {
    pub condition: Condition,
    pub required: bool,
    /// Restarted when the other one is.
    pub restart: bool,
}

impl Default for Dependency {
    fn default() -> Self {
        Self { condition: Condition::default(), required: true, restart: false }
    }
}

impl Service {
    /// How many containers it is to have.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        let wanted = self.scale.or(self.deploy.replicas).unwrap_or(1);
        u32::try_from(wanted).unwrap_or(0)
    }

    /// The restart policy, from `deploy` or else from `restart`.
    #[must_use]
    pub fn restart_policy(&self) -> Restart {
        Restart::of(&self.restart, self.deploy.restart_policy.as_ref())
    }
}

fn maybe_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(deserializer).map(|value| (!value.is_null()).then(|| text_of(value)))
}

fn environment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Option<String>>, D::Error> {
    let map = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let text = |value: Value| (!value.is_null()).then(|| text_of(value));
    Ok(map.into_iter().map(|(key, value)| (key, text(value))).collect())
}
