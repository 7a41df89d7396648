//! Two connected sockets joined into one connection; bytes stay in the kernel.
//!
//! # How it works
//!
//! Each direction moves bytes from a socket into a pipe and from the pipe into the other
//! socket, by `splice(2)`. A pipe is borrowed only while bytes are in it, so that an idle
//! connection costs its two sockets and nothing else. The end of one direction is passed on as
//! a half-close; an error on either side becomes a reset on the other.
//!
//! What fits a page is cheaper to copy: a question or an answer is one `recv` and one `send`,
//! and a `recv` that does not fill the page has emptied the socket (epoll(7)). A direction that
//! fills it goes on with pipes until it has little to say again.
//!
//! # Limits
//!
//! One call moves at most [`TURN_BYTES`] in each direction, so that a fast connection leaves
//! room for the others; [`Progress::Busy`] says that more is there.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use rustix::pipe::{PipeFlags, SpliceFlags};

use super::sockets::reset;

const PIPE_BYTES: usize = 1024 * 1024;
const TURN_BYTES: usize = 4 * PIPE_BYTES;

/// What is copied rather than spliced. It fits the smallest pipe there is, so that what the
/// sink does not take at once can wait in one.
const PAGE_BYTES: usize = 4096;

/// Pipes kept for reuse: what some busy connections need, not a reserve for all.
const SPARE_PIPES: usize = 16;

/// Pipes lent at a time. Only those of connections whose sink takes nothing stay lent; when so
/// many are, others do without: page by page, of which nothing is taken before it is given.
pub(crate) const PIPES_MAX: usize = 512;

#[derive(Debug)]
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

/// Empty pipes, and the page that small pieces are copied through.
#[derive(Debug)]
pub(crate) struct Pipes {
    spare: Vec<Pipe>,
    lent: usize,
    page: Box<[u8; PAGE_BYTES]>,
}

impl Default for Pipes {
    fn default() -> Self {
        Self { spare: Vec::new(), lent: 0, page: Box::new([0; PAGE_BYTES]) }
    }
}

impl Pipes {
    fn has_one(&self) -> bool {
        self.lent < PIPES_MAX
    }

    fn take(&mut self) -> Result<Pipe, Errno> {
        self.lent += 1;
        if let Some(pipe) = self.spare.pop() {
            return Ok(pipe);
        }
        let made = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK);
        let (read, write) = made.inspect_err(|_| self.lent -= 1)?;
        // A user's pipes together are limited; a smaller one works as well, only slower.
        rustix::pipe::fcntl_setpipe_size(&write, PIPE_BYTES).ok();
        Ok(Pipe { read, write })
    }

    fn give_back(&mut self, pipe: Pipe) {
        self.lent -= 1;
        if self.spare.len() < SPARE_PIPES {
            self.spare.push(pipe);
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    pipe: Option<Pipe>,
    /// Bytes in the pipe.
    held: usize,
    /// The last piece filled the page: more than questions and answers.
    bulk: bool,
    /// The sink takes nothing now.
    blocked: bool,
    /// The source sent all it had.
    ended: bool,
    /// And the sink was told.
    closed: bool,
}

/// How far a connection got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing to do until one of the sockets is ready.
    Waiting,
    /// There is more to move at once.
    Busy,
    /// Both directions are at their end; to close the sockets tells the last one.
    Done,
    /// One side failed; the other is to be reset.
    Broken,
}

/// One of a connection's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Near,
    Far,
}

/// What came of looking at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filled {
    /// There may be more.
    Some,
    /// That was all for now.
    All,
    Nothing,
}

/// A connection made of two sockets, neither of which blocks.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) near: OwnedFd,
    pub(crate) far: OwnedFd,
    out: Half,
    back: Half,
}

impl Pair {
    pub(crate) fn new(near: OwnedFd, far: OwnedFd) -> Self {
        Self { near, far, out: Half::default(), back: Half::default() }
    }

    /// Moves what can be moved now, in both directions.
    pub(crate) fn pump(&mut self, pipes: &mut Pipes) -> Progress {
        let Self { near, far, out, back } = self;
        let taken =
            out.turn(near, far, pipes, false).and_then(|more| out.pass_end(far, back, more));
        let given =
            back.turn(far, near, pipes, false).and_then(|more| back.pass_end(near, out, more));
        self.progress(taken, given)
    }

    /// Moves what an event of one of the sockets allows.
    pub(crate) fn on_event(
        &mut self,
        side: Side,
        event: EventFlags,
        pipes: &mut Pipes,
    ) -> Progress {
        let Self { near, far, out, back } = self;
        let (it, other, from_it, to_it) = match side {
            Side::Near => (near, far, out, back),
            Side::Far => (far, near, back, out),
        };
        let last = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        // It was reset after its end had been passed on, and no read will tell.
        if event.contains(EventFlags::ERR) && from_it.closed {
            return Progress::Broken;
        }
        let taken = match event.intersects(EventFlags::IN | last) {
            // With the end in sight a short read is not the last one.
            true => from_it
                .turn(it, other, pipes, !event.intersects(last))
                .and_then(|more| from_it.pass_end(other, to_it, more)),
            false => Ok(false),
        };
        let given = match to_it.blocked && event.intersects(EventFlags::OUT | last) {
            true => to_it
                .turn(other, it, pipes, false)
                .and_then(|more| to_it.pass_end(it, from_it, more)),
            false => Ok(false),
        };
        self.progress(taken, given)
    }

    fn progress(&self, one: Result<bool, Errno>, other: Result<bool, Errno>) -> Progress {
        match (one, other) {
            (Err(_), _) | (_, Err(_)) => Progress::Broken,
            _ if self.out.closed && self.back.closed => Progress::Done,
            (Ok(true), _) | (_, Ok(true)) => Progress::Busy,
            _ => Progress::Waiting,
        }
    }

    /// Ends the connection as a failure: both peers get a reset.
    pub(crate) fn reset(self, pipes: &mut Pipes) {
        reset(&self.near);
        reset(&self.far);
        // What was in their pipes is lost; those with something in them cannot be lent again.
        pipes.lent -= [&self.out, &self.back].into_iter().filter(|it| it.pipe.is_some()).count();
    }
}

impl Half {
    /// Whether there is more to move at once. `short`: a short read tells that the source has
    /// no more now.
    fn turn(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        pipes: &mut Pipes,
        short: bool,
    ) -> Result<bool, Errno> {
        if self.closed {
            return Ok(false);
        }
        let mut moved = 0;
        let mut filled = Filled::Some;
        self.blocked = false;
        let more = loop {
            if self.held == 0 && !self.ended {
                if filled == Filled::All && short {
                    break false;
                }
                let can_hold = self.pipe.is_some() || pipes.has_one();
                let (outcome, bytes) = match (can_hold, self.bulk) {
                    (true, true) => self.fill(from, pipes)?,
                    (true, false) => self.copy(from, to, pipes)?,
                    (false, _) => self.hand_over(from, to, pipes)?,
                };
                moved += bytes;
                filled = outcome;
                if filled == Filled::Nothing {
                    break false;
                }
            }
            if self.held > 0 {
                match self.drain(to)? {
                    Some(bytes) => moved += bytes,
                    None => {
                        self.blocked = true;
                        break false;
                    }
                }
            }
            if self.ended && self.held == 0 {
                break false;
            }
            if moved >= TURN_BYTES {
                break true;
            }
        };
        self.bulk &= moved > PAGE_BYTES;
        if self.held == 0
            && let Some(pipe) = self.pipe.take()
        {
            pipes.give_back(pipe);
        }
        Ok(more)
    }

    /// After a turn that tells whether there is `more`: where all of it has been passed on, the
    /// sink is told. With both directions at their end the sockets are about to be closed, which
    /// says the same.
    fn pass_end(&mut self, to: &OwnedFd, other: &Self, more: bool) -> Result<bool, Errno> {
        if self.closed || !self.ended || self.held > 0 {
            return Ok(more);
        }
        self.closed = true;
        if other.closed {
            return Ok(more);
        }
        match rustix::net::shutdown(to, Shutdown::Write) {
            // It closed its side by itself.
            Ok(()) | Err(Errno::NOTCONN) => Ok(more),
            Err(error) => Err(error),
        }
    }

    /// Passes a small piece on; what the sink does not take waits in a pipe.
    fn copy(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        pipes: &mut Pipes,
    ) -> Result<(Filled, usize), Errno> {
        let got = retry(|| rustix::net::recv(from, &mut pipes.page[..], RecvFlags::DONTWAIT));
        let got = match got {
            Ok((0, _)) => {
                self.ended = true;
                return Ok((Filled::Some, 0));
            }
            Ok((got, _)) => got,
            Err(Errno::AGAIN) => return Ok((Filled::Nothing, 0)),
            Err(error) => return Err(error),
        };
        self.bulk = got == PAGE_BYTES;
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = match retry(|| rustix::net::send(to, &pipes.page[..got], flags)) {
            Err(Errno::AGAIN) => 0,
            result => result?,
        };
        if sent < got {
            let pipe = self.pipe.insert(pipes.take()?);
            self.held = rustix::io::write(&pipe.write, &pipes.page[sent..got])?;
            if sent + self.held < got {
                return Err(Errno::NOBUFS);
            }
        }
        Ok((if self.bulk { Filled::Some } else { Filled::All }, sent))
    }

    /// Passes a page on without holding anything: the source gives up what the sink took.
    fn hand_over(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        pipes: &mut Pipes,
    ) -> Result<(Filled, usize), Errno> {
        let page = &mut pipes.page[..];
        let flags = RecvFlags::DONTWAIT;
        let got = match retry(|| rustix::net::recv(from, &mut page[..], flags | RecvFlags::PEEK)) {
            Ok((0, _)) => {
                self.ended = true;
                return Ok((Filled::Some, 0));
            }
            Ok((got, _)) => got,
            Err(Errno::AGAIN) => return Ok((Filled::Nothing, 0)),
            Err(error) => return Err(error),
        };
        let quiet = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match retry(|| rustix::net::send(to, &page[..got], quiet)) {
            Err(Errno::AGAIN) => {
                self.blocked = true;
                Ok((Filled::Nothing, 0))
            }
            Err(error) => Err(error),
            Ok(sent) => {
                retry(|| rustix::net::recv(from, &mut page[..sent], flags))?;
                Ok((Filled::Some, sent))
            }
        }
    }

    /// Takes bytes from the source into a pipe.
    fn fill(&mut self, from: &OwnedFd, pipes: &mut Pipes) -> Result<(Filled, usize), Errno> {
        let pipe = match self.pipe.take() {
            Some(pipe) => pipe,
            None => pipes.take()?,
        };
        let pipe = self.pipe.insert(pipe);
        match splice(from, &pipe.write, PIPE_BYTES) {
            Ok(0) => self.ended = true,
            Ok(bytes) => self.held = bytes,
            Err(Errno::AGAIN) => return Ok((Filled::Nothing, 0)),
            Err(error) => return Err(error),
        }
        Ok((Filled::Some, 0))
    }

    /// Gives bytes to the sink; `None` when it takes none now.
    fn drain(&mut self, to: &OwnedFd) -> Result<Option<usize>, Errno> {
        let Some(pipe) = &self.pipe else { return Ok(None) };
        match splice(&pipe.read, to, self.held) {
            Ok(bytes) => {
                self.held -= bytes;
                Ok(Some(bytes))
            }
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn splice(from: impl AsFd, to: impl AsFd, bytes: usize) -> Result<usize, Errno> {
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    retry(|| rustix::pipe::splice(&from, None, &to, None, bytes, flags))
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;

    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = listener.local_addr().expect("its address");
        let client = TcpStream::connect(address).expect("a connection");
        (client, listener.accept().expect("a connection").0)
    }

    fn pair() -> (TcpStream, TcpStream, Pair) {
        let (client, near) = connected();
        let (far, server) = connected();
        for socket in [&near, &far] {
            socket.set_nonblocking(true).expect("a flag");
        }
        (client, server, Pair::new(near.into(), far.into()))
    }

    #[test]
    fn bytes_and_ends_are_passed_on_and_pipes_given_back() {
        let (mut client, mut server, mut pair) = pair();
        let mut pipes = Pipes::default();
        assert_eq!(pair.pump(&mut pipes), Progress::Waiting);
        client.write_all(b"question").expect("room");
        client.shutdown(std::net::Shutdown::Write).expect("open");
        while !pair.out.closed {
            assert_eq!(pair.pump(&mut pipes), Progress::Waiting);
        }
        let mut text = String::new();
        server.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "question");
        server.write_all(b"answer").expect("still open in this direction");
        drop(server);
        while pair.pump(&mut pipes) != Progress::Done {}
        drop(pair);
        text.clear();
        client.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "answer");
        assert_eq!(pipes.lent, 0);
    }

    /// Sends more than both sockets hold, with the server reading only once all is stuck.
    fn push_through(pipes: &mut Pipes) {
        let (mut client, mut server, mut pair) = pair();
        let bytes: Vec<u8> = (0..40_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        let sent = bytes.clone();
        let writer = std::thread::spawn(move || client.write_all(&sent).expect("an open socket"));
        while !pair.out.blocked {
            pair.pump(pipes);
        }
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            server.read_to_end(&mut all).expect("readable");
            all
        });
        let poller = rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC);
        let poller = poller.expect("a poller");
        let edges = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        for (socket, side) in [(&pair.near, 0), (&pair.far, 1)] {
            let data = rustix::event::epoll::EventData::new_u64(side);
            rustix::event::epoll::add(&poller, socket, data, edges).expect("a socket");
        }
        let mut events = Vec::with_capacity(2);
        while !pair.out.closed {
            events.clear();
            let room = rustix::buffer::spare_capacity(&mut events);
            rustix::event::epoll::wait(&poller, room, None).expect("a poller");
            for event in &events {
                let side = if event.data.u64() == 0 { Side::Near } else { Side::Far };
                // As the helper goes on: what made it busy may not have been this side.
                let mut progress = pair.on_event(side, event.flags, pipes);
                while progress == Progress::Busy {
                    progress = pair.pump(pipes);
                }
            }
        }
        writer.join().expect("all written");
        assert!(reader.join().expect("all read") == bytes, "what came is what went");
    }

    #[test]
    fn events_alone_move_everything_with_pipes_and_without() {
        let mut pipes = Pipes::default();
        push_through(&mut pipes);
        assert_eq!(pipes.lent, 0);
        pipes.lent = PIPES_MAX;
        push_through(&mut pipes);
        assert_eq!(pipes.lent, PIPES_MAX);
    }

    #[test]
    fn a_reset_after_the_end_is_passed_on() {
        let (mut client, mut server, mut pair) = pair();
        let mut pipes = Pipes::default();
        // The server says all it has, and then that it does not want to hear any more.
        server.write_all(b"x").expect("room");
        server.shutdown(std::net::Shutdown::Write).expect("open");
        while !pair.back.closed {
            pair.pump(&mut pipes);
        }
        rustix::net::sockopt::set_socket_linger(&server, Some(Duration::ZERO)).expect("a socket");
        drop(server);
        assert_eq!(pair.on_event(Side::Far, EventFlags::ERR, &mut pipes), Progress::Broken);
        pair.reset(&mut pipes);
        client.read_exact(&mut [0]).expect("what was said before");
        let error = client.read(&mut [0]).err().map(|error| error.kind());
        assert!(matches!(error, None | Some(std::io::ErrorKind::ConnectionReset)), "{error:?}");
    }

    #[test]
    fn a_reset_is_passed_on() {
        let (mut client, server, mut pair) = pair();
        rustix::net::sockopt::set_socket_linger(&server, Some(Duration::ZERO)).expect("a socket");
        drop(server);
        let mut pipes = Pipes::default();
        while pair.pump(&mut pipes) != Progress::Broken {}
        pair.reset(&mut pipes);
        let error = client.read(&mut [0]).expect_err("a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}
