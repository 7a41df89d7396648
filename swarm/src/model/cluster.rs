//! The swarm itself: its settings and tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;
use super::meta::Meta;
use super::secret::Sealed;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Orchestration {
    /// Finished tasks kept for each slot.
    pub task_history_retention_limit: i64,
}

impl Default for Orchestration {
    fn default() -> Self {
        Self { task_history_retention_limit: 5 }
    }
}

/// Kept and shown; there is no Raft here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Raft {
    pub snapshot_interval: u64,
    pub keep_old_snapshots: u64,
    pub log_entries_for_slow_followers: u64,
    pub election_tick: u64,
    pub heartbeat_tick: u64,
}

impl Default for Raft {
    fn default() -> Self {
        Self {
            snapshot_interval: 10_000,
            keep_old_snapshots: 0,
            log_entries_for_slow_followers: 500,
            election_tick: 10,
            heartbeat_tick: 1,
        }
    }
}

/// Kept and shown; nothing travels by TLS here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Authority {
    /// Nanoseconds.
    pub node_cert_expiry: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub force_rotate: u64,
}

impl Default for Authority {
    fn default() -> Self {
        Self { node_cert_expiry: 7_776_000_000_000_000, force_rotate: 0 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Dispatcher {
    /// Nanoseconds.
    pub heartbeat_period: i64,
}

impl Default for Dispatcher {
    fn default() -> Self {
        Self { heartbeat_period: 5_000_000_000 }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Encryption {
    pub auto_lock_managers: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ClusterSpec {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub orchestration: Orchestration,
    pub raft: Raft,
    pub dispatcher: Dispatcher,
    #[serde(rename = "CAConfig")]
    pub authority: Authority,
    pub encryption_config: Encryption,
}

impl Default for ClusterSpec {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            labels: BTreeMap::new(),
            orchestration: Orchestration::default(),
            raft: Raft::default(),
            dispatcher: Dispatcher::default(),
            authority: Authority::default(),
            encryption_config: Encryption::default(),
        }
    }
}

/// `SWMTKN-1-…`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct JoinTokens {
    pub worker: String,
    pub manager: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Cluster {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(flatten)]
    pub meta: Meta,
    pub spec: ClusterSpec,
    /// Pools that overlay networks are cut from; none: 10.0.0.0/8.
    pub default_addr_pool: Option<Vec<String>>,
    pub subnet_size: u32,
    pub data_path_port: u32,
    pub join_tokens: JoinTokens,
    #[serde(rename = "Coracle", skip_serializing_if = "is_default")]
    pub own: ClusterOwn,
}

/// What the API does not show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ClusterOwn {
    /// The data key under the unlock key (`--autolock`); without, the key file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_key: Option<Sealed>,
    /// The unlock key under the data key, for `swarm unlock-key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlock_key: Option<Sealed>,
}
