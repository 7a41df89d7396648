//! Start a container: hand it to a monitor and hear how it went.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::hold::Held;
use super::{Connection, Engine};
use crate::error::EngineError;
use crate::model::{Attach, Container};
use crate::monitor::{call_ahead, launch};
use crate::records::{Life, ProcessRecord};
use crate::session::{self, Announced, Session};
use crate::wire::{Notice, Request};

/// A container that runs.
#[derive(Debug)]
pub struct Started {
    /// The connection to its monitor; it carries output if that was asked for.
    pub connection: Connection,
    pub pid: i32,
    /// What is done otherwise than usual on this machine, for the user to read once.
    pub warnings: Vec<String>,
}

/// A container whose monitor was started. Several can be on their way at the same time.
#[derive(Debug)]
#[must_use = "finish it"]
pub struct Starting {
    connection: Connection,
    /// Set when it was running already.
    running: Option<i32>,
    /// Its monitor, a child of this process.
    monitor: Option<i32>,
    _announced: Option<Announced>,
}

impl AsFd for Starting {
    /// Readable when [`Starting::finish`] does not have to wait.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.stream.as_fd()
    }
}

impl Starting {
    /// Whether there is nothing to wait for.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.running.is_some()
    }

    /// The process that this one has made for it, and reaps when it ends.
    #[must_use]
    pub fn monitor(&self) -> Option<i32> {
        self.monitor
    }

    /// Waits until [`Starting::finish`] does not have to; false when it takes longer.
    pub(super) fn is_ready(&self, patience: Duration) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::from_borrowed_fd(self.as_fd(), PollFlags::IN)];
        let timeout = Timespec::try_from(patience).ok();
        self.is_done() || poll(&mut fds, timeout.as_ref()).is_ok_and(|ready| ready > 0)
    }

    /// Waits until the container runs.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn finish(self) -> Result<Started, EngineError> {
        let Self { mut connection, running, monitor: _, _announced } = self;
        if let Some(pid) = running {
            return Ok(Started { connection, pid, warnings: Vec::new() });
        }
        match connection.notice() {
            Ok(Notice::Started { pid, warnings }) => Ok(Started { connection, pid, warnings }),
            Ok(Notice::Failed(failure)) => Err(EngineError::Start(failure)),
            Ok(_) | Err(_) => Err(EngineError::MonitorGone { id: connection.id().to_owned() }),
        }
    }
}

/// A container that was stopped to be started again, on its way.
#[derive(Debug)]
#[must_use = "finish it"]
pub struct Restarting<'a> {
    engine: &'a Engine,
    starting: Starting,
}

impl Restarting<'_> {
    /// Waits until the container runs, has `rest` do what else belongs to the restart, and tells
    /// of it.
    ///
    /// # Errors
    /// As [`Engine::start`], those of `rest`, and when the container was removed meanwhile.
    pub fn finish<E: From<EngineError>>(
        self,
        rest: impl FnOnce(&Started) -> Result<(), E>,
    ) -> Result<Started, E> {
        let Self { engine, starting } = self;
        let started = starting.finish()?;
        rest(&started)?;
        let id = started.connection.id();
        let container = engine.records.load(id).map_err(EngineError::from)?;
        engine.events.container(&container, "restart", &[]);
        Ok(started)
    }
}

impl Engine {
    /// Starts a container. One that runs already, or is being started by somebody else, is
    /// as it should be.
    ///
    /// # Errors
    /// [`EngineError::Start`] with the exit code for the command line when the program or
    /// its surroundings cannot be set up.
    pub fn start(
        &self,
        session: &mut Session,
        id: &str,
        attach: Attach,
    ) -> Result<Started, EngineError> {
        self.begin_start(session, id, attach)?.finish()
    }

    /// Starts a container again that [`Engine::stop_to_restart`] has stopped.
    ///
    /// # Errors
    /// As [`Restarting::finish`].
    pub fn start_again(
        &self,
        session: &mut Session,
        id: &str,
        attach: Attach,
    ) -> Result<Started, EngineError> {
        self.begin_start_again(session, id, attach)?.finish(|_| Ok(()))
    }

    /// Begins to, as [`Engine::begin_start`] does.
    ///
    /// # Errors
    /// As [`Engine::begin_start`].
    pub fn begin_start_again(
        &self,
        session: &mut Session,
        id: &str,
        attach: Attach,
    ) -> Result<Restarting<'_>, EngineError> {
        let starting =
            self.begin_start(session, id, attach).inspect_err(|_| self.does_not_restart(id))?;
        Ok(Restarting { engine: self, starting })
    }

    /// Whoever waits for the container need not any more.
    fn does_not_restart(&self, id: &str) {
        if let Ok(Held { lock: _lock, mut life, monitor: None, .. }) = self.hold(id) {
            life.again = false;
            // One that has gone is waited for by nobody.
            drop(self.records.save_life(id, &life));
        }
    }

    /// Takes part in the streams of a container that runs; `None` when it does not.
    ///
    /// # Errors
    /// When its monitor cannot be asked.
    pub fn attach(
        &self,
        container: &Container,
        attach: Attach,
    ) -> Result<Option<Connection>, EngineError> {
        let Some(mut connection) = self.connect(&container.id)? else { return Ok(None) };
        let Attach { stdin, stdout, stderr, .. } = attach;
        connection.send(&Request::Attach { stdin, stdout, stderr })?;
        self.events.container(container, "attach", &[]);
        Ok(Some(connection))
    }

    /// Begins to start a container, as [`Engine::start`] does.
    ///
    /// # Errors
    /// When its monitor cannot be started.
    pub fn begin_start(
        &self,
        session: &mut Session,
        id: &str,
        attach: Attach,
    ) -> Result<Starting, EngineError> {
        let Held { lock, container, mut life, monitor } = self.hold(id)?;
        if attach.is_any() {
            self.events.container(&container, "attach", &[]);
        }
        if let Some(mut connection) = monitor {
            let Attach { stdin, stdout, stderr, .. } = attach;
            connection.send(&Request::Attach { stdin, stdout, stderr })?;
            let pid = self.records.life(id)?.init.map_or(0, |init| init.pid);
            return Ok(Starting {
                connection,
                running: Some(pid),
                monitor: None,
                _announced: None,
            });
        }
        // What a monitor that was killed left behind is in the way of the next one.
        self.bury(&container, &mut life)?;
        life.restart_count = 0;
        life.due = None;
        let starting = self.launch(session, &container, life, attach);
        drop(lock);
        starting
    }

    /// Has a monitor get ready for a container that is about to be made and started: both take
    /// their time, and there are two processors. The container is to get the id that comes back.
    ///
    /// # Errors
    /// When the monitor cannot be started.
    pub fn call_ahead(&self, session: &mut Session) -> Result<String, EngineError> {
        let id = crate::id::new_id()?;
        let ready = call_ahead(session, &self.paths, &id);
        session.ready = Some(ready.map_err(EngineError::syscall("start the container's monitor"))?);
        Ok(id)
    }

    /// Hands a container to a new monitor. The caller holds the container's lock: it may let
    /// go of it afterwards, because the monitor is on record.
    pub(super) fn launch(
        &self,
        session: &mut Session,
        container: &Container,
        mut life: Life,
        attach: Attach,
    ) -> Result<Starting, EngineError> {
        let id = container.id.as_str();
        let order = self.order(id, attach);
        life.stopped_by_user = false;
        crate::boot::this().clone_into(&mut life.boot_id);
        let (mut announced, mut child) = (None, None);
        let stream = launch(session, &order, |monitor| {
            // The monitor is on record before it can do anything: it waits for us.
            announced = session::announce(&self.paths, monitor).ok();
            child = Some(monitor.pid);
            life.monitor = Some(ProcessRecord::from(monitor));
            self.records
                .save_life(id, &life)
                .map_err(|error| std::io::Error::other(error.to_string()))
        })
        .map_err(EngineError::syscall("start the container's monitor"))?;
        let connection = Connection::new(stream, id);
        Ok(Starting { connection, running: None, monitor: child, _announced: announced })
    }
}
