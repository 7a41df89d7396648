//! A client's connection and a process's monitor: what one says goes to the other.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};

use coracle_runtime::engine::Connection;
use coracle_runtime::wire::{Kind, Notice, Request};
use coracle_words::DetachKeys;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::{Value, json};

use crate::channel::Channel;
use crate::frames::{self, STDERR, STDOUT};
use crate::line::{ToService, ToWorker};
use crate::websocket::{self, Decoder, Said};

/// Bytes of input that are passed on at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// How the conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Exited(i32),
    /// The client went away.
    Left,
    /// The monitor is gone.
    Lost,
}

/// The client.
#[derive(Debug)]
pub(crate) struct Client {
    /// Where its input comes from; `None`: it sends none.
    pub(crate) input: Option<File>,
    pub(crate) output: File,
    /// What it has sent already.
    pub(crate) sent: Vec<u8>,
    pub(crate) tty: bool,
    pub(crate) stdin: bool,
    /// It speaks through a websocket.
    pub(crate) web: Option<Decoder>,
    /// What leaves without ending anything.
    pub(crate) keys: Option<DetachKeys>,
}

impl Client {
    /// One that sends nothing more.
    pub(crate) fn listening(output: File, tty: bool) -> Self {
        Self { input: None, output, sent: Vec::new(), tty, stdin: false, web: None, keys: None }
    }

    /// One whose connection was handed over.
    pub(crate) fn hijacked(
        client: OwnedFd,
        sent: Vec<u8>,
        tty: bool,
        stdin: bool,
    ) -> io::Result<Self> {
        let output = File::from(client.try_clone()?);
        let input = Some(client.into());
        Ok(Self { input, sent, stdin, ..Self::listening(output, tty) })
    }

    /// What of these bytes is input, and whether they say that it leaves.
    fn said(&mut self, bytes: &[u8]) -> io::Result<(Vec<u8>, bool)> {
        let (mut input, mut leaves) = (Vec::new(), false);
        match &mut self.web {
            None => input.extend_from_slice(bytes),
            Some(decoder) => {
                decoder.feed(bytes);
                while let Some(said) = decoder.next() {
                    match said {
                        Said::Data(data) => input.extend(data),
                        Said::Answer(answer) => self.output.write_all(&answer)?,
                        Said::End => {
                            leaves = true;
                            break;
                        }
                    }
                }
            }
        }
        if let Some(keys) = &mut self.keys {
            let (rest, detached) = keys.filter(&input);
            (input, leaves) = (rest, leaves || detached);
        }
        Ok((input, leaves))
    }

    /// There is nothing more to say.
    fn close(&mut self) {
        if self.web.is_some() {
            // One that is gone hears nothing.
            self.output.write_all(&websocket::close()).unwrap_or_default();
        }
    }

    pub(crate) fn write(&mut self, stream: u8, bytes: &[u8]) -> io::Result<()> {
        if self.web.is_some() {
            return self.output.write_all(&websocket::message(bytes));
        }
        let mut text = Vec::with_capacity(bytes.len() + 8);
        frames::append(&mut text, stream, self.tty, bytes);
        self.output.write_all(&text)
    }
}

/// Goes on until the process ends or the client leaves.
pub(crate) fn relay(
    connection: &mut Connection,
    client: &mut Client,
    channel: &mut Channel,
) -> io::Result<Ended> {
    let ended = converse(connection, client, channel);
    client.close();
    ended
}

fn converse(
    connection: &mut Connection,
    client: &mut Client,
    channel: &mut Channel,
) -> io::Result<Ended> {
    let sent = std::mem::take(&mut client.sent);
    if !sent.is_empty() && pass_on(connection, client, &sent)? {
        return Ok(Ended::Left);
    }
    let mut service = true;
    loop {
        while let Some((kind, payload)) = connection.buffered()? {
            if let Some(ended) = deliver(client, kind, &payload)? {
                return Ok(ended);
            }
        }
        while let Some(line) = channel.buffered()? {
            answer(connection, channel, line)?;
        }
        let mut fds = vec![PollFd::new(&connection.stream, PollFlags::IN)];
        if service {
            fds.push(PollFd::new(channel, PollFlags::IN));
        }
        let listened = service;
        match &client.input {
            Some(input) => fds.push(PollFd::new(input, PollFlags::IN)),
            // Only its end is of interest.
            None => fds.push(PollFd::new(&client.output, PollFlags::empty())),
        }
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        drop(fds);
        if !ready[0].is_empty() {
            match connection.receive() {
                Ok(Some((kind, payload))) => {
                    if let Some(ended) = deliver(client, kind, &payload)? {
                        return Ok(ended);
                    }
                }
                Ok(None) => return Ok(Ended::Lost),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(Ended::Lost);
                }
                Err(error) => return Err(error),
            }
        }
        if service && !ready[1].is_empty() {
            service = channel.receive()?;
        }
        let of_client = ready[1 + usize::from(listened)];
        let gone = match client.input {
            Some(_) => !of_client.is_empty() && !input(connection, client)?,
            None => of_client.intersects(PollFlags::HUP | PollFlags::ERR),
        };
        if gone {
            return Ok(Ended::Left);
        }
    }
}

/// Passes on what the client sent; false when it is gone.
fn input(connection: &mut Connection, client: &mut Client) -> io::Result<bool> {
    let Some(file) = &mut client.input else { return Ok(true) };
    let mut chunk = [0u8; CHUNK_BYTES];
    let count = match file.read(&mut chunk) {
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
        Err(_) => return Ok(false),
    };
    if count == 0 {
        // It sends no more. Whether it still listens shows when it is written to, or here.
        let gone = hung_up(file);
        client.input = None;
        if client.stdin {
            drop(connection.send_input(&[]));
        }
        return Ok(!gone);
    }
    Ok(!pass_on(connection, client, &chunk[..count])?)
}

/// Gives the process what the client said; true when it leaves.
fn pass_on(connection: &mut Connection, client: &mut Client, bytes: &[u8]) -> io::Result<bool> {
    let (input, leaves) = client.said(bytes)?;
    if client.stdin && !input.is_empty() {
        // A process that reads nothing is none of the client's business.
        drop(connection.send_input(&input));
    }
    Ok(leaves)
}

/// Whether the other end of a connection is closed altogether.
fn hung_up(file: &File) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(file.as_fd(), PollFlags::empty())];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok()
        && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Writes output to the client; tells when it is over.
fn deliver(client: &mut Client, kind: Kind, payload: &[u8]) -> io::Result<Option<Ended>> {
    let written = match kind {
        Kind::Stdout => client.write(STDOUT, payload),
        Kind::Stderr => client.write(STDERR, payload),
        Kind::Notice => {
            return Ok(match serde_json::from_slice(payload) {
                Ok(Notice::Exited { code }) => Some(Ended::Exited(code)),
                _ => None,
            });
        }
        _ => Ok(()),
    };
    Ok(if written.is_err() { Some(Ended::Left) } else { None })
}

/// Does what another request asks of this one.
fn answer(connection: &mut Connection, channel: &mut Channel, line: ToWorker) -> io::Result<()> {
    let ToWorker::Question(question) = line else { return Ok(()) };
    let size = question["resize"].as_array().map(Vec::as_slice);
    let reply = match size {
        Some([columns, rows]) => {
            let number = |value: &Value| value.as_u64().and_then(|value| u16::try_from(value).ok());
            if let (Some(columns), Some(rows)) = (number(columns), number(rows)) {
                drop(connection.send(&Request::Resize { columns, rows }));
            }
            json!({})
        }
        // It is started already.
        _ => json!({ "status": 304 }),
    };
    channel.say(&ToService::Reply(reply))
}
