//! Talk to the monitor of a running container.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use coracle_sys::process::ProcessId;

use super::Engine;
use super::hold::Held;
use crate::error::EngineError;
use crate::model::{Container, Status};
use crate::paths;
use crate::processes::remnants::Remnants;
use crate::records::Life;
use crate::reopen::call_monitors;
use crate::watcher::Watcher;
use crate::wire::{self, Decoder, Kind, Notice, Request, frame};

/// How long to wait before a monitor is tried again.
const RETRY: Duration = Duration::from_millis(5);
/// How long a monitor may take to answer while its container runs: a loaded machine.
const ANSWER: Duration = Duration::from_secs(20);
/// The same while it starts its container or takes it down: a root filesystem is copied, or removed.
const BUSY: Duration = Duration::from_secs(300);

/// An open connection to a monitor.
#[derive(Debug)]
pub struct Connection {
    pub stream: UnixStream,
    decoder: Decoder,
    id: String,
    /// The monitor, for messages.
    pid: Option<i32>,
    /// How long an answer is waited for.
    patience: Duration,
}

impl Connection {
    pub(crate) fn new(stream: UnixStream, id: &str) -> Self {
        Self { stream, decoder: Decoder::default(), id: id.to_owned(), pid: None, patience: BUSY }
    }

    /// The container at the other end.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// # Errors
    /// When the monitor is gone.
    pub fn send(&mut self, request: &Request) -> Result<(), EngineError> {
        wire::send(&mut self.stream, request).map_err(|_| self.gone())
    }

    /// Sends input for the container; empty means that there will be no more.
    ///
    /// # Errors
    /// When the monitor is gone.
    pub fn send_input(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let kind = if bytes.is_empty() { Kind::StdinEnd } else { Kind::Stdin };
        self.stream.write_all(&frame(kind, bytes)).map_err(|_| self.gone())
    }

    /// Waits for the next frame; `None` when the monitor hung up.
    ///
    /// # Errors
    /// When the stream breaks.
    pub fn receive(&mut self) -> io::Result<Option<(Kind, Vec<u8>)>> {
        wire::read_frame(&mut self.stream, &mut self.decoder)
    }

    /// A whole frame that has already arrived.
    ///
    /// # Errors
    /// When the peer does not speak our protocol.
    pub fn buffered(&mut self) -> io::Result<Option<(Kind, Vec<u8>)>> {
        self.decoder.next_frame()
    }

    /// Waits for the next notice and drops output on the way.
    ///
    /// # Errors
    /// When the monitor is gone.
    pub fn notice(&mut self) -> Result<Notice, EngineError> {
        loop {
            match self.receive() {
                Ok(Some((Kind::Notice, payload))) => {
                    return serde_json::from_slice(&payload).map_err(|_| self.gone());
                }
                Ok(Some(_)) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let (id, pid) = (self.id.clone(), self.pid);
                    return Err(EngineError::MonitorSilent { id, pid });
                }
                Ok(None) | Err(_) => return Err(self.gone()),
            }
        }
    }

    /// Waits until the container has ended; the answer is its exit code.
    ///
    /// # Errors
    /// When the monitor is gone.
    pub fn wait_exit(&mut self) -> Result<i32, EngineError> {
        loop {
            match self.notice()? {
                Notice::Exited { code } => return Ok(code),
                Notice::Refused { message } => {
                    return Err(EngineError::Refused { id: self.id.clone(), message });
                }
                _ => {}
            }
        }
    }

    /// Sends a request and waits for its answer, which a monitor that lives gives at once.
    ///
    /// # Errors
    /// When it is refused, or the monitor is gone or silent.
    pub fn ask(&mut self, request: &Request) -> Result<(), EngineError> {
        self.send(request)?;
        // A stream that cannot have a deadline is one that is broken, as reading it tells.
        drop(self.stream.set_read_timeout(Some(self.patience)));
        let answer = self.answer();
        drop(self.stream.set_read_timeout(None));
        answer
    }

    fn answer(&mut self) -> Result<(), EngineError> {
        loop {
            match self.notice()? {
                Notice::Done => return Ok(()),
                Notice::Refused { message } => {
                    return Err(EngineError::Refused { id: self.id.clone(), message });
                }
                _ => {}
            }
        }
    }

    fn gone(&self) -> EngineError {
        EngineError::MonitorGone { id: self.id.clone() }
    }
}

/// A container that is about to end. Several can end at the same time.
#[derive(Debug)]
#[must_use = "wait for it"]
pub struct Ending(Option<Connection>);

impl Ending {
    /// What becomes readable when it may have ended; `None` when there is nothing to wait for.
    #[must_use]
    pub fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(|connection| connection.stream.as_fd())
    }

    /// Waits until the container has ended, if that is to be waited for.
    ///
    /// # Errors
    /// When its monitor refuses.
    pub fn wait(self) -> Result<(), EngineError> {
        let Some(mut connection) = self.0 else { return Ok(()) };
        match connection.wait_exit() {
            // A monitor that goes away while we wait was done, or is dealt with by `life`.
            Ok(_) | Err(EngineError::MonitorGone { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The same for a container that gets no grace: one that does not end in time is an error.
    pub(super) fn wait_within(self, patience: Duration) -> Result<(), EngineError> {
        let Some(connection) = &self.0 else { return Ok(()) };
        let id = connection.id.clone();
        connection
            .stream
            .set_read_timeout(Some(patience))
            .map_err(EngineError::io("bound a wait"))?;
        match self.wait() {
            Err(EngineError::MonitorSilent { .. }) => {
                Err(EngineError::Unkillable { id, waited_s: patience.as_secs() })
            }
            outcome => outcome,
        }
    }
}

/// Ends a container that is to be removed.
pub(super) fn end_request() -> Request {
    let signal = crate::processes::signals::SIGKILL;
    Request::Stop { signal, grace_ms: Some(0), announce: false, keep: false }
}

impl Engine {
    /// Connects to the monitor of a container; `None` when none is alive.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn connect(&self, id: &str) -> Result<Option<Connection>, EngineError> {
        let life = self.records.life(id)?;
        match self.records.watcher(&life) {
            Some(monitor) => self.connect_to(id, &life, &monitor),
            None => Ok(None),
        }
    }

    /// Connects to this monitor of a container; `None` when it ends instead.
    pub(super) fn connect_to(
        &self,
        id: &str,
        life: &Life,
        monitor: &Watcher,
    ) -> Result<Option<Connection>, EngineError> {
        // A monitor that has just begun does not listen yet, and one that takes its container
        // down no longer does: it is one or the other until it answers or ends.
        let patience = if life.init.is_some() { ANSWER } else { BUSY };
        let deadline = Instant::now() + patience;
        let mut called = false;
        while Instant::now() < deadline {
            match paths::connect(&monitor.paths().running(id), "control.sock") {
                Ok(stream) => {
                    let connection = Connection::new(stream, id);
                    let pid = monitor.here().map(|process| process.pid);
                    return Ok(Some(Connection { pid, patience, ..connection }));
                }
                // Or somebody removed its folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !called => {
                    called = true;
                    monitor.here().into_iter().for_each(|process| self.call(process));
                }
                Err(_) => {}
            }
            if monitor.wait_end(RETRY) {
                return Ok(None);
            }
        }
        Err(monitor.silent(id))
    }

    /// Has a monitor make its socket anew, and all of them where more is missing than that.
    fn call(&self, monitor: ProcessId) {
        if !crate::session::mark(&self.paths.holders(), monitor).exists() {
            return call_monitors(&self.paths, &self.records);
        }
        // One that ends meanwhile is found out by whoever waits for it.
        let _called: bool = monitor.signal(crate::reopen::CALL);
    }

    /// Ends a container whose monitor does not answer: with the monitor goes all that it runs.
    /// The next command takes down what is left.
    fn end_by_force(&self, id: &str) -> Result<(), EngineError> {
        let mut life = self.records.life_as_written(id)?;
        let Some(watcher) = self.records.watcher(&life) else { return Ok(()) };
        let Some(monitor) = watcher.here() else { return Err(watcher.silent(id)) };
        let init = life.init.map(ProcessId::from);
        let container = self.records.load(id)?;
        let remnants = Remnants::of(&container, init.map(|init| init.pid));
        // First, so that nobody starts it again.
        life.stopped_by_user = true;
        self.records.save_life(id, &life)?;
        let gone = monitor.signal(rustix::process::Signal::KILL) && monitor.wait_end(ANSWER);
        if gone && init.is_none_or(|init| init.wait_end(ANSWER)) {
            // Whether the rest ends as well is seen by whoever takes the container down.
            let _all: bool = remnants.end(life.cgroup.as_deref());
            return Ok(());
        }
        Err(watcher.silent(id))
    }

    /// Sends a signal to the first process of a running container. After SIGKILL,
    /// [`Ending::wait`] waits until it is gone.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&self, id: &str, number: i32) -> Result<Ending, EngineError> {
        let not_running = || EngineError::NotRunning { id: id.to_owned() };
        let ends = number == crate::processes::signals::SIGKILL;
        let asked = self.connect(id).and_then(|connection| {
            let mut connection = connection.ok_or_else(not_running)?;
            match connection.ask(&Request::Signal { number }) {
                // It has just ended.
                Err(EngineError::Refused { .. } | EngineError::MonitorGone { .. }) => {
                    Err(not_running())
                }
                other => other.map(|()| connection),
            }
        });
        let mut connection = match asked {
            Err(EngineError::MonitorSilent { .. }) if ends => {
                return self.end_by_force(id).map(|()| Ending(None));
            }
            other => other?,
        };
        let waits = ends && connection.send(&Request::Wait).is_ok();
        Ok(Ending(waits.then_some(connection)))
    }

    /// Begins to stop a container: signal, grace, SIGKILL. One that is not running is left
    /// alone.
    ///
    /// `grace_s` and `signal` override what the container was made with; a negative grace
    /// waits for ever.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn stop(
        &self,
        id: &str,
        signal: Option<i32>,
        grace_s: Option<i64>,
    ) -> Result<Ending, EngineError> {
        self.begin_stop(id, signal, grace_s, false)
    }

    /// The same for a container that will be started again: one that was made to remove
    /// itself at its end stays.
    ///
    /// # Errors
    /// As [`Engine::stop`].
    pub fn stop_to_restart(
        &self,
        id: &str,
        signal: Option<i32>,
        grace_s: Option<i64>,
    ) -> Result<Ending, EngineError> {
        self.begin_stop(id, signal, grace_s, true)
    }

    fn begin_stop(
        &self,
        id: &str,
        signal: Option<i32>,
        grace_s: Option<i64>,
        keep: bool,
    ) -> Result<Ending, EngineError> {
        /// Docker's grace, in seconds.
        const GRACE_S: i64 = 10;
        let container = self.records.load(id)?;
        let signal = signal
            .or_else(|| crate::processes::signals::parse(&container.config.stop_signal))
            .unwrap_or(crate::processes::signals::SIGTERM);
        let grace = grace_s.or(container.config.stop_timeout).unwrap_or(GRACE_S);
        let grace_ms = u64::try_from(grace).ok().map(|seconds| seconds.saturating_mul(1000));
        let request = Request::Stop { signal, grace_ms, announce: true, keep };
        match self.end(&container, &request)? {
            Some(ending) => Ok(ending),
            None => self.stop_lost(id, &request),
        }
    }

    /// The restart policy of a container whose monitor was killed no longer applies. What is
    /// left of it is taken down by the next command: this one need not be in the namespaces.
    /// One that ended as it should is left as it is.
    fn stop_lost(&self, id: &str, request: &Request) -> Result<Ending, EngineError> {
        if !self.is_left(&self.records.life_as_written(id)?) {
            return Ok(Ending(None));
        }
        let Held { lock: _lock, container, mut life, monitor } = self.hold(id)?;
        match monitor {
            // Somebody was faster, and started it again.
            Some(connection) => return self.end_through(&container, connection, request),
            None if self.is_left(&life) => {
                life.stopped_by_user = true;
                life.due = None;
                self.records.save_life(id, &life)?;
            }
            None => {}
        }
        Ok(Ending(None))
    }

    /// Begins to end a container that is to be removed.
    pub(super) fn end_at_once(&self, container: &Container) -> Result<Ending, EngineError> {
        Ok(self.end(container, &end_request())?.unwrap_or(Ending(None)))
    }

    /// Begins to end a container; `None` when it has no monitor, or none any more.
    fn end(&self, container: &Container, request: &Request) -> Result<Option<Ending>, EngineError> {
        let reached = self.connect(&container.id).and_then(|connection| {
            let Some(mut connection) = connection else { return Ok(None) };
            // The request itself is answered when the container has ended: in an hour, if need be.
            match connection.ask(&Request::Ping) {
                Err(EngineError::MonitorGone { .. }) => Ok(None),
                other => other.map(|()| Some(connection)),
            }
        });
        match reached {
            Ok(Some(connection)) => self.end_through(container, connection, request).map(Some),
            Ok(None) => Ok(None),
            Err(EngineError::MonitorSilent { id, .. }) => self.end_by_force(&id).map(|()| None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn end_through(
        &self,
        container: &Container,
        mut connection: Connection,
        request: &Request,
    ) -> Result<Ending, EngineError> {
        if let Request::Stop { signal, .. } = request {
            self.events.container(container, "kill", &[("signal", &signal.to_string())]);
        }
        // A monitor that goes away now was done.
        let waits = connection.send(request).is_ok();
        Ok(Ending(waits.then_some(connection)))
    }

    /// Waits until a container is not running; the answer is its exit code.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn wait(&self, id: &str) -> Result<i32, EngineError> {
        if let Some(mut connection) = self.connect(id)? {
            let sent = connection.send(&Request::Wait);
            match sent.and_then(|()| connection.wait_exit()) {
                Ok(code) => return Ok(code),
                Err(EngineError::MonitorGone { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.records.life(id)?.state.exit_code)
    }

    /// Whether a container may be paused, or resumed: not twice.
    ///
    /// # Errors
    /// When it is so already.
    pub fn check_pause(&self, id: &str, on: bool) -> Result<(), EngineError> {
        let paused = self.records.life(id)?.state.status == Status::Paused;
        match (paused, on) {
            (true, true) => Err(EngineError::AlreadyPaused { id: id.to_owned() }),
            (false, false) => Err(EngineError::NotPaused { id: id.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Stops or resumes all processes of a container.
    ///
    /// # Errors
    /// As [`Engine::check_pause`], when it is not running, or the kernel gives us no way.
    pub fn pause(&self, id: &str, on: bool) -> Result<(), EngineError> {
        self.check_pause(id, on)?;
        let mut connection =
            self.connect(id)?.ok_or_else(|| EngineError::NotRunning { id: id.to_owned() })?;
        let request = if on { Request::Pause } else { Request::Unpause };
        match connection.ask(&request) {
            Err(EngineError::MonitorGone { .. }) => {
                Err(EngineError::NotRunning { id: id.to_owned() })
            }
            Err(EngineError::Refused { message, .. }) => Err(EngineError::Refuse(message)),
            other => other,
        }
    }
}
