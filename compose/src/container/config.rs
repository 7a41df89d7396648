//! `Config` of a service's container.

use std::collections::BTreeMap;

use coracle_runtime::model::{Config, Empty, HealthConfig};
use coracle_words::port::{self, PortKey, PortRange};

use super::{ContainerError, Defaults, Facts, compose_labels};
use crate::project::{Duration, Health, Project, Service};

pub(super) fn build(
    project: &Project,
    service: &Service,
    facts: &Facts,
    defaults: &Defaults,
) -> Result<Config, ContainerError> {
    // A name alone takes the variable of the image away.
    let own = service.environment.iter().map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.clone(),
    });
    let is_free = |entry: &&String| {
        let key = entry.split('=').next().unwrap_or_default();
        !service.environment.contains_key(key)
    };
    let env = defaults.environment.iter().filter(is_free).cloned().chain(own).collect();
    Ok(Config {
        hostname: service.hostname.clone(),
        domainname: service.domainname.clone(),
        user: service.user.clone().unwrap_or_default(),
        exposed_ports: exposed(service)?,
        tty: service.tty,
        open_stdin: service.stdin_open,
        env,
        cmd: service.command.clone(),
        healthcheck: service.healthcheck.as_ref().map(health),
        image: project.image_name(service),
        working_dir: service.working_dir.clone(),
        entrypoint: service.entrypoint.clone().map(emptied),
        labels: compose_labels(project, service, facts),
        stop_signal: service.stop_signal.clone().unwrap_or_default(),
        stop_timeout: service.stop_grace_period.map(Duration::seconds),
        mac_address: service.mac_address.clone(),
        ..Config::default()
    })
}

/// An entry point of no words takes the image's away, which the engine is told by an empty one.
fn emptied(words: Vec<String>) -> Vec<String> {
    if words.is_empty() { vec![String::new()] } else { words }
}

fn exposed(service: &Service) -> Result<BTreeMap<PortKey, Empty>, ContainerError> {
    let mut all = BTreeMap::new();
    for text in &service.expose {
        let invalid = || ContainerError::Invalid {
            service: service.name.clone(),
            attribute: "expose",
            value: text.clone(),
            why: "expected PORT[-PORT][/PROTOCOL]",
        };
        let (ports, protocol) = port::split(text);
        let ports: PortRange = ports.parse().map_err(|_| invalid())?;
        all.extend(ports.keys(protocol).map(|key| (key, Empty {})));
    }
    for port in &service.ports {
        all.insert(super::host::port_key(port), Empty {});
    }
    Ok(all)
}

fn health(check: &Health) -> HealthConfig {
    let nanoseconds = |duration: Option<Duration>| duration.map_or(0, |d| d.nanoseconds);
    HealthConfig {
        test: if check.disable { vec!["NONE".to_owned()] } else { check.test.clone() },
        interval: nanoseconds(check.interval),
        timeout: nanoseconds(check.timeout),
        start_period: nanoseconds(check.start_period),
        start_interval: nanoseconds(check.start_interval),
        retries: check.retries.unwrap_or(0),
    }
}
