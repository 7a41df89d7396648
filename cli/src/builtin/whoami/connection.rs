//! One connection as a state machine: bytes in, bytes out, the clock passed in.
//!
//! ```text
//! Reading ── whole request ──> Writing ── kept alive ──> Reading
//!    │ bad, too slow              │ last answer
//!    └──────> Writing             └──> Lingering ── end of input, or time ──> Over
//! ```
//!
//! While an answer waits for the client, nothing more is read: what a client may make
//! us hold is one request and one answer.

use std::net::SocketAddr;
use std::time::Instant;

use super::answer::{Answer, Facts, refusal};
use super::limits::{ANSWER_TIME, HEAD_TIME, IDLE_TIME, LINGER_TIME};
use super::request::{Parsed, Status, parse};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waits for a request, or for more of it.
    Reading,
    /// Has an answer for the client.
    Writing,
    /// Our side is closed; what still comes is dropped.
    Lingering,
    /// Nothing more happens; to be dropped.
    Over,
}

#[derive(Debug)]
pub(super) struct Connection {
    peer: SocketAddr,
    state: State,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    keeps_alive: bool,
    deadline: Instant,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr, now: Instant) -> Self {
        Self {
            peer,
            state: State::Reading,
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            keeps_alive: true,
            deadline: now + HEAD_TIME,
        }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is to be sent next.
    pub(super) fn output(&self) -> &[u8] {
        &self.output[self.written..]
    }

    /// The client sent `bytes`; none is the end of its side.
    pub(super) fn received(&mut self, bytes: &[u8], facts: &Facts, now: Instant) {
        match self.state {
            State::Reading if bytes.is_empty() => self.state = State::Over,
            State::Reading => {
                if self.input.is_empty() {
                    self.deadline = now + HEAD_TIME;
                }
                self.input.extend_from_slice(bytes);
                self.advance(facts, now);
            }
            State::Lingering if bytes.is_empty() => self.state = State::Over,
            State::Writing | State::Lingering | State::Over => {}
        }
    }

    /// The client took `count` bytes of the output.
    pub(super) fn sent(&mut self, count: usize, facts: &Facts, now: Instant) {
        self.written += count;
        if self.state != State::Writing || self.written < self.output.len() {
            return;
        }
        self.output.clear();
        self.written = 0;
        if !self.keeps_alive {
            self.state = State::Lingering;
            self.deadline = now + LINGER_TIME;
            return;
        }
        self.state = State::Reading;
        self.deadline = now + IDLE_TIME;
        if !self.input.is_empty() {
            self.deadline = now + HEAD_TIME;
            self.advance(facts, now);
        }
    }

    /// Reacts to the deadline.
    pub(super) fn expire(&mut self, now: Instant) {
        if now < self.deadline {
            return;
        }
        match self.state {
            // Half a request: worth a word. An idle connection ends without one.
            State::Reading if !self.input.is_empty() => {
                self.put(refusal(Status::RequestTimeout), now);
            }
            _ => self.state = State::Over,
        }
    }

    /// The socket failed: there is nobody to answer.
    pub(super) fn abandon(&mut self) {
        self.state = State::Over;
    }

    fn advance(&mut self, facts: &Facts, now: Instant) {
        match parse(&self.input) {
            Parsed::Partial => {}
            Parsed::Whole(request, length) => {
                self.input.drain(..length);
                self.put(facts.answer(&request, self.peer), now);
            }
            Parsed::Bad(status) => self.put(refusal(status), now),
        }
    }

    fn put(&mut self, answer: Answer, now: Instant) {
        self.keeps_alive = answer.keeps_alive;
        self.output = answer.bytes;
        self.written = 0;
        self.state = State::Writing;
        self.deadline = now + ANSWER_TIME;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

    struct Bench {
        facts: Facts,
        now: Instant,
        connection: Connection,
    }

    impl Bench {
        fn new() -> Self {
            let now = Instant::now();
            let connection = Connection::new("127.0.0.1:9".parse().unwrap(), now);
            Self { facts: Facts::new(None, Vec::new()), now, connection }
        }

        fn receive(&mut self, bytes: &[u8]) -> State {
            self.connection.received(bytes, &self.facts, self.now);
            self.connection.state()
        }

        /// Takes the whole answer, in two parts; its first line.
        fn take(&mut self) -> String {
            let text = String::from_utf8(self.connection.output().to_vec()).unwrap();
            self.connection.sent(5, &self.facts, self.now);
            assert_eq!(self.connection.state(), State::Writing);
            self.connection.sent(text.len() - 5, &self.facts, self.now);
            text.lines().next().unwrap_or_default().to_owned()
        }

        fn pass(&mut self, time: Duration) -> State {
            self.now += time;
            self.connection.expire(self.now);
            self.connection.state()
        }
    }

    #[test]
    fn requests_in_pieces_and_in_one_go() {
        let mut bench = Bench::new();
        assert_eq!(bench.receive(&HEALTH[..10]), State::Reading);
        let rest = [&HEALTH[10..], HEALTH, HEALTH].concat();
        assert_eq!(bench.receive(&rest), State::Writing);
        for _ in 0..3 {
            assert_eq!(bench.connection.state(), State::Writing);
            assert_eq!(bench.take(), "HTTP/1.1 200 OK");
        }
        assert_eq!(bench.connection.state(), State::Reading);
        assert_eq!(bench.receive(b""), State::Over);
    }

    #[test]
    fn the_last_answer_is_followed_by_silence() {
        let mut bench = Bench::new();
        bench.receive(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
        assert_eq!(bench.take(), "HTTP/1.1 405 Method Not Allowed");
        assert_eq!(bench.connection.state(), State::Lingering);
        assert_eq!(bench.receive(HEALTH), State::Lingering);
        assert!(bench.connection.output().is_empty());
        assert_eq!(bench.receive(b""), State::Over);
    }

    #[test]
    fn slow_clients_are_told_and_left() {
        let mut bench = Bench::new();
        bench.receive(b"GET / ");
        // Bytes that trickle in do not buy more time.
        assert_eq!(bench.pass(HEAD_TIME - Duration::from_secs(1)), State::Reading);
        bench.receive(b"HTTP/1.1\r\n");
        assert_eq!(bench.pass(Duration::from_secs(1)), State::Writing);
        assert_eq!(bench.take(), "HTTP/1.1 408 Request Timeout");
        assert_eq!(bench.pass(LINGER_TIME), State::Over);
    }

    #[test]
    fn idle_clients_and_those_that_take_nothing_are_left() {
        let mut idle = Bench::new();
        idle.receive(HEALTH);
        idle.take();
        assert_eq!(idle.pass(IDLE_TIME - Duration::from_secs(1)), State::Reading);
        assert_eq!(idle.pass(Duration::from_secs(1)), State::Over);
        let mut deaf = Bench::new();
        deaf.receive(HEALTH);
        assert_eq!(deaf.pass(ANSWER_TIME), State::Over);
        let mut silent = Bench::new();
        assert_eq!(silent.pass(HEAD_TIME), State::Over);
    }
}
