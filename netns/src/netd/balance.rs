//! What a swarm wants, and whose turn it is: decided here, carried out elsewhere.
//!
//! # How it works
//!
//! Each virtual address and each port of a service has the tasks that are ready and a number that
//! grows by one with each connection; so turns are taken also while tasks come and go. Who is
//! ready is worked out anew when the agent says so and when a member comes or goes.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use slab::Slab;

use crate::balance::{Balance, Ingress, Service};
use crate::dns::Services;

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Balancer {
    wanted: Balance,
    vips: HashMap<IpAddr, Vip>,
    /// Ports of services that are bound, or wait to be.
    ports: Slab<ServicePort>,
}

/// Tasks that take connections one after the other.
#[derive(Debug, Default)]
struct Turns {
    ready: Vec<IpAddr>,
    next: usize,
}

impl Turns {
    fn take(&mut self) -> Option<IpAddr> {
        let index = self.next.checked_rem(self.ready.len())?;
        self.next = self.next.wrapping_add(1);
        Some(self.ready[index])
    }
}

#[derive(Debug, Default)]
struct Vip {
    network: String,
    turns: Turns,
}

/// A port of a service.
#[derive(Debug)]
pub(crate) struct ServicePort {
    pub(crate) wanted: Ingress,
    pub(crate) is_bound: bool,
    turns: Turns,
}

/// What has changed of the ports: these are to be closed, and to be bound.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PortChanges {
    pub(crate) gone: Vec<usize>,
    /// For each entry of the balance its place here; `None` when another entry has the same port.
    pub(crate) places: Vec<Option<usize>>,
}

impl Balancer {
    /// Whether nothing is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.networks.is_empty() && self.ports.is_empty()
    }

    /// All that is wanted from now on. Who is ready is not known before [`Balancer::refresh`].
    pub(crate) fn replace(&mut self, wanted: Balance) -> PortChanges {
        let keys: HashSet<_> = wanted.ingress.iter().map(Ingress::key).collect();
        let stale = |(index, port): (usize, &ServicePort)| {
            (!keys.contains(&port.wanted.key())).then_some(index)
        };
        let gone: Vec<usize> = self.ports.iter().filter_map(stale).collect();
        for index in &gone {
            self.ports.remove(*index);
        }
        let mut known: HashMap<_, usize> =
            self.ports.iter().map(|(index, port)| (port.wanted.key(), index)).collect();
        let mut taken = HashSet::new();
        let places = wanted.ingress.iter().map(|ingress| {
            let index = *known.entry(ingress.key()).or_insert_with(|| {
                let (wanted, turns) = (ingress.clone(), Turns::default());
                self.ports.insert(ServicePort { wanted, is_bound: false, turns })
            });
            if !taken.insert(index) {
                return None;
            }
            self.ports[index].wanted = ingress.clone();
            Some(index)
        });
        let places = places.collect();
        self.wanted = wanted;
        PortChanges { gone, places }
    }

    /// Works out who is ready: who is said to be so and is a member of the network.
    pub(crate) fn refresh(&mut self, is_member: impl Fn(&str, IpAddr) -> bool) {
        let mut old = std::mem::take(&mut self.vips);
        for (network, wanted) in &self.wanted.networks {
            for service in &wanted.services {
                let Some(vip) = service.vip else { continue };
                let next = old.remove(&vip).map_or(0, |it| it.turns.next);
                let ready = present(network, &service.ready, &is_member);
                let turns = Turns { ready, next };
                self.vips.insert(vip, Vip { network: network.clone(), turns });
            }
        }
        for (_, port) in &mut self.ports {
            let ready = port.wanted.ready.iter().filter(|(network, ip)| is_member(network, *ip));
            port.turns.ready = ready.map(|(_, ip)| *ip).collect();
        }
    }

    /// The services' names, with those who are ready.
    pub(crate) fn names(&self, is_member: impl Fn(&str, IpAddr) -> bool) -> Services {
        let mut names = Services::default();
        for (network, wanted) in &self.wanted.networks {
            let ready = |service: &Service| {
                let ready = present(network, &service.ready, &is_member);
                Service { ready, ..service.clone() }
            };
            names.add(network, &wanted.services.iter().map(ready).collect::<Vec<_>>());
        }
        names
    }

    /// The virtual addresses in a network.
    pub(crate) fn vips(&self, network: &str) -> HashSet<IpAddr> {
        self.wanted.vips(network).collect()
    }

    /// Those of a network's addresses that nobody gets who does not ask for them; and those that
    /// nobody gets at all.
    pub(crate) fn reserved(&self, network: &str) -> (Vec<IpAddr>, Vec<IpAddr>) {
        let reserved = self.wanted.networks.get(network).map(|it| it.reserved.clone());
        let vips = self.vips(network);
        let reserved = reserved.unwrap_or_default();
        (
            reserved.into_iter().filter(|ip| !vips.contains(ip)).collect(),
            vips.iter().copied().collect(),
        )
    }

    /// Whether members of a network know this address as a virtual one.
    pub(crate) fn is_vip(&self, network: &str, address: IpAddr) -> bool {
        self.vips.get(&address).is_some_and(|vip| vip.network == network)
    }

    /// The network of a virtual address, and whose turn it is.
    pub(crate) fn next(&mut self, vip: IpAddr) -> Option<(&str, IpAddr)> {
        let vip = self.vips.get_mut(&vip)?;
        Some((&vip.network, vip.turns.take()?))
    }

    /// Whose turn it is at a port.
    pub(crate) fn next_at(&mut self, port: usize) -> Option<IpAddr> {
        self.ports.get_mut(port)?.turns.take()
    }

    /// Whether ports of services answer at an address of this host.
    pub(crate) fn answers_at(&self, address: IpAddr) -> bool {
        self.wanted.answers_at(address)
    }

    /// Whether there are addresses at which they do not.
    pub(crate) fn has_gates(&self) -> bool {
        self.wanted.gates.is_some()
    }

    /// Whether a task takes what comes to a port.
    pub(crate) fn is_ready_at(&self, port: usize, address: IpAddr) -> bool {
        self.ports.get(port).is_some_and(|port| port.turns.ready.contains(&address))
    }

    pub(crate) fn port_mut(&mut self, port: usize) -> Option<&mut ServicePort> {
        self.ports.get_mut(port)
    }

    pub(crate) fn port(&self, port: usize) -> Option<&ServicePort> {
        self.ports.get(port)
    }

    /// The tasks that take what comes to a virtual address.
    pub(crate) fn ready(&self, vip: IpAddr) -> &[IpAddr] {
        self.vips.get(&vip).map_or(&[], |vip| &vip.turns.ready)
    }

    /// Whether a task takes what comes to a virtual address.
    pub(crate) fn is_ready(&self, vip: IpAddr, address: IpAddr) -> bool {
        self.vips.get(&vip).is_some_and(|vip| vip.turns.ready.contains(&address))
    }
}

fn present(
    network: &str,
    ready: &[IpAddr],
    is_member: impl Fn(&str, IpAddr) -> bool,
) -> Vec<IpAddr> {
    ready.iter().copied().filter(|ip| is_member(network, *ip)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::{Gates, Wanted};
    use crate::protocol::Protocol;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 1, last])
    }

    fn ingress(port: u16, ready: &[u8]) -> Ingress {
        Ingress {
            protocol: Protocol::Tcp,
            host_ip: None,
            host_port: port,
            target_port: 80,
            ready: ready.iter().map(|last| ("n".to_owned(), ip(*last))).collect(),
        }
    }

    fn balance(ready: &[u8], ports: &[u16]) -> Balance {
        let service = Service {
            names: vec!["web".to_owned()],
            vip: Some(ip(2)),
            ready: ready.iter().map(|last| ip(*last)).collect(),
            ..Service::default()
        };
        let wanted = Wanted { reserved: vec![ip(2), ip(9)], services: vec![service] };
        Balance {
            networks: [("n".to_owned(), wanted)].into(),
            ingress: ports.iter().map(|port| ingress(*port, ready)).collect(),
            gates: None,
        }
    }

    #[test]
    fn ports_answer_where_a_machine_is_there() {
        let mut balancer = Balancer::default();
        assert!(balancer.answers_at(ip(3)) && !balancer.has_gates());
        let gates = Gates { first: ip(2), last: ip(254), open: vec![ip(4)] };
        balancer.replace(Balance { gates: Some(gates), ..Balance::default() });
        let open = [1, 2, 4, 254, 255].map(|last| balancer.answers_at(ip(last)));
        assert_eq!(open, [true, false, true, false, true]);
    }

    fn turns(balancer: &mut Balancer, count: usize) -> Vec<u8> {
        let last = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(_) => 0,
        };
        (0..count).filter_map(|_| balancer.next(ip(2)).map(|(_, ip)| last(ip))).collect()
    }

    #[test]
    fn those_who_are_ready_and_there_take_turns() {
        let mut balancer = Balancer::default();
        assert!(balancer.is_empty());
        balancer.replace(balance(&[3, 4, 5], &[]));
        balancer.refresh(|network, address| network == "n" && address != ip(5));
        assert_eq!(turns(&mut balancer, 4), [3, 4, 3, 4]);
        balancer.refresh(|_, _| true);
        assert_eq!(turns(&mut balancer, 3), [4, 5, 3], "turns go on");
        balancer.replace(balance(&[], &[]));
        balancer.refresh(|_, _| true);
        assert_eq!(turns(&mut balancer, 1), Vec::<u8>::new());
        assert!(balancer.is_vip("n", ip(2)) && !balancer.is_vip("m", ip(2)));
        assert_eq!(balancer.reserved("n"), (vec![ip(9)], vec![ip(2)]));
    }

    #[test]
    fn ports_that_are_wanted_again_stay_open() {
        let mut balancer = Balancer::default();
        let first = balancer.replace(balance(&[3], &[80, 81]));
        assert_eq!((first.gone.len(), first.places.len()), (0, 2));
        let kept = first.places[1].unwrap();
        balancer.port_mut(kept).unwrap().is_bound = true;
        let second = balancer.replace(balance(&[3, 4], &[81, 82, 81]));
        assert_eq!(second.gone, [first.places[0].unwrap()]);
        assert_eq!(second.places[0], Some(kept));
        assert_eq!(second.places[2], None);
        assert!(balancer.port(kept).unwrap().is_bound);
        assert_eq!(balancer.port(kept).unwrap().wanted.ready.len(), 2);
        balancer.refresh(|_, address| address == ip(4));
        assert_eq!(balancer.next_at(kept), Some(ip(4)));
        assert!(balancer.is_ready_at(kept, ip(4)) && !balancer.is_ready_at(kept, ip(3)));
    }
}
