//! How many tasks: `--mode`, `--replicas`, `--max-concurrent`, and `service scale`.

use super::{EditError, Given};
use crate::model::Mode;
use crate::model::service::{Replicated, ReplicatedJob};

const REPLICAS: &str = "replicas can only be used with replicated or replicated-job mode";
const CONCURRENT: &str = "max-concurrent can only be used with replicated-job mode";
const PER_NODE: &str =
    "replicas-max-per-node can only be used with replicated or replicated-job mode";

/// The mode of a new service.
pub(super) fn new(mode: &str, given: &Given) -> Result<Mode, EditError> {
    let concurrent_is_free = mode == "replicated-job" || given.max_concurrent.is_none();
    match mode {
        "global" | "global-job" => {
            if given.replicas.is_some() {
                return EditError::client(REPLICAS);
            }
            if given.max_replicas.is_some_and(|max| max > 0) {
                return EditError::client(PER_NODE);
            }
            if !concurrent_is_free {
                return EditError::client(CONCURRENT);
            }
            Ok(if mode == "global" { Mode::Global {} } else { Mode::GlobalJob {} })
        }
        "replicated" if !concurrent_is_free => EditError::client(CONCURRENT),
        "replicated" => {
            Ok(Mode::Replicated(Replicated { replicas: Some(given.replicas.unwrap_or(1)) }))
        }
        "replicated-job" => {
            let total = given.replicas.or(given.max_concurrent).unwrap_or(1);
            Ok(Mode::ReplicatedJob(ReplicatedJob {
                max_concurrent: Some(given.max_concurrent.unwrap_or(total)),
                total_completions: Some(total),
            }))
        }
        other => EditError::client(format!(
            "unknown mode: {other}, only replicated and global supported"
        )),
    }
}

/// What `service update` says of it. Completions of a job are changed by `service scale` alone.
pub(super) fn update(mode: &mut Mode, given: &Given) -> Result<(), EditError> {
    if let Some(replicas) = given.replicas {
        let Mode::Replicated(replicated) = mode else {
            return EditError::client("replicas can only be used with replicated mode");
        };
        replicated.replicas = Some(replicas);
    }
    if let Some(max) = given.max_concurrent {
        let Mode::ReplicatedJob(job) = mode else { return EditError::client(CONCURRENT) };
        job.max_concurrent = Some(max);
    }
    Ok(())
}

/// `service scale`.
///
/// # Errors
/// For a service that runs once on each node.
pub fn scale(mode: &mut Mode, replicas: u64) -> Result<(), EditError> {
    match mode {
        Mode::Replicated(replicated) => replicated.replicas = Some(replicas),
        Mode::ReplicatedJob(job) => job.total_completions = Some(replicas),
        Mode::Global {} | Mode::GlobalJob {} => {
            return EditError::client(
                "scale can only be used with replicated or replicated-job mode",
            );
        }
    }
    Ok(())
}
