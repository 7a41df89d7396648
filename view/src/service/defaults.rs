//! A service's spec with what holds where nothing was said, as `inspect` shows it.
//!
//! A client leaves out what was not asked for, and the spec is kept so: an update changes what it names alone.

use coracle_swarm::model::service::{FailureAction, Order};
use coracle_swarm::model::{
    Condition, EndpointMode, EndpointSpec, PublishMode, ServiceSpec, TaskSpec, UpdateConfig,
};

const SECOND: i64 = 1_000_000_000;

/// The spec in full.
#[must_use]
pub fn with_defaults(spec: &ServiceSpec) -> ServiceSpec {
    let mut spec = as_told(spec);
    let task = &mut spec.task_template;
    task.container_spec.stop_grace_period.get_or_insert(10 * SECOND);
    task.container_spec.dns_config.get_or_insert_default();
    task.resources.get_or_insert_default();
    let restart = task.restart_policy.get_or_insert_default();
    restart.condition.get_or_insert(Condition::Any);
    restart.delay.get_or_insert(5 * SECOND);
    restart.max_attempts.get_or_insert(0);
    task.placement.get_or_insert_default();
    for config in [&mut spec.update_config, &mut spec.rollback_config] {
        let config = config
            .get_or_insert_with(|| UpdateConfig { parallelism: 1, ..UpdateConfig::default() });
        if config.monitor == 0 {
            config.monitor = 5 * SECOND;
        }
        say_choices(config);
    }
    spec
}

/// The spec as the engine's answers have it: choices in words, nothing put in.
pub(super) fn as_told(spec: &ServiceSpec) -> ServiceSpec {
    let mut spec = spec.clone();
    spec.task_template.runtime = "container".to_owned();
    task_as_told(&mut spec.task_template);
    for config in [&mut spec.update_config, &mut spec.rollback_config].into_iter().flatten() {
        say_choices(config);
    }
    let endpoint = spec.endpoint_spec.get_or_insert_with(EndpointSpec::default);
    endpoint.mode.get_or_insert(EndpointMode::Vip);
    for port in &mut endpoint.ports {
        port.publish_mode.get_or_insert(PublishMode::Ingress);
    }
    spec
}

/// The same of a task's spec.
pub(crate) fn task_as_told(task: &mut TaskSpec) {
    if task.container_spec.isolation.is_empty() {
        "default".clone_into(&mut task.container_spec.isolation);
    }
    if let Some(restart) = &mut task.restart_policy {
        restart.condition.get_or_insert(Condition::Any);
        restart.max_attempts.get_or_insert(0);
    }
}

fn say_choices(config: &mut UpdateConfig) {
    config.failure_action.get_or_insert(FailureAction::Pause);
    config.order.get_or_insert(Order::StopFirst);
}
