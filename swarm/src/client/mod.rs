//! The side of commands: they read the state by themselves, and ask the agent to change it.
//!
//! # How it works
//!
//! The agent listens in `swarm/` of the runtime folder. Under the lock there a command connects; where nobody listens
//! it listens itself, hands the listening socket to a new agent, and connects: the connection waits until the agent
//! is ready. The agent ends under the same lock, so nobody connects to one that goes.
//!
//! The agent is this executable again ([`AGENT_ARGV0`]), nobody's child, in a session of its own.

mod spawn;

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_runtime::paths::make_private;
use coracle_sys::file_lock::{self, FileLock};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

pub use spawn::{AGENT_ARGV0, AgentStart};

use crate::SwarmError;
use crate::journal::{self, Reader};
use crate::protocol::{Answer, Request};
use crate::state::State;

pub(crate) const SOCKET: &str = "agent.sock";
const LOCK: &str = "lock";
/// Where an agent that cannot begin leaves the reason.
const ERROR: &str = "error";
/// How long an answer may take: a loaded machine, or an image that is looked up.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often an agent that ended under our hands is called anew.
const TRIES: usize = 3;

/// Where the swarm of a data root is, and how its agent is started.
#[derive(Clone, Debug)]
pub struct Client {
    /// The state.
    folder: PathBuf,
    /// The agent's socket.
    run: PathBuf,
    start: AgentStart,
}

impl Client {
    /// `run` is the runtime folder of the data root.
    #[must_use]
    pub fn new(data_root: &Path, run: &Path, start: AgentStart) -> Self {
        Self { folder: journal::folder(data_root), run: run_folder(run), start }
    }

    /// The state as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Reader, SwarmError> {
        Ok(Reader::open(&self.folder)?)
    }

    /// Whether there is no key on disk: only an agent that was unlocked can open secrets.
    #[must_use]
    pub fn has_key(&self) -> bool {
        crate::seal::Key::load(&self.folder).is_ok_and(|key| key.is_some())
    }

    /// Whether nobody has the key of a swarm with `--autolock`: neither the disk, nor an agent that was unlocked.
    #[must_use]
    pub fn is_locked(&self, state: &State) -> bool {
        let locks = state.cluster.spec.encryption_config.auto_lock_managers;
        if !locks || self.has_key() {
            return false;
        }
        // Who has the key can tell the one that opens it.
        !self.is_alive() || self.ask(&Request::UnlockKey { rotate: false }).is_err()
    }

    /// Whether an agent listens.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(connect(&self.run), Ok(Some(_)))
    }

    /// Asks, and waits for the answer; an agent is started where there is none.
    ///
    /// # Errors
    /// The agent's refusal, or why it cannot be asked.
    pub fn ask(&self, request: &Request) -> Result<Answer, SwarmError> {
        let failed = |what| move |source| SwarmError::Agent { what, source };
        let mut line = Zeroizing::new(
            serde_json::to_vec(request).map_err(|error| failed("ask")(error.into()))?,
        );
        line.push(b'\n');
        for _ in 0..TRIES {
            let mut stream = self.reach()?;
            match exchange(&mut stream, &line) {
                Ok(Some(answer)) => {
                    return match serde_json::from_slice(&answer) {
                        Ok(Answer::Refused { kind, words }) => {
                            Err(SwarmError::Refused { kind: kind.into(), words })
                        }
                        Ok(answer) => Ok(answer),
                        Err(error) => Err(failed("understand")(error.into())),
                    };
                }
                // It went before it took the request. What it had taken it would have answered.
                Ok(None) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(failed("ask")(error)),
            }
        }
        let said = std::fs::read_to_string(self.run.join(ERROR)).unwrap_or_default();
        let why = match said.trim() {
            "" => "it did not say why".to_owned(),
            why => why.to_owned(),
        };
        Err(SwarmError::Died { why })
    }

    fn reach(&self) -> Result<UnixStream, SwarmError> {
        let failed = |what| move |source| SwarmError::Agent { what, source };
        make_private(&self.run)
            .map_err(|error| failed("make the folder of")(io::Error::other(error.to_string())))?;
        let lock = lock(&self.run).map_err(failed("lock the door of"))?;
        if let Some(stream) = connect(&self.run).map_err(failed("reach"))? {
            return Ok(stream);
        }
        drop(std::fs::remove_file(self.run.join(ERROR)));
        let listener = listen(&self.run).map_err(failed("listen for"))?;
        spawn::spawn(&self.start, &listener)
            .map_err(|error| failed("start")(io::Error::other(error.to_string())))?;
        drop(listener);
        let stream = connect(&self.run).map_err(failed("reach"))?;
        drop(lock);
        stream.ok_or_else(|| SwarmError::Died { why: "it did not begin".to_owned() })
    }
}

/// The folder of the agent's socket in a runtime folder.
#[must_use]
pub(crate) fn run_folder(run: &Path) -> PathBuf {
    run.join("swarm")
}

/// The file in which an agent says why it cannot begin.
pub(crate) fn error_file(run: &Path) -> PathBuf {
    run_folder(run).join(ERROR)
}

/// The lock of the door: held by who starts an agent, and by an agent that is about to end.
pub(crate) fn lock(folder: &Path) -> io::Result<FileLock> {
    let file = file_lock::open(&folder.join(LOCK), true)?;
    file_lock::take(file, PATIENCE).map_err(|error| error.into_io(PATIENCE))
}

/// The socket's address through a descriptor of its folder: a path may be too long for one.
fn address(folder: &Path) -> io::Result<(PathBuf, rustix::fd::OwnedFd)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(folder, flags, Mode::empty())?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", fd.as_raw_fd())), fd))
}

fn connect(folder: &Path) -> io::Result<Option<UnixStream>> {
    let Ok((path, _fd)) = address(folder) else { return Ok(None) };
    match UnixStream::connect(path) {
        Ok(stream) => {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(Some(stream))
        }
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn listen(folder: &Path) -> io::Result<UnixListener> {
    let (path, _fd) = address(folder)?;
    // Left by an agent that was killed: nobody listens on it, and we have the lock.
    match std::fs::remove_file(folder.join(SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// `None` when the agent hung up without a word.
fn exchange(stream: &mut UnixStream, line: &[u8]) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    stream.write_all(line)?;
    let mut answer = Zeroizing::new(Vec::new());
    BufReader::new(stream).read_until(b'\n', &mut answer)?;
    Ok((!answer.is_empty()).then_some(answer))
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
