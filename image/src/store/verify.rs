//! Whether an unpacked layer still is what its blob says.
//!
//! The blob is read again, and each of its entries compared with what lies in the layer's
//! folder: kind, target of a link, content of a file. Modes, owners and attributes are not
//! looked at, nor is what else lies there.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Store;
use super::decompress::decoder;
use super::ingest::Layer;
use crate::error::{ImageError, Result};
use crate::limits::CHUNK_BYTES;
use crate::tar::{Entry, EntryKind, Reader, TarError, clean, printable, split};
use crate::unpack::WHITEOUT;

impl Store {
    /// What is wrong with a layer that has no blob; `None` when nothing is.
    pub(super) fn flaw_of_folder(&self, layer: &Layer) -> Result<Option<String>> {
        match self.write_layer(layer, &mut std::io::sink()) {
            Ok(()) => Ok(None),
            Err(ImageError::LayerDamaged { actual, .. }) => {
                Ok(Some(format!("its folder packs to {}", actual.short())))
            }
            Err(ImageError::LayerMissing { .. }) => Ok(Some("its folder is missing".to_owned())),
            Err(error) => Err(error),
        }
    }

    /// What is wrong with an unpacked layer, whose blob is whole; `None` when nothing is.
    pub(super) fn flaw(&self, layer: &Layer) -> Result<Option<String>> {
        let root = self.layer_dir(&layer.diff_id);
        if !root.is_dir() {
            return Ok(Some("its folder is missing".to_owned()));
        }
        let broken = |source| ImageError::LayerRead { layer: layer.diff_id.short(), source };
        let (_, mut reader) = decoder(self.open_blob(&layer.blob_digest)?).map_err(broken)?;
        let unpack = |source: TarError| ImageError::Unpack {
            layer: layer.diff_id.short(),
            source: source.into(),
        };
        let mut archive = Reader::new(&mut *reader);
        // Of several entries with one name the last one counts.
        let mut flaws: HashMap<Vec<u8>, &'static str> = HashMap::new();
        while let Some(entry) = archive.next_entry().map_err(unpack)? {
            let Ok(name) = clean(&entry.name) else { continue };
            match flaw_of(&root, &name, &entry, &mut archive).map_err(unpack)? {
                Some(flaw) => flaws.insert(name, flaw),
                None => flaws.remove(&name),
            };
        }
        let first = flaws.iter().min();
        Ok(first.map(|(name, flaw)| format!("`{}` {flaw}", printable(name))))
    }
}

fn flaw_of(
    root: &Path,
    name: &[u8],
    entry: &Entry,
    archive: &mut Reader<'_>,
) -> std::result::Result<Option<&'static str>, TarError> {
    let (_, last) = split(name);
    if name.is_empty() || last.starts_with(WHITEOUT) || entry.kind.is_device() {
        return Ok(None);
    }
    let path = beneath(root, name);
    // A later entry put something else in the place of its folder.
    if path
        .parent()
        .is_none_or(|parent| std::fs::symlink_metadata(parent).is_ok_and(|m| !m.is_dir()))
    {
        return Ok(None);
    }
    let Ok(meta) = std::fs::symlink_metadata(&path) else { return Ok(Some("is missing")) };
    let kind = meta.file_type();
    let same = match entry.kind {
        EntryKind::Directory => kind.is_dir(),
        EntryKind::Symlink => {
            std::fs::read_link(&path).is_ok_and(|to| to.as_os_str().as_bytes() == entry.link)
        }
        EntryKind::File if entry.sparse.is_some() => kind.is_file(),
        EntryKind::File => {
            return Ok(match kind.is_file() && same_content(&path, entry, archive)? {
                true => None,
                false => Some("has another content"),
            });
        }
        EntryKind::Hardlink => kind.is_file() || kind.is_symlink(),
        EntryKind::Fifo | EntryKind::CharDevice | EntryKind::BlockDevice => true,
    };
    Ok((!same).then_some("is something else"))
}

fn beneath(root: &Path, name: &[u8]) -> PathBuf {
    root.join(std::ffi::OsString::from_vec(name.to_vec()))
}

fn same_content(
    path: &Path,
    entry: &Entry,
    archive: &mut Reader<'_>,
) -> std::result::Result<bool, TarError> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let open = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let Ok(mut file) = open else { return Ok(false) };
    if file.metadata().map_or(0, |meta| meta.len()) != entry.size {
        return Ok(false);
    }
    let mut wanted = vec![0; CHUNK_BYTES.min(usize::try_from(entry.size).unwrap_or(CHUNK_BYTES))];
    let mut found = wanted.clone();
    loop {
        let count = archive.read_data(&mut wanted)?;
        if count == 0 {
            return Ok(true);
        }
        if !reads(&mut file, &mut found[..count]) || found[..count] != wanted[..count] {
            return Ok(false);
        }
    }
}

fn reads(file: &mut File, buffer: &mut [u8]) -> bool {
    file.read_exact(buffer).is_ok()
}
