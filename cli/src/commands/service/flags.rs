//! The flags that `service create` and `service update` share.

use crate::args::values;

use super::flag_values;
use super::flag_values::Words;

// No doc comment: it would replace the description of the command it is part of.
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceFlags {
    /// Grant a Linux capability (with or without CAP_ prefix; ALL accepted)
    #[arg(long, value_name = "list")]
    pub(crate) cap_add: Vec<String>,
    /// Take away a Linux capability (ALL accepted)
    #[arg(long, value_name = "list")]
    pub(crate) cap_drop: Vec<String>,
    /// Windows managed-account credential spec (file://, registry://, config://) (not supported)
    #[arg(long, value_name = "credential-spec")]
    pub(crate) credential_spec: Option<String>,
    /// Return without waiting for convergence
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
    /// Service discovery: vip (one virtual address) or dnsrr (all task addresses)
    #[arg(long, value_name = "string")]
    pub(crate) endpoint_mode: Option<String>,
    /// Replaces the ENTRYPOINT of the image; empty string clears it
    #[arg(long, value_name = "command", value_parser = flag_values::words)]
    pub(crate) entrypoint: Option<Words>,
    /// Shell command that replaces the image health test
    #[arg(long, value_name = "string")]
    pub(crate) health_cmd: Option<String>,
    /// Pause between two probes; 0 inherits from the image or 30s
    #[arg(long, value_name = "duration", value_parser = flag_values::positive)]
    pub(crate) health_interval: Option<i64>,
    /// Consecutive failures that turn the state unhealthy; 0 inherits or 3
    #[arg(long, value_name = "int", value_parser = values::int)]
    pub(crate) health_retries: Option<i64>,
    /// Probe interval while inside the start period; 0 inherits or 5s
    #[arg(long, value_name = "duration", value_parser = flag_values::positive)]
    pub(crate) health_start_interval: Option<i64>,
    /// Initial grace in which failures do not count; 0 inherits or 0s
    #[arg(long, value_name = "duration", value_parser = flag_values::positive)]
    pub(crate) health_start_period: Option<i64>,
    /// Longest time for one probe; 0 inherits or 30s
    #[arg(long, value_name = "duration", value_parser = flag_values::positive)]
    pub(crate) health_timeout: Option<i64>,
    /// Host name inside the container
    #[arg(long, value_name = "string")]
    pub(crate) hostname: Option<String>,
    /// Put a small init as PID 1 that reaps children and forwards signals
    #[arg(
        long, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "bool", value_parser = values::switch
    )]
    pub(crate) init: Option<bool>,
    /// Isolation technology; only default
    #[arg(long, value_name = "string")]
    pub(crate) isolation: Option<String>,
    /// CPU cap per task as a decimal
    #[arg(long, value_name = "decimal", value_parser = values::cpus)]
    pub(crate) limit_cpu: Option<i64>,
    /// Memory cap per task
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) limit_memory: Option<i64>,
    /// Process-count cap per task; 0 is unlimited
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) limit_pids: Option<i64>,
    /// Log driver name
    #[arg(long, value_name = "string")]
    pub(crate) log_driver: Option<String>,
    /// Log driver option key=value
    #[arg(long, value_name = "list")]
    pub(crate) log_opt: Vec<String>,
    /// Job tasks that may run at once; default equals the replica count
    #[arg(long, value_name = "uint", value_parser = flag_values::uint)]
    pub(crate) max_concurrent: Option<u64>,
    /// Swap bytes per task; -1 is unlimited
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) memory_swap: Option<i64>,
    /// Kernel swappiness 0..100; -1 leaves the default
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) memory_swappiness: Option<i64>,
    /// Switch off the health test, also one from the image
    #[arg(long)]
    pub(crate) no_healthcheck: bool,
    /// Do not turn the tag into a digest at the registry
    #[arg(long)]
    pub(crate) no_resolve_image: bool,
    /// OOM score adjustment, -1000..1000
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) oom_score_adj: Option<i64>,
    /// No progress display
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Mount the root filesystem read-only
    #[arg(
        long, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "bool", value_parser = values::switch
    )]
    pub(crate) read_only: Option<bool>,
    /// Number of tasks for replicated mode
    #[arg(long, value_name = "uint", value_parser = flag_values::uint)]
    pub(crate) replicas: Option<u64>,
    /// Most tasks of the service on one node; 0 is unlimited
    #[arg(long, value_name = "uint64", value_parser = flag_values::uint)]
    pub(crate) replicas_max_per_node: Option<u64>,
    /// CPU that a node must have free, decimal
    #[arg(long, value_name = "decimal", value_parser = values::cpus)]
    pub(crate) reserve_cpu: Option<i64>,
    /// Memory that a node must have free
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) reserve_memory: Option<i64>,
    /// When tasks are started again: none, on-failure or any
    #[arg(long, value_name = "string")]
    pub(crate) restart_condition: Option<String>,
    /// Pause before a task is replaced
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) restart_delay: Option<i64>,
    /// Replacements allowed inside the window; 0 is unlimited
    #[arg(long, value_name = "uint", value_parser = flag_values::uint)]
    pub(crate) restart_max_attempts: Option<u64>,
    /// Span over which attempts are counted; 0 means for ever
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) restart_window: Option<i64>,
    /// Pause between rollback batches
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) rollback_delay: Option<i64>,
    /// On a failed rollback: pause or continue
    #[arg(long, value_name = "string")]
    pub(crate) rollback_failure_action: Option<String>,
    /// Share of failed tasks tolerated in a rollback, 0..1
    #[arg(long, value_name = "float", value_parser = flag_values::float)]
    pub(crate) rollback_max_failure_ratio: Option<f64>,
    /// How long each rolled-back task is watched for failure
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) rollback_monitor: Option<i64>,
    /// What comes first in a rollback: start-first or stop-first
    #[arg(long, value_name = "string")]
    pub(crate) rollback_order: Option<String>,
    /// Tasks rolled back at once; 0 is all
    #[arg(long, value_name = "uint64", value_parser = flag_values::uint)]
    pub(crate) rollback_parallelism: Option<u64>,
    /// Time between stop signal and SIGKILL
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) stop_grace_period: Option<i64>,
    /// Signal sent first when stopping (image value or SIGTERM)
    #[arg(long, value_name = "string")]
    pub(crate) stop_signal: Option<String>,
    /// Allocate a pseudo-terminal
    #[arg(
        long, short = 't', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "bool", value_parser = values::switch
    )]
    pub(crate) tty: Option<bool>,
    /// Pause between update batches
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) update_delay: Option<i64>,
    /// On a failed update: pause, continue or rollback
    #[arg(long, value_name = "string")]
    pub(crate) update_failure_action: Option<String>,
    /// Share of failed tasks tolerated in an update, 0..1
    #[arg(long, value_name = "float", value_parser = flag_values::float)]
    pub(crate) update_max_failure_ratio: Option<f64>,
    /// How long each updated task is watched for failure
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) update_monitor: Option<i64>,
    /// What comes first in an update: start-first or stop-first
    #[arg(long, value_name = "string")]
    pub(crate) update_order: Option<String>,
    /// Tasks updated at once; 0 is all
    #[arg(long, value_name = "uint64", value_parser = flag_values::uint)]
    pub(crate) update_parallelism: Option<u64>,
    /// NAME or UID with optional :GROUP or :GID
    #[arg(long, short = 'u', value_name = "string")]
    pub(crate) user: Option<String>,
    /// Hand the registry credentials of the client to the agents
    #[arg(long)]
    pub(crate) with_registry_auth: bool,
    /// Working directory for the process
    #[arg(long, short = 'w', value_name = "string")]
    pub(crate) workdir: Option<String>,
}
