//! TCP between containers and the world, through the kernels of both sides.
//!
//! # How it works
//!
//! *Out*: the first segment of a connection comes up the wire and is kept. We connect to its
//! destination from the host. If that fails the container gets a reset or "unreachable", at
//! once. If it succeeds we listen in the hub at the very address the container asked for (the
//! socket is transparent), write the kept segment back down the wire, and the hub's kernel
//! completes the handshake: the container's `connect` succeeds exactly when ours did. The
//! two sockets are then spliced.
//!
//! *In*: a connection accepted at a published port is continued from the hub, from a socket
//! bound to the client's own address, so that the container sees who it is.
//!
//! Without marks (see [`Kit::marks`]) the later segments come up the wire too and are written
//! back as they are, for as long as the connection is known and [`LINGER`] after it.
//!
//! # Limits
//!
//! At most `room` connections, and of one container less than all (see [`super::shares`]); one
//! more is refused. Of those that we still connect for at most [`DIALING_MAX`], shared in the same
//! way: when it is more, those of that container that have waited longest are forgotten, which
//! its kernel mends by asking again. A first segment with more than [`FIRST_BYTES_MAX`] (data comes
//! with it, tcp_fastopen) is not heard; the kernel sends it again without. Of connections that
//! are over [`CLOSED_MAX`] are remembered.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::SocketType;
use slab::Slab;

use super::kit::{Failure, Goal, Kind, Kit, Token, longest};
use super::shares::Shares;
use super::sockets::{connection_state, family, host_socket, reset, tune};
use super::splice::{Pair, Progress, Side};
use crate::wire::{Frame, Packet, Tcp, Unreachable, reset_for};

/// How long the container has to answer the greeting in the hub.
const GREETING: Duration = Duration::from_secs(30);

/// How long the last segments of a closed connection may come (twice the segment lifetime).
const LINGER: Duration = Duration::from_secs(60);

/// Connections that we connect for at a time; a flood of first segments fills no more.
const DIALING_MAX: usize = 2048;

/// How long a listener in the hub is kept for the next connection to the same address, and how
/// many: to bind one looks through all connections that are made there already.
const GREETER_IDLE: Duration = Duration::from_secs(10);
const IDLE_GREETERS_MAX: usize = 16;

/// Bytes of a first segment's frame that are kept.
const FIRST_BYTES_MAX: usize = 2048;

/// Connections that are over and whose last segments may still come.
const CLOSED_MAX: usize = 65_536;

/// Both ends of a connection, as the container's packets show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ends {
    inner: SocketAddr,
    outer: SocketAddr,
}

impl Ends {
    /// Of the connection that a container's segment belongs to.
    pub(crate) fn of(tcp: &Tcp<'_>) -> Self {
        Self { inner: tcp.source, outer: tcp.destination }
    }
}

#[derive(Debug)]
enum State {
    /// We connect for the container; its first segment waits.
    Dialing {
        far: OwnedFd,
        first: Vec<u8>,
        since: Instant,
    },
    /// The hub's kernel shakes hands with the container.
    Greeting {
        far: OwnedFd,
        since: Instant,
    },
    /// We connect to the container for a client.
    Calling {
        near: OwnedFd,
        client: OwnedFd,
    },
    Joined(Pair),
    /// Between two of the others; never seen from outside a function.
    Between,
}

#[derive(Debug)]
struct Flow {
    ends: Ends,
    state: State,
}

/// A listener in the hub, for as long as somebody is greeted there and a little longer.
#[derive(Debug)]
struct Greeter {
    socket: OwnedFd,
    address: SocketAddr,
    expected: usize,
    /// When the last one was expected no more.
    idle_since: Instant,
}

/// All connections.
#[derive(Debug)]
pub(crate) struct TcpFlows {
    flows: Slab<Flow>,
    by_ends: HashMap<Ends, usize>,
    greeters: Slab<Greeter>,
    by_address: HashMap<SocketAddr, usize>,
    closed: HashMap<Ends, Instant>,
    connections: Shares,
    /// Of these, those that are [`State::Dialing`].
    dialing: Shares,
    /// Connections that had more to move than one turn allows.
    busy: Vec<usize>,
}

impl TcpFlows {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            flows: Slab::new(),
            by_ends: HashMap::new(),
            greeters: Slab::new(),
            by_address: HashMap::new(),
            closed: HashMap::new(),
            connections: Shares::new(room),
            dialing: Shares::new(DIALING_MAX),
            busy: Vec::new(),
        }
    }

    /// Whether a segment belongs to a connection that was let through, or to one just over.
    pub(crate) fn knows(&self, ends: Ends, opens: bool) -> bool {
        self.by_ends.contains_key(&ends) || !opens && self.closed.contains_key(&ends)
    }

    /// A segment that [`TcpFlows::knows`]: it goes back to the hub, where its socket is.
    pub(crate) fn on_known(&mut self, kit: &mut Kit, ends: Ends, frame: Frame<'_>) {
        let flow = self.by_ends.get(&ends).map(|&index| &self.flows[index]);
        // A first segment that is sent again waits with the one we have.
        if !flow.is_some_and(|flow| matches!(flow.state, State::Dialing { .. })) {
            kit.wire.send_frame(frame.turned());
        }
    }

    /// A segment of no connection we know.
    pub(crate) fn on_segment(&mut self, kit: &mut Kit, frame: Frame<'_>, goal: Goal) {
        let Some(packet) = Packet::parse(frame.packet()) else { return };
        let Some(tcp) = packet.tcp() else { return };
        let ends = Ends::of(&tcp);
        if !tcp.flags.opens() {
            if let Some(reset) = reset_for(&tcp) {
                kit.wire.send(reset);
            }
            return;
        }
        self.closed.remove(&ends);
        if !self.connections.has_room(ends.inner.ip()) {
            kit.refuse(&packet, Unreachable::Prohibited);
            return;
        }
        if packet.bytes.len() > FIRST_BYTES_MAX {
            return;
        }
        self.dial_fewer(kit, ends.inner.ip());
        match dial(kit, goal) {
            Ok(far) => {
                let first = frame.turned().to_vec();
                let state = State::Dialing { far, first, since: kit.now };
                self.add(kit, Flow { ends, state });
            }
            Err(error) => tell(kit, &packet, error.into()),
        }
    }

    /// Where too many of a container wait to be connected, forgets those of them that have waited
    /// longest; where it has none and all room is taken, of all.
    fn dial_fewer(&mut self, kit: &Kit, container: IpAddr) {
        if self.dialing.has_room(container) {
            return;
        }
        let since = |flow: &Flow| match flow.state {
            State::Dialing { since, .. } => Some(since),
            _ => None,
        };
        let own = |flow: &Flow| since(flow).filter(|_| flow.ends.inner.ip() == container);
        let mut late = longest(&self.flows, own);
        if late.is_empty() {
            late = longest(&self.flows, since);
        }
        for index in late {
            drop(self.remove(kit, index));
        }
    }

    /// Continues a client's connection in the hub. `source` is the address it is to come from.
    pub(crate) fn on_client(
        &mut self,
        kit: &mut Kit,
        client: OwnedFd,
        source: SocketAddr,
        container: SocketAddr,
    ) {
        // What cannot be continued is reset by closing with the client's bytes unread.
        let room = self.connections.has_room(container.ip());
        let near = match call(kit, source, container) {
            Ok(near) if room => near,
            _ => return reset(&client),
        };
        let ends = Ends { inner: container, outer: source };
        // The container is next door: its kernel has answered by now, if it could.
        let state = match rustix::net::getpeername(&near) {
            Ok(_) => State::Joined(Pair::new(near, client)),
            Err(_) => State::Calling { near, client },
        };
        let index = self.add(kit, Flow { ends, state });
        // Most clients have said something by now.
        if let Some(index) = index {
            self.on_ready(kit, index, Side::Far, EventFlags::IN);
        }
    }

    fn add(&mut self, kit: &mut Kit, flow: Flow) -> Option<usize> {
        let entry = self.flows.vacant_entry();
        let (near_token, far_token) =
            (Token::new(Kind::TcpNear, entry.key()), Token::new(Kind::TcpFar, entry.key()));
        let watched = match &flow.state {
            State::Dialing { far, .. } => kit.watch(far, far_token),
            State::Calling { near, client: far } | State::Joined(Pair { near, far, .. }) => {
                kit.watch(near, near_token).and_then(|()| kit.watch(far, far_token))
            }
            // Flows begin in one of the states above.
            State::Greeting { .. } | State::Between => Err(Errno::INVAL),
        };
        // Out of memory for it: dropped, as if never seen.
        watched.ok()?;
        let (index, container) = (entry.key(), flow.ends.inner.ip());
        self.connections.take(container);
        if matches!(flow.state, State::Dialing { .. }) {
            self.dialing.take(container);
        }
        self.by_ends.insert(flow.ends, index);
        entry.insert(flow);
        Some(index)
    }

    /// One of a connection's sockets is ready.
    pub(crate) fn on_ready(&mut self, kit: &mut Kit, index: usize, side: Side, event: EventFlags) {
        let Some(flow) = self.flows.get_mut(index) else { return };
        match &mut flow.state {
            State::Dialing { far, .. } => {
                if let Some(outcome) = connection_state(far) {
                    self.dialed(kit, index, outcome);
                }
            }
            State::Greeting { .. } | State::Between => {}
            State::Calling { near, .. } => match connection_state(near) {
                None => {}
                Some(Ok(())) => self.called(kit, index),
                Some(Err(_)) => {
                    if let State::Calling { client, .. } = self.remove(kit, index) {
                        reset(&client);
                    }
                }
            },
            State::Joined(pair) => {
                let progress = pair.on_event(side, event, &mut kit.pipes);
                self.progressed(kit, index, progress);
            }
        }
    }

    fn pump(&mut self, kit: &mut Kit, index: usize) {
        if let Some(Flow { state: State::Joined(pair), .. }) = self.flows.get_mut(index) {
            let progress = pair.pump(&mut kit.pipes);
            self.progressed(kit, index, progress);
        }
    }

    fn progressed(&mut self, kit: &mut Kit, index: usize, progress: Progress) {
        match progress {
            Progress::Waiting => {}
            Progress::Busy => self.busy.push(index),
            Progress::Done => drop(self.remove(kit, index)),
            Progress::Broken => {
                if let State::Joined(pair) = self.remove(kit, index) {
                    pair.reset(&mut kit.pipes);
                }
            }
        }
    }

    fn dialed(&mut self, kit: &mut Kit, index: usize, outcome: Result<(), Errno>) {
        let address = self.flows[index].ends.outer;
        let outcome = outcome.and_then(|()| self.expect(kit, address));
        if let Err(error) = outcome {
            if let State::Dialing { mut first, .. } = self.remove(kit, index)
                && let Some(frame) = Frame::parse(&mut first)
                && let Some(packet) = Packet::parse(frame.packet())
            {
                tell(kit, &packet, error.into());
            }
            return;
        }
        if let State::Dialing { far, first, .. } = self.take(index) {
            self.flows[index].state = State::Greeting { far, since: kit.now };
            kit.wire.send_frame(&first);
        }
    }

    /// Listens at `address` in the hub for one more connection.
    fn expect(&mut self, kit: &mut Kit, address: SocketAddr) -> Result<(), Errno> {
        if let Some(&index) = self.by_address.get(&address) {
            self.greeters[index].expected += 1;
            return Ok(());
        }
        let socket = kit.maker.stream(family(&address.ip()))?;
        rustix::net::bind(&socket, &address)?;
        rustix::net::listen(&socket, 1024)?;
        let entry = self.greeters.vacant_entry();
        kit.watch_input(&socket, Token::new(Kind::Greeter, entry.key()))?;
        self.by_address.insert(address, entry.key());
        entry.insert(Greeter { socket, address, expected: 1, idle_since: kit.now });
        Ok(())
    }

    fn expect_no_more(&mut self, now: Instant, address: SocketAddr) {
        let Some(&index) = self.by_address.get(&address) else { return };
        let greeter = &mut self.greeters[index];
        greeter.expected -= 1;
        greeter.idle_since = now;
        if greeter.expected == 0 && self.greeters.len() > IDLE_GREETERS_MAX {
            self.by_address.remove(&address);
            self.greeters.remove(index);
        }
    }

    /// Closes the listeners that nobody needed for a while; gives the time when the next may be.
    fn sweep_greeters(&mut self, now: Instant) -> Option<Instant> {
        let by_address = &mut self.by_address;
        self.greeters.retain(|_, greeter| {
            let kept =
                greeter.expected > 0 || now.duration_since(greeter.idle_since) < GREETER_IDLE;
            if !kept {
                by_address.remove(&greeter.address);
            }
            kept
        });
        let idle = self.greeters.iter().filter(|(_, greeter)| greeter.expected == 0);
        idle.map(|(_, greeter)| greeter.idle_since + GREETER_IDLE).min()
    }

    /// Containers completed their handshakes at a listener in the hub.
    pub(crate) fn on_greeted(&mut self, kit: &mut Kit, index: usize) {
        use rustix::net::SocketFlags;
        while let Some(greeter) = self.greeters.get(index) {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let Ok((near, Some(peer))) = rustix::net::acceptfrom_with(&greeter.socket, flags)
            else {
                return;
            };
            let Ok(inner) = SocketAddr::try_from(peer) else { continue };
            let ends = Ends { inner, outer: greeter.address };
            if let Some(&flow) = self.by_ends.get(&ends) {
                self.join(kit, flow, near);
            }
        }
    }

    fn join(&mut self, kit: &mut Kit, index: usize, near: OwnedFd) {
        let flow = &mut self.flows[index];
        if !matches!(flow.state, State::Greeting { .. }) {
            return reset(&near);
        }
        let outer = flow.ends.outer;
        if kit.watch(&near, Token::new(Kind::TcpNear, index)).is_err() {
            drop(self.remove(kit, index));
            return reset(&near);
        }
        let State::Greeting { far, .. } = self.take(index) else { return };
        self.flows[index].state = State::Joined(Pair::new(near, far));
        self.expect_no_more(kit.now, outer);
        // Events of before were of no use.
        self.pump(kit, index);
    }

    fn called(&mut self, kit: &mut Kit, index: usize) {
        let State::Calling { near, client } = self.take(index) else { return };
        self.flows[index].state = State::Joined(Pair::new(near, client));
        self.pump(kit, index);
    }

    fn take(&mut self, index: usize) -> State {
        let state = std::mem::replace(&mut self.flows[index].state, State::Between);
        if matches!(state, State::Dialing { .. }) {
            self.dialing.give_back(self.flows[index].ends.inner.ip());
        }
        state
    }

    fn remove(&mut self, kit: &Kit, index: usize) -> State {
        let state = self.take(index);
        let Flow { ends, .. } = self.flows.remove(index);
        self.by_ends.remove(&ends);
        self.connections.give_back(ends.inner.ip());
        if !kit.marks && self.closed.len() < CLOSED_MAX {
            self.closed.insert(ends, kit.now);
        }
        if matches!(state, State::Greeting { .. }) {
            self.expect_no_more(kit.now, ends.outer);
        }
        state
    }

    /// Gives the connections that had more to move another turn; true if some still have.
    pub(crate) fn turn(&mut self, kit: &mut Kit) -> bool {
        for index in std::mem::take(&mut self.busy) {
            self.pump(kit, index);
        }
        !self.busy.is_empty()
    }

    /// Whether there is nothing to [`TcpFlows::sweep`].
    pub(crate) fn is_idle(&self) -> bool {
        self.flows.is_empty() && self.closed.is_empty() && self.greeters.is_empty()
    }

    /// Forgets what is over; gives the time when it should be called again.
    pub(crate) fn sweep(&mut self, kit: &Kit) -> Option<Instant> {
        self.closed.retain(|_, since| kit.now.duration_since(*since) < LINGER);
        let mut next: Option<Instant> = self.closed.values().min().map(|since| *since + LINGER);
        next = next.into_iter().chain(self.sweep_greeters(kit.now)).min();
        let mut late = Vec::new();
        for (index, flow) in &self.flows {
            if let State::Greeting { since, .. } = flow.state {
                let end = since + GREETING;
                if end <= kit.now {
                    late.push(index);
                } else {
                    next = Some(next.map_or(end, |next| next.min(end)));
                }
            }
        }
        for index in late {
            drop(self.remove(kit, index));
        }
        next
    }
}

/// Begins to connect from the hub.
fn call(kit: &mut Kit, source: SocketAddr, container: SocketAddr) -> Result<OwnedFd, Errno> {
    let near = kit.maker.stream(family(&container.ip()))?;
    rustix::net::bind(&near, &source)?;
    match rustix::net::connect(&near, &container) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(near),
        Err(error) => Err(error),
    }
}

/// Begins to connect for a container.
fn dial(kit: &mut Kit, goal: Goal) -> Result<OwnedFd, Errno> {
    let target = match goal {
        Goal::Outside(target) => target,
        Goal::Task { source, task, .. } => return call(kit, source, task),
        Goal::Nobody => return Err(Errno::CONNREFUSED),
    };
    let far = host_socket(family(&target.ip()), SocketType::STREAM)?;
    tune(&far);
    match rustix::net::connect(&far, &target) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(far),
        Err(error) => Err(error),
    }
}

/// Tells the container why its connection was not made.
fn tell(kit: &mut Kit, packet: &Packet<'_>, failure: Failure) {
    match failure {
        Failure::Refused => {
            if let Some(reset) = packet.tcp().and_then(|tcp| reset_for(&tcp)) {
                kit.wire.send(reset);
            }
        }
        Failure::Unreachable(why) => kit.refuse(packet, why),
        Failure::Silent => {}
    }
}
