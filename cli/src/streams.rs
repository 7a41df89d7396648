//! Connects our standard streams to a container until it ends or we leave.
//!
//! # How it works
//!
//! One loop waits for the monitor, for standard input and for signals. Output goes
//! where it belongs; input goes to the monitor; signals are passed on, except that with a
//! terminal a change of the window size becomes a new size for the container's. Who is asked
//! to end three times ends, whatever the container makes of it.
//!
//! # Not here
//!
//! No threads: the process may have to stay single-threaded, and needs none.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};

use coracle_runtime::engine::Connection;
use coracle_runtime::wire::{Kind, Notice, Request};
use coracle_words::DetachKeys;
use rustix::event::{PollFd, PollFlags, poll};

use crate::error::CliError;
use crate::terminal::{self, RawMode};

const SIGHUP: i32 = 1;
const SIGWINCH: i32 = 28;
/// HUP, QUIT and TERM end a conversation whose terminal has to be put back.
const ENDING: [i32; 3] = [SIGHUP, 3, 15];
/// Not passed on: what cannot be caught (KILL, STOP), faults of our own (ILL, BUS, FPE, SEGV),
/// and what is about our own pipes, children, terminal and sockets (PIPE, CHLD, TTIN, TTOU,
/// URG). Docker's client passes on everything else that `kill` can send.
const OURS: [i32; 11] = [4, 7, 8, 9, 11, 13, 17, 19, 21, 22, 23];
/// The signals that ask to end (INT, TERM); so many of them end us.
const ASKING_TO_END: [i32; 2] = [2, 15];
pub(crate) const PATIENCE: u32 = 3;
/// Bytes read from standard input at once.
const INPUT_BYTES: usize = 16 * 1024;

/// How a conversation is held.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) stdin: bool,
    pub(crate) tty: bool,
    /// Pass signals on.
    pub(crate) sig_proxy: bool,
    pub(crate) detach_keys: DetachKeys,
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The process ended with this code.
    Exited(i32),
    /// The user typed the detach keys.
    Detached,
    /// The monitor is gone without a word.
    Lost,
}

impl Conversation {
    /// Holds the conversation to its end.
    pub(crate) fn run(mut self, connection: &mut Connection) -> Result<Ended, CliError> {
        let signals = self.signals()?;
        let raw = (self.tty && self.stdin).then(RawMode::enter).flatten();
        if self.tty {
            resize(connection);
        }
        let ended = self.relay(connection, &signals);
        drop(raw);
        ended
    }

    fn signals(&self) -> Result<OwnedFd, CliError> {
        let mut wanted = vec![SIGWINCH];
        if self.sig_proxy {
            wanted.extend((1..=64).filter(|number| !OURS.contains(number)));
        } else if self.tty {
            // They end us, but not before the terminal is as it was.
            wanted.extend(ENDING);
        }
        // Under `nohup` the container shall not hear of it either.
        let hang_up = !coracle_sys::signal::is_ignored(SIGHUP);
        wanted.retain(|number| hang_up || *number != SIGHUP);
        coracle_sys::signal::signal_fd(&wanted)
            .map_err(|error| CliError::plain(format!("cannot receive signals: {error}")))
    }

    fn relay(&mut self, connection: &mut Connection, signals: &OwnedFd) -> Result<Ended, CliError> {
        let stdin = io::stdin();
        let mut reads_stdin = self.stdin;
        let mut asked = 0;
        loop {
            // Frames that came together with the one before are not seen by poll.
            while let Some((kind, payload)) = connection.buffered().map_err(broken)? {
                if let Some(ended) = deliver(kind, &payload)? {
                    return Ok(ended);
                }
            }
            let mut fds = vec![
                PollFd::new(&connection.stream, PollFlags::IN),
                PollFd::new(signals, PollFlags::IN),
            ];
            if reads_stdin {
                fds.push(PollFd::new(&stdin, PollFlags::IN));
            }
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(broken(error.into())),
            }
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            drop(fds);
            if ready[1] {
                while let Some(number) = coracle_sys::signal::next_signal(signals.as_fd()) {
                    if self.ends_on(connection, number) {
                        return Ok(Ended::Exited(128 + number));
                    }
                    asked += u32::from(ASKING_TO_END.contains(&number));
                    if asked == PATIENCE {
                        return Err(given_up());
                    }
                }
            }
            if ready[0] {
                match connection.receive() {
                    Ok(Some((kind, payload))) => {
                        if let Some(ended) = deliver(kind, &payload)? {
                            return Ok(ended);
                        }
                    }
                    Ok(None) => return Ok(Ended::Lost),
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                        return Ok(Ended::Lost);
                    }
                    Err(error) => return Err(broken(error)),
                }
            }
            if reads_stdin && ready.get(2) == Some(&true) {
                match self.input(connection)? {
                    Input::More => {}
                    Input::End => reads_stdin = false,
                    Input::Detach => return Ok(Ended::Detached),
                }
            }
        }
    }

    /// Takes a signal; whether it ends the conversation.
    fn ends_on(&self, connection: &mut Connection, number: i32) -> bool {
        if number == SIGWINCH && self.tty {
            resize(connection);
            return false;
        }
        if !self.sig_proxy {
            return self.tty && ENDING.contains(&number);
        }
        // A monitor that is gone is noticed by the loop.
        drop(connection.send(&Request::Signal { number }));
        // With the terminal gone there is nobody left to show anything to.
        number == SIGHUP && self.tty && terminal::is_gone()
    }

    fn input(&mut self, connection: &mut Connection) -> Result<Input, CliError> {
        let mut buffer = [0u8; INPUT_BYTES];
        let count = match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => return Ok(Input::More),
            // A terminal that hung up.
            Err(_) => 0,
        };
        let typed = &buffer[..count];
        // The container may have gone; its last words are still to be read.
        if typed.is_empty() {
            drop(connection.send_input(&[]));
            return Ok(Input::End);
        }
        if !self.tty {
            let sent = connection.send_input(typed);
            return Ok(if sent.is_ok() { Input::More } else { Input::End });
        }
        let (passed, leave) = self.detach_keys.filter(typed);
        if !passed.is_empty() && connection.send_input(&passed).is_err() {
            return Ok(Input::End);
        }
        Ok(if leave { Input::Detach } else { Input::More })
    }
}

enum Input {
    More,
    End,
    Detach,
}

/// Writes output where it belongs; tells when the conversation is over.
fn deliver(kind: Kind, payload: &[u8]) -> Result<Option<Ended>, CliError> {
    match kind {
        Kind::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(payload)?;
            out.flush()?;
        }
        Kind::Stderr => io::stderr().write_all(payload)?,
        Kind::Notice => match serde_json::from_slice(payload) {
            Ok(Notice::Exited { code }) => return Ok(Some(Ended::Exited(code))),
            Ok(Notice::Refused { message }) => return Err(CliError::engine(message)),
            _ => {}
        },
        _ => {}
    }
    Ok(None)
}

/// Docker's last word to who asks for the third time; the container goes on.
pub(crate) fn given_up() -> CliError {
    CliError::plain("\ngot 3 SIGTERM/SIGINTs, forcefully exiting").verbatim()
}

fn resize(connection: &mut Connection) {
    if let Some((columns, rows)) = terminal::size() {
        drop(connection.send(&Request::Resize { columns, rows }));
    }
}

fn broken(error: io::Error) -> CliError {
    CliError::plain(format!("lost the connection to the container: {error}"))
}
