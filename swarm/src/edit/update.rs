//! `service update`: a spec changed.

use super::{EditError, Given, Known, Lists, Removals, capabilities, lists, mode, scalars, uses};
use crate::model::{EndpointSpec, Placement, ServiceSpec};

/// Changes a spec.
///
/// # Errors
/// In Docker's words, for what it refuses.
pub fn update(
    spec: &mut ServiceSpec,
    given: &Given,
    added: &Lists,
    removed: &Removals,
    known: &Known<'_>,
) -> Result<(), EditError> {
    mode::update(&mut spec.mode, given)?;
    scalars::apply(spec, given)?;
    if spec.mode.is_job() && (spec.update_config.is_some() || spec.rollback_config.is_some()) {
        return EditError::client("update and rollback configuration is not supported for jobs");
    }
    lists::map(&mut spec.labels, &added.labels, &removed.labels);
    placement(spec, added, removed);
    if !added.ports.is_empty() || !removed.ports.is_empty() {
        let endpoint = spec.endpoint_spec.get_or_insert_with(EndpointSpec::default);
        lists::ports(&mut endpoint.ports, &added.ports, &removed.ports);
    }
    let networks = &mut spec.task_template.networks;
    uses::networks(networks, &added.networks, &removed.networks, known)?;
    container(spec, given, added, removed, known)
}

fn placement(spec: &mut ServiceSpec, added: &Lists, removed: &Removals) {
    let is_empty = added.constraints.is_empty()
        && removed.constraints.is_empty()
        && added.preferences.is_empty()
        && removed.preferences.is_empty();
    if is_empty {
        return;
    }
    let placement = spec.task_template.placement.get_or_insert_with(Placement::default);
    lists::sorted(&mut placement.constraints, &added.constraints, &removed.constraints);
    lists::preferences(&mut placement.preferences, &added.preferences, &removed.preferences);
}

fn container(
    spec: &mut ServiceSpec,
    given: &Given,
    added: &Lists,
    removed: &Removals,
    known: &Known<'_>,
) -> Result<(), EditError> {
    let spec = &mut spec.task_template.container_spec;
    lists::map(&mut spec.labels, &added.container_labels, &removed.container_labels);
    lists::env(&mut spec.env, &added.env, &removed.env);
    lists::map(&mut spec.sysctls, &added.sysctls, &removed.sysctls);
    lists::ulimits(&mut spec.ulimits, &added.ulimits, &removed.ulimits);
    lists::mounts(&mut spec.mounts, &added.mounts, &removed.mounts)?;
    lists::sorted(&mut spec.groups, &added.groups, &removed.groups);
    lists::hosts(&mut spec.hosts, &added.hosts, &removed.hosts);
    let dns = [
        (&added.dns, &removed.dns),
        (&added.dns_search, &removed.dns_search),
        (&added.dns_options, &removed.dns_options),
    ];
    if dns.iter().any(|(added, removed)| !added.is_empty() || !removed.is_empty()) {
        let config = spec.dns_config.get_or_insert_default();
        let parts = [&mut config.nameservers, &mut config.search, &mut config.options];
        for (list, (added, removed)) in parts.into_iter().zip(dns) {
            lists::sorted(list, added, removed);
        }
    }
    capabilities::apply(spec, &given.cap_add, &given.cap_drop);
    uses::secrets(&mut spec.secrets, &added.secrets, &removed.secrets, known)?;
    uses::configs(&mut spec.configs, &added.configs, &removed.configs, known)
}
