//! Whether the spec of a service makes sense, in the order and the words of Docker's managers.

use std::collections::BTreeMap;

use coracle_image::{Reference, ReferenceError};

use crate::container;
use crate::model::task::{Limits, Reservations};
use crate::model::{
    ConfigUse, ContainerSpec, FileTarget, SecretUse, ServiceSpec, TaskSpec, UpdateConfig,
};
use crate::reconcile::Constraint;
use crate::stack::NAMESPACE;
use crate::state::State;

use coracle_words::ErrorKind;

use super::{Code, CommandError, endpoint};

const MEMORY_MIN: i64 = 4 << 20;
const CPU_MIN: i64 = 1_000_000;
const NAME_MAX: usize = 63;

/// Refuses a spec that makes no sense, or names what is not there.
pub(super) fn check(state: &State, spec: &ServiceSpec) -> Result<(), CommandError> {
    name(&spec.name)?;
    task(&spec.task_template)?;
    job(spec)?;
    for config in [&spec.update_config, &spec.rollback_config].into_iter().flatten() {
        update(config)?;
    }
    endpoint::check(spec)?;
    match container::check(spec) {
        // Docker takes a stack file whole; its tasks say what they wait for.
        Err(container::ContainerError::Unsupported { .. })
            if spec.labels.contains_key(NAMESPACE) => {}
        Err(error @ container::ContainerError::Unsupported { .. }) => {
            return Err(CommandError { kind: error.kind(), words: error.to_string() });
        }
        Err(error) => return Err(CommandError::invalid(error.to_string())),
        Ok(()) => {}
    }
    used(state, &spec.task_template.container_spec)
}

fn name(name: &str) -> Result<(), CommandError> {
    if name.is_empty() {
        return Err(CommandError::invalid("meta: name must be provided"));
    }
    if !is_label(name) {
        return Err(CommandError::invalid("name must be valid as a DNS name component"));
    }
    if name.len() > NAME_MAX {
        return Err(CommandError::invalid("name must be 63 characters or fewer"));
    }
    Ok(())
}

/// As swarmkit has it: `^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$`.
fn is_label(name: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}

fn task(task: &TaskSpec) -> Result<(), CommandError> {
    if let Some(resources) = &task.resources {
        if let Some(Limits { nano_cpus, memory_bytes, .. }) = resources.limits {
            amounts(nano_cpus, memory_bytes)?;
        }
        if let Some(Reservations { nano_cpus, memory_bytes, .. }) = &resources.reservations {
            amounts(*nano_cpus, *memory_bytes)?;
        }
        let limited = resources.limits.as_ref().is_some_and(|limits| limits.memory_bytes != 0);
        if resources.swap_bytes.is_some() && !limited {
            let words = "memory swap provided, but no memory-limit was set".to_owned();
            return Err(CommandError { kind: ErrorKind::BadRequest, words });
        }
    }
    if let Some(policy) = &task.restart_policy {
        if policy.delay.is_some_and(|delay| delay < 0) {
            return Err(CommandError::invalid("TaskSpec: restart-delay cannot be negative"));
        }
        if policy.window.is_some_and(|window| window < 0) {
            return Err(CommandError::invalid("TaskSpec: restart-window cannot be negative"));
        }
    }
    for text in task.placement.iter().flat_map(|placement| &placement.constraints) {
        Constraint::parse(text)
            .map_err(|error| CommandError::rpc(Code::Unknown, error.to_string()))?;
    }
    if task.container_spec.image.is_empty() {
        return Err(CommandError::invalid("ContainerSpec: image reference must be provided"));
    }
    let image = &task.container_spec.image;
    if let Err(error) = Reference::parse(image)
        && !matches!(error, ReferenceError::LooksLikeId { .. })
    {
        let words = format!("ContainerSpec: {image:?} is not a valid repository/tag");
        return Err(CommandError::invalid(words));
    }
    let secrets = task
        .container_spec
        .secrets
        .iter()
        .filter_map(|used| used.file.as_ref().map(|file| (used.secret_name.as_str(), file)));
    targets("secret", secrets)?;
    let configs = task
        .container_spec
        .configs
        .iter()
        .filter_map(|used| used.file.as_ref().map(|file| (used.config_name.as_str(), file)));
    targets("config", configs)
}

fn amounts(nano_cpus: i64, memory: i64) -> Result<(), CommandError> {
    if nano_cpus != 0 && nano_cpus < CPU_MIN {
        let cpus = format!("{}.{:09}", nano_cpus / 1_000_000_000, nano_cpus % 1_000_000_000);
        let cpus = cpus.trim_end_matches('0').trim_end_matches('.');
        let words = format!("invalid cpu value {cpus}: Must be at least 0.001");
        return Err(CommandError::invalid(words));
    }
    if memory != 0 && memory < MEMORY_MIN {
        let words = format!("invalid memory value {memory}: Must be at least 4MiB");
        return Err(CommandError::invalid(words));
    }
    Ok(())
}

/// No two files in one place.
fn targets<'a>(
    what: &str,
    files: impl Iterator<Item = (&'a str, &'a FileTarget)>,
) -> Result<(), CommandError> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, file) in files {
        if file.name.is_empty() {
            let words =
                format!("malformed file {what} reference, invalid target file name provided");
            return Err(CommandError::invalid(words));
        }
        if let Some(other) = seen.insert(&file.name, name) {
            let words = format!(
                "{what} references '{other}' and '{name}' have a conflicting target: '{}'",
                file.name
            );
            return Err(CommandError::invalid(words));
        }
    }
    Ok(())
}

/// A job is not rolled out: it runs again.
fn job(spec: &ServiceSpec) -> Result<(), CommandError> {
    match spec.mode.is_job() && spec.update_config.is_some() {
        true => Err(CommandError::invalid("Jobs may not have an update config")),
        false => Ok(()),
    }
}

fn update(config: &UpdateConfig) -> Result<(), CommandError> {
    if config.delay < 0 {
        return Err(CommandError::invalid("TaskSpec: update-delay cannot be negative"));
    }
    if config.monitor < 0 {
        return Err(CommandError::invalid("TaskSpec: update-monitor cannot be negative"));
    }
    if !(0.0..=1.0).contains(&config.max_failure_ratio) {
        let words = "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1";
        return Err(CommandError::invalid(words));
    }
    Ok(())
}

/// Secrets and configs that a service uses must be there, under the name that it gives them.
fn used(state: &State, spec: &ContainerSpec) -> Result<(), CommandError> {
    let secret = |used: &&SecretUse| {
        state.secrets.get(&used.secret_id).is_none_or(|has| has.spec.name != used.secret_name)
    };
    let missing = spec.secrets.iter().filter(secret).map(|used| used.secret_name.as_str());
    all_there("secret", missing.collect())?;
    let config = |used: &&ConfigUse| {
        state.configs.get(&used.config_id).is_none_or(|has| has.spec.name != used.config_name)
    };
    let missing = spec.configs.iter().filter(config).map(|used| used.config_name.as_str());
    all_there("config", missing.collect())
}

fn all_there(what: &str, missing: Vec<&str>) -> Result<(), CommandError> {
    let plural = match missing.len() {
        0 => return Ok(()),
        1 => "",
        _ => "s",
    };
    Err(CommandError::invalid(format!("{what}{plural} not found: {}", missing.join(", "))))
}
