//! Addresses and published ports: a service's virtual addresses, and what a task needs before it can have a node.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use coracle_netns::prefix::Prefix;

use crate::model::task::Attachment;
use crate::model::{
    EndpointMode, EndpointSpec, PortConfig, PublishMode, Service, TaskState, VirtualIp,
};

use super::draft::Draft;
use super::{Addresses, Surroundings, slots};

/// The ports that are given out when a user names none.
const PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

/// Gives services their ports and addresses, then tasks theirs: NEW becomes PENDING.
pub(super) fn allocate(
    draft: &mut Draft<'_>,
    around: &Surroundings,
    others: &mut dyn FnMut() -> Addresses,
) {
    let mut pool = Pool { around, others, used: None };
    let ids: Vec<&String> = draft.state.services.keys().collect();
    for id in ids {
        let Some(service) = draft.service(id) else { continue };
        if service.own.removed || is_blind(service, around) || is_served(service, around) {
            continue;
        }
        let mut service = service.clone();
        service.endpoint = endpoint(draft, &service, &mut pool);
        draft.put_service(service);
    }
    let new: Vec<usize> = draft
        .tasks()
        .filter(|(_, task)| task.status.state == TaskState::New && slots::is_wanted(task))
        .map(|(number, _)| number)
        .collect();
    for number in new {
        task(draft, number, &mut pool);
    }
}

/// The addresses in use on each network, once somebody asks.
struct Pool<'a> {
    around: &'a Surroundings,
    others: &'a mut dyn FnMut() -> Addresses,
    used: Option<Addresses>,
}

impl Pool<'_> {
    /// A free address of a network, with the network's prefix.
    fn take(&mut self, draft: &Draft<'_>, network: &str) -> Option<String> {
        let around = self.around;
        let facts = around.networks.get(network)?;
        let subnet = facts.subnet?;
        let used = self.used.get_or_insert_with(|| in_use(draft, around, (self.others)()));
        let used = used.entry(network.to_owned()).or_default();
        let address =
            free(subnet, |address| used.contains(&address) || facts.gateway == Some(address))?;
        used.insert(address);
        Some(format!("{address}/{}", subnet.length))
    }
}

/// The first address of a network that is not taken. Only IPv4: there is no other overlay network.
fn free(subnet: Prefix, is_taken: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let (IpAddr::V4(first), IpAddr::V4(last)) = (subnet.first_host(), subnet.last()) else {
        return None;
    };
    let numbers = u32::from(first)..u32::from(last);
    numbers.map(|number| IpAddr::V4(Ipv4Addr::from(number))).find(|address| !is_taken(*address))
}

fn in_use(draft: &Draft<'_>, around: &Surroundings, others: Addresses) -> Addresses {
    let mut used = others;
    for id in around.networks.keys() {
        used.entry(id.clone()).or_default();
    }
    let mut note = |network: &str, address: &str| {
        if let (Some(used), Ok(prefix)) = (used.get_mut(network), address.parse::<Prefix>()) {
            used.insert(prefix.address);
        }
    };
    for id in draft.state.services.keys() {
        for vip in draft.service(id).into_iter().flat_map(|service| &service.endpoint.virtual_ips) {
            note(&vip.network_id, &vip.addr);
        }
    }
    for (_, task) in draft.tasks().filter(|(_, task)| !task.status.state.is_over()) {
        for attachment in &task.networks_attachments {
            for address in &attachment.addresses {
                note(&attachment.network, address);
            }
        }
    }
    used
}

fn asked(service: &Service) -> EndpointSpec {
    service.spec.endpoint_spec.clone().unwrap_or_default()
}

fn has_ingress(ports: &[PortConfig]) -> bool {
    ports.iter().any(|port| port.mode() == PublishMode::Ingress)
}

/// The networks of a service's tasks: that of published ports first.
fn networks(service: &Service, around: &Surroundings) -> Vec<String> {
    let mut networks = Vec::new();
    if has_ingress(&asked(service).ports) {
        let ingress = around.networks.iter().find(|(_, facts)| facts.ingress);
        networks.extend(ingress.map(|(id, _)| id.clone()));
    }
    for network in &service.spec.task_template.networks {
        if !networks.contains(&network.target) {
            networks.push(network.target.clone());
        }
    }
    networks
}

/// The networks on which a service has a virtual address.
fn vip_networks(service: &Service, around: &Surroundings) -> Vec<String> {
    if asked(service).mode.unwrap_or_default() == EndpointMode::Dnsrr {
        return Vec::new();
    }
    let mut networks = networks(service, around);
    networks.retain(|id| around.networks.get(id).is_some_and(|facts| facts.subnet.is_some()));
    networks
}

/// Whether a service has an address on a network that is not known. Networks in use are not removed: they could not be
/// read, and nothing is taken from the service because of that.
fn is_blind(service: &Service, around: &Surroundings) -> bool {
    let vips = &service.endpoint.virtual_ips;
    vips.iter().any(|vip| !around.networks.contains_key(&vip.network_id))
}

/// Whether a service has what it asks for.
fn is_served(service: &Service, around: &Surroundings) -> bool {
    let endpoint = &service.endpoint;
    let asked = asked(service);
    let has_ports = endpoint.ports.len() == asked.ports.len()
        && endpoint.ports.iter().zip(&asked.ports).all(|(has, asked)| is_port(has, asked));
    let vips = &endpoint.virtual_ips;
    endpoint.spec == asked
        && has_ports
        && vips.iter().map(|vip| &vip.network_id).eq(&vip_networks(service, around))
}

/// Whether a port is what was asked for.
fn is_port(has: &PortConfig, asked: &PortConfig) -> bool {
    let chosen = asked.published_port == 0 && asked.mode() == PublishMode::Ingress;
    let published = if chosen { has.published_port } else { asked.published_port };
    (!chosen || published != 0) && *has == PortConfig { published_port: published, ..asked.clone() }
}

fn endpoint(draft: &Draft<'_>, service: &Service, pool: &mut Pool<'_>) -> crate::model::Endpoint {
    let spec = asked(service);
    let mut ports: Vec<PortConfig> = Vec::with_capacity(spec.ports.len());
    for asked in &spec.ports {
        let had = service.endpoint.ports.iter().find(|had| is_port(had, asked));
        match had.filter(|had| !ports.contains(had)) {
            Some(had) => ports.push(had.clone()),
            None if asked.published_port == 0 && asked.mode() == PublishMode::Ingress => {
                let published_port = free_port(draft, service, &ports, &asked.protocol);
                ports.push(PortConfig { published_port, ..asked.clone() });
            }
            None => ports.push(asked.clone()),
        }
    }
    let mut virtual_ips = Vec::new();
    for network_id in vip_networks(service, pool.around) {
        let had = service.endpoint.virtual_ips.iter().find(|vip| vip.network_id == network_id);
        let vip = match had {
            Some(vip) => Some(vip.clone()),
            None => pool.take(draft, &network_id).map(|addr| VirtualIp { network_id, addr }),
        };
        virtual_ips.extend(vip);
    }
    crate::model::Endpoint { spec, ports, virtual_ips }
}

/// 0 when all are taken, which the next decision tries again.
fn free_port(draft: &Draft<'_>, service: &Service, own: &[PortConfig], protocol: &str) -> u16 {
    let others = draft.state.services.keys().filter_map(|id| draft.service(id));
    let others = others.filter(|other| other.id != service.id);
    let taken: BTreeSet<u16> = others
        .flat_map(|other| {
            other
                .endpoint
                .ports
                .iter()
                .chain(other.spec.endpoint_spec.iter().flat_map(|spec| &spec.ports))
        })
        .chain(own)
        .chain(service.spec.endpoint_spec.iter().flat_map(|spec| &spec.ports))
        .filter(|port| port.protocol == protocol)
        .map(|port| port.published_port)
        .collect();
    PORTS.into_iter().find(|port| !taken.contains(port)).unwrap_or_default()
}

/// Gives a task its addresses, if there are any.
fn task(draft: &mut Draft<'_>, number: usize, pool: &mut Pool<'_>) {
    let now = draft.now;
    let Some(service) = draft.service(&draft.task(number).service_id).cloned() else { return };
    let mut attachments = Vec::new();
    let mut failure = None;
    for network in networks(&service, pool.around) {
        let addresses = match pool.around.networks.get(&network) {
            None => {
                failure = Some(format!("network {network} not found"));
                break;
            }
            Some(facts) if facts.subnet.is_none() => Vec::new(),
            Some(_) => match pool.take(draft, &network) {
                Some(address) => vec![address],
                None => {
                    failure = Some(format!("no available addresses on network {network}"));
                    break;
                }
            },
        };
        attachments.push(Attachment { network, addresses });
    }
    if let Some(failure) = failure {
        if draft.task(number).status.err != failure {
            draft.change(number).status.err = failure;
        }
        return;
    }
    let task = draft.change(number);
    task.networks_attachments = attachments;
    task.own.ports = service.endpoint.ports;
    task.status.state = TaskState::Pending;
    task.status.timestamp = now;
    task.status.err.clear();
    "pending task scheduling".clone_into(&mut task.status.message);
}
