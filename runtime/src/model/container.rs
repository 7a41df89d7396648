//! The record of a container on disk: everything but its state.

use coracle_image::{Digest, GivenName};
use serde::{Deserialize, Serialize};

use super::{
    BindOptions, Config, HostConfig, MountPoint, NetworkSettings, Timestamp, TmpfsOptions,
};

/// Version of the record this code writes.
pub const RECORD_VERSION: u32 = 1;

/// A container as created; only `update`, `rename` and networks change it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub version: u32,
    /// 64 hexadecimal digits.
    pub id: String,
    /// Without the slash that `inspect` puts before it.
    pub name: String,
    /// The number of the swarm's node on this machine whose names have it; 0 is the machine's own.
    #[serde(default, skip_serializing_if = "is_machine")]
    pub node: u8,
    /// The session of the Engine API ([`crate::api_session`]) that it was made in, and goes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub created: Timestamp,
    /// The program: the first word of entrypoint and command.
    pub path: String,
    /// The other words.
    pub args: Vec<String>,
    /// The image's id, `sha256:…`.
    pub image: String,
    /// The image as the user named it.
    pub image_name: GivenName,
    /// `linux/amd64` and the like: the platform of the image.
    pub platform: String,
    /// DiffIDs of the image's layers, lowest first.
    pub layers: Vec<Digest>,
    pub config: Config,
    pub host_config: HostConfig,
    pub mounts: Vec<ContainerMount>,
    /// Files whose content is kept in memory alone. They are no mounts: `inspect` does not list them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<DeliveredFile>,
    pub network_settings: NetworkSettings,
    #[serde(default)]
    pub restart_count: u32,
    /// How its root filesystem is made.
    #[serde(default)]
    pub storage: super::Storage,
    /// A swarm's agent made it: it may join networks of the swarm that others may not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_task: bool,
    /// A step of a build: it ends with the process that started it, and nothing in it tells of a container.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_step: bool,
    /// What whoever made it keeps here: Compose its service, to tell what changed.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub origin: serde_json::Value,
    /// What whoever made it has done for it once: Compose its `pre_start` steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
}

/// As serde asks.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_machine(node: &u8) -> bool {
    *node == 0
}

impl Default for Container {
    fn default() -> Self {
        Self {
            version: RECORD_VERSION,
            id: String::new(),
            name: String::new(),
            node: 0,
            owner: None,
            created: Timestamp::ZERO,
            path: String::new(),
            args: Vec::new(),
            image: String::new(),
            image_name: GivenName::default(),
            platform: "linux".to_owned(),
            layers: Vec::new(),
            config: Config::default(),
            host_config: HostConfig::default(),
            mounts: Vec::new(),
            delivered: Vec::new(),
            network_settings: NetworkSettings::default(),
            restart_count: 0,
            storage: super::Storage::default(),
            is_task: false,
            is_step: false,
            origin: serde_json::Value::Null,
            done: Vec::new(),
        }
    }
}

impl Container {
    /// The first twelve digits of the id, as lists show it.
    pub fn short_id(&self) -> &str {
        coracle_image::short_id(&self.id)
    }
}

/// What a container sees and no disk does: a secret or config of a task, a secret of a build. Its content comes with
/// every start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DeliveredFile {
    /// Absolute in the container; anything else is a name alone, and there is no file.
    pub target: String,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    /// The variable that has the content as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
}

impl DeliveredFile {
    /// Whether the container has it as a file.
    pub(crate) fn is_file(&self) -> bool {
        self.target.starts_with('/')
    }
}

/// A mount of a container: what `inspect` shows, and what starting it needs besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerMount {
    pub point: MountPoint,
    /// The volume has no name of the user's choice and goes with the container.
    pub anonymous: bool,
    /// A new volume is filled from the image.
    pub copy_up: bool,
    /// Folder inside the volume or image that is mounted instead of its root.
    pub subpath: String,
    /// A missing source is created (as `-v` does and `--mount` does not).
    pub create_source: bool,
    pub bind: BindOptions,
    /// Only for `--mount type=tmpfs`; `--tmpfs` is in `HostConfig.Tmpfs` alone.
    pub tmpfs: TmpfsOptions,
    /// The id of a mounted image, which `point.name` names as the user did.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// DiffIDs of the layers of a mounted image, lowest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Digest>,
}
