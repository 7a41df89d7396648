//! Commands at the door: each sends one line and gets one.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use zeroize::{Zeroize, Zeroizing};

use crate::protocol::{Answer, Kind, REQUEST_BYTES_MAX, Request};

/// How long a command may take for its line.
const PATIENCE: Duration = Duration::from_secs(30);

/// Commands that are being heard.
#[derive(Debug, Default)]
pub(super) struct Clients(Vec<Client>);

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    heard: Zeroizing<Vec<u8>>,
    since: Instant,
    /// Answered, or gone.
    done: bool,
}

impl Clients {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.iter().map(|client| client.stream.as_fd())
    }

    /// Takes those who wait at the door; false when there were none. The socket lies in a folder that is closed to
    /// others.
    pub(super) fn accept(&mut self, door: &UnixListener) -> bool {
        let mut some = false;
        while let Ok((stream, _)) = door.accept() {
            if stream.set_nonblocking(true).is_ok() {
                let heard = Zeroizing::new(Vec::new());
                self.0.push(Client { stream, heard, since: Instant::now(), done: false });
                some = true;
            }
        }
        some
    }

    /// A request that has arrived, and whose it is.
    pub(super) fn next_request(&mut self) -> Option<(usize, Request)> {
        for (number, client) in self.0.iter_mut().enumerate() {
            if client.done {
                continue;
            }
            client.hear();
            if client.heard.last() != Some(&b'\n') {
                continue;
            }
            let request = serde_json::from_slice(&client.heard);
            client.heard.zeroize();
            match request {
                Ok(request) => return Some((number, request)),
                Err(_) => client.reply(&Answer::Refused {
                    kind: Kind::Unsupported,
                    words: "the agent of the swarm is of another version and does not understand this; it ends with \
                            its last service"
                        .to_owned(),
                }),
            }
        }
        None
    }

    pub(super) fn reply(&mut self, number: usize, answer: &Answer) {
        if let Some(client) = self.0.get_mut(number) {
            client.reply(answer);
        }
    }

    /// Forgets those who have been answered, have gone, or take too long.
    pub(super) fn sweep(&mut self) {
        self.0.retain(|client| !client.done && client.since.elapsed() < PATIENCE);
    }
}

impl Client {
    fn hear(&mut self) {
        let mut part = Zeroizing::new([0; 64 * 1024]);
        loop {
            match self.stream.read(part.as_mut()) {
                Ok(0) => {
                    self.done = true;
                    return;
                }
                Ok(length) if self.heard.len() + length > REQUEST_BYTES_MAX => {
                    self.done = true;
                    return;
                }
                Ok(length) => self.heard.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.done = true;
                    return;
                }
            }
        }
    }

    fn reply(&mut self, answer: &Answer) {
        self.done = true;
        let mut line = Zeroizing::new(serde_json::to_vec(answer).unwrap_or_default());
        line.push(b'\n');
        // Whoever asked waits for it; one that has gone does not need it.
        drop(self.stream.set_nonblocking(false));
        drop(self.stream.set_write_timeout(Some(PATIENCE)));
        drop(self.stream.write_all(&line));
    }
}
