//! `--link` on the default bridge: another container's name in the hosts file. Its addresses and
//! environment are in no variables, as of Docker 29.
//!
//! In networks of the user's a link is a name that one member alone knows another by; the
//! network helper answers it (`Connect::links`), and nothing is written into files.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::BRIDGE;
use crate::model::{Container, HostConfig, NetworkState};
use crate::records::{RecordError, Records};
use crate::spec::NetworkMode;

/// A container cannot share the network of one that was made after it, so there is no circle.
const SHARED_MAX: usize = 64;

/// A container that is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    alias: String,
    address: IpAddr,
    /// Its short id or host name, and its name: beside the alias.
    also: Vec<String>,
}

impl Link {
    /// The line of the hosts file, without its end.
    pub(crate) fn line(&self) -> (IpAddr, String) {
        let mut names = self.alias.clone();
        for name in self.also.iter().filter(|name| **name != self.alias) {
            // Writing to memory does not fail.
            write!(names, " {name}").unwrap_or_default();
        }
        (self.address, names)
    }
}

/// The name and the alias of a link as typed.
pub(crate) fn parse(text: &str) -> (&str, &str) {
    let (name, alias) = text.split_once(':').unwrap_or((text, text));
    let name = name.strip_prefix('/').unwrap_or(name);
    (name, alias.rsplit('/').next().unwrap_or(alias))
}

/// The names that links of others on the default network give a container, such as `web/db`.
pub fn names_by_links<'a>(
    container: &Container,
    others: impl IntoIterator<Item = &'a Container>,
) -> Vec<String> {
    let mut names = Vec::new();
    for other in others {
        for (name, alias) in other.host_config.links.iter().flatten().map(|text| parse(text)) {
            if name == container.name || (!name.is_empty() && container.id.starts_with(name)) {
                names.push(format!("{}/{alias}", other.name));
            }
        }
    }
    names.sort_unstable();
    names
}

/// Looks up whom `container` is linked to.
///
/// # Errors
/// In words: one is missing, does not run, or is not on the default bridge.
pub(crate) fn resolve(records: &Records, container: &Container) -> Result<Vec<Link>, String> {
    let legacy = container.network_settings.networks.contains_key(BRIDGE);
    let wanted = container.host_config.links.iter().flatten().filter(|_| legacy);
    wanted.map(|text| resolve_one(records, container, text)).collect()
}

/// Whether every link of a container that is being made can be one.
///
/// # Errors
/// In Docker's words: one is missing, or has the host's network.
pub(crate) fn check(records: &Records, host: &HostConfig) -> Result<(), String> {
    if matches!(NetworkMode::parse(&host.network_mode), NetworkMode::Network(name) if name != BRIDGE)
    {
        return Ok(());
    }
    for text in host.links.iter().flatten() {
        let other = target(records, parse(text).0)?;
        if NetworkMode::parse(&other.host_config.network_mode) == NetworkMode::Host {
            let text = "conflicting options: host type networking can't be used with links. This \
                        would result in undefined behavior";
            return Err(text.to_owned());
        }
    }
    Ok(())
}

/// Whose network a container has that is linked to: its own, or that of whom it shares it with.
fn target(records: &Records, name: &str) -> Result<Container, String> {
    let get = |name: &str| {
        let found = records.find(name).and_then(|id| records.load(&id));
        found.map_err(|error| missing(name, &error))
    };
    let mut other = get(name)?;
    for _ in 0..SHARED_MAX {
        match NetworkMode::parse(&other.host_config.network_mode) {
            NetworkMode::Container(next) => other = get(&next)?,
            _ => return Ok(other),
        }
    }
    Err(format!("the network of container {name} is shared too often to follow"))
}

fn missing(name: &str, error: &RecordError) -> String {
    format!("could not get container for {name}: {error}")
}

fn resolve_one(records: &Records, container: &Container, text: &str) -> Result<Link, String> {
    let (name, alias) = parse(text);
    let other = target(records, name)?;
    let id = &other.id;
    let state = records.life(id).map_err(|error| missing(name, &error))?.network;
    if !other.network_settings.networks.contains_key(BRIDGE) {
        return Err(format!("container {id} not attached to default bridge network"));
    }
    let address = address(&state).ok_or_else(|| {
        format!("Cannot link to a non running container: /{name} AS /{}/{alias}", container.name)
    })?;
    Ok(Link {
        alias: alias.to_owned(),
        address,
        also: vec![other.config.hostname.clone(), other.name.clone()],
    })
}

fn address(state: &NetworkState) -> Option<IpAddr> {
    let endpoint = state.endpoints.get(BRIDGE)?;
    endpoint.got.ip.map(IpAddr::V4).or(endpoint.got.ip6.map(IpAddr::V6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use coracle_netns::protocol::Connected;

    #[test]
    fn links_are_read() {
        assert_eq!(parse("defl:lk"), ("defl", "lk"));
        assert_eq!(parse("u2"), ("u2", "u2"));
        assert_eq!(parse("/defl:/tender_elgamal/lk"), ("defl", "lk"));
    }

    #[test]
    fn a_line_names_each_once() {
        let address = "172.17.0.2".parse().unwrap();
        let also = vec!["fe6235328337".to_owned(), "defl".to_owned()];
        let link = Link { alias: "lk".to_owned(), address, also };
        assert_eq!(link.line(), (address, "lk fe6235328337 defl".to_owned()));
        let same = Link { alias: "defl".to_owned(), ..link };
        assert_eq!(same.line().1, "defl fe6235328337");
    }

    #[test]
    fn only_the_default_bridge_has_the_address() {
        let mut state = NetworkState::default();
        let got = Connected { ip: "172.18.0.2".parse().ok(), ..Connected::default() };
        state.add("n1", "1", got.clone());
        assert_eq!(address(&state), None);
        state.add(BRIDGE, "2", got);
        assert_eq!(address(&state), "172.18.0.2".parse().ok());
    }
}
