//! Who is called what on which network, and who may know.
//!
//! # How it works
//!
//! An endpoint is one member's place on one network; it brings names and addresses, and takes
//! exactly those away again. A question is answered with what the asker's networks know, the
//! asker being whose address it came from. As in Docker the networks are tried in the order in
//! which they give the default route, the first that knows an address answers, and `NAME.NETWORK`
//! asks one network alone.
//!
//! # Limits
//!
//! None of its own: the number of endpoints and names is bounded by who makes them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::resolv_conf::Resolvers;
use super::services::Services;
use super::terms::{TYPE_A, TYPE_AAAA};

/// A network, as far as names go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    pub id: String,
    pub name: String,
    /// No way out: whoever is on such networks only cannot ask about the outside.
    pub internal: bool,
    /// Whether names on it are answered (not on the default bridge).
    pub names: bool,
}

/// A member's place on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    pub id: String,
    pub member: String,
    pub network: Network,
    pub addresses: Vec<IpAddr>,
    /// The first is the one that an address resolves to.
    pub names: Vec<String>,
    /// What this member alone calls others of the network: `(alias, name)`.
    pub links: Vec<(String, String)>,
    /// The network with the highest is tried first.
    pub priority: i32,
}

/// What holds for a member on all its networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Where its other questions go, instead of the host's servers.
    pub resolvers: Option<Resolvers>,
    /// Names that only this member knows, as `host.docker.internal`.
    pub extra: Vec<(String, IpAddr)>,
    /// It asked for `ndots:` above 0: names without a dot are then not for the outside.
    pub keeps_bare_names: bool,
}

/// What the table says to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Addresses(Vec<IpAddr>),
    /// The name is there, addresses of this kind are not.
    NothingOfThisKind,
    /// A service's name, of which no task is ready: there is no such name now, also elsewhere.
    NobodyReady,
    Unknown,
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Names {
    endpoints: HashMap<String, Endpoint>,
    members: HashMap<String, Member>,
    /// Endpoints by address; the newest last.
    by_address: HashMap<IpAddr, Vec<String>>,
    /// Endpoints by network and name in small letters, in order of arrival.
    by_name: HashMap<String, HashMap<String, Vec<String>>>,
    /// Endpoints of a member, best network first.
    by_member: HashMap<String, Vec<String>>,
    services: Services,
    /// Turns taken by answers with several addresses, by kind: one counter for both would give
    /// those who ask for both kinds the same first address each time.
    turns: [usize; 2],
}

impl Names {
    pub(super) fn set_member(&mut self, id: &str, member: Member) {
        self.members.insert(id.to_owned(), member);
    }

    /// These are the services from now on.
    pub(super) fn set_services(&mut self, services: Services) {
        self.services = services;
    }

    /// Forgets what is known of a member, unless it has an endpoint.
    pub(super) fn forget_member(&mut self, id: &str) {
        if !self.by_member.contains_key(id) {
            self.members.remove(id);
        }
    }

    /// Adds an endpoint; one with the same id is replaced.
    pub(super) fn add(&mut self, endpoint: Endpoint) {
        self.remove(&endpoint.id);
        for address in &endpoint.addresses {
            self.by_address.entry(*address).or_default().push(endpoint.id.clone());
        }
        self.index_names(&endpoint);
        let (id, member) = (endpoint.id.clone(), endpoint.member.clone());
        self.endpoints.insert(id.clone(), endpoint);
        let places = self.by_member.entry(member).or_default();
        places.push(id);
        places.sort_by_key(|id| {
            let endpoint = &self.endpoints[id];
            let network = &endpoint.network;
            (std::cmp::Reverse(endpoint.priority), network.internal, network.name.clone())
        });
    }

    /// Takes away an endpoint and what it brought, nothing else. Returns the addresses that are
    /// nobody's now.
    pub(super) fn remove(&mut self, id: &str) -> Vec<IpAddr> {
        let Some(mut endpoint) = self.endpoints.remove(id) else { return Vec::new() };
        self.unindex_names(&endpoint);
        for address in &endpoint.addresses {
            take_out(&mut self.by_address, address, id);
        }
        take_out(&mut self.by_member, &endpoint.member, id);
        endpoint.addresses.retain(|address| !self.by_address.contains_key(address));
        endpoint.addresses
    }

    /// Gives an endpoint other names.
    pub(super) fn rename(&mut self, id: &str, names: Vec<String>) {
        let Some(mut endpoint) = self.endpoints.remove(id) else { return };
        self.unindex_names(&endpoint);
        endpoint.names = names;
        self.index_names(&endpoint);
        self.endpoints.insert(id.to_owned(), endpoint);
    }

    fn index_names(&mut self, endpoint: &Endpoint) {
        if !endpoint.network.names {
            return;
        }
        let of_network = self.by_name.entry(endpoint.network.id.clone()).or_default();
        for name in &endpoint.names {
            let owners = of_network.entry(name.to_ascii_lowercase()).or_default();
            if !owners.contains(&endpoint.id) {
                owners.push(endpoint.id.clone());
            }
        }
    }

    fn unindex_names(&mut self, endpoint: &Endpoint) {
        let Some(of_network) = self.by_name.get_mut(&endpoint.network.id) else { return };
        for name in &endpoint.names {
            take_out(of_network, &name.to_ascii_lowercase(), &endpoint.id);
        }
        if of_network.is_empty() {
            self.by_name.remove(&endpoint.network.id);
        }
    }

    /// Whose address this is.
    pub(super) fn member_at(&self, address: IpAddr) -> Option<&str> {
        let id = self.by_address.get(&address)?.last()?;
        Some(self.endpoints[id].member.as_str())
    }

    /// What was said about a member.
    pub(super) fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    /// Whether a member is on a network with a way out.
    pub(super) fn reaches_out(&self, member: &str) -> bool {
        self.places(member).any(|place| !place.network.internal)
    }

    /// A member's endpoints, best network first.
    fn places(&self, member: &str) -> impl Iterator<Item = &Endpoint> {
        self.by_member.get(member).into_iter().flatten().map(|id| &self.endpoints[id])
    }

    /// Addresses of a name in small letters; `kind` is A or AAAA.
    pub(super) fn resolve(&mut self, member: &str, name: &str, kind: u16) -> Found {
        let found = self.look_up(member, name, kind);
        let Found::Addresses(mut addresses) = found else { return found };
        if addresses.len() > 1 {
            let turn = &mut self.turns[usize::from(kind == TYPE_AAAA)];
            *turn = turn.wrapping_add(1);
            let count = addresses.len();
            addresses.rotate_left(*turn % count);
        }
        Found::Addresses(addresses)
    }

    /// First what the member alone knows, then its links, then what its networks know.
    fn look_up(&self, member: &str, name: &str, kind: u16) -> Found {
        let (mut exists, mut is_service) = (false, false);
        let mut addresses: Vec<IpAddr> = self
            .members
            .get(member)
            .into_iter()
            .flat_map(|member| &member.extra)
            .filter(|(extra, _)| extra.eq_ignore_ascii_case(name))
            .inspect(|_| exists = true)
            .map(|&(_, address)| address)
            .filter(|&address| is_kind(address, kind))
            .collect();
        for linked in [true, false] {
            for (name, network) in splits(name) {
                let places = self.places(member).filter(|place| {
                    network.is_none_or(|network| place.network.name.eq_ignore_ascii_case(network))
                });
                for place in places {
                    if !addresses.is_empty() {
                        return Found::Addresses(addresses);
                    }
                    let link =
                        place.links.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
                    if link.is_some() != linked {
                        continue;
                    }
                    let name = link.map_or(name, |(_, target)| target);
                    let owners = self.owners(&place.network.id, name);
                    exists |= !owners.is_empty();
                    let theirs = owners.iter().flat_map(|id| &self.endpoints[id].addresses);
                    let service = self.services.addresses(&place.network.id, name);
                    is_service |= service.is_some();
                    exists |= service.is_some_and(|addresses| !addresses.is_empty());
                    let all = theirs.chain(service.into_iter().flatten());
                    addresses.extend(all.filter(|&&address| is_kind(address, kind)));
                }
            }
        }
        match (addresses.is_empty(), exists) {
            (false, _) => Found::Addresses(addresses),
            (true, true) => Found::NothingOfThisKind,
            (true, false) if is_service => Found::NobodyReady,
            (true, false) => Found::Unknown,
        }
    }

    /// Whether the name is there, whatever its addresses.
    pub(super) fn knows(&self, member: &str, name: &str) -> Found {
        match self.look_up(member, name, TYPE_A) {
            Found::Addresses(_) => Found::NothingOfThisKind,
            found => found,
        }
    }

    fn owners(&self, network: &str, name: &str) -> &[String] {
        let of_network = self.by_name.get(network);
        of_network
            .and_then(|names| names.get(&name.to_ascii_lowercase()))
            .map_or(&[], Vec::as_slice)
    }

    /// The name of an address in the asker's networks, with its network's.
    pub(super) fn name_of(&self, member: &str, address: IpAddr) -> Option<String> {
        let service = self.places(member).find_map(|place| {
            let name = self.services.name_of(&place.network.id, address)?;
            Some(format!("{name}.{}", place.network.name))
        });
        if service.is_some() {
            return service;
        }
        let owner = &self.endpoints[self.by_address.get(&address)?.last()?];
        let known = owner.network.names
            && self.places(member).any(|place| place.network.id == owner.network.id);
        let name = owner.names.first().filter(|_| known)?;
        Some(format!("{name}.{}", owner.network.name))
    }
}

/// Takes `id` off the list at `key`, and the list away once it is empty.
fn take_out<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<String>>, key: &K, id: &str) {
    if let Some(ids) = map.get_mut(key) {
        ids.retain(|other| other != id);
        if ids.is_empty() {
            map.remove(key);
        }
    }
}

fn is_kind(address: IpAddr, kind: u16) -> bool {
    kind == if address.is_ipv4() { TYPE_A } else { TYPE_AAAA }
}

/// The name on any network, then each way to read its end as the name of a network: both kinds
/// of name may have dots in them.
fn splits(name: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let ends = name.rmatch_indices('.').map(|(dot, _)| (&name[..dot], Some(&name[dot + 1..])));
    std::iter::once((name, None)).chain(ends)
}

/// The address in a reverse name in small letters.
pub(super) fn reverse_address(name: &str) -> Option<IpAddr> {
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let mut parts: Vec<&str> = labels.split('.').collect();
        parts.reverse();
        return parts.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let labels: Vec<&str> = name.strip_suffix(".ip6.arpa")?.split('.').collect();
    let nibble = |label: &&str| label.len() == 1 && label.as_bytes()[0].is_ascii_hexdigit();
    if labels.len() != 32 || !labels.iter().all(nibble) {
        return None;
    }
    let digits: String = labels.into_iter().rev().collect();
    u128::from_str_radix(&digits, 16).ok().map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
}
