//! The settings of a swarm that `init` and `update` have in common.

use coracle_swarm::model::ClusterSpec;

use crate::args::values;
use crate::error::CliError;

/// Each as it is given; nothing is changed that is not.
#[derive(Debug, clap::Args)]
pub(crate) struct SettingFlags {
    /// Lifetime of node certificates (not supported)
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) cert_expiry: Option<i64>,
    /// Interval at which nodes report; a lost one is noticed after three (default 5s)
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) dispatcher_heartbeat: Option<i64>,
    /// A signer of certificates, protocol=cfssl,url=… (not supported)
    #[arg(long, value_name = "external-ca")]
    pub(crate) external_ca: Vec<String>,
    /// Older snapshots kept; noted and shown, there is no Raft
    #[arg(long, value_name = "uint")]
    pub(crate) max_snapshots: Option<u64>,
    /// Log entries between snapshots; noted and shown, there is no Raft (default 10000)
    #[arg(long, value_name = "uint")]
    pub(crate) snapshot_interval: Option<u64>,
    /// Finished tasks kept for each slot (default 5)
    #[arg(long, value_name = "int")]
    pub(crate) task_history_limit: Option<i64>,
}

impl SettingFlags {
    /// Whether any is given.
    pub(crate) fn is_any(&self) -> bool {
        self.cert_expiry.is_some()
            || self.dispatcher_heartbeat.is_some()
            || !self.external_ca.is_empty()
            || self.max_snapshots.is_some()
            || self.snapshot_interval.is_some()
            || self.task_history_limit.is_some()
    }

    pub(crate) fn apply(&self, spec: &mut ClusterSpec) -> Result<(), CliError> {
        let why = "nothing travels by TLS, so there are no certificates";
        if self.cert_expiry.is_some() {
            return Err(CliError::unsupported("--cert-expiry", why));
        }
        if !self.external_ca.is_empty() {
            return Err(CliError::unsupported("--external-ca", why));
        }
        let set = |to: &mut u64, given: Option<u64>| *to = given.unwrap_or(*to);
        set(&mut spec.raft.keep_old_snapshots, self.max_snapshots);
        set(&mut spec.raft.snapshot_interval, self.snapshot_interval);
        if let Some(period) = self.dispatcher_heartbeat {
            spec.dispatcher.heartbeat_period = period;
        }
        if let Some(limit) = self.task_history_limit {
            spec.orchestration.task_history_retention_limit = limit;
        }
        Ok(())
    }
}
