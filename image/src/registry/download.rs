//! One blob from the network into whoever reads it, without holding it.
//!
//! # How it works
//!
//! [`pipe`] gives two ends of a short queue. The reading end is an ordinary
//! [`Read`] for a thread of its own; nothing is requested before it is read from
//! first, so a reader that finds it needs nothing costs nothing. The writing end
//! downloads; when the connection breaks it goes on from the byte it had reached.
//!
//! # Limits
//!
//! A few dozen pieces at most wait in the queue. A server that sends more bytes than
//! the manifest says is cut off. Content is verified by the reader.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use tokio::sync::{mpsc, oneshot};

use super::connection::Connection;
use super::error::RegistryError;
use super::manifest::Descriptor;
use crate::progress::LayerEvent;

const QUEUE: usize = 32;
/// Bytes between two reports of progress.
const REPORT_EVERY: u64 = 256 << 10;
/// What an attempt must bring to count as no failure in a row.
const PROGRESS_MIN: u64 = 16 << 10;

enum Piece {
    Data(Bytes),
    End,
}

/// The end a thread reads from.
pub(crate) struct PipeReader {
    start: Option<oneshot::Sender<()>>,
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    ended: bool,
}

/// The end that downloads.
pub(crate) struct PipeWriter {
    started: oneshot::Receiver<()>,
    pieces: mpsc::Sender<Piece>,
}

/// A queue for one blob.
pub(crate) fn pipe() -> (PipeReader, PipeWriter) {
    let (start, started) = oneshot::channel();
    let (sender, receiver) = mpsc::channel(QUEUE);
    (
        PipeReader { start: Some(start), pieces: receiver, current: Bytes::new(), ended: false },
        PipeWriter { started, pieces: sender },
    )
}

impl Read for PipeReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(start) = self.start.take()
            && start.send(()).is_err()
        {
            return Err(given_up());
        }
        while self.current.is_empty() {
            if self.ended {
                return Ok(0);
            }
            match self.pieces.blocking_recv() {
                Some(Piece::Data(bytes)) => self.current = bytes,
                Some(Piece::End) => self.ended = true,
                None => return Err(given_up()),
            }
        }
        let n = buf.len().min(self.current.len());
        buf[..n].copy_from_slice(&self.current[..n]);
        self.current.advance(n);
        Ok(n)
    }
}

fn given_up() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the download was given up")
}

impl PipeWriter {
    /// Downloads `blob` once the reader wants it. Returns early, and well, when the
    /// reader is gone: it has either finished or has an error of its own to tell.
    pub(crate) async fn download(
        self,
        connection: &Connection,
        repository: &str,
        blob: &Descriptor,
        report: &dyn Fn(LayerEvent),
    ) -> Result<(), RegistryError> {
        if self.started.await.is_err() {
            return Ok(());
        }
        let mut transfer = Transfer {
            connection,
            repository,
            blob,
            report,
            pieces: &self.pieces,
            received: 0,
            reported: 0,
        };
        let mut retry = connection.retry();
        loop {
            let before = transfer.received;
            let error = match transfer.attempt().await {
                Ok(End::Complete) => break,
                Ok(End::ReaderGone) => return Ok(()),
                Err(error) => error,
            };
            // A byte for each request would take for ever.
            if transfer.received >= before + PROGRESS_MIN {
                retry.progress();
            }
            let after = retry.after(error)?;
            report(LayerEvent::Retrying { after });
            tokio::time::sleep(after).await;
        }
        report(LayerEvent::DownloadComplete);
        // A reader that is gone by now has all it wanted.
        drop(self.pieces.send(Piece::End).await);
        Ok(())
    }
}

enum End {
    Complete,
    ReaderGone,
}

/// A download and how far it is.
struct Transfer<'a> {
    connection: &'a Connection,
    repository: &'a str,
    blob: &'a Descriptor,
    report: &'a dyn Fn(LayerEvent),
    pieces: &'a mpsc::Sender<Piece>,
    received: u64,
    reported: u64,
}

impl Transfer<'_> {
    /// One request, from the byte reached so far to wherever it gets.
    async fn attempt(&mut self) -> Result<End, RegistryError> {
        let total = self.blob.size;
        if self.received == total && total > 0 {
            return Ok(End::Complete);
        }
        let mut body =
            self.connection.blob(self.repository, &self.blob.digest, self.received).await?;
        let mut skip = if body.from_start { self.received } else { 0 };
        while let Some(mut bytes) = body.chunk().await? {
            let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
            bytes.advance(skipped);
            skip -= skipped as u64;
            if bytes.is_empty() {
                continue;
            }
            self.received += bytes.len() as u64;
            if self.received > total {
                return Err(self.wrong_size());
            }
            if self.pieces.send(Piece::Data(bytes)).await.is_err() {
                return Ok(End::ReaderGone);
            }
            self.tell();
        }
        if self.received < total {
            return Err(RegistryError::Transport {
                method: "Get",
                url: self
                    .connection
                    .url(&format!("{}/blobs/{}", self.repository, self.blob.digest)),
                reason: "unexpected EOF".to_owned(),
                retryable: true,
            });
        }
        Ok(End::Complete)
    }

    fn tell(&mut self) {
        if self.received - self.reported >= REPORT_EVERY || self.received == self.blob.size {
            self.reported = self.received;
            (self.report)(LayerEvent::Downloading {
                current: self.received,
                total: self.blob.size,
            });
        }
    }

    fn wrong_size(&self) -> RegistryError {
        RegistryError::Protocol {
            url: self.connection.url(&format!("{}/blobs/{}", self.repository, self.blob.digest)),
            what: format!("it sends more than the {} bytes announced", self.blob.size),
        }
    }
}

/// Downloads a small blob whole and verifies it.
pub(crate) async fn small_blob(
    connection: &Connection,
    repository: &str,
    blob: &Descriptor,
    what: &'static str,
    limit: usize,
) -> Result<Vec<u8>, RegistryError> {
    let url = connection.url(&format!("{repository}/blobs/{}", blob.digest));
    if blob.size > limit as u64 {
        return Err(RegistryError::TooLarge { what, url, limit });
    }
    let mut retry = connection.retry();
    loop {
        let error = match small_blob_once(connection, repository, blob, what, limit).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        tokio::time::sleep(retry.after(error)?).await;
    }
}

async fn small_blob_once(
    connection: &Connection,
    repository: &str,
    blob: &Descriptor,
    what: &'static str,
    limit: usize,
) -> Result<Vec<u8>, RegistryError> {
    let url = connection.url(&format!("{repository}/blobs/{}", blob.digest));
    let mut body = connection.blob(repository, &blob.digest, 0).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        if bytes.len() + chunk.len() > limit {
            return Err(RegistryError::TooLarge { what, url, limit });
        }
        bytes.extend(&chunk);
    }
    let actual = crate::digest::Digest::of(&bytes);
    if actual != blob.digest {
        return Err(RegistryError::DigestMismatch {
            what: format!("{what} at {url}"),
            expected: blob.digest.to_string(),
            actual: actual.to_string(),
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_gets_all_pieces_and_then_the_end() {
        let (mut reader, writer) = pipe();
        for piece in [Piece::Data("ab".into()), Piece::Data("c".into()), Piece::End] {
            assert!(writer.pieces.try_send(piece).is_ok());
        }
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
    }

    #[test]
    fn a_download_that_is_given_up_is_no_end() {
        let (mut reader, writer) = pipe();
        assert!(writer.pieces.try_send(Piece::Data("ab".into())).is_ok());
        drop(writer);
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn nothing_starts_before_the_first_read() {
        let (mut reader, mut writer) = pipe();
        assert!(writer.started.try_recv().is_err());
        assert!(writer.pieces.try_send(Piece::End).is_ok());
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
        assert!(writer.started.try_recv().is_ok());
    }
}
