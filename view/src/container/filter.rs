//! `--filter` of lists of containers.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use coracle_image::Digest;
use coracle_runtime::Home;
use coracle_runtime::model::{Container, HealthStatus, PortMap, Status};

use super::find::{self, Known};
use super::summary::{networks, time};
use crate::filter::{Filter, Filters};
use crate::{ViewError, image};

const KNOWN: &[&str] = &[
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];

const STATES: [&str; 7] =
    ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/// Filters with everything they refer to looked up.
#[derive(Debug)]
pub struct ContainerFilters {
    filters: Filters,
    exited: Vec<i32>,
    before: Option<DateTime<Utc>>,
    since: Option<DateTime<Utc>>,
    ancestors: HashSet<Digest>,
}

impl ContainerFilters {
    pub fn new(home: &Home, given: &[Filter]) -> Result<Self, ViewError> {
        let filters = Filters::new(given, KNOWN)?;
        let invalid = |key: &str, value: &str, why: &str| {
            Err(ViewError::BadFilter {
                key: key.to_owned(),
                value: value.to_owned(),
                why: why.to_owned(),
            })
        };
        for state in filters.values("status") {
            if !STATES.contains(&state.as_str()) {
                let list = STATES.join(", ");
                let why = format!("invalid value for state ({state}): must be one of {list}");
                return invalid("status", state, &why);
            }
        }
        for health in filters.values("health") {
            if !["none", "starting", "healthy", "unhealthy"].contains(&health.as_str()) {
                let why = "must be one of none, starting, healthy, unhealthy";
                return invalid("health", health, why);
            }
        }
        let mut exited = Vec::new();
        for code in filters.values("exited") {
            match code.parse() {
                Ok(code) => exited.push(code),
                Err(_) => {
                    let why = format!("strconv.Atoi: parsing {code:?}: invalid syntax");
                    return invalid("exited", code, &why);
                }
            }
        }
        filters.truth("is-task")?;
        let created = |key: &str| match filters.values(key).last() {
            None => Ok(None),
            Some(name) => find::find(home, name).map(|found| time(found.container.created)),
        };
        let (before, since) = (created("before")?, created("since")?);
        let ancestors = filters
            .values("ancestor")
            .iter()
            .filter_map(|name| image::find(home, name).ok())
            .map(|image| image.id)
            .collect();
        Ok(Self { exited, before, since, ancestors, filters })
    }

    /// These ask for containers that do not run.
    pub fn imply_all(&self) -> bool {
        self.filters.has("status")
    }

    pub fn accept(&self, home: &Home, known: &Known) -> bool {
        let Known { container, state, .. } = known;
        let filters = &self.filters;
        let created = time(container.created);
        let health = state.health.as_ref().map_or(HealthStatus::None, |health| health.status);
        let ended = matches!(state.status, Status::Exited | Status::Dead);
        (filters.matches("name", &container.name)
                // As Docker keeps it.
                || filters.matches("name", &format!("/{}", container.name)))
            && filters.matches("id", &container.id)
            && filters.exact("status", state.status.as_str())
            && filters.exact("health", &health.to_string())
            && filters.truth("is-task").is_ok_and(|wanted| wanted != Some(true))
            && filters.exact("isolation", "default")
            && filters.labels(&container.config.labels)
            && (self.exited.is_empty() || ended && self.exited.contains(&state.exit_code))
            && self.before.is_none_or(|limit| created.is_some_and(|t| t < limit))
            && self.since.is_none_or(|limit| created.is_some_and(|t| t > limit))
            && self.has_ancestor(home, &container.image)
            && any(filters.values("network"), |wanted| is_in(container, wanted))
            && any(filters.values("volume"), |wanted| {
                container.mounts.iter().any(|mount| {
                    let point = &mount.point;
                    [&point.name, &point.source, &point.destination].contains(&wanted)
                })
            })
            && any(filters.values("publish"), |port| {
                is_published(port, &container.network_settings.ports)
            })
            && any(filters.values("expose"), |port| {
                let exposed = container.config.exposed_ports.keys();
                let open = container.network_settings.ports.keys();
                exposed.chain(open).any(|key| in_range(port, key))
            })
    }

    /// The container's image is one of these or was made from one.
    fn has_ancestor(&self, home: &Home, image: &str) -> bool {
        if !self.filters.has("ancestor") {
            return true;
        }
        let mut next: Option<Digest> = image.parse().ok();
        while let Some(id) = next {
            if self.ancestors.contains(&id) {
                return true;
            }
            next = home.store().ok().and_then(|s| s.get(&id).ok()).and_then(|image| image.parent);
        }
        false
    }
}

/// Whether a container is in the network of that name, id or beginning of an id.
fn is_in(container: &Container, wanted: &str) -> bool {
    let mut endpoints = container.network_settings.networks.values();
    networks(container).iter().any(|name| name == wanted)
        || !wanted.is_empty() && endpoints.any(|place| place.network_id.starts_with(wanted))
}

fn any(values: &[String], test: impl Fn(&String) -> bool) -> bool {
    values.is_empty() || values.iter().any(test)
}

/// Whether `80`, `80/tcp` or `80-90/tcp` covers the port of `key`.
fn in_range(wanted: &str, key: &str) -> bool {
    let (range, protocol) = wanted.split_once('/').unwrap_or((wanted, "tcp"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (port, its_protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    let number = |text: &str| text.parse::<u16>().ok();
    match (number(first), number(last), number(port)) {
        (Some(first), Some(last), Some(port)) => {
            protocol == its_protocol && (first..=last).contains(&port)
        }
        _ => false,
    }
}

fn is_published(wanted: &str, ports: &PortMap) -> bool {
    ports.iter().any(|(key, bindings)| {
        let protocol = key.split_once('/').map_or("tcp", |(_, protocol)| protocol);
        bindings
            .iter()
            .flatten()
            .any(|binding| in_range(wanted, &format!("{}/{protocol}", binding.host_port)))
    })
}

#[cfg(test)]
mod tests {
    use super::in_range;

    #[test]
    fn port_ranges() {
        assert!(in_range("80", "80/tcp"));
        assert!(in_range("81/udp", "81/udp"));
        assert!(in_range("80-90", "85/tcp"));
        assert!(!in_range("80", "80/udp"));
        assert!(!in_range("x", "80/tcp"));
    }
}
