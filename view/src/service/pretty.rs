//! `service inspect --pretty`: a service as text, for a person.
//!
//! # Limits
//!
//! What Docker leaves out is left out too: commands, health of images, memory beyond the limit.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use coracle_swarm::model::service::{FailureAction, Order, Replicated};
use coracle_swarm::model::{
    Mode, PortConfig, Resources, Service, ServiceSpec, TaskSpec, UpdateConfig, UpdateState,
    UpdateStatus,
};
use coracle_words::age::ago;
use coracle_words::size::binary_size;
use coracle_words::{Timestamp, duration};

use super::with_defaults;
use crate::Now;

/// The text, from the empty line before to the empty line after. `networks` are names.
#[must_use]
pub fn pretty(service: &Service, networks: &[String], now: Now) -> String {
    let spec = with_defaults(&service.spec);
    let mut text = format!("\nID:\t\t{}\nName:\t\t{}\n", service.id, spec.name);
    // Writing to a string does not fail.
    write_all(&mut text, service, &spec, networks, now).unwrap_or_default();
    text.push('\n');
    text
}

fn write_all(
    out: &mut String,
    service: &Service,
    spec: &ServiceSpec,
    networks: &[String],
    now: Now,
) -> fmt::Result {
    if !spec.labels.is_empty() {
        writeln!(out, "Labels:")?;
        pairs(out, " ", "=", &spec.labels)?;
    }
    mode(out, &spec.mode)?;
    if let Some(status) = &service.update_status {
        update_status(out, status, now)?;
    }
    placement(out, &spec.task_template)?;
    if let Some(config) = &spec.update_config {
        update_config(out, "Update", config)?;
    }
    if let Some(config) = &spec.rollback_config {
        update_config(out, "Rollback", config)?;
    }
    container(out, &spec.task_template)?;
    mounts(out, &spec.task_template)?;
    if let Some(driver) = &spec.task_template.log_driver {
        writeln!(out, "Log Driver:")?;
        if !driver.name.is_empty() {
            writeln!(out, " Name:\t\t{}", driver.name)?;
        }
        if !driver.options.is_empty() {
            writeln!(out, " LogOpts:")?;
            pairs(out, "  ", ":       ", &driver.options)?;
        }
        writeln!(out)?;
    }
    if let Some(given) = &spec.task_template.resources {
        resources(out, given)?;
    }
    if !networks.is_empty() {
        writeln!(out, "Networks: {} ", networks.join(" "))?;
    }
    let endpoint = spec.endpoint_spec.clone().unwrap_or_default();
    writeln!(out, "Endpoint Mode:\t{}", endpoint.mode.unwrap_or_default())?;
    ports(out, &service.endpoint.ports)?;
    health(out, &spec.task_template)
}

fn mode(out: &mut String, mode: &Mode) -> fmt::Result {
    match mode {
        Mode::Global {} => writeln!(out, "Service Mode:\tGlobal"),
        Mode::Replicated(Replicated { replicas }) => {
            writeln!(out, "Service Mode:\tReplicated")?;
            match replicas {
                Some(replicas) => writeln!(out, " Replicas:\t{replicas}"),
                None => Ok(()),
            }
        }
        Mode::ReplicatedJob(_) | Mode::GlobalJob {} => writeln!(out, "Service Mode:"),
    }
}

fn update_status(out: &mut String, status: &UpdateStatus, now: Now) -> fmt::Result {
    let state = match status.state {
        UpdateState::Updating => "updating",
        UpdateState::Paused => "paused",
        UpdateState::Completed => "completed",
        UpdateState::RollbackStarted => "rollback_started",
        UpdateState::RollbackPaused => "rollback_paused",
        UpdateState::RollbackCompleted => "rollback_completed",
    };
    let since = |then: Timestamp| ago(then.datetime(), now.time);
    writeln!(out, "UpdateStatus:\n State:\t\t{state}")?;
    if let Some(started) = status.started_at {
        writeln!(out, " Started:\t{}", since(started))?;
    }
    match status.completed_at {
        Some(at) if status.state == UpdateState::Completed => {
            writeln!(out, " Completed:\t{}", since(at))?;
        }
        _ => {}
    }
    writeln!(out, " Message:\t{}", status.message)
}

fn placement(out: &mut String, task: &TaskSpec) -> fmt::Result {
    writeln!(out, "Placement:")?;
    let Some(placement) = &task.placement else { return Ok(()) };
    if !placement.constraints.is_empty() {
        writeln!(out, " Constraints:\t[{}]", placement.constraints.join(" "))?;
    }
    let spreads = placement.preferences.iter().filter_map(|preference| preference.spread.as_ref());
    let spreads: Vec<_> =
        spreads.map(|spread| format!("spread={}", spread.spread_descriptor)).collect();
    if !spreads.is_empty() {
        writeln!(out, " Preferences:   [{}]", spreads.join(" "))?;
    }
    if placement.max_replicas > 0 {
        writeln!(out, " Max Replicas Per Node:   {}", placement.max_replicas)?;
    }
    Ok(())
}

fn update_config(out: &mut String, what: &str, config: &UpdateConfig) -> fmt::Result {
    writeln!(out, "{what}Config:\n Parallelism:\t{}", config.parallelism)?;
    if config.delay != 0 {
        writeln!(out, " Delay:\t\t{}", duration::format(config.delay))?;
    }
    let action = match config.failure_action.unwrap_or_default() {
        FailureAction::Pause => "pause",
        FailureAction::Continue => "continue",
        FailureAction::Rollback => "rollback",
    };
    writeln!(out, " On failure:\t{action}")?;
    if config.monitor != 0 {
        writeln!(out, " Monitoring Period: {}", duration::format(config.monitor))?;
    }
    writeln!(out, " Max failure ratio: {}", config.max_failure_ratio)?;
    let order = match config.order.unwrap_or_default() {
        Order::StopFirst => "stop-first",
        Order::StartFirst => "start-first",
    };
    writeln!(out, " {:<19}{order}", format!("{what} order:"))
}

fn container(out: &mut String, task: &TaskSpec) -> fmt::Result {
    let spec = &task.container_spec;
    writeln!(out, "ContainerSpec:\n Image:\t\t{}", spec.image)?;
    for (name, words) in [("Args", &spec.args), ("Env", &spec.env)] {
        if !words.is_empty() {
            writeln!(out, " {name}:\t\t{} ", words.join(" "))?;
        }
    }
    if !spec.dir.is_empty() {
        writeln!(out, " Dir:\t\t{}", spec.dir)?;
    }
    if let Some(init) = spec.init {
        writeln!(out, " Init:\t\t{init}")?;
    }
    if !spec.user.is_empty() {
        writeln!(out, " User: {}", spec.user)?;
    }
    let capabilities = [("Add", &spec.capability_add), ("Drop", &spec.capability_drop)];
    if capabilities.iter().any(|(_, names)| !names.is_empty()) {
        writeln!(out, "Capabilities:")?;
    }
    for (what, names) in capabilities {
        if !names.is_empty() {
            writeln!(out, " {what}: {}", names.join(", "))?;
        }
    }
    if !spec.sysctls.is_empty() {
        writeln!(out, "SysCtls:")?;
        pairs(out, " ", ": ", &spec.sysctls)?;
    }
    if !spec.ulimits.is_empty() {
        let limits = spec.ulimits.iter();
        let limits = limits.map(|one| (one.name.clone(), format!("{}:{}", one.soft, one.hard)));
        writeln!(out, "Ulimits:")?;
        pairs(out, " ", ": ", &limits.collect())?;
    }
    Ok(())
}

fn mounts(out: &mut String, task: &TaskSpec) -> fmt::Result {
    let spec = &task.container_spec;
    if !spec.mounts.is_empty() {
        writeln!(out, "Mounts:")?;
    }
    for mount in &spec.mounts {
        writeln!(out, " Target:\t{}\n  Source:\t{}", mount.target, mount.source)?;
        writeln!(out, "  ReadOnly:\t{}\n  Type:\t\t{}", mount.read_only, mount.kind)?;
    }
    let configs = spec.configs.iter().map(|one| (one.file.as_ref(), &one.config_name));
    let secrets = spec.secrets.iter().map(|one| (one.file.as_ref(), &one.secret_name));
    let all: [(_, Vec<_>); 2] = [("Configs", configs.collect()), ("Secrets", secrets.collect())];
    for (title, uses) in all {
        if !uses.is_empty() {
            writeln!(out, "{title}:")?;
        }
        for (file, name) in uses {
            let target = file.map(|file| file.name.as_str()).unwrap_or_default();
            writeln!(out, " Target:\t{target}\n  Source:\t{name}")?;
        }
    }
    Ok(())
}

fn resources(out: &mut String, given: &Resources) -> fmt::Result {
    writeln!(out, "Resources:")?;
    let reserved = given.reservations.clone().unwrap_or_default();
    let limits = given.limits.clone().unwrap_or_default();
    let parts = [
        ("Reservations", reserved.nano_cpus, reserved.memory_bytes, 0),
        ("Limits", limits.nano_cpus, limits.memory_bytes, limits.pids),
    ];
    for (title, cpus, memory, pids) in parts {
        if cpus > 0 || memory > 0 || pids > 0 {
            writeln!(out, " {title}:")?;
        }
        if cpus > 0 {
            writeln!(out, "  CPU:\t\t{}", cores(cpus))?;
        }
        if memory > 0 {
            writeln!(out, "  Memory:\t{}", binary_size(memory.unsigned_abs()))?;
        }
        if pids > 0 {
            writeln!(out, "  PIDs:\t\t{pids}")?;
        }
    }
    Ok(())
}

/// Billionths of a processor as a decimal number.
fn cores(nano_cpus: i64) -> String {
    let text = format!("{}.{:09}", nano_cpus / 1_000_000_000, nano_cpus % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn ports(out: &mut String, ports: &[PortConfig]) -> fmt::Result {
    if ports.is_empty() {
        return Ok(());
    }
    write!(out, "Ports:")?;
    for port in ports {
        write!(out, "\n PublishedPort = {}\n  Protocol = {}", port.published_port, port.protocol)?;
        write!(out, "\n  TargetPort = {}\n  PublishMode = {}", port.target_port, port.mode())?;
    }
    writeln!(out, " ")
}

fn health(out: &mut String, task: &TaskSpec) -> fmt::Result {
    let Some(health) = &task.container_spec.healthcheck else { return Ok(()) };
    writeln!(out, " Healthcheck:\n  Interval = {}", duration::format(health.interval))?;
    writeln!(out, "  Retries = {}", health.retries)?;
    writeln!(out, "  StartPeriod =\t{}", duration::format(health.start_period))?;
    write!(out, "  Timeout =\t{}", duration::format(health.timeout))?;
    if !health.test.is_empty() {
        write!(out, "\n  Tests:")?;
        for word in &health.test {
            write!(out, "\n\t Test = {word}")?;
        }
        write!(out, " ")?;
    }
    writeln!(out)
}

fn pairs(
    out: &mut String,
    indent: &str,
    between: &str,
    pairs: &BTreeMap<String, String>,
) -> fmt::Result {
    for (name, value) in pairs {
        match value.is_empty() {
            true => writeln!(out, "{indent}{name}")?,
            false => writeln!(out, "{indent}{name}{between}{value}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::document::tests::plain;

    fn now() -> Now {
        let time = "2026-11-20T23:55:00Z".parse().unwrap();
        Now { time, zone: chrono::FixedOffset::east_opt(0).unwrap() }
    }

    #[test]
    fn as_recorded_when_nothing_is_said() {
        let expected = "
ID:\t\trl2ss5vguf4ir2ljaurfq1grb
Name:\t\ts1
Service Mode:\tReplicated
 Replicas:\t3
Placement:
UpdateConfig:
 Parallelism:\t1
 On failure:\tpause
 Monitoring Period: 5s
 Max failure ratio: 0
 Update order:      stop-first
RollbackConfig:
 Parallelism:\t1
 On failure:\tpause
 Monitoring Period: 5s
 Max failure ratio: 0
 Rollback order:    stop-first
ContainerSpec:
 Image:\t\talpine:latest
 Args:\t\tsleep 1000\x20
 Init:\t\tfalse
Resources:
Endpoint Mode:\tvip

";
        assert_eq!(pretty(&plain(), &[], now()), expected);
    }

    #[test]
    fn the_recorded_end_of_one_with_most_options() {
        let mut service = plain();
        let task = json!({
            "ContainerSpec": {
                "Image": "alpine:latest", "User": "nobody", "Env": ["A=b"],
                "CapabilityAdd": ["CAP_NET_ADMIN"], "CapabilityDrop": ["CAP_CHOWN"],
                "Sysctls": { "net.ipv4.ip_default_ttl": "70" },
                "Ulimits": [{ "Name": "nofile", "Hard": 100, "Soft": 100 }],
                "Mounts": [{ "Type": "tmpfs", "Target": "/t" }],
                "Healthcheck": { "Test": ["CMD-SHELL", "true"], "Interval": 5_000_000_000_u64 },
            },
            "LogDriver": { "Name": "json-file", "Options": { "max-size": "1m" } },
            "Resources": {
                "Limits": { "MemoryBytes": 67_108_864 },
                "Reservations": { "NanoCPUs": 100_000_000, "MemoryBytes": 16_777_216 },
            },
        });
        service.spec.task_template = serde_json::from_value(task).unwrap();
        service.endpoint.ports = vec![PortConfig {
            protocol: "tcp".to_owned(),
            target_port: 80,
            published_port: 8099,
            ..PortConfig::default()
        }];
        let text = pretty(&service, &[], now());
        let from = text.find("ContainerSpec:").unwrap();
        let expected = "ContainerSpec:
 Image:\t\talpine:latest
 Env:\t\tA=b\x20
 User: nobody
Capabilities:
 Add: CAP_NET_ADMIN
 Drop: CAP_CHOWN
SysCtls:
 net.ipv4.ip_default_ttl: 70
Ulimits:
 nofile: 100:100
Mounts:
 Target:\t/t
  Source:\t
  ReadOnly:\tfalse
  Type:\t\ttmpfs
Log Driver:
 Name:\t\tjson-file
 LogOpts:
  max-size:       1m

Resources:
 Reservations:
  CPU:\t\t0.1
  Memory:\t16MiB
 Limits:
  Memory:\t64MiB
Endpoint Mode:\tvip
Ports:
 PublishedPort = 8099
  Protocol = tcp
  TargetPort = 80
  PublishMode = ingress\x20
 Healthcheck:
  Interval = 5s
  Retries = 0
  StartPeriod =\t0s
  Timeout =\t0s
  Tests:
\t Test = CMD-SHELL
\t Test = true\x20

";
        assert_eq!(&text[from..], expected);
    }

    #[test]
    fn the_state_of_an_update() {
        let mut service = plain();
        service.update_status = Some(UpdateStatus {
            state: UpdateState::Updating,
            started_at: Some("2026-11-20T23:55:00Z".parse().unwrap()),
            completed_at: None,
            message: "update in progress".to_owned(),
        });
        let text = pretty(&service, &[], now());
        let expected = "UpdateStatus:\n State:\t\tupdating\n Started:\tLess than a second ago\n \
                        Message:\tupdate in progress\nPlacement:\n";
        assert!(text.contains(expected), "{text}");
    }
}
