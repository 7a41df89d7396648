//! Published ports: within a service, and between services.

use std::collections::BTreeSet;

use crate::model::{EndpointMode, PortConfig, PublishMode, ServiceSpec};
use crate::state::State;

use super::CommandError;
use super::service::there;

/// Refuses ports of a service that cannot be.
pub(super) fn check(spec: &ServiceSpec) -> Result<(), CommandError> {
    let Some(endpoint) = &spec.endpoint_spec else { return Ok(()) };
    let mut seen = BTreeSet::new();
    for port in &endpoint.ports {
        if endpoint.mode == Some(EndpointMode::Dnsrr) && port.mode() == PublishMode::Ingress {
            return Err(CommandError::invalid(
                "EndpointSpec: port published with ingress mode can't be used with dnsrr mode",
            ));
        }
        if port.published_port != 0 && !seen.insert((port.published_port, &port.protocol)) {
            let words = "EndpointSpec: duplicate published ports provided";
            return Err(CommandError::invalid(words));
        }
    }
    Ok(())
}

/// Refuses ports that another service has. Host-mode ports may be shared: the scheduler sees to them.
pub(super) fn check_others(
    state: &State,
    spec: &ServiceSpec,
    id: &str,
) -> Result<(), CommandError> {
    let mine: Vec<&PortConfig> = spec
        .endpoint_spec
        .iter()
        .flat_map(|endpoint| &endpoint.ports)
        .filter(|port| port.published_port != 0)
        .collect();
    for other in there(state).filter(|other| other.id != id) {
        let asked = other.spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports);
        for port in asked.chain(&other.endpoint.ports) {
            let collides = |mine: &&&PortConfig| {
                mine.published_port == port.published_port
                    && mine.protocol == port.protocol
                    && (mine.mode() == PublishMode::Ingress || port.mode() == PublishMode::Ingress)
            };
            if mine.iter().find(collides).is_some() {
                let how = match port.mode() {
                    PublishMode::Ingress => "an ingress port",
                    PublishMode::Host => "a host-published port",
                };
                return Err(CommandError::invalid(format!(
                    "port '{}' is already in use by service '{}' ({}) as {how}",
                    port.published_port, other.spec.name, other.id
                )));
            }
        }
    }
    Ok(())
}
