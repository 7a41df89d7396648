//! The sockets of `whoami`, and the one place that waits.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::answer::Facts;
use super::connection::{Connection, State};
use super::limits::CONNECTIONS_MAX;

/// One read; a request usually fits.
const CHUNK_BYTES: usize = 4096;

/// Listens, and knows when to stop.
#[derive(Debug)]
pub(super) struct Server {
    listener: TcpListener,
    /// As PID 1 nothing ends us but signals that we take.
    signals: OwnedFd,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    connection: Connection,
}

impl Server {
    /// Listens on all addresses, of IPv4 alone where the kernel has no IPv6.
    pub(super) fn bind(port: u16) -> Result<Self, String> {
        let listener = listen(port).map_err(|error| cannot_listen(port, &error))?;
        let signals = [Signal::TERM.as_raw(), Signal::INT.as_raw()];
        let signals = coracle_sys::signal::signal_fd(&signals)
            .map_err(|error| format!("cannot wait for signals: {error}"))?;
        Ok(Self { listener, signals })
    }

    /// Serves until a signal says stop.
    pub(super) fn run(&self, facts: &Facts) -> Result<(), String> {
        let mut clients: Vec<Client> = Vec::new();
        loop {
            let ready = self
                .wait(&clients)
                .map_err(|error| format!("cannot wait for connections: {error}"))?;
            let now = Instant::now();
            if ready[0] {
                return Ok(());
            }
            for (client, ready) in clients.iter_mut().zip(&ready[2..]) {
                if *ready {
                    client.work(facts, now);
                }
                client.connection.expire(now);
            }
            clients.retain(|client| client.connection.state() != State::Over);
            if ready[1] {
                clients.extend(self.accept(now));
            }
        }
    }

    /// Which are ready: the signals, the listener, each client.
    fn wait(&self, clients: &[Client]) -> io::Result<Vec<bool>> {
        let accepts =
            if clients.len() < CONNECTIONS_MAX { PollFlags::IN } else { PollFlags::empty() };
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.listener.as_fd(), accepts),
        ];
        fds.extend(clients.iter().map(|client| {
            let wanted = match client.connection.state() {
                State::Writing => PollFlags::OUT,
                State::Reading | State::Lingering | State::Over => PollFlags::IN,
            };
            PollFd::from_borrowed_fd(client.stream.as_fd(), wanted)
        }));
        let first = clients.iter().map(|client| client.connection.deadline()).min();
        let timeout = first
            .map(|at| at.saturating_duration_since(Instant::now()))
            .map(|left| Timespec::try_from(left).map_err(io::Error::other))
            .transpose()?;
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect())
    }

    /// The client that waits; one that has gone already is none.
    fn accept(&self, now: Instant) -> Option<Client> {
        let (stream, peer) = self.listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        // Answers are written whole; waiting for more would only delay them.
        stream.set_nodelay(true).ok();
        Some(Client { stream, connection: Connection::new(peer, now) })
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)) {
        Err(error) if lacks_ipv6(&error) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?,
        other => other?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn lacks_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let lacking = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL];
    lacking.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn cannot_listen(port: u16, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "; ports from 1024 on need no right: try --port 8080",
        io::ErrorKind::AddrInUse => "; choose another with --port",
        _ => "",
    };
    format!("cannot listen on port {port}: {error}{hint}")
}

impl Client {
    /// Reads or writes once. Trouble with the socket ends the connection.
    fn work(&mut self, facts: &Facts, now: Instant) {
        let before = self.connection.state();
        let result = match before {
            State::Writing => self.write(facts, now),
            State::Reading | State::Lingering => self.read(facts, now),
            State::Over => Ok(()),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.connection.abandon(),
            Ok(()) if before == State::Writing && self.connection.state() == State::Lingering => {
                // A client that has gone has taken what it wanted.
                self.stream.shutdown(Shutdown::Write).unwrap_or_default();
            }
            Ok(()) => {}
        }
    }

    fn read(&mut self, facts: &Facts, now: Instant) -> io::Result<()> {
        let mut chunk = [0; CHUNK_BYTES];
        let count = self.stream.read(&mut chunk)?;
        self.connection.received(&chunk[..count], facts, now);
        Ok(())
    }

    fn write(&mut self, facts: &Facts, now: Instant) -> io::Result<()> {
        let count = self.stream.write(self.connection.output())?;
        self.connection.sent(count, facts, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::whoami::probe;

    /// A server on a free port, and what stops it.
    fn server() -> (Server, u16, io::PipeWriter) {
        let listener = listen(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (reader, writer) = io::pipe().unwrap();
        (Server { listener, signals: reader.into() }, port, writer)
    }

    #[test]
    fn answers_the_probe_and_keeps_the_connection() {
        let (server, port, stop) = server();
        let running = std::thread::spawn(move || server.run(&Facts::new(None, Vec::new())));
        probe::run(port).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        for _ in 0..2 {
            stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\nok\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                answer.push(byte[0]);
            }
        }
        drop(stop);
        running.join().unwrap().unwrap();
        assert!(probe::run(port).unwrap_err().starts_with("no answer from 127.0.0.1:"));
    }

    #[test]
    fn a_taken_port_is_told() {
        let (_server, port, _stop) = server();
        let error = listen(port).map_err(|error| cannot_listen(port, &error)).unwrap_err();
        assert!(error.starts_with(&format!("cannot listen on port {port}: ")), "{error}");
        assert!(error.ends_with("; choose another with --port"), "{error}");
    }
}
