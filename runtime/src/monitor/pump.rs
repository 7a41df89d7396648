//! Move bytes between a process in a container and whoever is connected.
//!
//! Output goes to every attached client and to a sink (the log). A client that does not
//! keep up makes the process wait, as a full pipe would.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::client::Client;
use super::output::{Chunk, Streams, read_some};
use crate::logs::Stream;
use crate::model::Attach;
use crate::wire::{Kind, Notice, Request};

/// Input queued for the process, in bytes, beyond which clients have to wait.
const INPUT_BYTES_MAX: usize = 64 * 1024;
/// How long a client may take for the last output, in milliseconds.
const CLIENT_PATIENCE_MS: u32 = 2_000;
/// Reads of one stream in one turn, so that a busy process cannot keep clients waiting.
const READS_PER_TURN: usize = 64;

/// Where output goes besides the clients.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Stream, &[u8]);

/// What one turn brought that the pump does not deal with itself.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) signal: bool,
    pub(super) extra: bool,
    /// Client by index, and what it asks for.
    pub(super) requests: Vec<(usize, Request)>,
}

pub(super) struct Pump {
    pub(super) streams: Streams,
    pub(super) clients: Vec<Client>,
    /// The end of a client's input is the end of the process's.
    pub(super) stdin_once: bool,
    signals: OwnedFd,
    listener: Option<UnixListener>,
    input: Vec<u8>,
    input_ends: bool,
}

impl Pump {
    pub(super) fn new(signals: OwnedFd, listener: Option<UnixListener>) -> Self {
        Self {
            streams: Streams::default(),
            clients: Vec::new(),
            stdin_once: false,
            signals,
            listener,
            input: Vec::new(),
            input_ends: false,
        }
    }

    /// Another socket for clients from now on.
    pub(super) fn listen(&mut self, listener: UnixListener) {
        self.listener = Some(listener);
    }

    /// Another process's streams from now on.
    pub(super) fn connect(&mut self, streams: Streams) {
        self.streams = streams;
        self.input.clear();
        self.input_ends = false;
    }

    /// Waits until something happens or `deadline`, and moves bytes.
    pub(super) fn turn(
        &mut self,
        deadline: Option<Instant>,
        extra: &[BorrowedFd<'_>],
        sink: Sink<'_>,
    ) -> Turn {
        let ready = self.poll(deadline, extra);
        if ready.listener
            && let Some(Ok((stream, _))) = self.listener.as_ref().map(UnixListener::accept)
        {
            self.clients.extend(Client::new(stream).ok());
        }
        if ready.output {
            self.pump_output(sink, true);
        }
        let mut turn = Turn { signal: ready.signal, extra: ready.extra, requests: Vec::new() };
        for index in ready.clients {
            self.serve(index, &mut turn.requests);
        }
        self.feed_input();
        turn
    }

    /// Forgets clients that hung up; indices of an earlier turn are void afterwards.
    pub(super) fn sweep(&mut self) {
        self.clients.retain(|client| !client.gone);
    }

    pub(super) fn next_signal(&self) -> Option<i32> {
        coracle_sys::signal::next_signal(self.signals.as_fd())
    }

    pub(super) fn attach(&mut self, index: usize, attach: Attach) {
        if let Some(client) = self.clients.get_mut(index) {
            client.attach = Some(attach);
            client.waits = true;
        }
    }

    pub(super) fn tell(&mut self, index: usize, notice: &Notice) {
        if let Some(client) = self.clients.get_mut(index) {
            client.tell(notice);
        }
    }

    pub(super) fn wait_with(&mut self, index: usize) {
        if let Some(client) = self.clients.get_mut(index) {
            client.waits = true;
        }
    }

    pub(super) fn tell_all(&mut self, who: impl Fn(&Client) -> bool, notice: &Notice) {
        for client in self.clients.iter_mut().filter(|client| who(client)) {
            client.tell(notice);
        }
    }

    /// The process has ended: what it wrote is still in the pipes.
    pub(super) fn finish_output(&mut self, sink: Sink<'_>) {
        self.pump_output(sink, false);
        self.streams = Streams::default();
    }

    /// Lets everything queued go out.
    pub(super) fn drain_clients(&mut self) {
        for client in &mut self.clients {
            client.drain(CLIENT_PATIENCE_MS);
        }
    }

    fn poll(&self, deadline: Option<Instant>, extra: &[BorrowedFd<'_>]) -> Ready {
        let timeout = deadline.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let watched = self.watched(extra);
        let mut fds: Vec<PollFd<'_>> = watched.iter().map(|(_, fd)| fd.clone()).collect();
        let mut ready = Ready::default();
        if rustix::event::poll(&mut fds, timeout.as_ref()).is_ok() {
            for ((source, _), fd) in watched.iter().zip(&fds) {
                if !fd.revents().is_empty() {
                    ready.mark(*source);
                }
            }
        }
        ready
    }

    fn watched<'a>(&'a self, extra: &[BorrowedFd<'a>]) -> Vec<(Source, PollFd<'a>)> {
        let readable =
            |source, fd: BorrowedFd<'a>| (source, PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let mut watched = vec![readable(Source::Signal, self.signals.as_fd())];
        watched.extend(self.listener.iter().map(|fd| readable(Source::Listener, fd.as_fd())));
        watched.extend(extra.iter().map(|fd| readable(Source::Extra, *fd)));
        if !self.is_held() {
            let outputs = [&self.streams.stdout, &self.streams.stderr];
            watched.extend(
                outputs.into_iter().flatten().map(|fd| readable(Source::Output, fd.as_fd())),
            );
        }
        if let (Some(stdin), false) = (&self.streams.stdin, self.input.is_empty()) {
            let fd = PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::OUT);
            watched.push((Source::Input, fd));
        }
        for (index, client) in self.clients.iter().enumerate() {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, self.input.len() <= INPUT_BYTES_MAX);
            flags.set(PollFlags::OUT, client.wants_to_write());
            let fd = PollFd::from_borrowed_fd(client.stream.as_fd(), flags);
            watched.push((Source::Client(index), fd));
        }
        watched
    }

    /// Whether the process has to wait for a client.
    fn is_held(&self) -> bool {
        self.clients.iter().any(Client::is_full)
    }

    fn pump_output(&mut self, sink: Sink<'_>, bounded: bool) {
        let mut buffer = [0u8; 16 * 1024];
        for (kind, stream) in [(Kind::Stdout, Stream::Stdout), (Kind::Stderr, Stream::Stderr)] {
            for turn in 0.. {
                if bounded && (turn >= READS_PER_TURN || self.is_held()) {
                    break;
                }
                let slot = match stream {
                    Stream::Stderr => &mut self.streams.stderr,
                    Stream::Stdout => &mut self.streams.stdout,
                };
                let Some(fd) = slot else { break };
                match read_some(fd.as_fd(), &mut buffer) {
                    Chunk::Data(length) => {
                        sink(stream, &buffer[..length]);
                        for client in &mut self.clients {
                            client.output(kind, &buffer[..length]);
                        }
                    }
                    Chunk::Later => break,
                    Chunk::End => {
                        *slot = None;
                        break;
                    }
                }
            }
        }
    }

    fn feed_input(&mut self) {
        while let (Some(stdin), false) = (&self.streams.stdin, self.input.is_empty()) {
            match rustix::io::write(stdin, &self.input) {
                Ok(written) => {
                    self.input.drain(..written);
                }
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => break,
                Err(_) => {
                    self.streams.stdin = None;
                    self.input.clear();
                }
            }
        }
        if self.input_ends && self.input.is_empty() && !self.streams.terminal {
            self.streams.stdin = None;
        }
    }

    fn serve(&mut self, index: usize, requests: &mut Vec<(usize, Request)>) {
        let Some(client) = self.clients.get_mut(index) else { return };
        client.flush();
        let frames = client.receive();
        let mut feeds = client.attach.is_some_and(|attach| attach.stdin);
        let gone = client.gone;
        for (kind, payload) in frames {
            match kind {
                Kind::Stdin if feeds => self.input.extend(payload),
                Kind::StdinEnd if feeds => self.input_ends |= self.stdin_once,
                Kind::Request => {
                    let request: Option<Request> = serde_json::from_slice(&payload).ok();
                    // What came together with it is already meant for the container.
                    feeds |= matches!(request, Some(Request::Attach { stdin: true, .. }));
                    requests.extend(request.map(|request| (index, request)));
                }
                _ => {}
            }
        }
        self.input_ends |= gone && feeds && self.stdin_once;
    }
}

#[derive(Clone, Copy)]
enum Source {
    Signal,
    Listener,
    Extra,
    Output,
    Input,
    Client(usize),
}

#[derive(Default)]
struct Ready {
    signal: bool,
    listener: bool,
    extra: bool,
    output: bool,
    clients: Vec<usize>,
}

impl Ready {
    fn mark(&mut self, source: Source) {
        match source {
            Source::Signal => self.signal = true,
            Source::Listener => self.listener = true,
            Source::Extra => self.extra = true,
            Source::Output => self.output = true,
            Source::Client(index) => self.clients.push(index),
            // Input is fed in every turn.
            Source::Input => {}
        }
    }
}
