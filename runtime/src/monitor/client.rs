//! Whoever is connected to a monitor: a terminal, or a command with a request.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use crate::model::Attach;
use crate::wire::{Decoder, FRAME_BYTES_MAX, Kind, Notice, frame, message};

/// Output queued for a client, in bytes, beyond which the container has to wait.
const QUEUE_BYTES_MAX: usize = 256 * 1024;

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: UnixStream,
    decoder: Decoder,
    queue: Vec<u8>,
    pub(super) attach: Option<Attach>,
    /// Wants to know when the container has ended.
    pub(super) waits: bool,
    pub(super) gone: bool,
}

impl Client {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            decoder: Decoder::default(),
            queue: Vec::new(),
            attach: None,
            waits: false,
            gone: false,
        })
    }

    /// Whether the container's output has to wait for this client.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() > QUEUE_BYTES_MAX
    }

    pub(super) fn wants_to_write(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(super) fn output(&mut self, kind: Kind, bytes: &[u8]) {
        let wanted = self.attach.is_some_and(|attach| match kind {
            Kind::Stderr => attach.stderr,
            _ => attach.stdout,
        });
        if wanted {
            for piece in bytes.chunks(FRAME_BYTES_MAX) {
                self.queue.extend(frame(kind, piece));
            }
            self.flush();
        }
    }

    pub(super) fn tell(&mut self, notice: &Notice) {
        self.queue.extend(message(Kind::Notice, notice));
        self.flush();
    }

    /// Writes what the socket takes.
    pub(super) fn flush(&mut self) {
        while !self.queue.is_empty() {
            match self.stream.write(&self.queue) {
                Ok(written) => {
                    self.queue.drain(..written);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.gone = true;
                    self.queue.clear();
                }
            }
        }
    }

    /// Reads what has arrived.
    pub(super) fn receive(&mut self) -> Vec<(Kind, Vec<u8>)> {
        let mut chunk = [0u8; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.gone = true,
            Ok(length) => self.decoder.push(&chunk[..length]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => self.gone = true,
        }
        let mut frames = Vec::new();
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return frames,
                Err(_) => {
                    self.gone = true;
                    return frames;
                }
            }
        }
    }

    /// Lets everything queued go out before the monitor ends; gives up on a client that
    /// takes nothing for `patience_ms`.
    pub(super) fn drain(&mut self, patience_ms: u32) {
        if self.gone || self.queue.is_empty() {
            return;
        }
        let patience = std::time::Duration::from_millis(patience_ms.into());
        if self.stream.set_nonblocking(false).is_ok()
            && self.stream.set_write_timeout(Some(patience)).is_ok()
            && self.stream.write_all(&self.queue).is_err()
        {
            self.gone = true;
        }
        self.queue.clear();
    }
}
