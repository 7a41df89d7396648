//! Published ports as lists show them.

use coracle_swarm::model::{PortConfig, PublishMode};

/// Ports of the ingress mode that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range<'a> {
    published: (u16, u16),
    target: (u16, u16),
    protocol: &'a str,
}

impl Range<'_> {
    fn text(&self) -> String {
        let range = |(first, last): (u16, u16)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        format!("*:{}->{}/{}", range(self.published), range(self.target), self.protocol)
    }
}

/// The column PORTS of a service: its ports of the ingress mode, those that follow each other as a range.
#[must_use]
pub fn published(ports: &[PortConfig]) -> String {
    let mut ports: Vec<&PortConfig> = ports.iter().collect();
    ports.sort_by_key(|port| (&port.protocol, port.published_port));
    let mut ranges: Vec<Range<'_>> = Vec::new();
    for port in ports.into_iter().filter(|port| port.mode() == PublishMode::Ingress) {
        let (published, target) = (port.published_port, port.target_port);
        let follows = |range: &&mut Range<'_>| {
            let next = |last: u16, one: u16| one.checked_sub(last).is_some_and(|step| step <= 1);
            let is_range = range.target.0 != range.target.1;
            range.protocol == port.protocol
                && next(range.published.1, published)
                && next(range.target.1, target)
                && !(is_range && target <= range.target.1)
        };
        match ranges.last_mut().filter(follows) {
            Some(range) => (range.published.1, range.target.1) = (published, target),
            None => ranges.push(Range {
                published: (published, published),
                target: (target, target),
                protocol: &port.protocol,
            }),
        }
    }
    ranges.iter().map(Range::text).collect::<Vec<_>>().join(", ")
}

/// The column PORTS of a task: those of the host mode that it got.
#[must_use]
pub fn task_ports(ports: &[PortConfig]) -> String {
    let one = |port: &PortConfig| {
        format!("*:{}->{}/{}", port.published_port, port.target_port, port.protocol)
    };
    ports.iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(published_port: u16, target_port: u16, protocol: &str) -> PortConfig {
        PortConfig {
            published_port,
            target_port,
            protocol: protocol.to_owned(),
            ..PortConfig::default()
        }
    }

    #[test]
    fn ports_that_follow_each_other_are_one_range() {
        assert_eq!(published(&[]), "");
        assert_eq!(published(&[port(8099, 80, "tcp")]), "*:8099->80/tcp");
        assert_eq!(
            published(&[port(8001, 81, "tcp"), port(8000, 80, "tcp"), port(53, 53, "udp")]),
            "*:8000-8001->80-81/tcp, *:53->53/udp"
        );
        assert_eq!(
            published(&[port(80, 80, "tcp"), port(443, 443, "tcp")]),
            "*:80->80/tcp, *:443->443/tcp"
        );
        let host = PortConfig { publish_mode: Some(PublishMode::Host), ..port(1, 1, "tcp") };
        assert_eq!(published(&[host]), "");
    }

    #[test]
    fn a_task_shows_each_of_its_own() {
        assert_eq!(
            task_ports(&[port(80, 8080, "tcp"), port(53, 53, "udp")]),
            "*:80->8080/tcp,*:53->53/udp"
        );
    }
}
