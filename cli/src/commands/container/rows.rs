//! Containers as `ps` shows them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use coracle_runtime::model::{Container, HealthStatus, PortMap, State, Status, Timestamp};

use crate::format::{Columns, Row, go_quote, units};

pub(crate) const PLAIN: Columns = Columns {
    titles: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("RunningFor", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Status", "STATUS"),
        ("State", "STATE"),
        ("Ports", "PORTS"),
        ("Names", "NAMES"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
    table: "ID Image Command RunningFor Status Ports Names",
    quiet: "ID",
    raw: "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n\
          created_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\n\
          status: {{- pad .Status 1 0}}\nnames: {{.Names}}\n\
          labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n",
};

pub(crate) const WITH_SIZE: Columns =
    Columns { table: "ID Image Command RunningFor Status Ports Names Size", ..PLAIN };

/// Width of the COMMAND cell inside its quotes.
const COMMAND_WIDTH: usize = 20;
/// Width of each entry of the MOUNTS cell.
const MOUNT_WIDTH: usize = 15;

/// A container with what a row needs besides its record.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) container: &'a Container,
    pub(crate) state: &'a State,
    /// Name of the image, or its id when the name has moved on.
    pub(crate) image: String,
    /// Bytes written by the container, and with its image, when asked for.
    pub(crate) size: Option<(u64, u64)>,
    pub(crate) full: bool,
    pub(crate) now: DateTime<Utc>,
}

impl Shown<'_> {
    pub(crate) fn row(&self) -> Row {
        let container = self.container;
        let created = time(container.created);
        let mut row = Row::new("*formatter.ContainerContext");
        row.set("ID", if self.full { container.id.as_str() } else { container.short_id() })
            .set("Image", self.image.as_str())
            .set("Command", self.command())
            .set("CreatedAt", created.map(units::created_at).unwrap_or_default())
            .set("RunningFor", created.map(|t| units::ago(t, self.now)).unwrap_or_default())
            .set("Ports", ports(&container.network_settings.ports))
            .set("State", self.state.status.as_str())
            .set("Status", status(self.state, self.now))
            .set("Names", container.name.as_str())
            .set("Size", self.size())
            .set("Mounts", self.mounts())
            .set("LocalVolumes", self.local_volumes().to_string())
            .set("Networks", networks(container).join(","))
            .set("Platform", serde_json::Value::Null)
            .set_labels(container.config.labels.clone());
        row
    }

    fn command(&self) -> String {
        let text = command_line(self.container);
        go_quote(&if self.full { text } else { units::ellipsis(&text, COMMAND_WIDTH) })
    }

    fn size(&self) -> String {
        match self.size {
            None => "0B".to_owned(),
            Some((own, whole)) => {
                format!("{} (virtual {})", units::short_size(own), units::short_size(whole))
            }
        }
    }

    fn mounts(&self) -> String {
        let names: Vec<String> = self
            .container
            .mounts
            .iter()
            .map(|mount| match mount.point.name.as_str() {
                "" => mount.point.source.as_str(),
                name => name,
            })
            .map(|name| match self.full {
                true => name.to_owned(),
                false => units::ellipsis(name, MOUNT_WIDTH),
            })
            .collect();
        names.join(",")
    }

    fn local_volumes(&self) -> usize {
        self.container.mounts.iter().filter(|mount| mount.point.driver == "local").count()
    }
}

/// The program and its arguments; those with blanks in quotes.
pub(crate) fn command_line(container: &Container) -> String {
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
pub(crate) fn networks(container: &Container) -> Vec<String> {
    let names = &container.network_settings.networks;
    if names.is_empty() {
        let mode = &container.host_config.network_mode;
        let named = matches!(mode.as_str(), "none" | "host");
        return if named { vec![mode.clone()] } else { Vec::new() };
    }
    names.keys().cloned().collect()
}

/// A moment, unless it never came.
pub(crate) fn time(timestamp: Timestamp) -> Option<DateTime<Utc>> {
    (!timestamp.is_zero()).then(|| timestamp.datetime())
}

/// The STATUS cell.
pub(crate) fn status(state: &State, now: DateTime<Utc>) -> String {
    let age = |since| time(since).map(|t| units::age((now - t).num_seconds())).unwrap_or_default();
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

/// The PORTS cell: equal ports in ranges first, then single mappings.
pub(crate) fn ports(map: &PortMap) -> String {
    let mut same: BTreeSet<(String, String, u16)> = BTreeSet::new();
    let mut mapped: Vec<((u16, String), String)> = Vec::new();
    for (port, bindings) in map {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let Ok(number) = number.parse::<u16>() else { continue };
        let Some(bindings) = bindings else {
            same.insert((protocol.to_owned(), String::new(), number));
            continue;
        };
        for binding in bindings {
            let ip = match binding.host_ip.contains(':') {
                true => format!("[{}]", binding.host_ip),
                false => binding.host_ip.clone(),
            };
            if binding.host_port == number.to_string() {
                same.insert((protocol.to_owned(), ip, number));
            } else {
                let text = format!("{ip}:{}->{number}/{protocol}", binding.host_port);
                mapped.push(((number, protocol.to_owned()), text));
            }
        }
    }
    let mut cells = Vec::new();
    let mut rest = same.into_iter().peekable();
    while let Some((protocol, ip, first)) = rest.next() {
        let mut last = first;
        while rest.next_if(|(p, i, n)| *p == protocol && *i == ip && *n == last + 1).is_some() {
            last += 1;
        }
        let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
        cells.push(match ip.as_str() {
            "" => format!("{range}/{protocol}"),
            ip => format!("{ip}:{range}->{range}/{protocol}"),
        });
    }
    mapped.sort_by(|a, b| a.0.cmp(&b.0));
    cells.extend(mapped.into_iter().map(|(_, text)| text));
    cells.join(", ")
}

#[cfg(test)]
mod tests {
    use coracle_words::template::Fields as _;

    use coracle_runtime::model::{ContainerMount, Health, MountPoint, PortBinding};

    use crate::commands::container::rows::*;
    use crate::format::Listing;

    const NOW: &str = "2026-11-20T23:54:42Z";

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(NOW).unwrap().to_utc()
    }

    fn container() -> Container {
        let binding = |ip: &str, port: &str| PortBinding {
            host_ip: ip.to_owned(),
            host_port: port.to_owned(),
        };
        let mut container = Container {
            id: "48fc025c0a4b42c1687313efa8e4a138e74806bec0ef690b7cbfded4c195e6a8".into(),
            name: "p1".into(),
            created: "2026-11-20T23:54:39.907517755Z".parse().unwrap(),
            path: "sh".into(),
            args: vec!["-c".into(), "sleep 1000; echo a long command line here".into()],
            mounts: vec![ContainerMount {
                point: MountPoint {
                    name: "pv".into(),
                    driver: "local".into(),
                    ..MountPoint::default()
                },
                ..ContainerMount::default()
            }],
            ..Container::default()
        };
        container.host_config.network_mode = "none".into();
        container.config.labels =
            [("tier".to_owned(), "web".to_owned()), ("x".to_owned(), "1".to_owned())].into();
        container.network_settings.ports = [
            ("80/tcp".to_owned(), Some(vec![binding("0.0.0.0", "8081"), binding("::", "8081")])),
            ("81/udp".to_owned(), Some(vec![binding("127.0.0.1", "8082")])),
        ]
        .into();
        container
    }

    fn running() -> State {
        State {
            status: Status::Running,
            started_at: "2026-11-20T23:54:41.500000000Z".parse().unwrap(),
            ..State::default()
        }
    }

    fn shown<'a>(container: &'a Container, state: &'a State) -> Shown<'a> {
        Shown { container, state, image: "alpine".into(), size: None, full: false, now: now() }
    }

    #[test]
    fn the_table() {
        let (container, state) = (container(), running());
        let row = shown(&container, &state).row();
        let text = Listing::new(&PLAIN, None, false).unwrap().render([&row]).unwrap();
        insta::assert_snapshot!(text, @r#"
        CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS                  PORTS                                                             NAMES
        48fc025c0a4b   alpine    "sh -c 'sleep 1000; …"   2 seconds ago   Up Less than a second   0.0.0.0:8081->80/tcp, [::]:8081->80/tcp, 127.0.0.1:8082->81/udp   p1
        "#);
    }

    #[test]
    fn the_json_line_has_the_recorded_keys() {
        let (container, state) = (container(), running());
        let row = shown(&container, &state).row();
        let here = units::created_at(time(container.created).unwrap());
        insta::assert_snapshot!(row.json().replace(&here, "[TIME]"), @r#"{"Command":"\"sh -c 'sleep 1000; …\"","CreatedAt":"[TIME]","ID":"48fc025c0a4b","Image":"alpine","Labels":"tier=web,x=1","LocalVolumes":"1","Mounts":"pv","Names":"p1","Networks":"none","Platform":null,"Ports":"0.0.0.0:8081-\u003e80/tcp, [::]:8081-\u003e80/tcp, 127.0.0.1:8082-\u003e81/udp","RunningFor":"2 seconds ago","Size":"0B","State":"running","Status":"Up Less than a second"}"#);
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

    #[test]
    fn equal_ports_form_ranges() {
        let same = |port: &str| {
            Some(vec![PortBinding { host_ip: "0.0.0.0".into(), host_port: port.into() }])
        };
        let map = [
            ("80/tcp".to_owned(), same("80")),
            ("81/tcp".to_owned(), same("81")),
            ("90/tcp".to_owned(), None),
            ("91/tcp".to_owned(), None),
        ]
        .into();
        assert_eq!(ports(&map), "90-91/tcp, 0.0.0.0:80-81->80-81/tcp");
    }

    #[test]
    fn sizes_when_asked_for() {
        let (container, state) = (container(), running());
        let mut shown = shown(&container, &state);
        shown.size = Some((2, 7_797_762));
        assert_eq!(shown.size(), "2B (virtual 7.8MB)");
    }
}
