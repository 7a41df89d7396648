//! The spec of a new service.

use coracle_words::pairs;

use super::{EditError, Given, Known, Lists, capabilities, lists, mode, scalars, uses};
use crate::model::container::DnsConfig;
use crate::model::{
    Condition, ContainerSpec, EndpointMode, EndpointSpec, Placement, Resources, ServiceSpec,
    TaskSpec,
};

/// What only `service create` takes.
#[derive(Debug, Clone, Default)]
pub struct NewService {
    pub name: String,
    /// `replicated`, `global`, `replicated-job` or `global-job`.
    pub mode: String,
}

/// Makes the spec.
///
/// # Errors
/// In Docker's words, for what it refuses.
pub fn create(
    new: &NewService,
    given: &Given,
    added: &Lists,
    known: &Known<'_>,
) -> Result<ServiceSpec, EditError> {
    let mut spec = ServiceSpec {
        name: new.name.clone(),
        labels: pairs(&added.labels),
        mode: mode::new(&new.mode, given)?,
        endpoint_spec: Some(EndpointSpec {
            mode: Some(EndpointMode::Vip),
            ports: added.ports.clone(),
        }),
        task_template: TaskSpec {
            container_spec: container(added),
            resources: Some(Resources {
                limits: Some(crate::model::task::Limits::default()),
                reservations: Some(crate::model::task::Reservations::default()),
                ..Resources::default()
            }),
            placement: Some(Placement {
                constraints: added.constraints.clone(),
                preferences: added.preferences.clone(),
                ..Placement::default()
            }),
            ..TaskSpec::default()
        },
        ..ServiceSpec::default()
    };
    scalars::apply(&mut spec, given)?;
    if let (true, Some(policy), None) =
        (spec.mode.is_job(), &mut spec.task_template.restart_policy, &given.restart.condition)
    {
        // A job ends, so `any` is not what the other restart flags are about.
        policy.condition = Some(Condition::OnFailure);
    }
    let is_empty =
        |health: &mut coracle_runtime::model::HealthConfig| *health == Default::default();
    let container = &mut spec.task_template.container_spec;
    drop(container.healthcheck.take_if(is_empty));
    if spec.mode.is_job() && (spec.update_config.is_some() || spec.rollback_config.is_some()) {
        return EditError::client("update and rollback configuration is not supported for jobs");
    }
    capabilities::apply(container, &given.cap_add, &given.cap_drop);
    lists::ulimits(&mut container.ulimits, &added.ulimits, &[]);
    uses::secrets(&mut container.secrets, &added.secrets, &[], known)?;
    uses::configs(&mut container.configs, &added.configs, &[], known)?;
    uses::networks(&mut spec.task_template.networks, &added.networks, &[], known)?;
    Ok(spec)
}

fn container(added: &Lists) -> ContainerSpec {
    let mut env = Vec::new();
    for entry in &added.env {
        // The last one of a name counts, in its place.
        let name = entry.split('=').next().unwrap_or_default();
        env.retain(|known: &String| known.split('=').next() != Some(name));
        env.push(entry.clone());
    }
    ContainerSpec {
        labels: pairs(&added.container_labels),
        env,
        groups: added.groups.clone(),
        init: Some(false),
        mounts: added.mounts.clone(),
        hosts: added.hosts.iter().map(|entry| lists::host(entry)).collect(),
        dns_config: Some(DnsConfig {
            nameservers: added.dns.clone(),
            search: added.dns_search.clone(),
            options: added.dns_options.clone(),
        }),
        sysctls: pairs(&added.sysctls),
        ..ContainerSpec::default()
    }
}
