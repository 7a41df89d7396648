//! Ports that this host keeps for root, published at higher numbers instead.
//!
//! With the setting `low-ports` (`+8000`) such a port gets that much added: 80 becomes 8080. Who
//! starts the container is told of each; `ps`, `port` and `inspect` show what was published.

use coracle_netns::protocol::Port;
use coracle_words::port::PortKey;

use super::ports::wanted;
use crate::model::Container;
use crate::spec::NetworkMode;

/// The first port that everybody may listen at (ip(7)).
#[must_use]
pub fn first_free_port() -> u16 {
    const PATH: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let text = std::fs::read_to_string(PATH).unwrap_or_default();
    text.trim().parse().unwrap_or(1024)
}

/// Adds `by` to the ports that are root's; the ports that were so raised, and to what.
///
/// # Errors
/// In words, when there is no such port.
pub(crate) fn raise(ports: &mut [Port], by: u16) -> Result<Vec<String>, String> {
    if by == 0 { Ok(Vec::new()) } else { raise_below(ports, by, first_free_port()) }
}

/// What `raise` will say about a container's ports.
pub(crate) fn notes(container: &Container, by: u16) -> Vec<String> {
    // An error is told where the ports are published.
    wanted(container, None).and_then(|mut ports| raise(&mut ports, by)).unwrap_or_default()
}

/// What to do about the ports that a container in the host's network says it listens at and may
/// not. Nothing is known of what its program really does, so that this is a hint.
pub(crate) fn hint_for_host(container: &Container) -> Option<String> {
    if NetworkMode::parse(&container.host_config.network_mode) != NetworkMode::Host {
        return None;
    }
    kept_for_root(container, first_free_port())
}

fn kept_for_root(container: &Container, free: u16) -> Option<String> {
    let published = container.host_config.port_bindings.keys();
    let ports = container.config.exposed_ports.keys().chain(published).filter_map(PortKey::number);
    let lowest = ports.filter(|port| *port < free).min()?;
    Some(format!(
        "hint: a program with --network host cannot listen at port {lowest} here, ports below {free} are \
         root's; to allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start={lowest}; or let it listen higher, \
         or publish its port with -p instead"
    ))
}

fn raise_below(ports: &mut [Port], by: u16, free: u16) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    for port in ports {
        let (first, last) = port.host_ports;
        if first == 0 || first >= free {
            continue;
        }
        let raised = first.checked_add(by).zip(last.checked_add(by));
        port.host_ports = raised
            .ok_or_else(|| format!("the setting low-ports (+{by}) makes no port of {last}"))?;
        let shown = |(first, last): (u16, u16)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        let (asked, now) = (shown((first, last)), shown(port.host_ports));
        notes.push(format!(
            "Port {asked}/{} is published as {now}: this host keeps those below {free} for root \
             (setting low-ports)",
            port.protocol
        ));
    }
    notes.dedup();
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coracle_netns::protocol::Protocol;

    use crate::model::Empty;

    fn port(host_ports: (u16, u16)) -> Port {
        Port { protocol: Protocol::Tcp, inner: 80, host_ip: None, host_ports }
    }

    #[test]
    fn exposed_ports_of_root_are_told_with_the_hosts_network() {
        let mut container = Container::default();
        let exposed = ["8080/tcp", "443/tcp", "80/udp"].map(|port| (port.into(), Empty {}));
        container.config.exposed_ports = exposed.into();
        assert_eq!(hint_for_host(&container), None, "it has a network of its own");
        let hint = kept_for_root(&container, 1024).unwrap();
        assert!(hint.contains("port 80 ") && hint.ends_with("with -p instead"), "{hint}");
        assert_eq!(kept_for_root(&container, 80), None);
    }

    #[test]
    fn low_ports_are_raised_and_others_left() {
        let mut ports = [(80, 80), (0, 0), (8080, 8080), (1000, 1100)].map(port);
        let notes = raise_below(&mut ports, 8000, 1024).unwrap();
        let now = ports.clone().map(|port| port.host_ports);
        assert_eq!(now, [(8080, 8080), (0, 0), (8080, 8080), (9000, 9100)]);
        assert_eq!(notes.len(), 2);
        assert!(notes[0].starts_with("Port 80/tcp is published as 8080: "), "{notes:?}");
        assert!(notes[1].starts_with("Port 1000-1100/tcp is published as 9000-9100: "));
        assert_eq!(raise_below(&mut ports, 8000, 80).unwrap(), [""; 0]);
        let error = raise_below(&mut [port((80, 80))], 65_500, 1024).unwrap_err();
        assert_eq!(error, "the setting low-ports (+65500) makes no port of 80");
    }
}
