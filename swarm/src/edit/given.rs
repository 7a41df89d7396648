//! What is said of a service beyond its lists. `None`: it was not said.

/// Flags that `service create` and `service update` share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// With its tag.
    pub image: Option<String>,
    /// In place of the image's arguments.
    pub args: Option<Vec<String>>,
    /// In place of the image's entrypoint; empty: the image's.
    pub entrypoint: Option<Vec<String>>,
    pub hostname: Option<String>,
    pub workdir: Option<String>,
    pub user: Option<String>,
    pub stop_signal: Option<String>,
    pub isolation: Option<String>,
    pub init: Option<bool>,
    pub tty: Option<bool>,
    pub read_only: Option<bool>,
    /// Nanoseconds, as all durations.
    pub stop_grace_period: Option<i64>,
    pub oom_score_adj: Option<i64>,
    pub resources: GivenResources,
    pub restart: GivenRestart,
    pub update: GivenUpdate,
    pub rollback: GivenUpdate,
    pub health: GivenHealth,
    pub endpoint_mode: Option<String>,
    pub log_driver: Option<String>,
    /// `KEY=VALUE`.
    pub log_opts: Vec<String>,
    pub replicas: Option<u64>,
    pub max_concurrent: Option<u64>,
    pub max_replicas: Option<u64>,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenResources {
    pub limit_cpu: Option<i64>,
    pub limit_memory: Option<i64>,
    pub limit_pids: Option<i64>,
    pub reserve_cpu: Option<i64>,
    pub reserve_memory: Option<i64>,
    /// Bytes of swap; -1: no limit.
    pub swap: Option<i64>,
    /// -1: the kernel's.
    pub swappiness: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenRestart {
    pub condition: Option<String>,
    pub delay: Option<i64>,
    pub max_attempts: Option<u64>,
    pub window: Option<i64>,
}

/// Of updates, and of rollbacks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GivenUpdate {
    pub parallelism: Option<u64>,
    pub delay: Option<i64>,
    pub monitor: Option<i64>,
    pub failure_action: Option<String>,
    pub max_failure_ratio: Option<f64>,
    pub order: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenHealth {
    pub cmd: Option<String>,
    pub interval: Option<i64>,
    pub timeout: Option<i64>,
    pub start_period: Option<i64>,
    pub start_interval: Option<i64>,
    pub retries: Option<i64>,
    /// `--no-healthcheck`.
    pub none: bool,
}
