//! A container as lists have it: what `GET /containers/json` answers, and what `ps` makes rows of.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use coracle_runtime::model::{
    Container, EndpointSettings, HealthStatus, MountPoint, PortMap, State, Status, Timestamp,
};
use coracle_runtime::networks::names_by_links;
use serde::Serialize;

use super::find::Known;
use crate::image::ImageNames;
use crate::{Api, Now};

/// One container of a list, as the Engine API has it: 1.55, and up to 1.51 without its health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerSummary {
    pub id: String,
    /// Its own and those that links of others give it, each with a slash before it.
    pub names: Vec<String>,
    /// The image as it was named, or its id when that name has moved on.
    pub image: String,
    #[serde(rename = "ImageID")]
    pub image_id: String,
    pub command: String,
    /// Unix seconds.
    pub created: i64,
    pub ports: Vec<PortEntry>,
    /// Bytes the container has written, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<u64>,
    /// Those and its image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<u64>,
    pub labels: BTreeMap<String, String>,
    pub state: &'static str,
    /// The state in words, with its age.
    pub status: String,
    pub host_config: SummaryHostConfig,
    pub network_settings: SummaryNetworks,
    pub mounts: Vec<MountPoint>,
    /// Of one that has a health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<SummaryHealth>,
    /// `linux/amd64`.
    #[serde(skip)]
    pub platform: String,
    /// Both sizes, the empty ones too.
    #[serde(skip)]
    pub size: Option<(u64, u64)>,
    /// When it was made, as exactly as that is known.
    #[serde(skip)]
    pub created_at: Option<DateTime<Utc>>,
    /// The image in few characters.
    #[serde(skip)]
    pub short_image: String,
    /// The names of its networks; the modes without one count as one.
    #[serde(skip)]
    pub networks: Vec<String>,
}

/// How it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SummaryHealth {
    pub status: HealthStatus,
    pub failing_streak: u32,
}

impl SummaryHealth {
    fn of(state: &State) -> Option<Self> {
        let health = state.health.as_ref()?;
        Some(Self { status: health.status, failing_streak: health.failing_streak })
    }

    /// The word, which is nothing where nothing is checked.
    #[must_use]
    pub fn shown(&self) -> &'static str {
        match self.status {
            HealthStatus::None => "",
            HealthStatus::Starting => "starting",
            HealthStatus::Healthy => "healthy",
            HealthStatus::Unhealthy => "unhealthy",
        }
    }
}

/// Of the configuration of its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SummaryHostConfig {
    pub network_mode: String,
}

/// Of its networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SummaryNetworks {
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// A port that is exposed, and where it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortEntry {
    #[serde(rename = "IP", skip_serializing_if = "String::is_empty")]
    pub ip: String,
    pub private_port: u16,
    /// `None` when it is exposed and not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_port: Option<u16>,
    #[serde(rename = "Type")]
    pub protocol: String,
}

impl ContainerSummary {
    /// As it is sent to who speaks that version.
    #[must_use]
    pub fn sent(self, api: Api) -> Self {
        match api {
            Api::V1_51 => Self { health: None, ..self },
            Api::V1_55 => self,
        }
    }

    /// The summary of `known`; `all` are the containers whose links may give it names, `size`
    /// the bytes it has written and those with its image.
    #[must_use]
    pub fn new(
        known: &Known,
        all: &[Known],
        images: &ImageNames,
        size: Option<(u64, u64)>,
        now: &Now,
    ) -> Self {
        let Known { container, state, .. } = known;
        let links = names_by_links(container, all.iter().map(|other| &other.container));
        let names = std::iter::once(container.name.clone()).chain(links);
        let (image, short_image) = images.shown(container);
        let settings = &container.network_settings;
        Self {
            id: container.id.clone(),
            names: names.map(|name| format!("/{name}")).collect(),
            image,
            image_id: container.image.clone(),
            command: command_line(container),
            created: container.created.datetime().timestamp(),
            ports: ports(&settings.ports),
            // Docker leaves zeros out.
            size_rw: size.map(|(own, _)| own).filter(|own| *own > 0),
            size_root_fs: size.map(|(_, whole)| whole).filter(|whole| *whole > 0),
            labels: container.config.labels.clone(),
            state: state.status.as_str(),
            status: status(state, now.time),
            host_config: SummaryHostConfig {
                network_mode: container.host_config.network_mode.clone(),
            },
            network_settings: SummaryNetworks { networks: settings.networks.clone() },
            mounts: container.mounts.iter().map(|mount| mount.point.clone()).collect(),
            health: SummaryHealth::of(state),
            platform: container.platform.clone(),
            size,
            created_at: time(container.created),
            short_image,
            networks: networks(container),
        }
    }
}

/// Every port of a container, once for each address it is published at.
fn ports(map: &PortMap) -> Vec<PortEntry> {
    let mut entries = Vec::new();
    for (key, bindings) in map {
        let Some(private_port) = key.number() else { continue };
        let entry = |ip: &str, public_port| PortEntry {
            ip: ip.to_owned(),
            private_port,
            public_port,
            protocol: key.protocol().to_owned(),
        };
        match bindings {
            None => entries.push(entry("", None)),
            Some(bindings) => entries.extend(
                bindings
                    .iter()
                    .map(|binding| entry(&binding.host_ip, binding.host_port.parse().ok())),
            ),
        }
    }
    entries
}

/// The program and its arguments; those with blanks in quotes.
pub fn command_line(container: &Container) -> String {
    let mut text = container.path.clone();
    for argument in &container.args {
        text.push(' ');
        match argument.contains(' ') {
            true => text.push_str(&format!("'{argument}'")),
            false => text.push_str(argument),
        }
    }
    text
}

/// The networks a container is in; the modes without a network count as one.
pub fn networks(container: &Container) -> Vec<String> {
    let names = &container.network_settings.networks;
    if names.is_empty() {
        let mode = &container.host_config.network_mode;
        let named = matches!(mode.as_str(), "none" | "host");
        return if named { vec![mode.clone()] } else { Vec::new() };
    }
    names.keys().cloned().collect()
}

/// A moment, unless it never came.
pub fn time(timestamp: Timestamp) -> Option<DateTime<Utc>> {
    (!timestamp.is_zero()).then(|| timestamp.datetime())
}

/// Where it is in its life, in words: `Up 5 minutes (healthy)`.
pub fn status(state: &State, now: DateTime<Utc>) -> String {
    let age = |since| {
        time(since).map(|t| coracle_words::age::age((now - t).num_seconds())).unwrap_or_default()
    };
    match state.status {
        Status::Created => "Created".into(),
        Status::Running => {
            let health = state.health.as_ref().map_or(HealthStatus::None, |h| h.status);
            let health = match health {
                HealthStatus::None => String::new(),
                HealthStatus::Starting => " (health: starting)".into(),
                HealthStatus::Healthy | HealthStatus::Unhealthy => format!(" ({health})"),
            };
            format!("Up {}{health}", age(state.started_at))
        }
        Status::Paused => format!("Up {} (Paused)", age(state.started_at)),
        Status::Restarting => {
            format!("Restarting ({}) {} ago", state.exit_code, age(state.finished_at))
        }
        Status::Removing => "Removal In Progress".into(),
        Status::Exited => format!("Exited ({}) {} ago", state.exit_code, age(state.finished_at)),
        Status::Dead => "Dead".into(),
    }
}

#[cfg(test)]
mod tests {
    use coracle_runtime::model::Health;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-20T23:54:42Z".parse().unwrap()
    }

    fn running() -> State {
        State {
            status: Status::Running,
            started_at: "2026-11-20T23:54:41.500000000Z".parse().unwrap(),
            ..State::default()
        }
    }

    #[test]
    fn states_in_words() {
        let mut state = running();
        state.health = Some(Health { status: HealthStatus::Starting, ..Health::default() });
        assert_eq!(status(&state, now()), "Up Less than a second (health: starting)");
        state.status = Status::Paused;
        assert_eq!(status(&state, now()), "Up Less than a second (Paused)");
        state.status = Status::Exited;
        state.exit_code = 3;
        state.finished_at = "2026-11-20T23:52:42Z".parse().unwrap();
        assert_eq!(status(&state, now()), "Exited (3) 2 minutes ago");
        state.status = Status::Restarting;
        assert_eq!(status(&state, now()), "Restarting (3) 2 minutes ago");
        assert_eq!(status(&State::default(), now()), "Created");
    }

    /// As Docker 28.5 answers `GET /containers/json?size=1` for such a container.
    #[test]
    fn a_summary_is_dockers() {
        let mut container = Container {
            id: "a001".into(),
            name: "web".into(),
            image_name: "alpine".into(),
            image: "sha256:a002".into(),
            path: "nc".into(),
            args: ["-lk", "-p", "80"].map(str::to_owned).into(),
            created: "2026-01-02T03:04:05.5Z".parse().unwrap(),
            ..Container::default()
        };
        container.host_config.network_mode = "bridge".into();
        let binding = |ip: &str, port: &str| coracle_runtime::model::PortBinding {
            host_ip: ip.to_owned(),
            host_port: port.to_owned(),
        };
        container.network_settings.ports = [
            ("80/tcp".into(), Some(vec![binding("0.0.0.0", "8080"), binding("::", "8080")])),
            ("81/udp".into(), Some(vec![binding("127.0.0.1", "32768")])),
            ("82/tcp".into(), None),
        ]
        .into();
        let known = Known { container, state: running(), life: Default::default() };
        let zone = chrono::FixedOffset::east_opt(0).unwrap();
        let now = Now { time: now(), zone };
        let images = ImageNames::unknown();
        let summary = ContainerSummary::new(&known, &[], &images, Some((0, 7_797_760)), &now);
        let expected = serde_json::json!({
            "Id": "a001",
            "Names": ["/web"],
            "Image": "alpine",
            "ImageID": "sha256:a002",
            "Command": "nc -lk -p 80",
            "Created": 1_767_323_045,
            "Ports": [
                { "IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp" },
                { "IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp" },
                { "IP": "127.0.0.1", "PrivatePort": 81, "PublicPort": 32768, "Type": "udp" },
                { "PrivatePort": 82, "Type": "tcp" },
            ],
            "SizeRootFs": 7_797_760,
            "Labels": {},
            "State": "running",
            "Status": "Up Less than a second",
            "HostConfig": { "NetworkMode": "bridge" },
            "NetworkSettings": { "Networks": {} },
            "Mounts": [],
        });
        // Their texts, so that the order counts too.
        assert_eq!(serde_json::to_string(&summary).unwrap(), expected.to_string());
    }
}
