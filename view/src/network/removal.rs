//! What stands in the way of the removal of a network.

use coracle_runtime::networks::Network;
use coracle_swarm::SwarmError;
use coracle_swarm::model::Service;
use coracle_swarm::state::State;
use coracle_words::ErrorKind;

/// The refusal for a network that a service is to have, whether a task of it runs or not.
#[must_use]
pub fn removal_refused(state: &State, network: &Network) -> Option<SwarmError> {
    let uses = |service: &&Service| {
        let mut networks = service.spec.task_template.networks.iter();
        !service.own.removed && networks.any(|used| used.target == network.id)
    };
    let user = state.services.values().find(uses)?;
    let words = format!(
        "rpc error: code = FailedPrecondition desc = network {} is in use by service {}",
        network.id, user.id
    );
    Some(SwarmError::refused(ErrorKind::BadRequest, words))
}
