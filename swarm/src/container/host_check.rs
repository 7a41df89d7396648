//! What this machine cannot give a service: refused when the service is made or changed, with the remedy, so that no
//! task fails for ever because of it. Settings of `run` hold here too: ports that are raised and limits that are left
//! out are warnings.

use std::fmt;

use coracle_runtime::model::{MountType, Resources};

use super::host::resources;
use super::templates::is_template;
use crate::model::{PublishMode, ServiceSpec};

/// Why a service cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub words: String,
    /// What the user can do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// What is known of the machine; what has to be looked up for one service is asked for.
#[derive(Clone, Copy)]
pub struct HostFacts<'a> {
    /// The first port that everybody may listen at.
    pub first_free_port: u16,
    /// What is added to the ports below; 0: nothing.
    pub low_ports: u16,
    /// Limits that cannot be set are left out.
    pub limits_optional: bool,
    pub path_exists: &'a dyn Fn(&str) -> bool,
    /// Why limits cannot be set.
    pub limits: &'a dyn Fn(&Resources) -> Option<Refusal>,
}

impl fmt::Debug for HostFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFacts").finish_non_exhaustive()
    }
}

/// What the machine says to a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostAnswer {
    pub refusals: Vec<Refusal>,
    /// What is done otherwise than asked for.
    pub warnings: Vec<String>,
}

/// Asks the machine whether it can give a service what it wants.
#[must_use]
pub fn host_check(service: &ServiceSpec, facts: &HostFacts<'_>) -> HostAnswer {
    let mut answer = HostAnswer::default();
    let task = &service.task_template;
    for mount in &task.container_spec.mounts {
        let made = mount.bind_options.as_ref().is_some_and(|bind| bind.create_mountpoint);
        let source = &mount.source;
        if mount.kind == MountType::Bind
            && !made
            && !is_template(source)
            && !(facts.path_exists)(source)
        {
            answer.refusals.push(Refusal {
                words: format!(
                    "invalid mount config for type \"bind\": bind source path does not exist: {source}"
                ),
                hint: of_a_daemon(source).then(|| NO_DAEMON.to_owned()),
            });
        }
    }
    ports(service, facts, &mut answer);
    if let Some(refusal) = (facts.limits)(&resources(task, &task.container_spec)) {
        if facts.limits_optional {
            answer.warnings.push(format!("Limitation discarded: {refusal}"));
        } else {
            answer.refusals.push(refusal);
        }
    }
    answer
}

fn ports(service: &ServiceSpec, facts: &HostFacts<'_>, answer: &mut HostAnswer) {
    let free = facts.first_free_port;
    for port in service.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports) {
        let asked = port.published_port;
        if asked == 0 || asked >= free {
            continue;
        }
        let protocol = if port.protocol.is_empty() { "tcp" } else { &port.protocol };
        match raised(asked, facts.low_ports, free) {
            Some(now) if now == asked => answer.refusals.push(Refusal {
                words: format!(
                    "failed to bind host port for 0.0.0.0:{asked}/{protocol}: permission denied: ports \
                     below {free} are root's"
                ),
                hint: Some(format!(
                    "to allow them: sudo sysctl net.ipv4.ip_unprivileged_port_start={asked}; or publish \
                     them higher: \"low-ports\": \"+8000\" in the settings, or CORACLE_LOW_PORTS=+8000"
                )),
            }),
            Some(now) => answer.warnings.push(format!(
                "Port {asked}/{protocol} is published as {now}{}: this host keeps those below {free} for \
                 root (setting low-ports)",
                if port.mode() == PublishMode::Host { " on the node of each task" } else { "" },
            )),
            None => answer.refusals.push(Refusal {
                words: format!(
                    "the setting low-ports (+{}) makes no port of {asked}",
                    facts.low_ports
                ),
                hint: None,
            }),
        }
    }
}

/// Where a port is really published: `by` higher when it is below `free`. `None` when there is no such port.
#[must_use]
pub fn raised(port: u16, by: u16, free: u16) -> Option<u16> {
    if port == 0 || port >= free { Some(port) } else { port.checked_add(by) }
}

/// What is said of the socket by which visualizers and the like speak with Docker; [`coracle_runtime::docker_socket`].
const NO_DAEMON: &str = "no daemon listens there; CORACLE_DOCKER_SOCKET=own, or \"docker-socket\": \"own\" in the settings, lets \
                         containers have that of your own Engine API";

fn of_a_daemon(source: &str) -> bool {
    matches!(source, "/var/run/docker.sock" | "/run/docker.sock")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn asked(service: Value, low_ports: u16, limits_optional: bool) -> HostAnswer {
        let service: ServiceSpec = serde_json::from_value(service).unwrap();
        let facts = HostFacts {
            first_free_port: 1024,
            low_ports,
            limits_optional,
            path_exists: &|path| path == "/there",
            limits: &|resources| {
                let refusal = Refusal { words: "cannot limit memory".to_owned(), hint: None };
                (resources.memory > 0).then_some(refusal)
            },
        };
        host_check(&service, &facts)
    }

    fn words(answer: &HostAnswer) -> Vec<&str> {
        answer.refusals.iter().map(|refusal| refusal.words.as_str()).collect()
    }

    #[test]
    fn a_bind_source_that_is_missing_is_refused_as_docker_words_it() {
        let bind = |source: &str, create: bool| {
            asked(
                json!({ "TaskTemplate": { "ContainerSpec": { "Mounts": [{
                    "Type": "bind",
                    "Source": source,
                    "Target": "/x",
                    "BindOptions": { "CreateMountpoint": create },
                }] } } }),
                0,
                false,
            )
        };
        let refused = bind("/nosuchdir", false);
        assert_eq!(
            words(&refused),
            ["invalid mount config for type \"bind\": bind source path does not exist: /nosuchdir"]
        );
        let socket = bind("/var/run/docker.sock", false);
        assert_eq!(socket.refusals[0].hint.as_deref(), Some(NO_DAEMON));
        for (source, create) in [("/there", false), ("/made", true), ("/{{.Task.Slot}}", false)] {
            assert_eq!(bind(source, create), HostAnswer::default(), "{source}");
        }
    }

    #[test]
    fn low_ports_are_refused_with_the_remedy_or_raised() {
        let ports = json!({ "EndpointSpec": { "Ports": [
            { "TargetPort": 80, "PublishedPort": 80 },
            { "TargetPort": 80, "PublishedPort": 8080 },
            { "TargetPort": 53, "Protocol": "udp" },
        ] } });
        let refused = asked(ports.clone(), 0, false);
        assert_eq!(
            words(&refused),
            [
                "failed to bind host port for 0.0.0.0:80/tcp: permission denied: ports below 1024 are root's"
            ]
        );
        let hint = refused.refusals[0].hint.as_deref().unwrap();
        assert!(hint.contains("ip_unprivileged_port_start=80"), "{hint}");
        let higher = asked(ports.clone(), 8000, false);
        assert_eq!(
            (higher.refusals.len(), higher.warnings[0].as_str()),
            (
                0,
                "Port 80/tcp is published as 8080: this host keeps those below 1024 for root (setting \
                 low-ports)"
            )
        );
        assert_eq!(words(&asked(ports, 65_500, false)).len(), 1);
    }

    #[test]
    fn limits_follow_the_setting() {
        let limited = json!({ "TaskTemplate": { "Resources": {
            "Limits": { "MemoryBytes": 1_000_000 },
        } } });
        assert_eq!(words(&asked(limited.clone(), 0, false)), ["cannot limit memory"]);
        let without = asked(limited, 0, true);
        assert_eq!(without.refusals.len(), 0);
        assert_eq!(without.warnings, ["Limitation discarded: cannot limit memory"]);
        let reserved = json!({ "TaskTemplate": { "Resources": {
            "Reservations": { "MemoryBytes": 1_000_000 },
        } } });
        assert_eq!(asked(reserved, 0, false), HostAnswer::default());
    }
}
