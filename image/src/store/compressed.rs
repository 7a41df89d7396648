//! Layers with compressed blobs, as registries and archives of images have them.
//!
//! # How it works
//!
//! A blob is compressed once, from the layer's blob or straight from its folder, always to the same
//! bytes, and is kept as long as an image names it. A layer that some image has compressed already is
//! taken as it is there.

use std::io::{self, Write};

use super::Store;
use super::ingest::Layer;
use crate::error::{ImageError, Result};
use crate::gzip::Gzip;
use crate::media;

impl Layer {
    pub(crate) fn is_compressed(&self) -> bool {
        self.media_type.ends_with("gzip") || self.media_type.ends_with("zstd")
    }
}

impl Store {
    /// The layers with compressed blobs; `progress` is told how far a layer is that has to be
    /// compressed. Starts threads.
    ///
    /// # Errors
    /// When a blob can neither be read nor made, or cannot be written.
    pub fn compressed(
        &self,
        layers: &[Layer],
        progress: &dyn Fn(&Layer, u64),
    ) -> Result<Vec<Layer>> {
        let mut known = None;
        let mut all = Vec::with_capacity(layers.len());
        for layer in layers {
            if layer.is_compressed() {
                all.push(layer.clone());
                continue;
            }
            let known = match &mut known {
                Some(known) => known,
                none => none.insert(self.compressed_layers()?),
            };
            all.push(match known.iter().find(|one| one.diff_id == layer.diff_id) {
                Some(one) => one.clone(),
                None => {
                    let new = self.compress(layer, progress)?;
                    known.push(new.clone());
                    new
                }
            });
        }
        Ok(all)
    }

    /// Layers of images whose compressed blob is here.
    fn compressed_layers(&self) -> Result<Vec<Layer>> {
        let index = self.read_index()?;
        let layers = index.images.into_iter().flat_map(|row| row.manifests);
        let layers = layers.flat_map(|manifest| manifest.layers);
        let here =
            layers.filter(|layer| layer.is_compressed() && self.has_blob(&layer.blob_digest));
        Ok(here.collect())
    }

    fn compress(&self, layer: &Layer, progress: &dyn Fn(&Layer, u64)) -> Result<Layer> {
        self.ensure_hold()?;
        let blob = self.new_blob()?;
        let path = blob.path().to_owned();
        let failed = || ImageError::io("compress", &path);
        let gzip = Gzip::new(blob).map_err(failed())?;
        let mut counted = Counted { inner: gzip, layer, progress, done: 0 };
        self.write_layer(layer, &mut counted)?;
        let blob = counted.inner.finish().map_err(failed())?;
        let blob_size = blob.bytes();
        let blob_digest = blob.place(self)?;
        let media_type = media::OCI_LAYER_GZIP.to_owned();
        let without_blob = false;
        Ok(Layer { blob_digest, blob_size, media_type, without_blob, ..layer.clone() })
    }
}

/// Tells how much went through it.
struct Counted<'a, W> {
    inner: W,
    layer: &'a Layer,
    progress: &'a dyn Fn(&Layer, u64),
    done: u64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.done += count as u64;
        (self.progress)(self.layer, self.done);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
