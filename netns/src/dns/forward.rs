//! Questions about the outside: asked of other servers, one after the other.
//!
//! # How it works
//!
//! A question goes out as it came in, under a random id of its own for each try. What comes back
//! counts only if id, server and question are right. A server that fails or refuses is not asked
//! again for this question; one that says nothing in time is, after the others, and is asked last
//! for a while. When all tries are used the asker is told what the last server said, or that it
//! failed. Answers are not kept: nothing here can be stale.
//!
//! # Limits
//!
//! [`PENDING_MAX`] questions wait, [`PENDING_PER_ASKER_MAX`] of one asker; one more, and the
//! oldest is told "server failure".
//!
//! # Not here
//!
//! Sockets. Their owner should take a new source port for each [`Action::SendUdp`] or one of
//! many: a random port is half of what keeps forged answers out.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::limits::{PENDING_MAX, PENDING_PER_ASKER_MAX, RESOLVERS_MAX, SILENT_FOR, SILENT_MAX};
use super::message;
use super::resolv_conf::Resolvers;
use super::terms::{Query, Rcode, Transport};

/// Random ids tried before the next free one is taken.
const COLLISIONS_MAX: usize = 32;

/// What the owner of the sockets is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<T> {
    /// Send a datagram; answers go to [`super::Server::on_upstream`].
    SendUdp { upstream: SocketAddr, bytes: Vec<u8> },
    /// Connect and send a message (its length is not in front of it yet); the same for answers.
    /// If that fails, [`super::Server::on_tcp_failed`] is told the `id`.
    SendTcp { upstream: SocketAddr, id: u16, bytes: Vec<u8> },
    /// Answer a question, the way it came.
    Reply { client: T, bytes: Vec<u8> },
}

/// A question as the server hands it over.
pub(super) struct Ask<'a, T> {
    pub(super) client: T,
    pub(super) asker: IpAddr,
    pub(super) transport: Transport,
    pub(super) query: Query,
    pub(super) bytes: &'a [u8],
}

struct Pending<T> {
    client: T,
    asker: IpAddr,
    transport: Transport,
    query: Query,
    bytes: Vec<u8>,
    /// Grows with each question: the lowest is the oldest.
    age: u64,
    upstream: SocketAddr,
    deadline: Instant,
    timeout: Duration,
    /// Servers still to be asked, the next one last.
    tries: Vec<SocketAddr>,
    /// What to say if none of them answers.
    verdict: Rcode,
}

/// The questions under way.
pub(super) struct Forwarder<T> {
    pending: HashMap<u16, Pending<T>>,
    random: Box<dyn FnMut() -> u16 + Send>,
    asked: u64,
    first: usize,
    silent: HashMap<SocketAddr, Instant>,
}

impl<T: Copy> Forwarder<T> {
    /// `random` must give numbers that nobody can foretell.
    pub(super) fn new(random: Box<dyn FnMut() -> u16 + Send>) -> Self {
        Self { pending: HashMap::new(), random, asked: 0, first: 0, silent: HashMap::new() }
    }

    pub(super) fn ask(
        &mut self,
        now: Instant,
        resolvers: &Resolvers,
        ask: Ask<'_, T>,
        actions: &mut Vec<Action<T>>,
    ) {
        self.make_room(ask.asker, actions);
        let mut tries = self.plan(now, resolvers);
        let Some(upstream) = tries.pop() else {
            let bytes = ask.query.answer(Rcode::ServerFailure, &[], ask.transport);
            actions.push(Action::Reply { client: ask.client, bytes });
            return;
        };
        self.asked += 1;
        let pending = Pending {
            client: ask.client,
            asker: ask.asker,
            transport: ask.transport,
            query: ask.query,
            bytes: ask.bytes.to_vec(),
            age: self.asked,
            upstream,
            deadline: now + resolvers.timeout,
            timeout: resolvers.timeout,
            tries,
            verdict: Rcode::ServerFailure,
        };
        self.send(pending, actions);
    }

    /// An answer from `upstream`, or something that pretends to be one.
    pub(super) fn on_upstream(
        &mut self,
        now: Instant,
        upstream: SocketAddr,
        bytes: &[u8],
        actions: &mut Vec<Action<T>>,
    ) {
        let Some(id) = message::id(bytes) else { return };
        let Some(pending) = self.pending.get_mut(&id) else { return };
        if pending.upstream != upstream {
            return;
        }
        let Some(rcode) = message::rcode_of_answer(bytes, &pending.query.question) else { return };
        self.silent.remove(&upstream);
        let verdict = match rcode {
            2 => Rcode::ServerFailure,
            4 => Rcode::NotImplemented,
            5 => Rcode::Refused,
            _ => {
                let Some(pending) = self.pending.remove(&id) else { return };
                let bytes = pending.query.adopt(bytes.to_vec(), pending.transport);
                actions.push(Action::Reply { client: pending.client, bytes });
                return;
            }
        };
        pending.verdict = verdict;
        pending.tries.retain(|&other| other != upstream);
        self.go_on(now, id, actions);
    }

    /// Nobody listens at `upstream`, as the socket's error says.
    pub(super) fn on_udp_refused(
        &mut self,
        now: Instant,
        upstream: SocketAddr,
        actions: &mut Vec<Action<T>>,
    ) {
        for id in self.oldest_first(|pending| {
            pending.upstream == upstream && pending.transport == Transport::Udp
        }) {
            self.give_up_server(now, id, actions);
        }
    }

    pub(super) fn on_tcp_failed(&mut self, now: Instant, id: u16, actions: &mut Vec<Action<T>>) {
        if self.pending.get(&id).is_some_and(|pending| pending.transport == Transport::Tcp) {
            self.give_up_server(now, id, actions);
        }
    }

    fn give_up_server(&mut self, now: Instant, id: u16, actions: &mut Vec<Action<T>>) {
        if let Some(pending) = self.pending.get_mut(&id) {
            let upstream = pending.upstream;
            pending.tries.retain(|&other| other != upstream);
            self.go_on(now, id, actions);
        }
    }

    pub(super) fn on_timeout(&mut self, now: Instant, actions: &mut Vec<Action<T>>) {
        for id in self.oldest_first(|pending| pending.deadline <= now) {
            if let Some(pending) = self.pending.get(&id) {
                let upstream = pending.upstream;
                self.note_silent(now, upstream);
            }
            self.go_on(now, id, actions);
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.deadline).min()
    }

    /// Forgets what the asker at `address` waits for: it is gone.
    pub(super) fn forget(&mut self, address: IpAddr) {
        self.pending.retain(|_, pending| pending.asker != address);
    }

    fn oldest_first(&self, which: impl Fn(&Pending<T>) -> bool) -> Vec<u16> {
        let mut found: Vec<(u64, u16)> = self
            .pending
            .iter()
            .filter(|(_, pending)| which(pending))
            .map(|(&id, pending)| (pending.age, id))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Asks the next server, or ends with the verdict.
    fn go_on(&mut self, now: Instant, id: u16, actions: &mut Vec<Action<T>>) {
        let Some(mut pending) = self.pending.remove(&id) else { return };
        match pending.tries.pop() {
            Some(upstream) => {
                pending.upstream = upstream;
                pending.deadline = now + pending.timeout;
                self.send(pending, actions);
            }
            None => actions.push(pending.end()),
        }
    }

    fn send(&mut self, mut pending: Pending<T>, actions: &mut Vec<Action<T>>) {
        let mut id = (self.random)();
        let mut collisions = 0;
        while self.pending.contains_key(&id) {
            // At most one in 64 ids is taken, so this ends soon; stepping on makes it end even
            // if the numbers are not random at all.
            collisions += 1;
            id = if collisions < COLLISIONS_MAX { (self.random)() } else { id.wrapping_add(1) };
        }
        pending.bytes[..2].copy_from_slice(&id.to_be_bytes());
        let (upstream, bytes) = (pending.upstream, pending.bytes.clone());
        actions.push(match pending.transport {
            Transport::Udp => Action::SendUdp { upstream, bytes },
            Transport::Tcp => Action::SendTcp { upstream, id, bytes },
        });
        self.pending.insert(id, pending);
    }

    fn make_room(&mut self, asker: IpAddr, actions: &mut Vec<Action<T>>) {
        let own = self.oldest_first(|pending| pending.asker == asker);
        let oldest = if own.len() >= PENDING_PER_ASKER_MAX {
            own.first().copied()
        } else if self.pending.len() >= PENDING_MAX {
            self.oldest_first(|_| true).first().copied()
        } else {
            None
        };
        actions.extend(oldest.and_then(|id| self.pending.remove(&id)).map(Pending::end));
    }

    /// All tries of a question, the first one last.
    fn plan(&mut self, now: Instant, resolvers: &Resolvers) -> Vec<SocketAddr> {
        let count = resolvers.servers.len().min(RESOLVERS_MAX);
        let mut servers = resolvers.servers[..count].to_vec();
        if resolvers.rotate && count > 0 {
            servers.rotate_left(self.first % count);
            self.first = self.first.wrapping_add(1);
        }
        servers.sort_by_key(|server| self.silent.get(server).is_some_and(|&until| now < until));
        servers.reverse();
        servers.repeat(resolvers.attempts.max(1))
    }

    fn note_silent(&mut self, now: Instant, upstream: SocketAddr) {
        self.silent.retain(|_, until| now < *until);
        if self.silent.len() < SILENT_MAX {
            self.silent.insert(upstream, now + SILENT_FOR);
        }
    }
}

impl<T> Pending<T> {
    fn end(self) -> Action<T> {
        let bytes = self.query.answer(self.verdict, &[], self.transport);
        Action::Reply { client: self.client, bytes }
    }
}
