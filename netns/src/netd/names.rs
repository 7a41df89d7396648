//! The sockets of the name server: 127.0.0.11:53 in the hub, and one per question outside.
//!
//! # How it works
//!
//! Containers reach 127.0.0.11 through their network's gateway, so one pair of sockets in the
//! hub serves all of them, and who asks is known by the source address. The host's
//! `resolv.conf` is read again when it has changed.
//!
//! # Limits
//!
//! At most [`STREAMS_MAX`] connections of containers and [`UPSTREAMS_MAX`] questions to other
//! servers at a time; the oldest gives way. Both end after [`PATIENCE`].

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use slab::Slab;

use super::members::addresses;
use super::stream::{MESSAGE_BYTES_MAX, Stream};
use crate::dns::{Action, Endpoint, Member, Network, Resolvers, Server, Services, Transport};
use crate::flow::{Kind, Kit, Token, family, host_socket, oldest};
use crate::maker::Maker;
use crate::protocol::{self, Connected};

const AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11)), 53);
const RESOLV_CONF: &str = "/etc/resolv.conf";

const STREAMS_MAX: usize = 64;
const UPSTREAMS_MAX: usize = 256;

/// Questions that one connection may ask before it has read the answers, in number and in
/// bytes of answers; one that asks more is closed.
const AHEAD_MAX: usize = 64;
const AHEAD_BYTES_MAX: usize = 65_536;
const PATIENCE: Duration = Duration::from_secs(30);
const BURST: usize = 64;

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Datagram(SocketAddr),
    /// A stream's place in its table, and its number, since places are used again.
    Stream(usize, u64),
}

#[derive(Debug)]
enum Upstream {
    Datagram { socket: OwnedFd, server: SocketAddr, since: Instant },
    Stream(Stream),
}

impl Upstream {
    fn since(&self) -> Instant {
        match self {
            Self::Datagram { since, .. } => *since,
            Self::Stream(stream) => stream.since,
        }
    }
}

pub(crate) struct Names {
    server: Server<Asker>,
    datagrams: OwnedFd,
    listener: OwnedFd,
    streams: Slab<Stream>,
    upstreams: Slab<Upstream>,
    next_number: u64,
    resolv_conf: Option<SystemTime>,
    resolvers: Resolvers,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").field("streams", &self.streams.len()).finish_non_exhaustive()
    }
}

impl Names {
    pub(crate) fn open(maker: &mut Maker) -> Result<Self, Errno> {
        let datagrams = maker.datagram(AddressFamily::INET)?;
        rustix::net::bind(&datagrams, &AT)?;
        let listener = maker.stream(AddressFamily::INET)?;
        rustix::net::bind(&listener, &AT)?;
        rustix::net::listen(&listener, 128)?;
        let random = || {
            getrandom::u32()
                .map_or(0, |n| u16::from_ne_bytes([n.to_ne_bytes()[0], n.to_ne_bytes()[1]]))
        };
        let mut names = Self {
            server: Server::new(Resolvers::default(), random),
            datagrams,
            listener,
            streams: Slab::new(),
            upstreams: Slab::new(),
            next_number: 0,
            resolv_conf: None,
            resolvers: Resolvers::default(),
        };
        names.refresh();
        Ok(names)
    }

    pub(crate) fn watch(&self, kit: &Kit) -> Result<(), Errno> {
        kit.watch_input(&self.datagrams, Token::new(Kind::DnsUdp, 0))?;
        kit.watch_input(&self.listener, Token::new(Kind::DnsTcp, 0))
    }

    /// Reads the host's servers if they have changed.
    fn refresh(&mut self) {
        let path = Path::new(RESOLV_CONF);
        let changed = fs::metadata(path).and_then(|meta| meta.modified()).ok();
        if changed.is_some() && changed == self.resolv_conf {
            return;
        }
        self.resolv_conf = changed;
        self.resolvers = Resolvers::parse(&fs::read(path).unwrap_or_default());
        self.server.set_resolvers(self.resolvers.clone());
    }

    /// A container has a place on a network.
    pub(crate) fn add(
        &mut self,
        network: &protocol::Network,
        member: &protocol::Join,
        connect: &protocol::Connect,
        got: &Connected,
    ) {
        let resolvers = (!member.dns.is_empty()).then(|| self.resolvers.with_servers(&member.dns));
        let facts = Member {
            resolvers,
            extra: member.hosts.clone(),
            keeps_bare_names: member.keeps_bare_names,
        };
        self.server.set_member(&member.id, facts);
        self.server.add(Endpoint {
            id: got.endpoint.clone(),
            member: member.id.clone(),
            network: Network {
                id: network.id.clone(),
                name: network.name.clone(),
                internal: network.internal,
                names: network.names,
            },
            addresses: addresses(got).collect(),
            names: connect.names.clone(),
            links: connect.links.clone(),
            priority: connect.gateway_priority,
        });
    }

    pub(crate) fn remove(&mut self, endpoint: &str) {
        self.server.remove(endpoint);
    }

    pub(crate) fn forget_member(&mut self, id: &str) {
        self.server.forget_member(id);
    }

    pub(crate) fn rename(&mut self, endpoint: &str, names: Vec<String>) {
        self.server.rename(endpoint, names);
    }

    pub(crate) fn set_services(&mut self, services: Services) {
        self.server.set_services(services);
    }

    /// One of the sockets is ready.
    pub(crate) fn serve(&mut self, kit: &mut Kit, token: Token) {
        let mut actions = Vec::new();
        match token.kind {
            Kind::DnsUdp => self.on_datagrams(kit, &mut actions),
            Kind::DnsTcp => self.on_connections(kit),
            Kind::DnsStream => self.on_stream(kit, token.index, &mut actions),
            _ => self.on_upstream(kit, token.index, &mut actions),
        }
        self.act(kit, actions);
    }

    fn on_datagrams(&mut self, kit: &Kit, actions: &mut Vec<Action<Asker>>) {
        self.refresh();
        let mut buffer = vec![0; MESSAGE_BYTES_MAX];
        for _ in 0..BURST {
            let received =
                rustix::net::recvfrom(&self.datagrams, &mut buffer[..], RecvFlags::DONTWAIT);
            let Ok((length, _, Some(peer))) = received else { return };
            let Ok(peer) = SocketAddr::try_from(peer) else { continue };
            let (asker, bytes) = (Asker::Datagram(peer), &buffer[..length]);
            self.server.on_query(kit.now, peer.ip(), Transport::Udp, bytes, asker, actions);
        }
    }

    fn on_connections(&mut self, kit: &Kit) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while let Ok((socket, Some(peer))) = rustix::net::acceptfrom_with(&self.listener, flags) {
            let Ok(peer) = SocketAddr::try_from(peer) else { continue };
            if self.streams.len() >= STREAMS_MAX
                && let Some(index) = oldest(&self.streams, |stream| stream.since)
            {
                self.streams.remove(index);
            }
            self.next_number += 1;
            let entry = self.streams.vacant_entry();
            if kit.watch(&socket, Token::new(Kind::DnsStream, entry.key())).is_ok() {
                entry.insert(Stream::new(socket, self.next_number, peer, kit.now));
            }
        }
    }

    fn on_stream(&mut self, kit: &Kit, index: usize, actions: &mut Vec<Action<Asker>>) {
        self.refresh();
        let Some(stream) = self.streams.get_mut(index) else { return };
        let (peer, asker) = (stream.peer, Asker::Stream(index, stream.number));
        let mut open = stream.flush().is_ok();
        let (mut heard, mut greedy) = (true, false);
        while open && heard && !greedy {
            open = stream.fill().unwrap_or(false);
            heard = false;
            while let Some(message) = stream.message() {
                heard = true;
                stream.pending += 1;
                let (ip, tcp) = (peer.ip(), Transport::Tcp);
                self.server.on_query(kit.now, ip, tcp, &message, asker, actions);
            }
            greedy = stream.pending > AHEAD_MAX || stream.output.len() > AHEAD_BYTES_MAX;
        }
        if open && !greedy {
            return;
        }
        // Who has said all may still listen; who asks far ahead of the answers does not.
        stream.ended = true;
        if greedy || stream.is_over() {
            self.streams.remove(index);
        }
    }

    fn on_upstream(&mut self, kit: &Kit, index: usize, actions: &mut Vec<Action<Asker>>) {
        match self.upstreams.get_mut(index) {
            None => {}
            Some(Upstream::Datagram { socket, server, .. }) => {
                let mut buffer = vec![0; MESSAGE_BYTES_MAX];
                let server = *server;
                match rustix::net::recv(&*socket, &mut buffer[..], RecvFlags::DONTWAIT) {
                    Ok((length, _)) => {
                        // A forged answer is not believed; the true one may still come.
                        self.server.on_upstream(kit.now, server, &buffer[..length], actions);
                    }
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(_) => {
                        self.upstreams.remove(index);
                        self.server.on_udp_refused(kit.now, server, actions);
                    }
                }
            }
            Some(Upstream::Stream(stream)) => {
                let open = stream.flush().and_then(|()| stream.fill()).unwrap_or(false);
                let (server, question) = (stream.peer, stream.question);
                let message = stream.message();
                if message.is_none() && open {
                    return;
                }
                self.upstreams.remove(index);
                match (message, question) {
                    (Some(message), _) => {
                        self.server.on_upstream(kit.now, server, &message, actions);
                    }
                    (None, Some(id)) => self.server.on_tcp_failed(kit.now, id, actions),
                    (None, None) => {}
                }
            }
        }
    }

    /// Carries out what the server wants done, and what that leads to.
    fn act(&mut self, kit: &mut Kit, mut actions: Vec<Action<Asker>>) {
        while let Some(action) = actions.pop() {
            match action {
                Action::Reply { client, bytes } => self.reply(client, &bytes),
                Action::SendUdp { upstream, bytes } => {
                    if self.ask(kit, upstream, &bytes).is_err() {
                        self.server.on_udp_refused(kit.now, upstream, &mut actions);
                    }
                }
                Action::SendTcp { upstream, id, bytes } => {
                    if self.ask_by_stream(kit, upstream, id, &bytes).is_err() {
                        self.server.on_tcp_failed(kit.now, id, &mut actions);
                    }
                }
            }
        }
    }

    fn reply(&mut self, client: Asker, bytes: &[u8]) {
        match client {
            Asker::Datagram(peer) => {
                // As on a real wire: lost when there is no room.
                rustix::net::sendto(&self.datagrams, bytes, SendFlags::NOSIGNAL, &peer).ok();
            }
            Asker::Stream(index, number) => {
                let stream = self.streams.get_mut(index).filter(|it| it.number == number);
                if let Some(stream) = stream {
                    stream.put(bytes);
                    stream.pending = stream.pending.saturating_sub(1);
                    // What finds no room now goes when the socket is ready; errors show then.
                    stream.flush().ok();
                    if stream.is_over() {
                        self.streams.remove(index);
                    }
                }
            }
        }
    }

    fn ask(&mut self, kit: &Kit, server: SocketAddr, bytes: &[u8]) -> Result<(), Errno> {
        let socket = host_socket(family(&server.ip()), SocketType::DGRAM)?;
        rustix::net::connect(&socket, &server)?;
        rustix::net::send(&socket, bytes, SendFlags::NOSIGNAL)?;
        self.make_room();
        let entry = self.upstreams.vacant_entry();
        kit.watch_input(&socket, Token::new(Kind::DnsUpstream, entry.key()))?;
        entry.insert(Upstream::Datagram { socket, server, since: kit.now });
        Ok(())
    }

    fn ask_by_stream(
        &mut self,
        kit: &Kit,
        server: SocketAddr,
        id: u16,
        bytes: &[u8],
    ) -> Result<(), Errno> {
        let socket = host_socket(family(&server.ip()), SocketType::STREAM)?;
        match rustix::net::connect(&socket, &server) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error),
        }
        self.make_room();
        self.next_number += 1;
        let entry = self.upstreams.vacant_entry();
        kit.watch(&socket, Token::new(Kind::DnsUpstream, entry.key()))?;
        let mut stream = Stream::new(socket, self.next_number, server, kit.now);
        stream.question = Some(id);
        stream.put(bytes);
        entry.insert(Upstream::Stream(stream));
        Ok(())
    }

    fn make_room(&mut self) {
        if self.upstreams.len() >= UPSTREAMS_MAX
            && let Some(index) = oldest(&self.upstreams, Upstream::since)
        {
            self.upstreams.remove(index);
        }
    }

    /// Lets the server look at its clock, and ends what took too long.
    pub(crate) fn sweep(&mut self, kit: &mut Kit) -> Option<Instant> {
        let now = kit.now;
        if self.server.deadline().is_some_and(|deadline| deadline <= now) {
            let mut actions = Vec::new();
            self.server.on_timeout(now, &mut actions);
            self.act(kit, actions);
        }
        self.streams.retain(|_, stream| now.duration_since(stream.since) < PATIENCE);
        self.upstreams.retain(|_, upstream| now.duration_since(upstream.since()) < PATIENCE);
        let streams = self.streams.iter().map(|(_, stream)| stream.since);
        let upstreams = self.upstreams.iter().map(|(_, upstream)| upstream.since());
        let oldest = streams.chain(upstreams).min().map(|since| since + PATIENCE);
        [oldest, self.server.deadline()].into_iter().flatten().min()
    }
}
