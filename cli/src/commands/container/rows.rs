//! Containers as `ps` shows them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use coracle_runtime::model::Container;
use coracle_view::container::{self, ContainerSummary, Known, PortEntry};

use crate::app::App;
use crate::error::CliError;
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
        ("HealthStatus", "HEALTH STATUS"),
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

/// What messages call a row.
const TYPE: &str = "*formatter.ContainerContext";

/// A row that says nothing, for looking at a layout.
pub(super) fn any_row() -> Row {
    let mut row = Row::new(TYPE);
    for (field, _) in PLAIN.titles {
        row.set(field, "");
    }
    row
}

/// One container of a list; `full` shortens nothing.
pub(crate) fn row(summary: &ContainerSummary, full: bool, now: DateTime<Utc>) -> Row {
    let created = summary.created_at;
    let image = if full { &summary.image } else { &summary.short_image };
    let mut row = Row::new(TYPE);
    row.set("ID", if full { summary.id.as_str() } else { units::short_id(&summary.id) })
        .set("Image", image.as_str())
        .set("Command", command(summary, full))
        .set("CreatedAt", created.map(units::created_at).unwrap_or_default())
        .set("RunningFor", created.map(|t| units::ago(t, now)).unwrap_or_default())
        .set("Ports", ports(&summary.ports))
        .set("State", summary.state)
        .set("Status", summary.status.as_str())
        .set("Names", names(summary, full))
        .set("Size", size(summary))
        .set("Mounts", mounts(summary, full))
        .set("LocalVolumes", local_volumes(summary).to_string())
        .set("Networks", summary.networks.join(","))
        .set("Platform", platform(summary))
        .set("HealthStatus", summary.health.as_ref().map_or("", |health| health.shown()))
        .set_labels(summary.labels.clone());
    row
}

/// As JSON has it, or `linux/amd64`.
fn platform(summary: &ContainerSummary) -> serde_json::Value {
    match summary.platform.split('/').collect::<Vec<_>>()[..] {
        [os, architecture] => serde_json::json!({ "architecture": architecture, "os": os }),
        _ => serde_json::Value::Null,
    }
}

/// A warning for each container whose log is larger than anybody wants it.
pub(crate) fn warn_of_large_logs(app: &mut App, known: &[Known]) -> Result<(), CliError> {
    let warning = |(container, bytes): (&Container, u64)| {
        format!(
            "the log of container {} takes {}; `rm` of the container frees it, and \
             `--log-opt max-size=10m` or \"log-opts\" in the settings bound the next",
            container.name,
            units::human_size(bytes)
        )
    };
    let large = container::large_logs(&app.home, known)?;
    let warnings: Vec<String> = large.into_iter().map(warning).collect();
    app.warn(&warnings);
    Ok(())
}

/// Its own name, and those that links give it when nothing is shortened.
fn names(summary: &ContainerSummary, full: bool) -> String {
    let shown = if full { usize::MAX } else { 1 };
    let names = summary.names.iter().take(shown).map(|name| name.trim_start_matches('/'));
    names.collect::<Vec<_>>().join(",")
}

fn command(summary: &ContainerSummary, full: bool) -> String {
    let text = &summary.command;
    go_quote(&if full { text.clone() } else { units::ellipsis(text, COMMAND_WIDTH) })
}

fn size(summary: &ContainerSummary) -> String {
    match summary.size {
        None => "0B".to_owned(),
        Some((own, whole)) => {
            format!("{} (virtual {})", units::short_size(own), units::short_size(whole))
        }
    }
}

fn mounts(summary: &ContainerSummary, full: bool) -> String {
    let names = summary.mounts.iter().map(|mount| match mount.name.as_str() {
        "" => mount.source.as_str(),
        name => name,
    });
    let names = names.map(|name| match full {
        true => name.to_owned(),
        false => units::ellipsis(name, MOUNT_WIDTH),
    });
    names.collect::<Vec<_>>().join(",")
}

fn local_volumes(summary: &ContainerSummary) -> usize {
    summary.mounts.iter().filter(|mount| mount.driver == "local").count()
}

/// The PORTS cell: equal ports in ranges first, then single mappings.
pub(crate) fn ports(entries: &[PortEntry]) -> String {
    let mut same: BTreeSet<(&str, Option<IpAddr>, String, u16)> = BTreeSet::new();
    let mut mapped = Vec::new();
    for entry in entries {
        let PortEntry { private_port: number, protocol, .. } = entry;
        // 127.0.0.2 comes before 127.0.0.10.
        let address = entry.ip.parse().ok();
        let ip = match entry.ip.contains(':') {
            true => format!("[{}]", entry.ip),
            false => entry.ip.clone(),
        };
        match entry.public_port {
            Some(public) if public != *number => {
                let text = format!("{ip}:{public}->{number}/{protocol}");
                mapped.push(((*number, protocol.as_str(), address), text));
            }
            _ => {
                same.insert((protocol, address, ip, *number));
            }
        }
    }
    let mut cells = Vec::new();
    let mut rest = same.into_iter().peekable();
    while let Some((protocol, _, ip, first)) = rest.next() {
        let mut last = first;
        while rest.next_if(|(p, _, i, n)| *p == protocol && *i == ip && *n == last + 1).is_some() {
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

    use coracle_runtime::model::{ContainerMount, MountPoint, PortBinding, PortMap, State, Status};
    use coracle_runtime::records::Life;
    use coracle_view::Now;
    use coracle_view::image::ImageNames;

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
            image_name: "alpine".into(),
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
            ("80/tcp".into(), Some(vec![binding("0.0.0.0", "8081"), binding("::", "8081")])),
            ("81/udp".into(), Some(vec![binding("127.0.0.1", "8082")])),
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

    fn summary(container: Container, size: Option<(u64, u64)>) -> ContainerSummary {
        let known = Known { container, state: running(), life: Life::default() };
        let zone = chrono::FixedOffset::east_opt(0).unwrap();
        let now = Now { time: now(), zone };
        ContainerSummary::new(&known, &[], &ImageNames::unknown(), size, &now)
    }

    #[test]
    fn the_table() {
        let row = row(&summary(container(), None), false, now());
        let text = Listing::new(&PLAIN, None, false).unwrap().render([&row]).unwrap();
        insta::assert_snapshot!(text, @r#"
        CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS                  PORTS                                                             NAMES
        48fc025c0a4b   alpine    "sh -c 'sleep 1000; …"   2 seconds ago   Up Less than a second   0.0.0.0:8081->80/tcp, [::]:8081->80/tcp, 127.0.0.1:8082->81/udp   p1
        "#);
    }

    #[test]
    fn the_json_line_has_the_recorded_keys() {
        let summary = summary(container(), None);
        let row = row(&summary, false, now());
        let here = units::created_at(summary.created_at.unwrap());
        insta::assert_snapshot!(row.json().replace(&here, "[TIME]"), @r#"{"Command":"\"sh -c 'sleep 1000; …\"","CreatedAt":"[TIME]","HealthStatus":"","ID":"48fc025c0a4b","Image":"alpine","Labels":"tier=web,x=1","LocalVolumes":"1","Mounts":"pv","Names":"p1","Networks":"none","Platform":null,"Ports":"0.0.0.0:8081-\u003e80/tcp, [::]:8081-\u003e80/tcp, 127.0.0.1:8082-\u003e81/udp","RunningFor":"2 seconds ago","Size":"0B","State":"running","Status":"Up Less than a second"}"#);
    }

    #[test]
    fn equal_ports_form_ranges() {
        let same = |port: &str| {
            Some(vec![PortBinding { host_ip: "0.0.0.0".into(), host_port: port.into() }])
        };
        let map: PortMap = [
            ("80/tcp".into(), same("80")),
            ("81/tcp".into(), same("81")),
            ("90/tcp".into(), None),
            ("91/tcp".into(), None),
        ]
        .into();
        let mut container = container();
        container.network_settings.ports = map;
        let entries = summary(container, None).ports;
        assert_eq!(ports(&entries), "90-91/tcp, 0.0.0.0:80-81->80-81/tcp");
    }

    #[test]
    fn addresses_are_in_the_order_of_numbers() {
        let at = |ip: &str, public| PortEntry {
            ip: ip.to_owned(),
            private_port: 80,
            public_port: Some(public),
            protocol: "tcp".to_owned(),
        };
        let entries = [
            at("127.0.0.10", 80),
            at("127.0.0.9", 80),
            at("::", 81),
            at("127.0.0.10", 82),
            at("127.0.0.9", 82),
        ];
        assert_eq!(
            ports(&entries),
            "127.0.0.9:80->80/tcp, 127.0.0.10:80->80/tcp, 127.0.0.9:82->80/tcp, 127.0.0.10:82->80/tcp, [::]:81->80/tcp"
        );
    }

    #[test]
    fn sizes_when_asked_for() {
        let summary = summary(container(), Some((2, 7_797_762)));
        assert_eq!(size(&summary), "2B (virtual 7.8MB)");
    }
}
