//! The worker's end of its channel to the service, and of the body of a request.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::Value;

use crate::error::ApiError;
use crate::line::{ToService, ToWorker};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// The channel: lines of JSON on standard input, which is a socket; the answer's body goes to standard output.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: UnixStream,
    buffer: Vec<u8>,
    client: Option<OwnedFd>,
    headed: bool,
    /// The body of the answer.
    pub(crate) out: File,
}

impl Channel {
    /// Takes standard input and output over, so that no process that is started has them.
    pub(crate) fn take() -> io::Result<Self> {
        let stream = rustix::stdio::stdin().try_clone_to_owned()?.into();
        let out = rustix::stdio::stdout().try_clone_to_owned()?.into();
        let nothing = File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing)?;
        rustix::stdio::dup2_stdout(&nothing)?;
        Ok(Self { stream, buffer: Vec::new(), client: None, headed: false, out })
    }

    /// Whether the head of the answer was sent.
    pub(crate) fn is_headed(&self) -> bool {
        self.headed
    }

    pub(crate) fn say(&mut self, line: &ToService) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.stream.write_all(&text)
    }

    /// Sends the head of the answer.
    pub(crate) fn head(&mut self, status: u16, headers: &[(&str, &str)]) -> io::Result<()> {
        self.headed = true;
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        self.say(&ToService::Head { status, headers: headers.iter().map(owned).collect() })
    }

    /// Waits for the next line; `None` when the service is gone.
    pub(crate) fn next(&mut self) -> io::Result<Option<ToWorker>> {
        loop {
            if let Some(line) = self.buffered()? {
                return Ok(Some(line));
            }
            if !self.receive()? {
                return Ok(None);
            }
        }
    }

    /// A line that has arrived.
    pub(crate) fn buffered(&mut self) -> io::Result<Option<ToWorker>> {
        let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        Ok(Some(serde_json::from_slice(&line)?))
    }

    /// Takes what has arrived; false at the end.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        let mut chunk = [0u8; CHUNK_BYTES];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let count = loop {
            let mut parts = [io::IoSliceMut::new(&mut chunk)];
            match recvmsg(&self.stream, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Ok(message) => break message.bytes,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.client = fds.last().or(self.client.take());
            }
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// Asks the worker of that name; null when there is none.
    pub(crate) fn ask(&mut self, name: String, question: Value) -> Result<Value, ApiError> {
        self.say(&ToService::Ask { name, question })?;
        while let Some(line) = self.next()? {
            if let ToWorker::Answer(answer) = line {
                return Ok(answer);
            }
        }
        Err(ApiError::new(500, "the service ended"))
    }

    /// Answers with 101, and takes the client's connection over: with it what it has sent already.
    pub(crate) fn hijack(
        &mut self,
        headers: &[(&str, &str)],
    ) -> Result<(OwnedFd, Vec<u8>), ApiError> {
        self.head(101, headers)?;
        while let Some(line) = self.next()? {
            if let ToWorker::Client { sent } = line
                && let Some(client) = self.client.take()
            {
                return Ok((client, STANDARD.decode(sent).unwrap_or_default()));
            }
        }
        Err(ApiError::new(500, "the client is gone"))
    }

    /// The body of a request that is too large to come with its head.
    pub(crate) fn body(&mut self) -> Body<'_> {
        Body(self)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// What is left on the channel, to its end.
#[derive(Debug)]
pub(crate) struct Body<'a>(&'a mut Channel);

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let buffer = &mut self.0.buffer;
        if buffer.is_empty() {
            return self.0.stream.read(out);
        }
        let count = buffer.len().min(out.len());
        out[..count].copy_from_slice(&buffer[..count]);
        buffer.drain(..count);
        Ok(count)
    }
}
