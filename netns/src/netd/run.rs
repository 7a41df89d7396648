//! The loop of a network helper: one thread that waits for everything.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coracle_sys::sockets::{Received, receive_at};
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::SocketFlags;
use rustix::time::Timespec;
use slab::Slab;

use super::balance::Balancer;
use super::clients::Client;
use super::end::Exit;
use super::members::Members;
use super::names::Names;
use super::ports::{Ports, Target};
use super::services::{self, Led};
use crate::flow::{
    Caller, DATAGRAM_FLOWS_MAX, Echoes, Ends, Goal, Kind, Kit, PIPES_MAX, Passage, Side, TcpFlows,
    Token, UdpFlows, Verdict, reset, unmapped,
};
use crate::hub::Hub;
use crate::nft::{self, RoutedNetwork};
use crate::wire::{FRAME_BYTES_MAX, Frame, Packet, Reassembly, echo_packet, is_for_us, protocol};

/// Frames and connections taken from one socket before others get their turn.
const BURST: usize = 64;

/// Connections of containers at most, if descriptors allow.
const CONNECTIONS_MAX: usize = 60_000;

/// Descriptors for all but connections, datagrams and pipes.
const OTHER_FILES: usize = 2048;

/// How often flows are looked through for those that are over: thousands are too many to look
/// at after each packet, and none is over sooner than the latter after it began.
const SWEEP_MIN: Duration = Duration::from_secs(1);
const SWEEP_MAX: Duration = Duration::from_secs(30);

/// How long the first client may take; whoever started us connects at once.
const FIRST_CLIENT: Duration = Duration::from_secs(10);

/// How soon an end that somebody else's lock stood in the way of is tried again.
const RETRY: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Netd {
    pub(crate) kit: Kit,
    pub(crate) hub: Hub,
    pub(crate) clients: Slab<Client>,
    pub(crate) members: Members,
    pub(crate) ports: Ports,
    pub(crate) names: Names,
    pub(crate) balancer: Balancer,
    pub(crate) led: Led,
    /// What nf_tables does of it.
    pub(crate) translated: Vec<RoutedNetwork>,
    pub(crate) tcp: TcpFlows,
    pub(crate) udp: UdpFlows,
    echoes: Echoes,
    parts: Reassembly,
    door: OwnedFd,
    exit: Exit,
    /// When flows are looked through again.
    sweep_at: Instant,
    buffer: Vec<u8>,
    datagram: Vec<u8>,
}

impl Netd {
    pub(crate) fn new(
        kit: Kit,
        hub: Hub,
        names: Names,
        door: OwnedFd,
        exit: Exit,
    ) -> Result<Self, Errno> {
        kit.watch_input(&kit.wire.socket, Token::new(Kind::Wire, 0))?;
        kit.watch_input(&door, Token::new(Kind::Door, 0))?;
        names.watch(&kit)?;
        // Of a helper that was killed.
        if let Some(rules) = &kit.rules {
            nft::forget(rules).ok();
        }
        let room = Room::new();
        let sweep_at = kit.now;
        Ok(Self {
            kit,
            hub,
            clients: Slab::new(),
            members: Members::default(),
            ports: Ports::default(),
            names,
            balancer: Balancer::default(),
            led: Led::default(),
            translated: Vec::new(),
            tcp: TcpFlows::new(room.connections),
            udp: UdpFlows::new(room.datagram_flows),
            echoes: Echoes::default(),
            parts: Reassembly::default(),
            door,
            exit,
            sweep_at,
            buffer: vec![0; FRAME_BYTES_MAX],
            datagram: vec![0; FRAME_BYTES_MAX],
        })
    }

    /// Serves until the last client is gone.
    pub(crate) fn live(&mut self) -> Result<(), Errno> {
        let patience = Instant::now() + FIRST_CLIENT;
        let mut met = false;
        let mut events = Vec::with_capacity(256);
        loop {
            met |= !self.clients.is_empty();
            let mut wake = self.sweep();
            if self.clients.is_empty() && (met || self.kit.now >= patience) {
                if self.exit.try_leave(&self.door) {
                    return Ok(());
                }
                wake = Some(self.kit.now + RETRY);
            } else if !met {
                wake = Some(wake.map_or(patience, |wake| wake.min(patience)));
            }
            let busy = self.tcp.turn(&mut self.kit);
            let timeout = if busy { Some(Duration::ZERO) } else { self.until(wake) };
            events.clear();
            let timeout = timeout
                .map(|timeout| timeout.try_into().unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 }));
            match epoll::wait(
                &self.kit.poller,
                rustix::buffer::spare_capacity(&mut events),
                timeout.as_ref(),
            ) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            self.kit.now = Instant::now();
            for event in &events {
                if let Some(token) = Token::from_u64(event.data.u64()) {
                    self.serve(token, event.flags);
                }
            }
        }
    }

    fn until(&self, wake: Option<Instant>) -> Option<Duration> {
        // Rounded up to the next millisecond, so that it is over when we look.
        wake.map(|wake| wake.saturating_duration_since(self.kit.now) + Duration::from_millis(1))
    }

    fn serve(&mut self, token: Token, event: epoll::EventFlags) {
        let Token { kind, index } = token;
        match kind {
            Kind::Wire => self.on_wire(),
            Kind::Door => self.on_door(),
            Kind::Client => self.on_client(index),
            Kind::TcpNear => self.tcp.on_ready(&mut self.kit, index, Side::Near, event),
            Kind::TcpFar => self.tcp.on_ready(&mut self.kit, index, Side::Far, event),
            Kind::Greeter => self.tcp.on_greeted(&mut self.kit, index),
            Kind::Udp => self.udp.on_ready(&mut self.kit, index),
            Kind::Echo => self.echoes.on_ready(&mut self.kit, index),
            Kind::TcpPort => self.on_tcp_port(index),
            Kind::UdpPort => self.on_udp_port(index),
            Kind::DnsUdp | Kind::DnsTcp | Kind::DnsStream | Kind::DnsUpstream => {
                self.names.serve(&mut self.kit, token);
            }
        }
    }

    /// Forgets what is over; gives the time of the next such moment.
    fn sweep(&mut self) -> Option<Instant> {
        self.kit.wire.flush();
        let now = self.kit.now;
        if self.sweep_at <= now {
            let ends = [self.tcp.sweep(&self.kit), self.udp.sweep(now), self.echoes.sweep(now)];
            let next = ends.into_iter().flatten().min();
            let (soonest, latest) = (now + SWEEP_MIN, now + SWEEP_MAX);
            self.sweep_at = next.map_or(latest, |next| next.clamp(soonest, latest));
        }
        let idle = self.tcp.is_idle() && self.udp.is_idle() && self.echoes.is_idle();
        let flows = (!idle).then_some(self.sweep_at);
        [flows, self.names.sweep(&mut self.kit)].into_iter().flatten().min()
    }

    fn on_wire(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..BURST {
            match rustix::io::read(&self.kit.wire.socket, &mut buffer[..]) {
                Ok(length) => self.on_frame(&mut buffer[..length]),
                Err(_) => break,
            }
        }
        self.buffer = buffer;
    }

    fn on_frame(&mut self, bytes: &mut [u8]) {
        if !is_for_us(bytes, self.kit.wire.us) {
            return;
        }
        let Some(frame) = Frame::parse(bytes) else { return };
        let Some(packet) = Packet::parse(frame.packet()) else { return };
        let verdict = self.verdict(&packet);
        if packet.protocol == protocol::TCP {
            return self.on_segment(frame, verdict);
        }
        if packet.fragment.is_some() {
            let Some(payload) = self.parts.add(self.kit.now, &packet) else { return };
            let whole = Packet { payload: &payload, fragment: None, ..packet };
            return self.on_datagram(&whole, verdict);
        }
        if let Some(udp) = packet.udp()
            && self.udp.is_answer(&udp)
        {
            let turned = frame.turned();
            return self.kit.wire.send_frame(turned);
        }
        self.on_datagram(&packet, verdict);
    }

    fn on_segment(&mut self, frame: Frame<'_>, verdict: Verdict) {
        let Some(packet) = Packet::parse(frame.packet()) else { return };
        let Some(tcp) = packet.tcp() else { return };
        let ends = Ends::of(&tcp);
        if self.tcp.knows(ends, tcp.flags.opens()) {
            return self.tcp.on_known(&mut self.kit, ends, frame);
        }
        match verdict {
            Verdict::Pass(ip) => {
                let target = SocketAddr::new(ip, tcp.destination.port());
                self.tcp.on_segment(&mut self.kit, frame, Goal::Outside(target));
            }
            Verdict::Service if tcp.flags.opens() => {
                let goal = services::goal(&mut self.balancer, &self.members, tcp.destination);
                self.tcp.on_segment(&mut self.kit, frame, goal.unwrap_or(Goal::Nobody));
            }
            Verdict::Service => self.tcp.on_segment(&mut self.kit, frame, Goal::Nobody),
            Verdict::Refuse(why) if tcp.flags.opens() => self.kit.refuse(&packet, why),
            Verdict::Refuse(_) | Verdict::Drop => {}
        }
    }

    fn on_datagram(&mut self, packet: &Packet<'_>, verdict: Verdict) {
        let target = match verdict {
            Verdict::Pass(target) => target,
            Verdict::Service => return self.on_service(packet),
            Verdict::Refuse(why) => return self.kit.refuse(packet, why),
            Verdict::Drop => return,
        };
        if let Some(udp) = packet.udp() {
            let target = SocketAddr::new(target, udp.destination.port());
            self.udp.on_datagram(&mut self.kit, packet, &udp, || Goal::Outside(target));
        } else if let Some(echo) = packet.echo() {
            self.echoes.on_request(&mut self.kit, packet, &echo, target);
        }
    }

    /// A packet without a connection for a virtual address.
    fn on_service(&mut self, packet: &Packet<'_>) {
        if let Some(udp) = packet.udp() {
            let (balancer, members) = (&mut self.balancer, &self.members);
            self.udp.on_datagram(&mut self.kit, packet, &udp, || {
                services::goal(balancer, members, udp.destination).unwrap_or(Goal::Nobody)
            });
        } else if let Some(echo) = packet.echo() {
            let (from, to) = (packet.destination, packet.source);
            self.kit.wire.send(echo_packet(from, to, (echo.id, echo.sequence), echo.data));
        }
    }

    fn verdict(&self, packet: &Packet<'_>) -> Verdict {
        let source = self.members.at(packet.source);
        if source.is_some_and(|it| self.balancer.is_vip(&it.network, packet.destination)) {
            return Verdict::Service;
        }
        self.members.verdict(packet.source, packet.destination, |client| {
            let joined = self.clients.get(client).and_then(|client| client.joined.as_ref());
            joined.is_some_and(|joined| joined.join.host_gateway)
        })
    }

    /// One at a time: to ask whether there is another costs as much as to take it.
    fn on_tcp_port(&mut self, index: usize) {
        let Some(listener) = self.ports.get(index) else { return };
        let target = (listener.target, listener.inner);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let accepted = rustix::net::acceptfrom_with(&*listener.socket, flags);
        let Ok((client, Some(peer))) = accepted else { return };
        let Ok(peer) = SocketAddr::try_from(peer) else { return };
        let at = || SocketAddr::try_from(rustix::net::getsockname(&client).ok()?).ok();
        if !self.is_open(target.0, || Some(at()?.ip())) {
            return reset(&client);
        }
        // Reset without a container to go on to.
        let Some((source, container)) = self.route(target, unmapped(peer)) else {
            return reset(&client);
        };
        self.tcp.on_client(&mut self.kit, client, source, container);
    }

    fn on_udp_port(&mut self, index: usize) {
        let mut buffer = std::mem::take(&mut self.datagram);
        for _ in 0..BURST {
            let Some(listener) = self.ports.get(index) else { break };
            let (socket, target) = (Rc::clone(&listener.socket), (listener.target, listener.inner));
            let hub = listener.in_hub();
            let received = receive_at(&*socket, &mut buffer);
            let Ok(Received { length, from, at }) = received else { break };
            if !self.is_open(target.0, || at.map(|at| at.ip())) {
                continue;
            }
            let caller = Caller { port: index, client: from, at };
            // A client stays with the task it has.
            let kept = self.udp.task_of(&caller).filter(|(_, task)| match target.0 {
                Target::Service(port) => self.balancer.is_ready_at(port, task.ip()),
                Target::Container(_) => false,
            });
            let Some((source, container)) = kept.or_else(|| self.route(target, unmapped(from)))
            else {
                continue;
            };
            let passage = Passage { port: &socket, hub, source, container };
            self.udp.on_client(&mut self.kit, caller, &passage, &buffer[..length]);
        }
        self.datagram = buffer;
    }

    /// Whether a port answers at the address that a client came to.
    fn is_open(&self, target: Target, at: impl FnOnce() -> Option<IpAddr>) -> bool {
        let has_gates = matches!(target, Target::Service(_)) && self.balancer.has_gates();
        !has_gates || at().is_none_or(|at| self.balancer.answers_at(at.to_canonical()))
    }

    /// The address a client's connection comes from in the hub, and the container's.
    fn route(
        &mut self,
        (target, inner): (Target, u16),
        peer: SocketAddr,
    ) -> Option<(SocketAddr, SocketAddr)> {
        let (endpoint, port) = match target {
            Target::Container(client) => (self.members.gateway(client)?, inner),
            Target::Service(port) => {
                let (endpoint, port) = self.next_task(port)?;
                // What it answers goes out by its way out, if it has one.
                let client = endpoint.client;
                match self.members.gateway(client) {
                    Some(gateway) => (gateway, port),
                    None => (self.members.of(client).next()?, port),
                }
            }
        };
        let got = &endpoint.got;
        // In the hub a link-local address would be somebody else's; and in a network without a
        // way out all others are unknown.
        let link = matches!(peer.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local());
        let internal = self.members.networks.get(&endpoint.network).is_none_or(|it| it.internal);
        let keep = !internal && !peer.ip().is_loopback() && !link && !self.members.owns(peer.ip());
        let (v4, v6) = (got.ip.map(IpAddr::V4), got.ip6.map(IpAddr::V6));
        let same_family = if peer.is_ipv4() { v4 } else { v6 };
        if let Some(container) = same_family.filter(|_| keep) {
            return Some((peer, SocketAddr::new(container, port)));
        }
        let (container, gateway) = match (v4, got.gateway, v6, got.gateway6) {
            (Some(ip), Some(gateway), ..) => (ip, IpAddr::V4(gateway)),
            (_, _, Some(ip), Some(gateway)) => (ip, IpAddr::V6(gateway)),
            _ => return None,
        };
        Some((SocketAddr::new(gateway, 0), SocketAddr::new(container, port)))
    }

    /// Takes clients at another door from now on; the old one, closed, is watched no more.
    pub(crate) fn change_door(&mut self, door: OwnedFd, lock: std::fs::File) -> Result<(), Errno> {
        self.kit.watch_input(&door, Token::new(Kind::Door, 0))?;
        self.door = door;
        self.exit.lock = lock;
        Ok(())
    }

    fn on_door(&mut self) {
        let flags = SocketFlags::CLOEXEC;
        while let Ok(socket) = rustix::net::accept_with(&self.door, flags) {
            let entry = self.clients.vacant_entry();
            let token = Token::new(Kind::Client, entry.key());
            if self.kit.watch_input(&socket, token).is_ok() {
                entry.insert(Client { socket, joined: None });
            }
        }
    }
}

/// What the limit of descriptors allows. Whatever else there is (names, listeners, clients with
/// two descriptors each, pings) finds its descriptors in what is left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room {
    /// Each has two.
    connections: usize,
    /// Each has one.
    datagram_flows: usize,
}

impl Room {
    fn new() -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // What the hard limit allows is ours; if not, the soft one stays.
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Self::of(usize::try_from(files).unwrap_or(usize::MAX))
    }

    fn of(files: usize) -> Self {
        let datagram_flows = (files / 8).min(DATAGRAM_FLOWS_MAX);
        let others = (files / 8).min(OTHER_FILES + 2 * PIPES_MAX);
        let connections = ((files - datagram_flows - others) / 2).min(CONNECTIONS_MAX);
        Self { connections, datagram_flows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_suffice_for_all_that_may_be_there() {
        for files in [256, 1024, 4096, 20_000, 524_288, 1 << 30] {
            let Room { connections, datagram_flows } = Room::of(files);
            assert!(2 * connections + datagram_flows < files, "{files}");
            assert!(connections >= files.min(32_768) * 3 / 8, "{files}: {connections}");
            assert!(datagram_flows > 0);
        }
        assert_eq!(Room::of(524_288).connections, CONNECTIONS_MAX);
        assert!(Room::of(32_768).connections > 10_000);
    }
}
