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
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coracle_runtime::door::Door;
use coracle_runtime::paths::make_private;
use zeroize::Zeroizing;

pub use spawn::{AGENT_ARGV0, AgentStart};

use crate::SwarmError;
use crate::journal::{self, Reader};
use crate::protocol::{Answer, Request};
use crate::state::State;

const SOCKET: &str = "agent.sock";
/// Where an agent that cannot begin leaves the reason.
const ERROR: &str = "error";
/// How long an answer may take: a loaded machine, or an image that is looked up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How often an agent that ended under our hands is called anew.
const TRIES: usize = 3;

/// Where the swarm of a data root is, and how its agent is started.
#[derive(Clone, Debug)]
pub struct Client {
    /// The state.
    folder: PathBuf,
    /// Where the agent is found.
    door: Door,
    start: AgentStart,
}

impl Client {
    /// `run` is the runtime folder of the data root.
    #[must_use]
    pub fn new(data_root: &Path, run: &Path, start: AgentStart) -> Self {
        Self { folder: journal::folder(data_root), door: door(run), start }
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
        matches!(connect(&self.door), Ok(Some(_)))
    }

    /// Waits until an agent that has nothing left to do is gone; false when it is not. Nobody asks it meanwhile, or it
    /// would stay.
    #[must_use]
    pub fn wait_end(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            // The last thing it does is to take its door away.
            while self.door.socket().exists() {
                if Instant::now() > deadline {
                    return false;
                }
                std::thread::sleep(LOOK_AGAIN);
            }
        }
        true
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
        let said = std::fs::read_to_string(self.door.folder.join(ERROR)).unwrap_or_default();
        let why = match said.trim() {
            "" => "it did not say why".to_owned(),
            why => why.to_owned(),
        };
        Err(SwarmError::Died { why })
    }

    fn reach(&self) -> Result<UnixStream, SwarmError> {
        let failed = |what| move |source| SwarmError::Agent { what, source };
        make_private(&self.door.folder)
            .map_err(|error| failed("make the folder of")(io::Error::other(error.to_string())))?;
        let lock = self.door.lock(PATIENCE).map_err(failed("lock the door of"))?;
        if let Some(stream) = connect(&self.door).map_err(failed("reach"))? {
            return Ok(stream);
        }
        drop(std::fs::remove_file(self.door.folder.join(ERROR)));
        let listener = self.door.listen().map_err(failed("listen for"))?;
        spawn::spawn(&self.start, &listener)
            .map_err(|error| failed("start")(io::Error::other(error.to_string())))?;
        drop(listener);
        let stream = connect(&self.door).map_err(failed("reach"))?;
        drop(lock);
        stream.ok_or_else(|| SwarmError::Died { why: "it did not begin".to_owned() })
    }
}

/// The agent's door in a runtime folder.
#[must_use]
pub(crate) fn door(run: &Path) -> Door {
    Door { folder: run.join("swarm"), socket: SOCKET.to_owned() }
}

/// The file in which an agent says why it cannot begin.
pub(crate) fn error_file(run: &Path) -> PathBuf {
    door(run).folder.join(ERROR)
}

fn connect(door: &Door) -> io::Result<Option<UnixStream>> {
    let stream = door.connect()?;
    if let Some(stream) = &stream {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
    }
    Ok(stream)
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
