//! `HostConfig`: what of a container depends on the host.

use std::collections::BTreeMap;

use coracle_words::port::PortKey;
use serde::{Deserialize, Serialize};

use super::{Mount, Resources, is_default};

/// Size of `/dev/shm` unless `--shm-size` says otherwise: 64 MiB.
const SHM_BYTES_DEFAULT: i64 = 64 * 1024 * 1024;

/// The name `inspect` gives to the runtime that starts containers.
const RUNTIME_NAME: &str = "libcontainer";

/// Published ports by container port.
///
/// `null` is kept apart from `[]`: the former is a port without bindings.
pub type PortMap = BTreeMap<PortKey, Option<Vec<PortBinding>>>;

/// Everything `run` says about the host's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HostConfig {
    /// `-v` options as typed, except anonymous volumes.
    pub binds: Option<Vec<String>>,
    #[serde(rename = "ContainerIDFile")]
    pub container_id_file: String,
    pub log_config: LogConfig,
    pub network_mode: String,
    pub port_bindings: PortMap,
    pub restart_policy: RestartPolicy,
    pub auto_remove: bool,
    pub volume_driver: String,
    pub volumes_from: Option<Vec<String>>,
    /// Rows and columns of the terminal at `run`.
    pub console_size: [u32; 2],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    pub cap_add: Option<Vec<String>>,
    pub cap_drop: Option<Vec<String>>,
    pub cgroupns_mode: String,
    pub dns: Option<Vec<String>>,
    pub dns_options: Option<Vec<String>>,
    pub dns_search: Option<Vec<String>>,
    /// `name:address`.
    pub extra_hosts: Option<Vec<String>>,
    pub group_add: Option<Vec<String>>,
    pub ipc_mode: String,
    pub cgroup: String,
    pub links: Option<Vec<String>>,
    pub oom_score_adj: i32,
    pub pid_mode: String,
    pub privileged: bool,
    pub publish_all_ports: bool,
    pub readonly_rootfs: bool,
    pub security_opt: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub storage_opt: BTreeMap<String, String>,
    /// `--tmpfs`: path to mount options.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tmpfs: BTreeMap<String, String>,
    #[serde(rename = "UTSMode")]
    pub uts_mode: String,
    pub userns_mode: String,
    pub shm_size: i64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
    pub runtime: String,
    pub isolation: String,
    #[serde(flatten)]
    pub resources: Resources,
    /// `--mount`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// Paths hidden from the container; `None` means Docker's list.
    pub masked_paths: Option<Vec<String>>,
    /// Paths made read-only; `None` means Docker's list.
    pub readonly_paths: Option<Vec<String>>,
    #[serde(skip_serializing_if = "is_default")]
    pub init: Option<bool>,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            binds: None,
            container_id_file: String::new(),
            log_config: LogConfig::default(),
            network_mode: "default".to_owned(),
            port_bindings: PortMap::new(),
            restart_policy: RestartPolicy::default(),
            auto_remove: false,
            volume_driver: String::new(),
            volumes_from: None,
            console_size: [0, 0],
            annotations: BTreeMap::new(),
            cap_add: None,
            cap_drop: None,
            cgroupns_mode: "private".to_owned(),
            dns: Some(Vec::new()),
            dns_options: Some(Vec::new()),
            dns_search: Some(Vec::new()),
            extra_hosts: None,
            group_add: None,
            ipc_mode: "private".to_owned(),
            cgroup: String::new(),
            links: None,
            oom_score_adj: 0,
            pid_mode: String::new(),
            privileged: false,
            publish_all_ports: false,
            readonly_rootfs: false,
            security_opt: None,
            storage_opt: BTreeMap::new(),
            tmpfs: BTreeMap::new(),
            uts_mode: String::new(),
            userns_mode: String::new(),
            shm_size: SHM_BYTES_DEFAULT,
            sysctls: BTreeMap::new(),
            runtime: RUNTIME_NAME.to_owned(),
            isolation: String::new(),
            resources: Resources::default(),
            mounts: Vec::new(),
            masked_paths: Some(owned(MASKED_PATHS)),
            readonly_paths: Some(owned(READONLY_PATHS)),
            init: None,
        }
    }
}

/// Paths Docker hides: host state and hardware controls that no namespace covers.
const MASKED_PATHS: &[&str] = &[
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

/// Paths Docker makes read-only: readable by design, settings of the host when written.
const READONLY_PATHS: &[&str] =
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|&path| path.to_owned()).collect()
}

/// Where output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct LogConfig {
    #[serde(rename = "Type")]
    pub driver: String,
    pub config: BTreeMap<String, String>,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { driver: "json-file".to_owned(), config: BTreeMap::new() }
    }
}

/// When a container that ended is started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RestartPolicy {
    /// `no`, `always`, `unless-stopped` or `on-failure`.
    pub name: String,
    pub maximum_retry_count: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self { name: "no".to_owned(), maximum_retry_count: 0 }
    }
}

/// A host address and port; both may be empty in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PortBinding {
    pub host_ip: String,
    pub host_port: String,
}
