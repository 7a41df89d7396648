//! From `-p`, `-P` and `--expose` to what the helper publishes, and back to what is shown.

use std::net::IpAddr;

use coracle_netns::protocol::{Port, Protocol, Published};
use coracle_words::port::PortKey;

use crate::model::{Container, PortBinding, PortMap};

/// What to publish, in order of the ports inside; `default` is where ports without an
/// address are bound.
///
/// # Errors
/// In words, for a protocol that cannot be carried.
pub(crate) fn wanted(container: &Container, default: Option<IpAddr>) -> Result<Vec<Port>, String> {
    let host = &container.host_config;
    let mut ports = Vec::new();
    for (key, bindings) in &host.port_bindings {
        for binding in bindings.iter().flatten() {
            ports.push(port(key, binding, default)?);
        }
    }
    if host.publish_all_ports {
        for key in container.config.exposed_ports.keys() {
            let bound = host.port_bindings.get(key).and_then(Option::as_ref);
            if bound.is_none_or(Vec::is_empty) {
                ports.push(port(key, &PortBinding::default(), default)?);
            }
        }
    }
    ports.sort_by_key(|port| (port.inner, port.protocol));
    Ok(ports)
}

fn port(key: &PortKey, binding: &PortBinding, default: Option<IpAddr>) -> Result<Port, String> {
    let protocol = match key.protocol() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        other => {
            return Err(format!(
                "cannot publish port {key}: {other} is not carried; tcp and udp are"
            ));
        }
    };
    let wrong = || format!("invalid port {key} or host port {:?}", binding.host_port);
    let (first, last) =
        binding.host_port.split_once('-').unwrap_or((&binding.host_port, &binding.host_port));
    let outer = |text: &str| if text.is_empty() { Some(0) } else { text.parse().ok() };
    Ok(Port {
        protocol,
        inner: key.number().ok_or_else(wrong)?,
        host_ip: match binding.host_ip.as_str() {
            "" => default,
            ip => Some(ip.parse().map_err(|_| wrong())?),
        },
        host_ports: outer(first).zip(outer(last)).ok_or_else(wrong)?,
    })
}

/// The ports as `inspect` shows them: published ones, and exposed ones without bindings.
pub(crate) fn as_map(container: &Container, published: &[Published]) -> PortMap {
    let exposed = container.config.exposed_ports.keys();
    let mut map: PortMap = exposed.map(|key| (key.clone(), None)).collect();
    // All addresses of one family before those of the other, as Docker binds them.
    for family in [true, false] {
        for port in published.iter().filter(|port| port.host_ip.is_ipv4() == family) {
            let key = PortKey::new(port.inner, port.protocol);
            map.entry(key).or_default().get_or_insert_default().push(PortBinding {
                host_ip: port.host_ip.to_string(),
                host_port: port.host_port.to_string(),
            });
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Empty;

    fn binding(ip: &str, port: &str) -> PortBinding {
        PortBinding { host_ip: ip.to_owned(), host_port: port.to_owned() }
    }

    fn container(bindings: &[(&str, &str, &str)], exposed: &[&str]) -> Container {
        let mut container = Container::default();
        for (key, ip, port) in bindings {
            let slot = container.host_config.port_bindings.entry((*key).into()).or_default();
            slot.get_or_insert_default().push(binding(ip, port));
        }
        let empty = |key: &&str| ((*key).into(), Empty {});
        container.config.exposed_ports = exposed.iter().map(empty).collect();
        container
    }

    #[test]
    fn bindings_become_requests() {
        let container = container(
            &[("80/tcp", "", "8080"), ("53/udp", "127.0.0.1", ""), ("7/tcp", "::1", "100-105")],
            &[],
        );
        let ports = wanted(&container, None).unwrap();
        let shown: Vec<_> =
            ports.iter().map(|p| (p.inner, p.protocol, p.host_ip, p.host_ports)).collect();
        let ip = |text: &str| text.parse::<IpAddr>().ok();
        assert_eq!(
            shown,
            [
                (7, Protocol::Tcp, ip("::1"), (100, 105)),
                (53, Protocol::Udp, ip("127.0.0.1"), (0, 0)),
                (80, Protocol::Tcp, None, (8080, 8080)),
            ]
        );
        let bound = wanted(&container, ip("127.0.0.9")).unwrap();
        assert_eq!(bound[2].host_ip, ip("127.0.0.9"));
        assert_eq!(bound[0].host_ip, ip("::1"));
    }

    #[test]
    fn all_exposed_ports_get_one_unless_they_have_one() {
        let mut container = container(&[("80/tcp", "", "8120")], &["80/tcp", "81/udp", "90/tcp"]);
        assert_eq!(wanted(&container, None).unwrap().len(), 1);
        container.host_config.publish_all_ports = true;
        let inner: Vec<_> =
            wanted(&container, None).unwrap().iter().map(|p| (p.inner, p.host_ports.0)).collect();
        assert_eq!(inner, [(80, 8120), (81, 0), (90, 0)]);
    }

    #[test]
    fn sctp_is_refused_with_words() {
        let error = wanted(&container(&[("9/sctp", "", "")], &[]), None).unwrap_err();
        assert_eq!(error, "cannot publish port 9/sctp: sctp is not carried; tcp and udp are");
    }

    #[test]
    fn what_was_published_is_shown_with_what_is_exposed() {
        let published = |ip: &str, host_port| Published {
            protocol: Protocol::Tcp,
            inner: 80,
            host_ip: ip.parse().unwrap(),
            host_port,
        };
        let all = [
            published("0.0.0.0", 8088),
            published("::", 8088),
            published("0.0.0.0", 8089),
            published("::", 8089),
        ];
        let map = as_map(&container(&[], &["80/tcp", "81/tcp"]), &all);
        assert_eq!(map["81/tcp"], None);
        assert_eq!(
            map["80/tcp"].clone().unwrap(),
            [
                binding("0.0.0.0", "8088"),
                binding("0.0.0.0", "8089"),
                binding("::", "8088"),
                binding("::", "8089"),
            ]
        );
    }
}
