//! A bounded stream between two threads: what one writes the other reads.
//!
//! Not a pipe of the kernel, so that a reader who stops early is an error for the writer
//! and never a signal.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Buffers under way at once; each is what the writer gave in one call.
const BUFFERS_MAX: usize = 8;

pub(super) struct Writer {
    sender: SyncSender<Vec<u8>>,
    bytes: u64,
}

pub(super) struct Reader {
    receiver: Receiver<Vec<u8>>,
    buffer: Vec<u8>,
    at: usize,
}

pub(super) fn stream() -> (Writer, Reader) {
    let (sender, receiver) = sync_channel(BUFFERS_MAX);
    (Writer { sender, bytes: 0 }, Reader { receiver, buffer: Vec::new(), at: 0 })
}

impl Writer {
    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.sender.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() {
            // A writer that is gone is the end.
            let Ok(next) = self.receiver.recv() else { return Ok(0) };
            self.buffer = next;
            self.at = 0;
        }
        let left = &self.buffer[self.at..];
        let n = left.len().min(out.len());
        out[..n].copy_from_slice(&left[..n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let (mut writer, mut reader) = stream();
        let sent = std::thread::spawn(move || {
            for chunk in vec![7u8; 1_000_000].chunks(3001) {
                writer.write_all(chunk).unwrap();
            }
            writer.bytes()
        });
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        assert_eq!(got, vec![7u8; 1_000_000]);
        assert_eq!(sent.join().unwrap(), 1_000_000);
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        let (mut writer, reader) = stream();
        drop(reader);
        assert_eq!(writer.write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
