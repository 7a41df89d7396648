//! A service: what is to run, how often, and how changes are rolled out.

use std::collections::BTreeMap;

use coracle_words::Timestamp;
use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, EndpointSpec};
use super::is_default;
use super::meta::{Meta, Version};
use super::task::TaskSpec;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Replicated {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ReplicatedJob {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_completions: Option<u64>,
}

/// How many tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Replicated(Replicated),
    /// One on each node that may run it.
    Global {},
    ReplicatedJob(ReplicatedJob),
    GlobalJob {},
}

impl Default for Mode {
    fn default() -> Self {
        Self::Replicated(Replicated::default())
    }
}

impl Mode {
    #[must_use]
    pub fn is_job(&self) -> bool {
        matches!(self, Self::ReplicatedJob(_) | Self::GlobalJob {})
    }

    #[must_use]
    pub fn is_global(&self) -> bool {
        matches!(self, Self::Global {} | Self::GlobalJob {})
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureAction {
    #[default]
    Pause,
    Continue,
    Rollback,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    #[default]
    StopFirst,
    StartFirst,
}

/// `UpdateConfig` and `RollbackConfig`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct UpdateConfig {
    /// 0: all at once.
    pub parallelism: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub delay: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_action: Option<FailureAction>,
    #[serde(skip_serializing_if = "is_default")]
    pub monitor: i64,
    #[serde(serialize_with = "as_go")]
    pub max_failure_ratio: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

/// A whole number has no point.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn as_go<S: serde::Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    match number.fract() == 0.0 && number.abs() < 1e9 {
        true => serializer.serialize_i64(*number as i64),
        false => serializer.serialize_f64(*number),
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ServiceSpec {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub task_template: TaskSpec,
    pub mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_config: Option<UpdateConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_config: Option<UpdateConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_spec: Option<EndpointSpec>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateState {
    Updating,
    Paused,
    Completed,
    RollbackStarted,
    RollbackPaused,
    RollbackCompleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStatus {
    pub state: UpdateState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    #[serde(default)]
    pub message: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct JobStatus {
    pub job_iteration: Version,
    pub last_execution: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Service {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(flatten)]
    pub meta: Meta,
    pub spec: ServiceSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_spec: Option<Box<ServiceSpec>>,
    pub endpoint: Endpoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_status: Option<UpdateStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_status: Option<JobStatus>,
    #[serde(rename = "Coracle", skip_serializing_if = "is_default")]
    pub own: ServiceOwn,
}

/// What the API does not show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ServiceOwn {
    /// The index of the transaction that changed the spec last; tasks of another one are replaced.
    pub spec_version: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub previous_spec_version: u64,
    /// The user removed it; it goes when its tasks have.
    #[serde(skip_serializing_if = "is_default")]
    pub removed: bool,
    /// The update or rollback that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Box<Progress>>,
}

/// A place that one task at a time fills: a number, or a node for a global service.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SlotKey {
    #[serde(skip_serializing_if = "is_default")]
    pub slot: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
}

/// How far an update is, for an agent that comes after.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Progress {
    /// The spec it works towards; with another one it starts anew.
    pub spec_version: u64,
    /// The slots that were to be changed when it began.
    pub total: u64,
    /// Those whose turn comes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queue: Vec<SlotKey>,
    /// Those in work, at most the parallelism.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
    /// The tasks it made, whose failures count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<String>,
    /// Those of them that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// The last slot is done, and failures still count until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor_until: Option<Timestamp>,
}

/// A slot that is being changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Lane {
    pub slot: SlotKey,
    /// The task that it waits for.
    pub task: String,
    /// The task was there before: it need only be wanted, not run.
    #[serde(skip_serializing_if = "is_default")]
    pub found: bool,
    /// The task runs or has ended; the next slot's turn comes then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_at: Option<Timestamp>,
}
