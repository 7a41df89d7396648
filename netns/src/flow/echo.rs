//! `ping` from containers: one ICMP socket of the host per container, destination and id.
//!
//! Such sockets need no privilege where `net.ipv4.ping_group_range` names the user's group
//! (icmp(7)); where it does not, the container hears "prohibited" at once.
//!
//! # Limits
//!
//! At most [`FLOWS_MAX`] at a time, forgotten after [`IDLE`]; the oldest gives way.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use slab::Slab;

use super::kit::{Kind, Kit, Token, oldest};
use super::sockets::family;
use crate::wire::{Echo, Packet, Unreachable, echo_packet};

const FLOWS_MAX: usize = 256;
const IDLE: Duration = Duration::from_secs(30);
const MESSAGE_BYTES_MAX: usize = 65_535;
const HEADER_BYTES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    inner: IpAddr,
    outer: IpAddr,
    id: u16,
}

#[derive(Debug)]
struct Flow {
    key: Key,
    socket: OwnedFd,
    used: Instant,
}

/// All pings under way.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    flows: Slab<Flow>,
    by_key: HashMap<Key, usize>,
}

impl Echoes {
    /// An echo request came up the wire. `target` is its destination, seen from the host.
    pub(crate) fn on_request(
        &mut self,
        kit: &mut Kit,
        packet: &Packet<'_>,
        echo: &Echo<'_>,
        target: IpAddr,
    ) {
        let key = Key { inner: packet.source, outer: packet.destination, id: echo.id };
        let index = match self.by_key.get(&key) {
            Some(&index) => index,
            None => match self.open(kit, key, target) {
                Ok(index) => index,
                Err(error) => return kit.tell(packet, error, Unreachable::Host),
            },
        };
        let flow = &mut self.flows[index];
        flow.used = kit.now;
        let mut message = vec![if target.is_ipv6() { 128 } else { 8 }, 0, 0, 0, 0, 0];
        message.extend_from_slice(&echo.sequence.to_be_bytes());
        message.extend_from_slice(echo.data);
        match rustix::net::send(&flow.socket, &message, SendFlags::NOSIGNAL) {
            Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS) => {}
            Err(error) => kit.tell(packet, error, Unreachable::Host),
        }
    }

    fn open(&mut self, kit: &Kit, key: Key, target: IpAddr) -> Result<usize, Errno> {
        let protocol = if target.is_ipv6() { ipproto::ICMPV6 } else { ipproto::ICMP };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(family(&target), SocketType::DGRAM, flags, Some(protocol))?;
        rustix::net::connect(&socket, &SocketAddr::new(target, 0))?;
        if self.flows.len() >= FLOWS_MAX
            && let Some(index) = oldest(&self.flows, |flow| flow.used)
        {
            self.remove(index);
        }
        let entry = self.flows.vacant_entry();
        let index = entry.key();
        kit.watch_input(&socket, Token::new(Kind::Echo, index))?;
        entry.insert(Flow { key, socket, used: kit.now });
        self.by_key.insert(key, index);
        Ok(index)
    }

    /// An answer came, or an error.
    pub(crate) fn on_ready(&mut self, kit: &mut Kit, index: usize) {
        let Some(flow) = self.flows.get_mut(index) else { return };
        let mut buffer = vec![0; MESSAGE_BYTES_MAX];
        let Ok((length, _)) = rustix::net::recv(&flow.socket, &mut buffer[..], RecvFlags::DONTWAIT)
        else {
            return;
        };
        flow.used = kit.now;
        let reply = if flow.key.outer.is_ipv6() { 129 } else { 0 };
        if length < HEADER_BYTES || buffer[0] != reply {
            return;
        }
        let sequence = u16::from_be_bytes([buffer[6], buffer[7]]);
        let Key { inner, outer, id } = flow.key;
        kit.wire.send(echo_packet(outer, inner, (id, sequence), &buffer[HEADER_BYTES..length]));
    }

    fn remove(&mut self, index: usize) {
        let flow = self.flows.remove(index);
        self.by_key.remove(&flow.key);
    }

    /// Whether there is nothing to [`Echoes::sweep`].
    pub(crate) fn is_idle(&self) -> bool {
        self.flows.is_empty()
    }

    /// Forgets what was idle long enough; gives the time when it should be called again.
    pub(crate) fn sweep(&mut self, now: Instant) -> Option<Instant> {
        let idle: Vec<usize> = self
            .flows
            .iter()
            .filter(|(_, flow)| flow.used + IDLE <= now)
            .map(|(index, _)| index)
            .collect();
        for index in idle {
            self.remove(index);
        }
        self.flows.iter().map(|(_, flow)| flow.used + IDLE).min()
    }
}
