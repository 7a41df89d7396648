//! `inspect` of a container: record and state put together in Docker's order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Config, Container, HostConfig, MountPoint, NetworkSettings, State, Timestamp};

/// Where the files of a container lie; known to whoever keeps the data root.
#[derive(Debug, Clone, Default)]
pub struct InspectPaths {
    pub resolv_conf: String,
    pub hostname: String,
    pub hosts: String,
    pub log: String,
    pub graph_driver: GraphDriver,
}

/// One element of what `inspect` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerInspect {
    pub id: String,
    pub created: Timestamp,
    pub path: String,
    pub args: Vec<String>,
    pub state: State,
    pub image: String,
    pub resolv_conf_path: String,
    pub hostname_path: String,
    pub hosts_path: String,
    pub log_path: String,
    /// With a slash before it.
    pub name: String,
    pub restart_count: u32,
    pub driver: String,
    pub platform: String,
    pub mount_label: String,
    pub process_label: String,
    pub app_armor_profile: String,
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Option<Vec<String>>,
    pub host_config: HostConfig,
    pub graph_driver: GraphDriver,
    /// Only with `--size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    /// Only with `--size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    pub mounts: Vec<MountPoint>,
    pub config: Config,
    pub network_settings: NetworkSettings,
}

/// How the root filesystem is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GraphDriver {
    pub data: Option<BTreeMap<String, String>>,
    pub name: String,
}

impl ContainerInspect {
    /// Puts `container` and `state` together; sizes are left out.
    pub fn new(
        container: &Container,
        state: &State,
        paths: InspectPaths,
        exec_ids: Option<Vec<String>>,
    ) -> Self {
        let platform = container.platform.split('/').next().unwrap_or_default().to_owned();
        Self {
            id: container.id.clone(),
            created: container.created,
            path: container.path.clone(),
            args: container.args.clone(),
            state: state.clone(),
            image: container.image.clone(),
            resolv_conf_path: paths.resolv_conf,
            hostname_path: paths.hostname,
            hosts_path: paths.hosts,
            log_path: paths.log,
            name: format!("/{}", container.name),
            restart_count: container.restart_count,
            driver: paths.graph_driver.name.clone(),
            platform,
            mount_label: String::new(),
            process_label: String::new(),
            app_armor_profile: String::new(),
            exec_ids,
            host_config: container.host_config.clone(),
            graph_driver: paths.graph_driver,
            size_rw: None,
            size_root_fs: None,
            mounts: container.mounts.iter().map(|mount| mount.point.clone()).collect(),
            config: container.config.clone(),
            network_settings: container.network_settings.clone(),
        }
    }
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
