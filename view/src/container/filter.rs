//! `--filter` of lists of containers.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use coracle_image::Digest;
use coracle_runtime::Home;
use coracle_runtime::model::{Container, HealthStatus, PortMap, Status};
use coracle_words::port::{self, PortKey, PortRange};

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

/// What the values of filters refer to, looked up.
#[derive(Debug, Default)]
struct Referred {
    before: Option<DateTime<Utc>>,
    since: Option<DateTime<Utc>>,
    /// The images of `ancestor`, and all that were made from them.
    ancestors: HashSet<Digest>,
}

/// Filters with everything they refer to looked up.
#[derive(Debug)]
pub struct ContainerFilters {
    filters: Filters,
    exited: Vec<i32>,
    referred: Referred,
}

impl ContainerFilters {
    /// # Errors
    /// For a filter that there is not, a value it cannot have, or a container that is not there.
    pub fn new(home: &Home, given: &[Filter]) -> Result<Self, ViewError> {
        let filters = Filters::new(given, KNOWN)?;
        let exited = checked(&filters)?;
        let created = |key: &str| match filters.values(key).last() {
            None => Ok(None),
            Some(name) => find::find(home, name).map(|found| time(found.container.created)),
        };
        let (before, since) = (created("before")?, created("since")?);
        let ancestors = match filters.values("ancestor") {
            [] => HashSet::new(),
            names => with_descendants(home, names)?,
        };
        Ok(Self { referred: Referred { before, since, ancestors }, exited, filters })
    }

    /// These ask for containers that do not run.
    pub fn imply_all(&self) -> bool {
        self.filters.has("status")
    }

    pub fn accept(&self, known: &Known) -> bool {
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
            && self.referred.before.is_none_or(|limit| created.is_some_and(|t| t < limit))
            && self.referred.since.is_none_or(|limit| created.is_some_and(|t| t > limit))
            && self.has_ancestor(&container.image)
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
    fn has_ancestor(&self, image: &str) -> bool {
        let known = |image: Digest| self.referred.ancestors.contains(&image);
        !self.filters.has("ancestor") || image.parse().is_ok_and(known)
    }
}

/// The codes of `exited`; refuses values that a key cannot have.
fn checked(filters: &Filters) -> Result<Vec<i32>, ViewError> {
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
    Ok(exited)
}

/// The images of these names, and all that were made from them.
fn with_descendants(home: &Home, names: &[String]) -> Result<HashSet<Digest>, ViewError> {
    let named = names.iter().filter_map(|name| image::find(home, name).ok());
    let mut all: HashSet<Digest> = named.map(|image| image.id).collect();
    let parents: HashMap<Digest, Digest> = home
        .store()?
        .images()?
        .iter()
        .filter_map(|image| Some((image.id, image.parent?)))
        .collect();
    for id in parents.keys() {
        let line = std::iter::successors(Some(id), |id| parents.get(id));
        if line.clone().any(|id| all.contains(id)) {
            all.insert(*id);
        }
    }
    Ok(all)
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
fn in_range(wanted: &str, key: &PortKey) -> bool {
    let (range, protocol) = port::split(wanted);
    let range = range.parse::<PortRange>().ok();
    let covers = range.zip(key.number()).is_some_and(|(range, n)| range.numbers().contains(&n));
    covers && protocol == key.protocol()
}

fn is_published(wanted: &str, ports: &PortMap) -> bool {
    ports.iter().any(|(key, bindings)| {
        let host = |port: &str| PortKey::from(format!("{port}/{}", key.protocol()));
        bindings.iter().flatten().any(|binding| in_range(wanted, &host(&binding.host_port)))
    })
}

#[cfg(test)]
mod tests {
    use coracle_runtime::model::{
        ContainerMount, Empty, EndpointSettings, Health, MountPoint, PortBinding, State,
    };
    use coracle_runtime::records::Life;

    use super::*;

    const IMAGE: &str = "sha256:f08f94e0d44fb01ba84bbfe87072ca04e0d0903aba5fa081f5d9ce156c745284";

    /// An exited container with something to find under every key.
    fn known() -> Known {
        let mut container = Container {
            id: "48fc025c0a4b".into(),
            name: "p1".into(),
            image: IMAGE.into(),
            created: "2026-11-20T23:54:39.9Z".parse().unwrap(),
            mounts: vec![ContainerMount {
                point: MountPoint {
                    name: "pv".into(),
                    source: "/v/pv/_data".into(),
                    destination: "/pv".into(),
                    ..MountPoint::default()
                },
                ..ContainerMount::default()
            }],
            ..Container::default()
        };
        container.config.labels = [("tier".to_owned(), "web".to_owned())].into();
        container.config.exposed_ports = [("9000/udp".into(), Empty {})].into();
        let binding = PortBinding { host_ip: "0.0.0.0".into(), host_port: "8081".into() };
        container.network_settings.ports = [("80/tcp".into(), Some(vec![binding]))].into();
        let place = EndpointSettings { network_id: "9fe25c5032cd".into(), ..Default::default() };
        container.network_settings.networks = [("n1".to_owned(), place)].into();
        let health = Health { status: HealthStatus::Unhealthy, ..Health::default() };
        let state = State {
            status: Status::Exited,
            exit_code: 3,
            health: Some(health),
            ..State::default()
        };
        Known { container, state, life: Life::default() }
    }

    fn filter(key: &str, value: &str) -> Filter {
        Filter { key: key.to_owned(), value: value.to_owned() }
    }

    fn made(given: &[Filter], referred: Referred) -> Result<ContainerFilters, ViewError> {
        let filters = Filters::new(given, KNOWN)?;
        Ok(ContainerFilters { exited: checked(&filters)?, filters, referred })
    }

    fn accepts(key: &str, value: &str) -> bool {
        made(&[filter(key, value)], Referred::default()).unwrap().accept(&known())
    }

    #[test]
    fn every_key_finds_and_leaves_out() {
        for (key, yes, no) in [
            ("exited", "3", "0"),
            ("expose", "9000/udp", "9000"),
            ("expose", "80", "81"),
            ("health", "unhealthy", "none"),
            ("id", "48fc", "025d"),
            ("is-task", "false", "true"),
            ("isolation", "default", "hyperv"),
            ("label", "tier", "x"),
            ("label", "tier=web", "tier=db"),
            ("name", "p", "^1"),
            ("name", "/p1", "/1"),
            ("network", "n1", "n"),
            ("network", "9fe2", "8fe2"),
            ("publish", "8081", "80"),
            ("publish", "8000-8090/tcp", "8081/udp"),
            ("status", "exited", "running"),
            ("volume", "pv", "v"),
            ("volume", "/pv", "/p"),
        ] {
            assert!(accepts(key, yes), "{key}={yes}");
            assert!(!accepts(key, no), "{key}={no}");
        }
    }

    #[test]
    fn keys_that_refer_to_others() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().ok();
        let earlier = at("2026-11-20T23:00:00Z");
        let later = at("2026-11-21T00:00:00Z");
        for (before, since, accepted) in [
            (later, None, true),
            (earlier, None, false),
            (None, earlier, true),
            (None, later, false),
        ] {
            let referred = Referred { before, since, ..Referred::default() };
            assert_eq!(made(&[], referred).unwrap().accept(&known()), accepted);
        }
        let ancestor = [filter("ancestor", "alpine")];
        assert!(!made(&ancestor, Referred::default()).unwrap().accept(&known()));
        let ancestors = HashSet::from([IMAGE.parse().unwrap()]);
        let referred = Referred { ancestors, ..Referred::default() };
        assert!(made(&ancestor, referred).unwrap().accept(&known()));
    }

    #[test]
    fn values_are_checked_in_dockers_words() {
        let error = |key, value| made(&[filter(key, value)], Referred::default()).unwrap_err();
        for (key, value, words) in [
            ("bogus", "x", "invalid filter 'bogus'"),
            (
                "status",
                "x",
                "invalid filter 'status=x': invalid value for state (x): must be one of created, \
                 running, paused, restarting, removing, exited, dead",
            ),
            (
                "health",
                "x",
                "invalid filter 'health=x': must be one of none, starting, healthy, unhealthy",
            ),
            (
                "exited",
                "x",
                "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            ("is-task", "x", "invalid filter 'is-task=[x]'"),
        ] {
            assert_eq!(error(key, value).to_string(), words);
        }
    }

    #[test]
    fn values_of_one_key_are_alternatives() {
        let given = [filter("status", "running"), filter("status", "exited"), filter("name", "p1")];
        let filters = made(&given, Referred::default()).unwrap();
        assert!(filters.imply_all() && filters.accept(&known()));
    }

    #[test]
    fn port_ranges() {
        let in_range = |wanted, key: &str| super::in_range(wanted, &key.into());
        assert!(in_range("80", "80/tcp"));
        assert!(in_range("81/udp", "81/udp"));
        assert!(in_range("80-90", "85/tcp"));
        assert!(!in_range("80", "80/udp"));
        assert!(!in_range("x", "80/tcp"));
    }
}
