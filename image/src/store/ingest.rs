//! Adding a layer in one pass: receive, verify, decompress, verify, unpack.
//!
//! # How it works
//!
//! ```text
//! calling thread:   read ─> write and hash the blob ─> decompress ─> hash ─┐ buffers
//! second thread:                                          unpack files <──┘
//! ```
//!
//! Blob and directory lie below `tmp` until both digests are verified; then they
//! are renamed into place. A layer that is unpacked already is only verified.
//!
//! # Limits
//!
//! [`CHUNKS_IN_FLIGHT`] buffers of [`CHUNK_BYTES`] bytes each are held per layer.

use std::cell::{Cell, RefCell};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use serde::{Deserialize, Serialize};

use super::Store;
use super::blobs::BlobWriter;
use super::decompress::{Compression, decode, peek};
use crate::digest::{Digest, Hasher};
use crate::error::{ImageError, Result};
use crate::limits::{CHUNK_BYTES, CHUNKS_IN_FLIGHT};
use crate::media;
use crate::tar::TarError;
use crate::unpack::{MARKED_BY_NAME, UnpackOptions, Unpacked, unpack};

/// What is known of a layer before it arrives.
#[derive(Debug, Clone, Default)]
pub struct LayerSource {
    pub blob_digest: Option<Digest>,
    pub blob_size: Option<u64>,
    pub media_type: Option<String>,
    pub diff_id: Option<Digest>,
}

/// A layer in the store: its unpacked directory, and its blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    pub diff_id: Digest,
    pub blob_digest: Digest,
    pub blob_size: u64,
    pub media_type: String,
    /// Bytes in regular files, as Docker counts the size of images.
    pub unpacked_size: u64,
    /// What could not be unpacked as it was (devices, attributes), for the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Its blob is made of its folder whenever somebody asks for it ([`Store::write_layer`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_blob: bool,
}

impl Layer {
    /// Notes what was unpacked in `home`.
    pub(super) fn take(&mut self, home: &Path, unpacked: Unpacked) -> Result<()> {
        self.unpacked_size = unpacked.file_bytes;
        self.notes = unpacked.notes;
        if unpacked.marked_by_name {
            let path = home.join(MARKED_BY_NAME);
            std::fs::File::create(&path).map_err(ImageError::io("create", &path))?;
        }
        Ok(())
    }
}

/// How far a layer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the blob received.
    pub blob_bytes: u64,
    /// Bytes of the archive decompressed.
    pub tar_bytes: u64,
}

impl Store {
    /// The layer, if its directory is here already, and its blob is or can be made.
    pub fn existing_layer(&self, source: &LayerSource) -> Result<Option<Layer>> {
        self.ensure_hold()?;
        let Some(diff_id) = source.diff_id else { return Ok(None) };
        if !self.is_reliable(&diff_id)? {
            return Ok(None);
        }
        let mut layer = self.layer(&diff_id)?;
        let blob_digest = source.blob_digest.unwrap_or(layer.blob_digest);
        if layer.blob_digest == blob_digest {
            if !self.can_give(&layer) {
                return Ok(None);
            }
        } else if self.has_blob(&blob_digest) {
            layer.blob_digest = blob_digest;
            layer.blob_size = self.blob_size(&blob_digest)?;
            layer.without_blob = false;
        } else {
            return Ok(None);
        }
        if let Some(media_type) = &source.media_type {
            layer.media_type.clone_from(media_type);
        }
        Ok(Some(layer))
    }

    /// Receives a layer from `reader`, verifies and unpacks it.
    ///
    /// The caller holds [`Store::lock_layer`] when the diffID is known, so that two
    /// processes do not do the same work; if both do, one result is kept.
    pub fn ingest_layer(
        &self,
        source: &LayerSource,
        reader: &mut dyn Read,
        progress: &dyn Fn(Progress),
    ) -> Result<Layer> {
        self.ensure_hold()?;
        if let Some(media_type) = &source.media_type {
            media::check_layer_type(media_type)?;
        }
        let name = layer_name(source);
        let (compression, reader) =
            peek(reader).map_err(|source| ImageError::LayerRead { layer: name.clone(), source })?;
        let intake = Intake {
            store: self,
            name,
            source,
            progress,
            home: self.tmp_path("layer")?,
            compression,
            blob: RefCell::new(self.new_blob()?),
            write_failure: RefCell::new(None),
            done: Cell::new(Progress::default()),
        };
        let present = match &source.diff_id {
            Some(diff_id) => self.is_reliable(diff_id)?,
            None => false,
        };
        if !present {
            make_layer_dirs(&intake.home)?;
        }
        let (diff_id, unpacked) = intake.run(reader, present)?;
        intake.verify(&diff_id)?;
        intake.place(diff_id, unpacked)
    }
}

fn layer_name(source: &LayerSource) -> String {
    match (source.blob_digest, source.diff_id) {
        (Some(digest), _) | (None, Some(digest)) => digest.short(),
        (None, None) => "from the archive".to_owned(),
    }
}

pub(super) fn make_layer_dirs(home: &Path) -> Result<()> {
    let diff = home.join("diff");
    std::fs::create_dir_all(&diff).map_err(ImageError::io("create", &diff))?;
    // Whatever the umask: this directory may become the root of a container.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&diff, mode).map_err(ImageError::io("set the mode of", &diff))
}

/// One layer on its way in.
struct Intake<'a> {
    store: &'a Store,
    name: String,
    source: &'a LayerSource,
    progress: &'a dyn Fn(Progress),
    home: PathBuf,
    compression: Compression,
    blob: RefCell<BlobWriter>,
    /// Why the blob could not be written; readers cannot carry our errors.
    write_failure: RefCell<Option<ImageError>>,
    done: Cell<Progress>,
}

/// Buffers to the unpacking thread, and empty ones back.
type Pipe = (SyncSender<Vec<u8>>, Receiver<Vec<u8>>);

impl Intake<'_> {
    /// Moves all bytes; the digest of the uncompressed archive and what was unpacked.
    fn run(&self, reader: impl Read, present: bool) -> Result<(Digest, Option<Unpacked>)> {
        if present {
            return Ok((self.pump(reader, None)?, None));
        }
        let options = UnpackOptions { one_id: self.store.options().one_id };
        let diff = self.home.join("diff");
        let (full_tx, full_rx) = sync_channel(CHUNKS_IN_FLIGHT);
        let (spare_tx, spare_rx) = channel();
        let (pumped, unpacked) = std::thread::scope(|scope| {
            let unpacker = scope.spawn(move || {
                let mut chunks = ChunkReader::new(full_rx, spare_tx);
                let unpacked = unpack(&mut chunks, &diff, &options)?;
                // What follows the archive belongs to the digest: let it pass.
                io::copy(&mut chunks, &mut io::sink()).map_err(TarError::read_end)?;
                Ok(unpacked)
            });
            let pumped = self.pump(reader, Some((full_tx, spare_rx)));
            match unpacker.join() {
                Ok(unpacked) => (pumped, unpacked),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        // Damage in the transfer explains an error of unpacking, so it is told first.
        let diff_id = pumped?;
        match unpacked {
            Ok(unpacked) => Ok((diff_id, Some(unpacked))),
            Err(source) => {
                self.verify(&diff_id)?;
                Err(ImageError::Unpack { layer: self.name.clone(), source })
            }
        }
    }

    /// Reads to the end: blob to disk, archive to `pipe`; the archive's digest.
    fn pump(&self, reader: impl Read, pipe: Option<Pipe>) -> Result<Digest> {
        let mut tee = Tee { inner: reader, intake: self };
        // Where blob and archive are the same bytes, they are hashed once.
        let twice = matches!(self.compression, Compression::Gzip | Compression::Zstd);
        let mut hasher = twice.then(Hasher::new);
        let outcome = {
            let buffered = BufReader::with_capacity(CHUNK_BYTES, &mut tee);
            decode(self.compression, buffered)
                .and_then(|mut decoder| self.move_chunks(&mut *decoder, &mut hasher, pipe))
        };
        // Bytes after the compressed stream belong to the blob.
        let outcome = outcome.and_then(|()| io::copy(&mut tee, &mut io::sink()));
        if let Some(failure) = self.write_failure.take() {
            return Err(failure);
        }
        outcome.map_err(|source| ImageError::LayerRead { layer: self.name.clone(), source })?;
        Ok(hasher.map_or_else(|| self.blob.borrow().digest(), Hasher::finish))
    }

    fn move_chunks(
        &self,
        decoder: &mut dyn Read,
        hasher: &mut Option<Hasher>,
        mut pipe: Option<Pipe>,
    ) -> io::Result<()> {
        loop {
            let spare = pipe.as_ref().and_then(|(_, spare)| spare.try_recv().ok());
            let mut chunk = spare.unwrap_or_default();
            chunk.resize(CHUNK_BYTES, 0);
            let n = read_full(decoder, &mut chunk)?;
            if n == 0 {
                return Ok(());
            }
            chunk.truncate(n);
            if let Some(hasher) = hasher {
                hasher.update(&chunk);
            }
            if !self.compression.is_distributable() {
                self.write_blob(&chunk)?;
            }
            let mut done = self.done.get();
            done.tar_bytes += n as u64;
            self.done.set(done);
            (self.progress)(done);
            if let Some((full, _)) = &pipe
                && full.send(chunk).is_err()
            {
                // Unpacking failed. Only a digest to compare with is worth reading on for.
                pipe = None;
                if self.source.blob_digest.is_none() && self.source.diff_id.is_none() {
                    return Ok(());
                }
            }
        }
    }

    fn write_blob(&self, bytes: &[u8]) -> io::Result<()> {
        self.blob.borrow_mut().put(bytes).map_err(|failure| {
            self.write_failure.replace(Some(failure));
            io::Error::other("the blob could not be written")
        })
    }

    fn verify(&self, diff_id: &Digest) -> Result<()> {
        let (actual, bytes) = {
            let blob = self.blob.borrow();
            (blob.digest(), blob.bytes())
        };
        if self.compression.is_distributable() {
            if let Some(expected) = self.source.blob_size
                && expected != bytes
            {
                return Err(ImageError::BlobSize { expected, actual: bytes });
            }
            if let Some(expected) = self.source.blob_digest
                && expected != actual
            {
                return Err(ImageError::BlobDigest { expected, actual });
            }
        }
        match self.source.diff_id {
            Some(expected) if expected != *diff_id => {
                Err(ImageError::DiffId { expected, actual: *diff_id })
            }
            _ => Ok(()),
        }
    }

    /// Makes the verified layer usable: blob first, then the directory.
    fn place(self, diff_id: Digest, unpacked: Option<Unpacked>) -> Result<Layer> {
        let blob = self.blob.into_inner();
        let blob_size = blob.bytes();
        let blob_digest = blob.place(self.store)?;
        let media_type = match &self.source.media_type {
            Some(given) => given.clone(),
            None => media::layer_type(self.compression).to_owned(),
        };
        let mut layer = Layer {
            diff_id,
            blob_digest,
            blob_size,
            media_type,
            unpacked_size: 0,
            notes: vec![],
            without_blob: false,
        };
        let Some(unpacked) = unpacked else {
            let known = self.store.layer(&diff_id)?;
            return Ok(Layer { unpacked_size: known.unpacked_size, ..layer });
        };
        layer.take(&self.home, unpacked)?;
        self.store.place_layer(&self.home, &layer)?;
        Ok(layer)
    }
}

impl Store {
    /// Adds a layer whose uncompressed archive was written here, by us.
    pub(crate) fn adopt_layer(&self, blob: BlobWriter) -> Result<Layer> {
        let mut layer = Layer {
            diff_id: blob.digest(),
            blob_digest: blob.digest(),
            blob_size: blob.bytes(),
            media_type: media::OCI_LAYER.to_owned(),
            unpacked_size: 0,
            notes: Vec::new(),
            without_blob: false,
        };
        if self.is_reliable(&layer.diff_id)? {
            layer.unpacked_size = self.layer(&layer.diff_id)?.unpacked_size;
            blob.place(self)?;
            return Ok(layer);
        }
        let home = self.tmp_path("layer")?;
        make_layer_dirs(&home)?;
        let file = std::fs::File::open(blob.path()).map_err(ImageError::io("open", blob.path()))?;
        let options = UnpackOptions { one_id: self.options().one_id };
        let mut reader = BufReader::with_capacity(CHUNK_BYTES, file);
        let unpacked = unpack(&mut reader, &home.join("diff"), &options)
            .map_err(|source| ImageError::Unpack { layer: layer.diff_id.short(), source })?;
        layer.take(&home, unpacked)?;
        blob.place(self)?;
        self.place_layer(&home, &layer)?;
        Ok(layer)
    }
}

/// Writes what is read to the blob, where the blob is kept as received.
struct Tee<'a, R> {
    inner: R,
    intake: &'a Intake<'a>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        let mut done = self.intake.done.get();
        done.blob_bytes += n as u64;
        self.intake.done.set(done);
        if self.intake.compression.is_distributable() {
            self.intake.write_blob(&buf[..n])?;
        }
        Ok(n)
    }
}

/// Fills `buf` as far as the stream goes.
fn read_full(reader: &mut dyn Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match reader.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// The unpacking thread's end: buffers as one stream.
struct ChunkReader {
    full: Receiver<Vec<u8>>,
    spare: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
}

impl ChunkReader {
    fn new(full: Receiver<Vec<u8>>, spare: Sender<Vec<u8>>) -> Self {
        Self { full, spare, chunk: Vec::new(), at: 0 }
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            // No more buffers: the stream ended, or failed; the other side knows which.
            let Ok(next) = self.full.recv() else { return Ok(0) };
            let empty = std::mem::replace(&mut self.chunk, next);
            self.at = 0;
            if empty.capacity() > 0 {
                // The other side may have finished: then the buffer is simply freed.
                drop(self.spare.send(empty));
            }
        }
        let n = buf.len().min(self.chunk.len() - self.at);
        buf[..n].copy_from_slice(&self.chunk[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
