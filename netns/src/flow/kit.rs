//! What every flow works with: the poller, the wire, who makes sockets, the clock.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::event::epoll;
use rustix::io::Errno;
use slab::Slab;

use super::splice::Pipes;
use crate::maker::Maker;
use crate::netlink::Netlink;
use crate::wire::{Packet, Unreachable, frame, split, unreachable_for};

/// Whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Wire,
    Door,
    Client,
    TcpNear,
    TcpFar,
    Greeter,
    Udp,
    Echo,
    TcpPort,
    UdpPort,
    DnsUdp,
    DnsTcp,
    DnsStream,
    DnsUpstream,
}

const KINDS: [Kind; 14] = [
    Kind::Wire,
    Kind::Door,
    Kind::Client,
    Kind::TcpNear,
    Kind::TcpFar,
    Kind::Greeter,
    Kind::Udp,
    Kind::Echo,
    Kind::TcpPort,
    Kind::UdpPort,
    Kind::DnsUdp,
    Kind::DnsTcp,
    Kind::DnsStream,
    Kind::DnsUpstream,
];

/// What the poller gives back with an event: a kind and an index into its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) index: usize,
}

impl Token {
    const KIND_SHIFT: u32 = 56;

    pub(crate) fn new(kind: Kind, index: usize) -> Self {
        Self { kind, index }
    }

    pub(crate) fn to_u64(self) -> u64 {
        (self.kind as u64) << Self::KIND_SHIFT | self.index as u64
    }

    pub(crate) fn from_u64(value: u64) -> Option<Self> {
        let kind = usize::try_from(value >> Self::KIND_SHIFT).ok()?;
        let index = usize::try_from(value & ((1 << Self::KIND_SHIFT) - 1)).ok()?;
        Some(Self { kind: *KINDS.get(kind)?, index })
    }
}

/// What may be done with a packet that wants out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To this address, as the host sees it.
    Pass(IpAddr),
    /// It is for a virtual address of the sender's network.
    Service,
    Refuse(Unreachable),
    /// Not even an answer: the sender is nobody we know.
    Drop,
}

/// Where a container's connection, or its datagrams, go on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The world; the address is as the host sees it.
    Outside(SocketAddr),
    /// A task of a service, from this address in the hub.
    Task { vip: IpAddr, source: SocketAddr, task: SocketAddr },
    /// A service of which no task is ready.
    Nobody,
}

/// Why a connection to the outside failed, as the container is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Refused,
    Unreachable(Unreachable),
    /// The container's own clock tells.
    Silent,
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        match error {
            Errno::CONNREFUSED | Errno::CONNRESET => Self::Refused,
            Errno::NETUNREACH | Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL => {
                Self::Unreachable(Unreachable::Network)
            }
            Errno::ACCESS | Errno::PERM => Self::Unreachable(Unreachable::Prohibited),
            Errno::TIMEDOUT => Self::Silent,
            _ => Self::Unreachable(Unreachable::Host),
        }
    }
}

/// Frames that wait for room on the wire, at most, and their bytes.
const QUEUE_FRAMES_MAX: usize = 1024;
const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The packet socket at the far end of the hub's way out.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) socket: OwnedFd,
    pub(crate) us: [u8; 6],
    pub(crate) hub: [u8; 6],
    /// Bytes.
    pub(crate) mtu: usize,
    next_id: u32,
    queue: VecDeque<Vec<u8>>,
    queued_bytes: usize,
}

impl Wire {
    pub(crate) fn new(socket: OwnedFd, us: [u8; 6], hub: [u8; 6], mtu: usize) -> Self {
        Self { socket, us, hub, mtu, next_id: 0, queue: VecDeque::new(), queued_bytes: 0 }
    }

    /// Sends a packet of ours into the hub.
    pub(crate) fn send(&mut self, packet: Vec<u8>) {
        self.next_id = self.next_id.wrapping_add(1);
        for part in split(packet, self.mtu, self.next_id) {
            let bytes = frame(self.us, self.hub, &part);
            self.send_frame(&bytes);
        }
    }

    /// Sends a whole frame; one that finds no room now waits, one too many is lost, as on a
    /// real wire.
    pub(crate) fn send_frame(&mut self, bytes: &[u8]) {
        let waits = !self.queue.is_empty() || self.try_send(bytes) == Err(Errno::AGAIN);
        let room = self.queue.len() < QUEUE_FRAMES_MAX
            && self.queued_bytes + bytes.len() <= QUEUE_BYTES_MAX;
        if waits && room {
            self.queued_bytes += bytes.len();
            self.queue.push_back(bytes.to_vec());
        }
    }

    fn try_send(&self, bytes: &[u8]) -> Result<(), Errno> {
        match rustix::io::write(&self.socket, bytes) {
            Err(Errno::AGAIN | Errno::NOBUFS) => Err(Errno::AGAIN),
            // Any other failure is about this frame alone, which is lost.
            _ => Ok(()),
        }
    }

    /// Sends what waited.
    pub(crate) fn flush(&mut self) {
        while let Some(bytes) = self.queue.front() {
            if self.try_send(bytes) == Err(Errno::AGAIN) {
                return;
            }
            self.queued_bytes -= bytes.len();
            self.queue.pop_front();
        }
    }
}

/// The shared parts.
#[derive(Debug)]
pub(crate) struct Kit {
    pub(crate) poller: OwnedFd,
    pub(crate) wire: Wire,
    pub(crate) maker: Maker,
    pub(crate) pipes: Pipes,
    pub(crate) now: Instant,
    /// Whether nf_tables leads the segments of known connections to their sockets; otherwise
    /// all of them come up the wire and are written back.
    pub(crate) marks: bool,
    /// What made them, see [`crate::nft::mark_transparent`], and makes the rules of services.
    pub(crate) rules: Option<Netlink>,
}

impl Kit {
    /// Tells the poller of a socket that is read and written until it would block.
    pub(crate) fn watch(&self, socket: impl AsFd, token: Token) -> Result<(), Errno> {
        use epoll::EventFlags;
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.poller, socket, epoll::EventData::new_u64(token.to_u64()), flags)
    }

    /// Tells the poller of a descriptor that is served a bit at a time.
    pub(crate) fn watch_input(&self, fd: impl AsFd, token: Token) -> Result<(), Errno> {
        let data = epoll::EventData::new_u64(token.to_u64());
        epoll::add(&self.poller, fd, data, epoll::EventFlags::IN)
    }

    /// Tells a container why the host could not pass its packet on; `refused` is what a refusal
    /// means for packets of this kind.
    pub(crate) fn tell(&mut self, packet: &Packet<'_>, error: Errno, refused: Unreachable) {
        match Failure::from(error) {
            Failure::Refused => self.refuse(packet, refused),
            Failure::Unreachable(why) => self.refuse(packet, why),
            Failure::Silent => {}
        }
    }

    /// Tells a container that its packet went nowhere.
    pub(crate) fn refuse(&mut self, packet: &Packet<'_>, why: Unreachable) {
        self.wire.send(unreachable_for(packet, why));
    }
}

/// The entry that was made or used longest ago: the one that gives way in a full table.
pub(crate) fn oldest<T>(table: &Slab<T>, time: impl Fn(&T) -> Instant) -> Option<usize> {
    table.iter().min_by_key(|(_, entry)| time(entry)).map(|(index, _)| index)
}

/// The eighth of the entries with a time that is longest ago. They give way together, so that a
/// flood of new ones does not look through a large table at each.
pub(crate) fn longest<T>(table: &Slab<T>, time: impl Fn(&T) -> Option<Instant>) -> Vec<usize> {
    let timed = table.iter().filter_map(|(index, entry)| Some((time(entry)?, index)));
    let mut timed: Vec<(Instant, usize)> = timed.collect();
    let count = timed.len().div_ceil(8);
    if count < timed.len() {
        timed.select_nth_unstable(count);
        timed.truncate(count);
    }
    timed.into_iter().map(|(_, index)| index).collect()
}
