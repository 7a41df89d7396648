//! What is not done with networks because of services.

use coracle_runtime::networks::Network;
use coracle_swarm::SwarmError;
use coracle_swarm::model::Service;
use coracle_swarm::state::State;
use coracle_words::ErrorKind;

/// The words for a network that tasks cannot be on.
#[must_use]
pub fn not_for_services(network: &Network) -> String {
    format!(
        "The network {} cannot be used with services. Only networks scoped to the swarm can be used, such as those \
         created with the overlay driver.",
        network.name
    )
}

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
