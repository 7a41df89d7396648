//! A thread that lives in the hub's network namespace and makes sockets there for the others.
//!
//! A socket belongs for ever to the namespace of the thread that made it, so the loop, which
//! stays in the host's, can bind and connect what it got from here.
//!
//! TCP sockets are made ahead, since each connection needs one; while the last ones are used,
//! the next are made.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto};

/// How many sockets are made at a time.
const BATCH: usize = 16;

/// When so few are left, more are asked for.
const FEW: usize = 8;

type Wish = (AddressFamily, SocketType, usize);
type Made = Result<Vec<OwnedFd>, Errno>;

/// The loop's side.
#[derive(Debug)]
pub(crate) struct Maker {
    wishes: Sender<Wish>,
    made: Receiver<Made>,
    streams: VecDeque<OwnedFd>,
    /// Whether a batch of streams was asked for and not yet taken.
    coming: bool,
}

impl Maker {
    /// Starts the thread. `enter` runs in it first and moves it into the hub; its result is
    /// given back.
    ///
    /// # Errors
    /// When the thread cannot be made, or `enter` fails.
    pub(crate) fn start<T, E>(
        enter: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<(Self, T), E>
    where
        T: Send + 'static,
        E: From<std::io::Error> + Send + 'static,
    {
        let (wishes, wished) = channel::<Wish>();
        let (give, made) = channel::<Made>();
        let (entered, outcome) = channel();
        thread::Builder::new().name("hub".into()).spawn(move || {
            let result = enter();
            let failed = result.is_err();
            if entered.send(result).is_err() || failed {
                return;
            }
            // Ends with the loop.
            while let Ok((family, kind, count)) = wished.recv() {
                let sockets = (0..count).map(|_| socket(family, kind)).collect();
                if give.send(sockets).is_err() {
                    return;
                }
            }
        })?;
        let gone = || std::io::Error::other("the thread in the hub ended");
        let value = outcome.recv().map_err(|_| gone())??;
        Ok((Self { wishes, made, streams: VecDeque::new(), coming: false }, value))
    }

    /// A TCP socket that may bind to and listen at any address.
    pub(crate) fn stream(&mut self, family: AddressFamily) -> Result<OwnedFd, Errno> {
        if family != AddressFamily::INET {
            return self.one(family, SocketType::STREAM);
        }
        if self.streams.len() < FEW && !self.coming {
            self.ask(family, SocketType::STREAM, BATCH)?;
            self.coming = true;
        }
        if self.streams.is_empty() {
            self.collect()?;
        }
        self.streams.pop_front().ok_or(Errno::NFILE)
    }

    /// A UDP socket that may bind to any address.
    pub(crate) fn datagram(&mut self, family: AddressFamily) -> Result<OwnedFd, Errno> {
        self.one(family, SocketType::DGRAM)
    }

    /// A socket for ICMP messages, whole but for their IP header.
    pub(crate) fn icmp(&mut self, family: AddressFamily) -> Result<OwnedFd, Errno> {
        self.one(family, SocketType::RAW)
    }

    fn one(&mut self, family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Errno> {
        self.make(family, kind, 1)?.pop().ok_or(Errno::NFILE)
    }

    fn make(&mut self, family: AddressFamily, kind: SocketType, count: usize) -> Made {
        // Answers come in the order of the wishes.
        if self.coming {
            self.collect()?;
        }
        self.ask(family, kind, count)?;
        self.made.recv().map_err(|_| Errno::PIPE)?
    }

    fn ask(&self, family: AddressFamily, kind: SocketType, count: usize) -> Result<(), Errno> {
        // The thread ends only with this side.
        self.wishes.send((family, kind, count)).map_err(|_| Errno::PIPE)
    }

    /// Takes the batch that is coming.
    fn collect(&mut self) -> Result<(), Errno> {
        self.coming = false;
        self.streams.extend(self.made.recv().map_err(|_| Errno::PIPE)??);
        Ok(())
    }
}

fn socket(family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let protocol = match (kind, family) {
        (SocketType::RAW, AddressFamily::INET6) => Some(ipproto::ICMPV6),
        (SocketType::RAW, _) => Some(ipproto::ICMP),
        _ => None,
    };
    let socket = rustix::net::socket_with(family, kind, flags, protocol)?;
    coracle_sys::sockets::set_transparent(&socket, family)
        .map_err(|error| error.errno().map_or(Errno::PERM, Errno::from_raw_os_error))?;
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
    if kind == SocketType::STREAM {
        crate::flow::tune(&socket);
    }
    if family == AddressFamily::INET6 && kind != SocketType::RAW {
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    Ok(socket)
}
