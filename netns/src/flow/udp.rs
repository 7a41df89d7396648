//! UDP between containers and the world: one connected socket per pair of addresses.
//!
//! # How it works
//!
//! *Out*: a datagram of a container comes up the wire; its payload is sent from a host socket
//! connected to the destination, and what comes back is written down the wire as if from
//! there. "Port unreachable" is passed on.
//!
//! *In*: a datagram at a published port is sent on from a hub socket bound to the client's own
//! address; what the container answers arrives there, and leaves from the very address that the
//! client asked. Clients are told apart by that address too: one that asks at two of them has
//! two pairs, of which the second has another port in the hub.
//!
//! "Port unreachable" of a container is passed on to clients in the hub, which are containers.
//! To others the host's kernel would have to say it, and it does so only where no socket is: not
//! to a datagram that a listener has taken, and nobody but root may send it by other means.
//!
//! # Limits
//!
//! At most [`FLOWS_MAX`] pairs, or fewer where descriptors are few, and of one container less than
//! all (see [`super::shares`]); those of it that are idle longest give way. A pair is forgotten after
//! [`IDLE_UNANSWERED`], or [`IDLE`] once both sides have spoken (RFC 4787 asks for two minutes).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coracle_sys::sockets::{Local, send_from};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketType};
use slab::Slab;

use super::kit::{Goal, Kind, Kit, Token, longest};
use super::shares::Shares;
use super::sockets::{family, host_socket};
use crate::wire::{Packet, Udp, Unreachable, udp_packet, unreachable_message};

pub(crate) const FLOWS_MAX: usize = 4096;
const IDLE_UNANSWERED: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(180);

/// Datagrams taken from one socket before others get their turn.
const BURST: usize = 64;
const DATAGRAM_BYTES_MAX: usize = 65_535;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ends {
    inner: SocketAddr,
    outer: SocketAddr,
}

#[derive(Debug)]
enum Way {
    /// The socket is the host's, connected to the outer end.
    Out {
        /// The start of the last packet, to be quoted if it is refused.
        last: Vec<u8>,
        /// The virtual address and the task that stands for it; the socket is the hub's then.
        task: Option<(IpAddr, IpAddr)>,
    },
    /// The socket is the hub's, bound to the outer end; answers leave by the port's socket. The
    /// port's address where the client is a container, who can be told of a refusal.
    In { port: Rc<OwnedFd>, caller: Caller, hub: Option<SocketAddr> },
}

/// Who asks, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    /// The published port's number in its table.
    pub(crate) port: usize,
    pub(crate) client: SocketAddr,
    /// The address of ours that it asks.
    pub(crate) at: Option<Local>,
}

/// Where a datagram of a client arrived, and goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage<'a> {
    pub(crate) port: &'a Rc<OwnedFd>,
    /// Where the port is listened for, if that is in the hub.
    pub(crate) hub: Option<SocketAddr>,
    /// The address it is to come from; with port 0 the hub chooses one.
    pub(crate) source: SocketAddr,
    pub(crate) container: SocketAddr,
}

#[derive(Debug)]
struct Flow {
    ends: Ends,
    socket: OwnedFd,
    way: Way,
    used: Instant,
    answered: bool,
}

impl Flow {
    fn end(&self) -> Instant {
        self.used + if self.answered { IDLE } else { IDLE_UNANSWERED }
    }
}

/// All pairs of addresses that exchange datagrams.
#[derive(Debug)]
pub(crate) struct UdpFlows {
    flows: Slab<Flow>,
    by_ends: HashMap<Ends, usize>,
    by_caller: HashMap<Caller, usize>,
    buffer: Vec<u8>,
    shares: Shares,
}

/// Enough of a packet for an ICMP error about it.
const QUOTED_BYTES: usize = 128;

impl UdpFlows {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            flows: Slab::new(),
            by_ends: HashMap::new(),
            by_caller: HashMap::new(),
            buffer: vec![0; DATAGRAM_BYTES_MAX],
            shares: Shares::new(room),
        }
    }

    /// Whether this datagram of a container answers a client at a published port.
    pub(crate) fn is_answer(&self, udp: &Udp<'_>) -> bool {
        self.is_call(&Ends { inner: udp.source, outer: udp.destination })
    }

    /// A datagram came up the wire. `goal` is asked where it goes if it is the first of a pair.
    pub(crate) fn on_datagram(
        &mut self,
        kit: &mut Kit,
        packet: &Packet<'_>,
        udp: &Udp<'_>,
        goal: impl FnOnce() -> Goal,
    ) {
        let ends = Ends { inner: udp.source, outer: udp.destination };
        let index = match self.by_ends.get(&ends) {
            Some(&index) => index,
            None => match self.open(kit, ends, goal()) {
                Ok(index) => index,
                Err(error) => return kit.tell(packet, error, Unreachable::Port),
            },
        };
        let flow = &mut self.flows[index];
        flow.used = kit.now;
        if let Way::Out { last, .. } = &mut flow.way {
            last.clear();
            last.extend_from_slice(&packet.bytes[..packet.bytes.len().min(QUOTED_BYTES)]);
        }
        match rustix::net::send(&flow.socket, udp.data, SendFlags::NOSIGNAL) {
            // As on a real wire: lost when there is no room.
            Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS) => {}
            // An error of an earlier datagram is met here.
            Err(error) => {
                kit.tell(packet, error, Unreachable::Port);
                self.remove(index);
            }
        }
    }

    fn open(&mut self, kit: &mut Kit, ends: Ends, goal: Goal) -> Result<usize, Errno> {
        let (socket, task) = match goal {
            Goal::Outside(target) => {
                let socket = host_socket(family(&target.ip()), SocketType::DGRAM)?;
                rustix::net::connect(&socket, &target)?;
                (socket, None)
            }
            Goal::Task { vip, source, task } => {
                (call(kit, source, task)?.0, Some((vip, task.ip())))
            }
            Goal::Nobody => return Err(Errno::CONNREFUSED),
        };
        self.add(kit, ends, socket, Way::Out { last: Vec::new(), task })
    }

    /// Forgets the pairs of tasks that do not stand for their virtual address any more; `is_ready`
    /// is asked with both.
    pub(crate) fn keep_tasks(&mut self, is_ready: impl Fn(IpAddr, IpAddr) -> bool) {
        let is_over = |flow: &Flow| match flow.way {
            Way::Out { task: Some((vip, task)), .. } => !is_ready(vip, task),
            Way::Out { .. } | Way::In { .. } => false,
        };
        let over: Vec<usize> =
            self.flows.iter().filter(|(_, flow)| is_over(flow)).map(|(index, _)| index).collect();
        over.into_iter().for_each(|index| self.remove(index));
    }

    /// What a client's datagrams come from in the hub, and the container they go to, if it has
    /// sent some.
    pub(crate) fn task_of(&self, caller: &Caller) -> Option<(SocketAddr, SocketAddr)> {
        let flow = &self.flows[*self.by_caller.get(caller)?];
        Some((flow.ends.outer, flow.ends.inner))
    }

    fn add(&mut self, kit: &Kit, ends: Ends, socket: OwnedFd, way: Way) -> Result<usize, Errno> {
        let container = ends.inner.ip();
        if !self.shares.has_room(container) {
            self.make_room(container);
        }
        let entry = self.flows.vacant_entry();
        let index = entry.key();
        kit.watch_input(&socket, Token::new(Kind::Udp, index))?;
        entry.insert(Flow { ends, socket, way, used: kit.now, answered: false });
        self.by_ends.insert(ends, index);
        self.shares.take(container);
        Ok(index)
    }

    /// Forgets those of a container that are idle longest; where it has none, of all.
    fn make_room(&mut self, container: IpAddr) {
        let own = |flow: &Flow| (flow.ends.inner.ip() == container).then_some(flow.used);
        let mut idle = longest(&self.flows, own);
        if idle.is_empty() {
            idle = longest(&self.flows, |flow| Some(flow.used));
        }
        for index in idle {
            self.remove(index);
        }
    }

    /// A client's datagram came to a published port.
    pub(crate) fn on_client(
        &mut self,
        kit: &mut Kit,
        caller: Caller,
        passage: &Passage<'_>,
        data: &[u8],
    ) {
        // As on a real wire: lost.
        let Ok(index) = self.pair_of(kit, caller, passage) else { return };
        let flow = &mut self.flows[index];
        flow.used = kit.now;
        if let Err(Errno::CONNREFUSED) = rustix::net::send(&flow.socket, data, SendFlags::NOSIGNAL)
        {
            // The container's "port unreachable" to an earlier one; this one was not sent.
            self.refuse_caller(kit, index);
            rustix::net::send(&self.flows[index].socket, data, SendFlags::NOSIGNAL).ok();
        }
    }

    /// The pair that a client's datagram belongs to, or a new one.
    fn pair_of(
        &mut self,
        kit: &mut Kit,
        caller: Caller,
        passage: &Passage<'_>,
    ) -> Result<usize, Errno> {
        let Passage { port, hub, mut source, container } = *passage;
        if let Some(&index) = self.by_caller.get(&caller) {
            let flow = &self.flows[index];
            let same = matches!(&flow.way, Way::In { port: it, .. } if Rc::ptr_eq(it, port));
            if same && flow.ends.inner == container {
                return Ok(index);
            }
            // The port is another container's by now, or its own one has another address.
            self.remove(index);
        }
        if self.is_call(&Ends { inner: container, outer: source }) {
            source.set_port(0);
        }
        let (socket, source) = call(kit, source, container)?;
        let way = Way::In { port: Rc::clone(port), caller, hub };
        let index = self.add(kit, Ends { inner: container, outer: source }, socket, way)?;
        self.by_caller.insert(caller, index);
        Ok(index)
    }

    fn is_call(&self, ends: &Ends) -> bool {
        let known = self.by_ends.get(ends);
        known.is_some_and(|&index| matches!(self.flows[index].way, Way::In { .. }))
    }

    /// Tells a client that its datagram was refused, where that can be.
    fn refuse_caller(&self, kit: &mut Kit, index: usize) {
        let Way::In { caller, hub: Some(at), .. } = self.flows[index].way else { return };
        let refused = udp_packet(caller.client, at, &[]);
        let Some(packet) = Packet::parse(&refused) else { return };
        let message = unreachable_message(&packet, Unreachable::Port);
        let Ok(socket) = kit.maker.icmp(family(&at.ip())) else { return };
        // As on a real wire: a refusal may be lost.
        if rustix::net::bind(&socket, &SocketAddr::new(at.ip(), 0)).is_ok() {
            let to = SocketAddr::new(caller.client.ip(), 0);
            rustix::net::sendto(&socket, &message, SendFlags::NOSIGNAL, &to).ok();
        }
    }

    /// A socket has datagrams or an error.
    pub(crate) fn on_ready(&mut self, kit: &mut Kit, index: usize) {
        for _ in 0..BURST {
            let Some(flow) = self.flows.get_mut(index) else { return };
            let received =
                rustix::net::recv(&flow.socket, &mut self.buffer[..], RecvFlags::DONTWAIT);
            match received {
                Ok((length, _)) => {
                    flow.used = kit.now;
                    flow.answered = true;
                    let data = &self.buffer[..length];
                    match &flow.way {
                        Way::Out { .. } => {
                            kit.wire.send(udp_packet(flow.ends.outer, flow.ends.inner, data));
                        }
                        Way::In { port, caller, .. } => {
                            // As on a real wire: lost when there is no room.
                            send_from(port, data, caller.client, caller.at).ok();
                        }
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) => return,
                Err(error) => return self.on_error(kit, index, error),
            }
        }
    }

    /// A datagram was refused, or went nowhere.
    fn on_error(&mut self, kit: &mut Kit, index: usize, error: Errno) {
        match &self.flows[index].way {
            Way::Out { last, .. } => {
                if let Some(packet) = quoted(last) {
                    kit.tell(&packet, error, Unreachable::Port);
                }
                self.remove(index);
            }
            Way::In { .. } if error == Errno::CONNREFUSED => self.refuse_caller(kit, index),
            Way::In { .. } => {}
        }
    }

    fn remove(&mut self, index: usize) {
        let flow = self.flows.remove(index);
        // A client's pair may have taken the place of one that the container began.
        if self.by_ends.get(&flow.ends) == Some(&index) {
            self.by_ends.remove(&flow.ends);
        }
        self.shares.give_back(flow.ends.inner.ip());
        if let Way::In { caller, .. } = flow.way {
            self.by_caller.remove(&caller);
        }
    }

    /// Whether there is nothing to [`UdpFlows::sweep`].
    pub(crate) fn is_idle(&self) -> bool {
        self.flows.is_empty()
    }

    /// Forgets what was idle long enough; gives the time when it should be called again.
    pub(crate) fn sweep(&mut self, now: Instant) -> Option<Instant> {
        let idle: Vec<usize> =
            self.flows.iter().filter(|(_, flow)| flow.end() <= now).map(|(n, _)| n).collect();
        for index in idle {
            self.remove(index);
        }
        self.flows.iter().map(|(_, flow)| flow.end()).min()
    }

    /// Forgets the clients of a port that is published no more.
    pub(crate) fn forget_port(&mut self, port: &Rc<OwnedFd>) {
        let theirs: Vec<usize> = self
            .flows
            .iter()
            .filter(|(_, flow)| matches!(&flow.way, Way::In { port: p, .. } if Rc::ptr_eq(p, port)))
            .map(|(index, _)| index)
            .collect();
        for index in theirs {
            self.remove(index);
        }
    }
}

/// A packet of which only the start was kept.
fn quoted(start: &[u8]) -> Option<Packet<'_>> {
    let address =
        |range: std::ops::Range<usize>| -> Option<[u8; 4]> { start.get(range)?.try_into().ok() };
    let address6 =
        |range: std::ops::Range<usize>| -> Option<[u8; 16]> { start.get(range)?.try_into().ok() };
    let (source, destination) = match start.first()? >> 4 {
        4 => (address(12..16)?.into(), address(16..20)?.into()),
        _ => (address6(8..24)?.into(), address6(24..40)?.into()),
    };
    Some(Packet {
        bytes: start,
        source,
        destination,
        protocol: crate::wire::protocol::UDP,
        payload: &[],
        fragment: None,
    })
}

fn call(
    kit: &mut Kit,
    source: SocketAddr,
    container: SocketAddr,
) -> Result<(OwnedFd, SocketAddr), Errno> {
    let socket = kit.maker.datagram(family(&container.ip()))?;
    rustix::net::bind(&socket, &source)?;
    rustix::net::connect(&socket, &container)?;
    let bound = rustix::net::getsockname(&socket)?;
    Ok((socket, SocketAddr::try_from(bound)?))
}
