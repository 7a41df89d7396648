//! Services of a swarm, carried out: names, virtual addresses, ports.
//!
//! # How it works
//!
//! A virtual address is nobody's. Members are told that it has the gateway's hardware address, and
//! a route leads it from their bridge over the wire, to us: connections and datagrams go on to a
//! task from the hub as those to the world go on from the host; an echo request is answered here.
//! Where nf_tables can, connections in a swarm's networks go to the task at once ([`nft::lead`]).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use super::balance::Balancer;
use super::members::{Endpoint, Members};
use super::ports::Target;
use super::run::Netd;
use crate::balance::{BALANCE_BYTES_MAX, Balance};
use crate::flow::Goal;
use crate::hub;
use crate::nft::{self, RoutedNetwork};
use crate::protocol::Reply;

/// Virtual addresses that a network's bridge leads to us, by network id.
pub(crate) type Led = HashMap<String, HashSet<IpAddr>>;

impl Netd {
    /// A client says what is wanted from now on.
    pub(crate) fn balance(&mut self, descriptors: Vec<OwnedFd>) -> Result<Reply, String> {
        let [file] = <[OwnedFd; 1]>::try_from(descriptors)
            .map_err(|_| "a file must come with it".to_owned())?;
        let wanted = read(file.into()).map_err(|why| format!("not a balance: {why}"))?;
        let changes = self.balancer.replace(wanted);
        for port in changes.gone {
            self.close(Target::Service(port));
        }
        let bind = |place: Option<usize>| {
            let place = place.ok_or("the same port is wanted twice")?;
            let port = self.balancer.port_mut(place).ok_or("gone")?;
            if !port.is_bound {
                self.ports.publish_service(&self.kit, place, &port.wanted)?;
                port.is_bound = true;
            }
            Ok::<(), String>(())
        };
        let ingress = changes.places.into_iter().map(bind).map(Result::err).collect();
        self.ports.follow(&mut self.kit, &self.members.gateways());
        self.rebalance();
        Ok(Reply::Balanced { ingress })
    }

    /// Closes the listeners of a target.
    pub(crate) fn close(&mut self, target: Target) {
        for socket in self.ports.withdraw(target) {
            self.udp.forget_port(&socket);
        }
    }

    /// Members or what is wanted have changed: who is ready, and who must know.
    pub(crate) fn rebalance(&mut self) {
        if self.balancer.is_empty() && self.led.is_empty() {
            return;
        }
        let members = &self.members;
        let is_member = |network: &str, address: IpAddr| {
            members.at(address).is_some_and(|endpoint| endpoint.network == network)
        };
        self.balancer.refresh(is_member);
        self.names.set_services(self.balancer.names(is_member));
        let balancer = &self.balancer;
        self.udp.keep_tasks(|vip, task| balancer.is_ready(vip, task));
        self.lead_vips();
        self.translate();
    }

    /// Has nf_tables lead connections to virtual addresses, where it is there. What it does not
    /// take goes over the wire.
    fn translate(&mut self) {
        let Some(rules) = &self.kit.rules else { return };
        let routed = self.led.iter().filter_map(|(id, vips)| {
            let network = self.members.networks.get(id).filter(|network| network.routed)?;
            let mut vips: Vec<_> = vips
                .iter()
                .filter_map(|vip| Some((v4(*vip)?, self.balancer.ready(*vip))))
                .map(|(vip, tasks)| (vip, tasks.iter().copied().filter_map(v4).collect()))
                .collect();
            vips.sort();
            let subnets = network.subnets.iter();
            let subnets = subnets.filter_map(|it| Some((v4(it.address)?, it.prefix))).collect();
            Some(RoutedNetwork { bridge: hub::bridge_name(id), subnets, vips })
        });
        let mut routed: Vec<RoutedNetwork> = routed.collect();
        routed.sort_by(|a, b| a.bridge.cmp(&b.bridge));
        if self.translated == routed {
            return;
        }
        let done = match routed.is_empty() {
            true => nft::forget(rules),
            false => nft::lead(rules, hub::WIRE, &routed),
        };
        self.translated = match done {
            Ok(()) => routed,
            // More than it can take, or a part of it is missing: all goes over the wire.
            Err(_) => {
                nft::forget(rules).ok();
                Vec::new()
            }
        };
    }

    /// Has bridges lead virtual addresses to us, and tells members of them.
    fn lead_vips(&mut self) {
        let mut led = std::mem::take(&mut self.led);
        // An idle bridge may stay for long.
        for (network, vips) in &led {
            if !self.members.networks.contains_key(network) {
                vips.iter().for_each(|vip| self.hub.remove_vip(network, *vip));
            }
        }
        led.retain(|network, _| self.members.networks.contains_key(network));
        for network in self.members.networks.keys() {
            let wanted = self.balancer.vips(network);
            let known = led.remove(network).unwrap_or_default();
            let gone: Vec<IpAddr> = known.difference(&wanted).copied().collect();
            let mut all: HashSet<IpAddr> = known.intersection(&wanted).copied().collect();
            gone.iter().for_each(|vip| self.hub.remove_vip(network, *vip));
            // One that cannot be led now is tried again at the next change.
            let is_led = |vip: &IpAddr| self.hub.add_vip(network, *vip).is_ok();
            let new: Vec<IpAddr> = wanted.difference(&known).copied().filter(is_led).collect();
            if !gone.is_empty() || !new.is_empty() {
                let members = self.acquaintances(network);
                hub::part(&gone, &members);
                hub::tell_of_vips(network, &new, &members);
            }
            all.extend(new);
            if !all.is_empty() {
                led.insert(network.clone(), all);
            }
        }
        self.led = led;
    }

    /// The endpoint that takes the next connection at a port of a service.
    pub(crate) fn next_task(&mut self, port: usize) -> Option<(&Endpoint, u16)> {
        let inner = self.balancer.port(port)?.wanted.target_port;
        let task = self.balancer.next_at(port)?;
        Some((self.members.at(task)?, inner))
    }
}

/// Where a connection or a datagram to a virtual address goes; `None` when nobody is ready.
pub(crate) fn goal(balancer: &mut Balancer, members: &Members, vip: SocketAddr) -> Option<Goal> {
    let (network, task) = balancer.next(vip.ip())?;
    let gateway = members.networks.get(network)?.gateway_for(task)?;
    Some(Goal::Task {
        vip: vip.ip(),
        source: SocketAddr::new(gateway, 0),
        task: SocketAddr::new(task, vip.port()),
    })
}

fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

fn read(mut file: File) -> Result<Balance, String> {
    let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
    if !is_file {
        return Err("what came with it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(BALANCE_BYTES_MAX).unwrap_or(u64::MAX);
    file.rewind()
        .and_then(|()| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() > BALANCE_BYTES_MAX {
        return Err(format!("more than {BALANCE_BYTES_MAX} bytes"));
    }
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}
