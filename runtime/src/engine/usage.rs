//! How much disk a container takes: `ps --size`, `inspect --size`, `system df`.

use coracle_image::Store;

use super::Engine;
use crate::model::Container;
use crate::rootfs::Overlay;
use crate::session::Session;
use crate::volumes::tree_bytes;

/// Bytes of a container, as Docker counts them: contents of files, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerSize {
    /// Written by the container itself.
    pub rw: u64,
    /// That and its image.
    pub root_fs: u64,
}

impl Engine {
    /// The size of a container. What is being removed meanwhile counts nothing.
    ///
    /// From outside the user's namespaces files of other owners could not be counted.
    #[must_use]
    pub fn size(&self, _session: &Session, store: &Store, container: &Container) -> ContainerSize {
        let rw = self.written_bytes(container);
        let image: u64 = container
            .layers
            .iter()
            .filter_map(|id| store.layer(id).ok())
            .map(|layer| layer.unpacked_size)
            .sum();
        ContainerSize { rw, root_fs: rw + image }
    }

    /// Bytes that the container itself has written; its image is not asked.
    pub(super) fn written_bytes(&self, container: &Container) -> u64 {
        let overlay = Overlay::of(&self.paths, &self.config.layers, container);
        overlay.written().map_or(0, |written| tree_bytes(&written))
    }
}
