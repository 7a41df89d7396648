//! Two connected sockets joined into one connection; bytes stay in the kernel.
//!
//! # How it works
//!
//! Each direction moves bytes from a socket into a pipe and from the pipe into the other
//! socket, by `splice(2)`. A pipe is borrowed only while bytes are in it, so that an idle
//! connection costs its two sockets and nothing else. The end of one direction is passed on as
//! a half-close; an error on either side becomes a reset on the other.
//!
//! # Limits
//!
//! One call moves at most [`TURN_BYTES`] in each direction, so that a fast connection leaves
//! room for the others; [`Progress::Busy`] says that more is there.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::Shutdown;
use rustix::pipe::{PipeFlags, SpliceFlags};

use super::kit::reset;

const PIPE_BYTES: usize = 1024 * 1024;
const TURN_BYTES: usize = 4 * PIPE_BYTES;

/// Pipes kept for reuse: what some busy connections need, not a reserve for all.
const SPARE_PIPES: usize = 16;

#[derive(Debug)]
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

/// Empty pipes.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    spare: Vec<Pipe>,
}

impl Pipes {
    fn take(&mut self) -> Result<Pipe, Errno> {
        if let Some(pipe) = self.spare.pop() {
            return Ok(pipe);
        }
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // A user's pipes together are limited; a smaller one works as well, only slower.
        rustix::pipe::fcntl_setpipe_size(&write, PIPE_BYTES).ok();
        Ok(Pipe { read, write })
    }

    fn give_back(&mut self, pipe: Pipe) {
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
    /// Both directions are closed in order.
    Done,
    /// One side failed; the other is to be reset.
    Broken,
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

    /// Moves what can be moved now.
    pub(crate) fn pump(&mut self, pipes: &mut Pipes) -> Progress {
        let out = self.out.turn(&self.near, &self.far, pipes);
        let back = self.back.turn(&self.far, &self.near, pipes);
        match (out, back) {
            (Err(_), _) | (_, Err(_)) => Progress::Broken,
            _ if self.out.closed && self.back.closed => Progress::Done,
            (Ok(true), _) | (_, Ok(true)) => Progress::Busy,
            _ => Progress::Waiting,
        }
    }

    /// Ends the connection as a failure: both peers get a reset.
    pub(crate) fn reset(self) {
        reset(&self.near);
        reset(&self.far);
    }
}

impl Half {
    /// Whether there is more to move at once.
    fn turn(&mut self, from: &OwnedFd, to: &OwnedFd, pipes: &mut Pipes) -> Result<bool, Errno> {
        if self.closed {
            return Ok(false);
        }
        let mut moved = 0;
        let more = loop {
            if self.held == 0 && !self.ended && !self.fill(from, pipes)? {
                break false;
            }
            if self.held > 0 {
                match self.drain(to)? {
                    Some(bytes) => moved += bytes,
                    None => break false,
                }
            }
            if self.ended && self.held == 0 {
                self.closed = true;
                match rustix::net::shutdown(to, Shutdown::Write) {
                    // It closed its side by itself.
                    Ok(()) | Err(Errno::NOTCONN) => break false,
                    Err(error) => return Err(error),
                }
            }
            if moved >= TURN_BYTES {
                break true;
            }
        };
        if self.held == 0
            && let Some(pipe) = self.pipe.take()
        {
            pipes.give_back(pipe);
        }
        Ok(more)
    }

    /// Takes bytes from the source; false when it has none now.
    fn fill(&mut self, from: &OwnedFd, pipes: &mut Pipes) -> Result<bool, Errno> {
        let pipe = match self.pipe.take() {
            Some(pipe) => pipe,
            None => pipes.take()?,
        };
        let pipe = self.pipe.insert(pipe);
        match splice(from, &pipe.write, PIPE_BYTES) {
            Ok(0) => self.ended = true,
            Ok(bytes) => self.held = bytes,
            Err(Errno::AGAIN) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
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
    loop {
        match rustix::pipe::splice(&from, None, &to, None, bytes, flags) {
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
        text.clear();
        client.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "answer");
        assert!(!pipes.spare.is_empty());
    }

    #[test]
    fn a_reset_is_passed_on() {
        let (mut client, server, mut pair) = pair();
        rustix::net::sockopt::set_socket_linger(&server, Some(Duration::ZERO)).expect("a socket");
        drop(server);
        let mut pipes = Pipes::default();
        while pair.pump(&mut pipes) != Progress::Broken {}
        pair.reset();
        let error = client.read(&mut [0]).expect_err("a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}
