//! Puts what is said beyond lists into a spec.

use coracle_runtime::model::HealthConfig;
use coracle_words::pairs;

use super::{EditError, Given, GivenHealth, GivenResources, GivenRestart, GivenUpdate};
use crate::model::service::{FailureAction, Order};
use crate::model::task::LogDriver;
use crate::model::{
    Condition, ContainerSpec, EndpointMode, RestartPolicy, ServiceSpec, TaskSpec, UpdateConfig,
};

const SECOND: i64 = 1_000_000_000;

/// All but the mode and the capabilities.
pub(super) fn apply(spec: &mut ServiceSpec, given: &Given) -> Result<(), EditError> {
    let task = &mut spec.task_template;
    container(&mut task.container_spec, given)?;
    resources(task, &given.resources);
    restart(task, &given.restart)?;
    if let Some(max) = given.max_replicas {
        task.placement.get_or_insert_default().max_replicas = max;
    }
    update_config(&mut spec.update_config, &given.update, true)?;
    update_config(&mut spec.rollback_config, &given.rollback, false)?;
    if let Some(mode) = &given.endpoint_mode {
        let mode = match mode.to_lowercase().as_str() {
            "" | "vip" => EndpointMode::Vip,
            "dnsrr" => EndpointMode::Dnsrr,
            other => {
                return Err(EditError::Engine(format!("invalid resolution mode: {other:?}")));
            }
        };
        spec.endpoint_spec.get_or_insert_default().mode = Some(mode);
    }
    if let Some(name) = given.log_driver.as_ref().filter(|name| !name.is_empty()) {
        let options = pairs(&given.log_opts);
        spec.task_template.log_driver = Some(LogDriver { name: name.clone(), options });
    }
    health(&mut spec.task_template.container_spec, &given.health)
}

fn container(spec: &mut ContainerSpec, given: &Given) -> Result<(), EditError> {
    let texts = [
        (&mut spec.image, &given.image),
        (&mut spec.hostname, &given.hostname),
        (&mut spec.dir, &given.workdir),
        (&mut spec.user, &given.user),
        (&mut spec.stop_signal, &given.stop_signal),
    ];
    for (slot, said) in texts {
        if let Some(said) = said {
            slot.clone_from(said);
        }
    }
    for (slot, said) in [(&mut spec.command, &given.entrypoint), (&mut spec.args, &given.args)] {
        if let Some(said) = said {
            slot.clone_from(said);
        }
    }
    if let Some(isolation) = &given.isolation {
        match isolation.to_lowercase().as_str() {
            "" | "default" => spec.isolation = isolation.to_lowercase(),
            _ => {
                return EditError::client(format!(
                    "--isolation {isolation}: not supported: containers are isolated by namespaces \
                     (default)"
                ));
            }
        }
    }
    spec.init = given.init.or(spec.init);
    spec.tty = given.tty.unwrap_or(spec.tty);
    spec.read_only = given.read_only.unwrap_or(spec.read_only);
    spec.stop_grace_period = given.stop_grace_period.or(spec.stop_grace_period);
    spec.oom_score_adj = given.oom_score_adj.unwrap_or(spec.oom_score_adj);
    Ok(())
}

fn resources(task: &mut TaskSpec, given: &GivenResources) {
    if *given == GivenResources::default() {
        return;
    }
    let resources = task.resources.get_or_insert_default();
    let limits = resources.limits.get_or_insert_default();
    limits.nano_cpus = given.limit_cpu.unwrap_or(limits.nano_cpus);
    limits.memory_bytes = given.limit_memory.unwrap_or(limits.memory_bytes);
    limits.pids = given.limit_pids.unwrap_or(limits.pids);
    let reserved = resources.reservations.get_or_insert_default();
    reserved.nano_cpus = given.reserve_cpu.unwrap_or(reserved.nano_cpus);
    reserved.memory_bytes = given.reserve_memory.unwrap_or(reserved.memory_bytes);
    resources.swap_bytes = given.swap.or(resources.swap_bytes);
    if let Some(swappiness) = given.swappiness {
        resources.memory_swappiness = (swappiness != -1).then_some(swappiness);
    }
}

fn restart(task: &mut TaskSpec, given: &GivenRestart) -> Result<(), EditError> {
    if *given == GivenRestart::default() {
        return Ok(());
    }
    let policy = task.restart_policy.get_or_insert(RestartPolicy {
        condition: Some(Condition::Any),
        delay: Some(5 * SECOND),
        max_attempts: Some(0),
        window: None,
    });
    if let Some(condition) = &given.condition {
        policy.condition = Some(match condition.as_str() {
            "none" => Condition::None,
            "on-failure" => Condition::OnFailure,
            "any" | "" => Condition::Any,
            other => {
                return Err(EditError::Engine(format!("invalid RestartCondition: {other:?}")));
            }
        });
    }
    policy.delay = given.delay.or(policy.delay);
    policy.max_attempts = given.max_attempts.or(policy.max_attempts);
    policy.window = given.window.or(policy.window);
    Ok(())
}

/// What an update or a rollback does when only something else of it is said.
pub(super) fn default_update_config() -> UpdateConfig {
    UpdateConfig {
        parallelism: 1,
        delay: 0,
        failure_action: Some(FailureAction::Pause),
        monitor: 5 * SECOND,
        max_failure_ratio: 0.0,
        order: Some(Order::StopFirst),
    }
}

fn update_config(
    config: &mut Option<UpdateConfig>,
    given: &GivenUpdate,
    may_roll_back: bool,
) -> Result<(), EditError> {
    if *given == GivenUpdate::default() {
        return Ok(());
    }
    let config = config.get_or_insert_with(default_update_config);
    config.parallelism = given.parallelism.unwrap_or(config.parallelism);
    config.delay = given.delay.unwrap_or(config.delay);
    config.monitor = given.monitor.unwrap_or(config.monitor);
    config.max_failure_ratio = given.max_failure_ratio.unwrap_or(config.max_failure_ratio);
    if let Some(action) = &given.failure_action {
        config.failure_action = Some(match action.as_str() {
            "pause" | "" => FailureAction::Pause,
            "continue" => FailureAction::Continue,
            "rollback" if may_roll_back => FailureAction::Rollback,
            other => {
                let what = if may_roll_back { "update" } else { "rollback" };
                let words = format!("unrecognized {what} failure action {other}");
                return Err(EditError::Engine(words));
            }
        });
    }
    if let Some(order) = &given.order {
        config.order = Some(match order.as_str() {
            "stop-first" | "" => Order::StopFirst,
            "start-first" => Order::StartFirst,
            other => {
                return Err(EditError::Engine(format!("unrecognized update order {other}")));
            }
        });
    }
    Ok(())
}

fn health(spec: &mut ContainerSpec, given: &GivenHealth) -> Result<(), EditError> {
    if *given == GivenHealth::default() {
        return Ok(());
    }
    if given.none {
        if *given != (GivenHealth { none: true, ..GivenHealth::default() }) {
            return EditError::client("--no-healthcheck conflicts with --health-* options");
        }
        let test = vec!["NONE".to_owned()];
        spec.healthcheck = Some(HealthConfig { test, ..HealthConfig::default() });
        return Ok(());
    }
    let config = spec.healthcheck.get_or_insert_default();
    if config.test.first().is_some_and(|word| word == "NONE") {
        config.test.clear();
    }
    config.interval = given.interval.unwrap_or(config.interval);
    config.timeout = given.timeout.unwrap_or(config.timeout);
    config.start_period = given.start_period.unwrap_or(config.start_period);
    config.start_interval = given.start_interval.unwrap_or(config.start_interval);
    config.retries = given.retries.unwrap_or(config.retries);
    match given.cmd.as_deref() {
        Some("") => config.test.clear(),
        Some(command) => config.test = vec!["CMD-SHELL".to_owned(), command.to_owned()],
        None => {}
    }
    Ok(())
}
