//! The swarm itself: its settings and tokens, and leaving it.

use coracle_words::ErrorKind;

use crate::model::{Cluster, ClusterSpec};
use crate::state::State;

use super::{CommandError, node};

/// Other settings, and the tokens that are made anew. The key of `--autolock` is the caller's.
///
/// # Errors
/// When a setting makes no sense, and when the swarm is not the one that was seen.
pub fn update_cluster(
    state: &State,
    version: u64,
    spec: ClusterSpec,
    worker: Option<String>,
    manager: Option<String>,
) -> Result<Cluster, CommandError> {
    if spec.dispatcher.heartbeat_period < 0 {
        let words = "heartbeat time period cannot be a negative duration";
        return Err(CommandError::invalid(words));
    }
    let mut cluster = state.cluster.clone();
    if cluster.meta.version.index != version {
        return Err(CommandError::out_of_sequence());
    }
    cluster.spec = spec;
    let tokens = &mut cluster.join_tokens;
    for (token, new) in [(&mut tokens.worker, worker), (&mut tokens.manager, manager)] {
        if let Some(new) = new {
            *token = new;
        }
    }
    Ok(cluster)
}

/// What a manager that leaves without `--force` is told.
#[must_use]
pub fn leave_refusal(state: &State) -> CommandError {
    let mut words = "You are attempting to leave the swarm on a node that is participating as a \
                     manager. "
        .to_owned();
    let (all, reachable) = node::managers(state);
    if all == 1 {
        words += "Removing the last manager erases all current state of the swarm. Use `--force` \
                  to ignore this message.";
        return CommandError { kind: ErrorKind::Unavailable, words };
    }
    let unreachable = all - reachable;
    // Without a leader there is nothing to lose.
    if reachable > unreachable && reachable <= unreachable + 2 {
        words += &format!(
            "Removing this node leaves {} managers out of {all}. Without a Raft quorum your swarm \
             will be inaccessible. ",
            reachable.saturating_sub(1)
        );
    }
    words += "The only way to restore a swarm that has lost consensus is to reinitialize it with \
              `--force-new-cluster`. Use `--force` to suppress this message.";
    CommandError { kind: ErrorKind::Unavailable, words }
}
