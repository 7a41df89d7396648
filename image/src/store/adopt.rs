//! Layers without a blob: a folder becomes a layer, and is packed when somebody asks for its archive.
//!
//! # How it works
//!
//! The folder (the upper one of an overlay that is not mounted any more) is packed once, to know its
//! digest, and renamed into place. The archive is not kept: packed again, the folder gives the same
//! bytes, which is verified each time. So an image of such layers names them by the digest of the
//! uncompressed archive, although no blob of that digest is there.
//!
//! Whoever packs must be where the owners of the files are mapped, as whoever runs containers is.
//!
//! # Limits
//!
//! The folder must be on the store's file system.

use std::io::{self, Write};
use std::path::Path;
use std::thread;

use super::ingest::{Layer, make_layer_dirs};
use super::{Store, remove_tree};
use crate::digest::{Digest, HashingWriter};
use crate::error::{ImageError, Result};
use crate::media;
use crate::pack::{PackOptions, Packed, Times, pack};
use crate::tar::TarError;
use crate::unpack::{MARKED_BY_NAME, UnpackError, UnpackOptions, unpack};

/// Bytes of an archive without entries.
const EMPTY_ARCHIVE: u64 = 1024;

impl Layer {
    /// A layer whose archive has the digest `diff_id` and is not kept.
    fn of_folder(diff_id: Digest, bytes: u64, packed: Packed) -> Self {
        Self {
            diff_id,
            blob_digest: diff_id,
            blob_size: bytes,
            media_type: media::OCI_LAYER.to_owned(),
            unpacked_size: packed.file_bytes,
            notes: Vec::new(),
            without_blob: true,
        }
    }

    /// It neither has nor removes anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blob_digest == self.diff_id && self.blob_size == EMPTY_ARCHIVE
    }
}

impl Store {
    /// Makes a layer of `folder`, which is gone afterwards: the upper folder of an overlay that is not
    /// mounted any more. Paths for which `skip` says so (relative, `/`-separated; places of mounts) are
    /// removed with everything below them.
    ///
    /// Like other layers it stays only as long as an image has it, or the result of [`Store::hold`]
    /// lives, or [`Store::keep_layers`] was told of it. Starts no thread.
    ///
    /// # Errors
    /// When the folder cannot be read, is on another file system, or has only a part of its files.
    pub fn adopt_folder(&self, folder: &Path, skip: &dyn Fn(&[u8]) -> bool) -> Result<Layer> {
        self.ensure_hold()?;
        let options = PackOptions { overlay: true, skip, adopts: true, times: Times::Kept };
        let mut sink = HashingWriter::new(io::sink());
        let packed = pack(folder, &mut sink, options)?;
        let (_, diff_id, bytes) = sink.finish();
        let home = self.tmp_path("layer")?;
        std::fs::create_dir(&home).map_err(ImageError::io("create", &home))?;
        let diff = home.join("diff");
        std::fs::rename(folder, &diff).map_err(ImageError::io("make a layer of", folder))?;
        if let Some(known) = self.obtainable(&diff_id)? {
            remove_tree(&home)?;
            return Ok(known);
        }
        if packed.marked_by_name {
            let path = home.join(MARKED_BY_NAME);
            std::fs::File::create(&path).map_err(ImageError::io("create", &path))?;
        }
        let layer = Layer::of_folder(diff_id, bytes, packed);
        self.place_layer(&home, &layer)?;
        Ok(layer)
    }

    /// The layer with all times that are later than `latest` (seconds) set to it: a layer of its own,
    /// unless there is none. Starts a thread.
    ///
    /// # Errors
    /// When its folder cannot be read, or the disk does not take the new one.
    pub fn with_times_until(&self, layer: &Layer, latest: i64) -> Result<Layer> {
        let folder = self.layer_dir(&layer.diff_id);
        let options =
            PackOptions { overlay: true, times: Times::Until(latest), ..PackOptions::default() };
        Ok(self.copy_folder(&folder, options)?.unwrap_or_else(|| layer.clone()))
    }

    /// Makes a layer of a copy of `folder`, which stays as it is; `None`: there is nothing in it. `folder`
    /// may belong to a mounted overlay. Starts a thread.
    ///
    /// # Errors
    /// As for [`Store::adopt_folder`].
    pub(crate) fn copy_folder(
        &self,
        folder: &Path,
        pack_options: PackOptions<'_>,
    ) -> Result<Option<Layer>> {
        self.ensure_hold()?;
        let home = self.tmp_path("layer")?;
        make_layer_dirs(&home)?;
        let diff = home.join("diff");
        let pipe = |source| ImageError::Pack { entry: "the archive".to_owned(), source };
        let (mut reader, writer) = io::pipe().map_err(pipe)?;
        let options = UnpackOptions { one_id: self.options().one_id };
        let (packed, unpacked) = thread::scope(|scope| {
            let unpacker = scope.spawn(move || {
                let unpacked = unpack(&mut reader, &diff, &options)?;
                io::copy(&mut reader, &mut io::sink()).map_err(TarError::read_end)?;
                Ok::<_, UnpackError>(unpacked)
            });
            let mut out = HashingWriter::new(writer);
            let packed = pack(folder, &mut out, pack_options);
            let (writer, digest, bytes) = out.finish();
            // The other side waits for the end of the pipe.
            drop(writer);
            let unpacked = unpacker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (packed.map(|packed| (packed, digest, bytes)), unpacked)
        });
        let named = |source| ImageError::Unpack { layer: "of the container".to_owned(), source };
        let ((packed, diff_id, bytes), unpacked) = match (packed, unpacked.map_err(named)) {
            (Ok(packed), Ok(unpacked)) => (packed, unpacked),
            // The end of the pipe explains nothing: why the other side gave up does.
            (Err(ImageError::Pack { source, .. }), Err(why))
                if source.kind() == io::ErrorKind::BrokenPipe =>
            {
                return Err(why);
            }
            (Err(why), _) | (Ok(_), Err(why)) => return Err(why),
        };
        if packed.entries == 0 {
            remove_tree(&home)?;
            return Ok(None);
        }
        if let Some(known) = self.obtainable(&diff_id)? {
            remove_tree(&home)?;
            return Ok(Some(known));
        }
        if !unpacked.notes.is_empty() {
            // What could not be made here is only in the archive.
            remove_tree(&home)?;
            let mut blob = self.new_blob()?;
            pack(folder, &mut blob, pack_options)?;
            return self.adopt_layer(blob).map(Some);
        }
        let mut layer = Layer::of_folder(diff_id, bytes, packed);
        layer.take(&home, unpacked)?;
        self.place_layer(&home, &layer)?;
        Ok(Some(layer))
    }

    /// A reliable layer whose archive can be had.
    fn obtainable(&self, diff_id: &Digest) -> Result<Option<Layer>> {
        if !self.is_reliable(diff_id)? {
            return Ok(None);
        }
        let known = self.layer(diff_id)?;
        Ok(Some(known).filter(|layer| self.can_give(layer)))
    }

    /// Whether the layer's blob is here, or can be made.
    pub(crate) fn can_give(&self, layer: &Layer) -> bool {
        layer.without_blob || self.has_blob(&layer.blob_digest)
    }

    /// Writes a layer's blob: the one that is kept, or, of a layer without one, what its folder is
    /// packed to.
    ///
    /// # Errors
    /// When it cannot be read or written, or the folder is not what it was. All may be written by then.
    pub fn write_layer(&self, layer: &Layer, out: &mut dyn Write) -> Result<()> {
        if layer.without_blob && !self.has_blob(&layer.blob_digest) {
            return self.pack_layer(layer, out);
        }
        let path = self.blob_path(&layer.blob_digest);
        let mut blob = self.open_blob(&layer.blob_digest)?;
        let copied = io::copy(&mut blob, out).map_err(ImageError::io("copy", &path))?;
        match copied == layer.blob_size {
            true => Ok(()),
            false => Err(ImageError::BlobSize { expected: layer.blob_size, actual: copied }),
        }
    }

    /// Packs a layer's folder; the result is certainly the layer.
    fn pack_layer(&self, layer: &Layer, out: &mut dyn Write) -> Result<()> {
        let folder = self.layer_dir(&layer.diff_id);
        if !folder.is_dir() {
            return Err(ImageError::LayerMissing { diff_id: layer.diff_id });
        }
        let mut hashing = HashingWriter::new(out);
        pack(&folder, &mut hashing, PackOptions { overlay: true, ..PackOptions::default() })?;
        let (_, actual, _) = hashing.finish();
        match actual == layer.diff_id {
            true => Ok(()),
            false => Err(ImageError::LayerDamaged { diff_id: layer.diff_id, actual }),
        }
    }
}
