//! `HostConfig` of a task's container, but for networks and mounts.

use coracle_runtime::model::{HostConfig, LogConfig, Resources};

use super::{ContainerError, Facts, check, network};
use crate::model::{ContainerSpec, Node, Task, TaskSpec};

/// Microseconds of the period that a share of the processors is given for.
const CPU_PERIOD: i64 = 100_000;
const NANO: i64 = 1_000_000_000;

pub(super) fn build(
    task: &Task,
    node: &Node,
    spec: &ContainerSpec,
    facts: &Facts,
) -> Result<HostConfig, ContainerError> {
    let plain = HostConfig::default();
    let or_none = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let dns = spec.dns_config.clone().unwrap_or_default();
    let chosen = |own: &Vec<String>, other: &Vec<String>| {
        Some(if own.is_empty() { other.clone() } else { own.clone() })
    };
    let defaults = &facts.defaults;
    Ok(HostConfig {
        log_config: logging(&task.spec, facts),
        port_bindings: network::bindings(task, node, facts),
        cap_add: or_none(&spec.capability_add),
        cap_drop: or_none(&spec.capability_drop),
        dns: chosen(&dns.nameservers, &defaults.dns),
        dns_options: chosen(&dns.options, &defaults.dns_options),
        dns_search: chosen(&dns.search, &defaults.dns_search),
        extra_hosts: or_none(&extra_hosts(&spec.hosts)),
        group_add: or_none(&spec.groups),
        oom_score_adj: i32::try_from(spec.oom_score_adj).unwrap_or(plain.oom_score_adj),
        readonly_rootfs: spec.read_only,
        security_opt: or_none(&check::security_options(spec)?),
        sysctls: spec.sysctls.clone(),
        // What Docker's swarm writes into every container.
        isolation: "default".to_owned(),
        resources: resources(&task.spec, spec),
        init: spec.init.or(defaults.init),
        ..plain
    })
}

fn logging(spec: &TaskSpec, facts: &Facts) -> LogConfig {
    let Some(own) = &spec.log_driver else { return facts.defaults.log.clone() };
    if own.name.is_empty() {
        let mut log = facts.defaults.log.clone();
        log.config.extend(own.options.clone());
        return log;
    }
    LogConfig { driver: own.name.clone(), config: own.options.clone() }
}

/// `ADDRESS NAME…` as the engine takes it: `NAME:ADDRESS`.
fn extra_hosts(hosts: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for line in hosts {
        let mut words = line.split_whitespace();
        let Some(address) = words.next() else { continue };
        all.extend(words.map(|name| format!("{name}:{address}")));
    }
    all
}

/// Limits only: what is reserved is the scheduler's business.
pub(super) fn resources(task: &TaskSpec, spec: &ContainerSpec) -> Resources {
    let all = task.resources.clone().unwrap_or_default();
    let limits = all.limits.unwrap_or_default();
    let (cpu_period, cpu_quota) = match limits.nano_cpus {
        0 => (0, 0),
        nano => (
            CPU_PERIOD,
            i64::try_from(i128::from(nano) * i128::from(CPU_PERIOD) / i128::from(NANO))
                .unwrap_or(0),
        ),
    };
    let memory_swap = match all.swap_bytes {
        _ if limits.memory_bytes == 0 => 0,
        None => 0,
        Some(-1) => -1,
        Some(swap) => limits.memory_bytes.saturating_add(swap),
    };
    Resources {
        memory: limits.memory_bytes,
        memory_swap,
        memory_swappiness: all.memory_swappiness,
        cpu_period,
        cpu_quota,
        pids_limit: (limits.pids != 0).then_some(limits.pids),
        ulimits: Some(spec.ulimits.clone()),
        ..Resources::default()
    }
}
