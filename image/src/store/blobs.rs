//! Blobs: files named by the digest of their content.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;

use super::Store;
use crate::digest::{Digest, Hasher};
use crate::error::{ImageError, Result};

impl Store {
    /// Where a blob is, whether or not it exists.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blob_path(digest).is_file()
    }

    pub fn open_blob(&self, digest: &Digest) -> Result<File> {
        let path = self.blob_path(digest);
        File::open(&path).map_err(|e| missing_or_io("open", digest, path, e))
    }

    pub fn blob_size(&self, digest: &Digest) -> Result<u64> {
        let path = self.blob_path(digest);
        match std::fs::metadata(&path) {
            Ok(meta) => Ok(meta.len()),
            Err(e) => Err(missing_or_io("read", digest, path, e)),
        }
    }

    /// Reads a small blob (a config, a manifest) and verifies it.
    pub fn read_blob(&self, digest: &Digest, bytes_max: usize) -> Result<Vec<u8>> {
        let file = self.open_blob(digest)?;
        let path = self.blob_path(digest);
        let mut bytes = Vec::new();
        file.take(bytes_max as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(ImageError::io("read", &path))?;
        if bytes.len() > bytes_max {
            let what = format!("blob {digest}");
            let bytes = self.blob_size(digest)?;
            return Err(ImageError::TooLarge { what, bytes, limit: bytes_max as u64 });
        }
        let actual = Digest::of(&bytes);
        if actual != *digest {
            return Err(ImageError::BlobDigest { expected: *digest, actual });
        }
        Ok(bytes)
    }

    /// Stores `bytes`; with `expected`, refuses them when their digest differs.
    ///
    /// The blob is on disk for certain only once an image that uses it is committed.
    pub fn put_blob(&self, bytes: &[u8], expected: Option<&Digest>) -> Result<Digest> {
        let actual = Digest::of(bytes);
        if let Some(expected) = expected
            && *expected != actual
        {
            return Err(ImageError::BlobDigest { expected: *expected, actual });
        }
        self.ensure_hold()?;
        if self.has_blob(&actual) {
            return Ok(actual);
        }
        let mut blob = self.new_blob()?;
        blob.put(bytes)?;
        blob.place(self)
    }

    /// Begins a blob whose digest is not known yet.
    pub(crate) fn new_blob(&self) -> Result<BlobWriter> {
        self.ensure_hold()?;
        let path = self.tmp_path("blob")?;
        let file = File::create_new(&path).map_err(ImageError::io("create", &path))?;
        Ok(BlobWriter { file, path, hasher: Hasher::new() })
    }
}

fn missing_or_io(
    doing: &'static str,
    digest: &Digest,
    path: PathBuf,
    source: std::io::Error,
) -> ImageError {
    match source.kind() {
        ErrorKind::NotFound => ImageError::BlobMissing { digest: *digest },
        _ => ImageError::Io { doing, path, source },
    }
}

/// A blob being written below `tmp`.
pub(crate) struct BlobWriter {
    file: File,
    path: PathBuf,
    hasher: Hasher,
}

impl BlobWriter {
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(ImageError::io("write", &self.path))?;
        self.hasher.update(bytes);
        Ok(())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.hasher.byte_count()
    }

    /// The digest of what was written so far.
    pub(crate) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Where the blob is until it is placed.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Renames the blob to its digest. Verify first: this makes it usable.
    pub(crate) fn place(self, store: &Store) -> Result<Digest> {
        let digest = self.hasher.finish();
        let target = store.blob_path(&digest);
        std::fs::rename(&self.path, &target).map_err(ImageError::io("rename into", &target))?;
        Ok(digest)
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
