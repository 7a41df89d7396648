//! Where the files mounted into `/etc` lie, what is in them, and when it changes.
//!
//! # How it works
//!
//! They are written when a container is made ready, again when its networks are made, and
//! brought up to date when it joins or leaves one. They are mounted as files, so they are
//! written in place. What somebody changed inside is kept: a resolver file is then left
//! alone, and of a hosts file only our own lines come and go.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use coracle_netns::protocol::HOST_GATEWAY;

use crate::error::EngineError;
use crate::etc_files::{
    Hosts, Nameservers, Overrides, ResolvConf, hostname_file, wants_systemd_file,
};
use crate::model::{Container, NetworkState};
use crate::networks::{BRIDGE, Link};
use crate::paths::Paths;
use crate::records::Records;
use crate::spec::{EtcPaths, NetworkMode};

/// Where names are answered in a network of the user's.
const INTERNAL_SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

/// What a container is called where, and whom it knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) state: &'a NetworkState,
    pub(crate) links: &'a [Link],
}

/// Writes the files of a container whose networks are not made yet.
pub(crate) fn write(
    paths: &Paths,
    container: &Container,
    network: &NetworkMode,
) -> Result<EtcPaths, EngineError> {
    if let NetworkMode::Container(other) = network {
        // Names belong to the network namespace: the donor's files serve both.
        let id = owner_of_network(&Records::open(paths)?, other)?;
        let file = |name: &str| Some(paths.container(&id).join(name));
        return Ok(EtcPaths {
            resolv_conf: file("resolv.conf"),
            hostname: file("hostname"),
            hosts: file("hosts"),
        });
    }
    let state = NetworkState::default();
    let names = Names { state: &state, links: &[] };
    let folder = paths.container(&container.id);
    let put = |name: &str, text: String| -> Result<Option<PathBuf>, EngineError> {
        let path = folder.join(name);
        write_in_place(&path, text.as_bytes())
            .map_err(EngineError::io(format!("write {}", path.display())))?;
        Ok(Some(path))
    };
    let hostname = match container.is_step {
        // As BuildKit does: it is part of the image that is made.
        true => None,
        false => put("hostname", hostname_file(&container.config.hostname))?,
    };
    Ok(EtcPaths {
        resolv_conf: put("resolv.conf", resolv_conf(container, network, &names))?,
        hostname,
        hosts: put("hosts", hosts(container, network, &names)?)?,
    })
}

/// The container whose network namespace `reference` has: itself, or whoever it joined.
fn owner_of_network(records: &Records, reference: &str) -> Result<String, EngineError> {
    /// More than anybody makes; a ring of containers ends here too.
    const CHAIN_MAX: usize = 32;
    let mut id = records.find(reference)?;
    for _ in 0..CHAIN_MAX {
        match NetworkMode::parse(&records.load(&id)?.host_config.network_mode) {
            NetworkMode::Container(next) => id = records.find(&next)?,
            _ => break,
        }
    }
    Ok(id)
}

/// Writes the files that name addresses, once there are some.
pub(crate) fn write_names(
    paths: &Paths,
    container: &Container,
    names: &Names<'_>,
) -> Result<(), EngineError> {
    let network = NetworkMode::parse(&container.host_config.network_mode);
    let folder = paths.container(&container.id);
    for (name, text) in [
        ("resolv.conf", resolv_conf(container, &network, names)),
        ("hosts", hosts(container, &network, names)?),
    ] {
        let path = folder.join(name);
        write_in_place(&path, text.as_bytes())
            .map_err(EngineError::io(format!("write {}", path.display())))?;
    }
    Ok(())
}

/// Brings the files up to date while the container runs.
pub(crate) fn update_names(
    paths: &Paths,
    container: &Container,
    old: &Names<'_>,
    new: &Names<'_>,
) -> Result<(), EngineError> {
    let network = NetworkMode::parse(&container.host_config.network_mode);
    let folder = paths.container(&container.id);
    let resolv = |names| resolv_conf(container, &network, names);
    let path = folder.join("resolv.conf");
    if fs::read_to_string(&path).is_ok_and(|text| text == resolv(old)) {
        write_in_place(&path, resolv(new).as_bytes())
            .map_err(EngineError::io(format!("write {}", path.display())))?;
    }
    let (old, new) = (hosts(container, &network, old)?, hosts(container, &network, new)?);
    let path = folder.join("hosts");
    let text =
        fs::read_to_string(&path).map_err(EngineError::io(format!("read {}", path.display())))?;
    write_in_place(&path, carry_over(&text, &old, &new).as_bytes())
        .map_err(EngineError::io(format!("write {}", path.display())))
}

/// Applies to `text` what changed from `old` to `new`.
fn carry_over(text: &str, old: &str, new: &str) -> String {
    if text == old {
        return new.to_owned();
    }
    let gone = |line: &&str| old.lines().any(|o| o == *line) && !new.lines().any(|n| n == *line);
    let fresh = |line: &&str| !old.lines().any(|o| o == *line);
    let kept = text.lines().filter(|line| !gone(line));
    kept.chain(new.lines().filter(fresh)).flat_map(|line| [line, "\n"]).collect()
}

fn hosts(
    container: &Container,
    network: &NetworkMode,
    names: &Names<'_>,
) -> Result<String, EngineError> {
    let in_host = *network == NetworkMode::Host;
    let host_file = in_host.then(|| fs::read_to_string("/etc/hosts").unwrap_or_default());
    let addresses: Vec<IpAddr> = names.state.addresses().collect();
    let links: Vec<(IpAddr, String)> = names.links.iter().map(Link::line).collect();
    let own = matches!(network, NetworkMode::Network(_));
    let hosts = Hosts {
        hostname: &container.config.hostname,
        domainname: &container.config.domainname,
        extra: container.host_config.extra_hosts.as_deref().unwrap_or_default(),
        links: &links,
        addresses: &addresses,
        host_gateway: own.then_some(IpAddr::V4(HOST_GATEWAY)),
        host_file: host_file.as_deref(),
    };
    hosts.text().map_err(|error| EngineError::Refuse(error.to_string()))
}

fn resolv_conf(container: &Container, network: &NetworkMode, names: &Names<'_>) -> String {
    let host = &container.host_config;
    let list = |list: &'_ Option<Vec<String>>| list.clone().unwrap_or_default();
    let overrides = Overrides {
        nameservers: &list(&host.dns),
        search: &list(&host.dns_search),
        options: &list(&host.dns_options),
    };
    let build = |resolved: bool, view| {
        let (source, text) = host_resolv_conf(resolved);
        ResolvConf::build(source, &text, overrides, view)
    };
    if *network == NetworkMode::Host {
        return build(false, Nameservers::Host).text();
    }
    let internal = || build(false, Nameservers::Internal(INTERNAL_SERVER)).text();
    if names.state.endpoints.keys().any(|name| name != BRIDGE) {
        return internal();
    }
    let ipv6 = names.state.addresses().any(|address| address.is_ipv6());
    let conf = build(true, Nameservers::Reachable { ipv6 });
    // The host's own server cannot be reached, but ours can ask it.
    if conf.has_default_servers() && !names.state.endpoints.is_empty() {
        return internal();
    }
    conf.text()
}

/// Whether the resolver in the container is to put its search list before names without a dot.
pub(crate) fn keeps_bare_names(container: &Container) -> bool {
    let chosen = container.host_config.dns_options.as_deref().unwrap_or_default();
    let overrides = Overrides { options: chosen, ..Overrides::default() };
    let (source, text) = host_resolv_conf(false);
    ResolvConf::build(source, &text, overrides, Nameservers::Host).ndots() > 0
}

/// The host's resolver file, and its name: with `resolved`, systemd-resolved's own list of
/// servers where `/etc/resolv.conf` names only its stub, which a container cannot reach.
fn host_resolv_conf(resolved: bool) -> (&'static str, String) {
    const FILE: &str = "/etc/resolv.conf";
    const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";
    let text = fs::read_to_string(FILE).unwrap_or_default();
    if resolved
        && wants_systemd_file(&text)
        && let Ok(text) = fs::read_to_string(RESOLVED)
    {
        return (RESOLVED, text);
    }
    (FILE, text)
}

/// The same inode, as it may be mounted in a container that joined this one's network.
fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use crate::start::container_etc::*;
    use coracle_netns::protocol::Connected;

    fn container() -> Container {
        let mut container = Container { id: "0".repeat(64), ..Container::default() };
        container.config.hostname = "3e6e0bc21337".to_owned();
        container
    }

    fn state(network: &str, ip: &str) -> NetworkState {
        let mut state = NetworkState::default();
        let got = Connected { ip: ip.parse().ok(), ..Connected::default() };
        state.add(network, network, got);
        state
    }

    #[test]
    fn a_network_of_the_users_has_our_server() {
        let mode = NetworkMode::Network("n1".to_owned());
        let text =
            |state: &NetworkState| resolv_conf(&container(), &mode, &Names { state, links: &[] });
        let shown = text(&state("n1", "172.18.0.2"));
        assert!(shown.contains("\nnameserver 127.0.0.11\n"), "{shown}");
        assert!(shown.contains("ndots:0") && shown.contains("(internal resolver)"), "{shown}");
        // What the host has decides over the default bridge; our server is the last resort.
        let shown = text(&state(BRIDGE, "172.17.0.2"));
        assert!(!shown.contains("8.8.8.8"), "{shown}");
    }

    #[test]
    fn a_container_that_joins_a_network_gets_its_line() {
        let mode = NetworkMode::Network("n1".to_owned());
        let text = |state: &NetworkState| {
            hosts(&container(), &mode, &Names { state, links: &[] }).unwrap()
        };
        let one = state("n1", "172.18.0.2");
        let mut two = one.clone();
        let got = Connected { ip: "172.19.0.2".parse().ok(), ..Connected::default() };
        two.add("n9", "n9", got);
        assert_eq!(carry_over(&text(&one), &text(&one), &text(&two)), text(&two));
        let edited = format!("{}10.0.0.1\tmine\n", text(&one));
        let joined = carry_over(&edited, &text(&one), &text(&two));
        assert_eq!(joined, format!("{edited}172.19.0.2\t3e6e0bc21337\n"));
        assert_eq!(carry_over(&joined, &text(&two), &text(&one)), edited);
    }

    #[test]
    fn the_host_has_an_address_of_its_own() {
        let mut container = container();
        container.host_config.extra_hosts = Some(vec!["h:host-gateway".to_owned()]);
        let state = NetworkState::default();
        let names = Names { state: &state, links: &[] };
        let mode = NetworkMode::Network(BRIDGE.to_owned());
        assert!(hosts(&container, &mode, &names).unwrap().ends_with("169.254.1.2\th\n"));
        assert!(hosts(&container, &NetworkMode::None, &names).is_err());
    }
}
