//! `cp` and `export`: a container's files out, and files in.

use std::io::Write;

use coracle_image::pack::{PackOptions, pack};

use super::Engine;
use crate::copy::view::{Extent, View};
use crate::copy::{self, ContainerPath, Copied, CopyOptions, HostSource, HostTarget};
use crate::error::EngineError;
use crate::session::Session;

impl Engine {
    /// Copies files of the host, or an archive, into the container `id`.
    ///
    /// The calling thread leaves its mount namespace: do nothing else in it afterwards.
    ///
    /// # Errors
    /// [`EngineError::Copy`] in Docker's words.
    pub fn copy_in(
        &self,
        _session: &Session,
        id: &str,
        to: &ContainerPath<'_>,
        from: HostSource<'_>,
        options: CopyOptions,
    ) -> Result<Copied, EngineError> {
        let container = self.records.load(id)?;
        let view = View::open(self, &container, Extent::Everything)?;
        let readonly = container.host_config.readonly_rootfs;
        let copied = copy::copy_in(&view, to, from, options, readonly)?;
        self.events.container(&container, "extract-to-dir", &[]);
        Ok(copied)
    }

    /// Copies files of the container `id` to the host, or writes them as an archive.
    ///
    /// The calling thread leaves its mount namespace: do nothing else in it afterwards.
    ///
    /// # Errors
    /// [`EngineError::Copy`] in Docker's words.
    pub fn copy_out(
        &self,
        _session: &Session,
        id: &str,
        from: &ContainerPath<'_>,
        to: HostTarget<'_>,
        options: CopyOptions,
    ) -> Result<Copied, EngineError> {
        let container = self.records.load(id)?;
        let view = View::open(self, &container, Extent::Everything)?;
        let copied = copy::copy_out(&view, from, to, options)?;
        self.events.container(&container, "archive-path", &[]);
        Ok(copied)
    }

    /// Writes the root filesystem of a container as an archive; volumes are left out.
    ///
    /// The calling thread leaves its mount namespace: do nothing else in it afterwards.
    ///
    /// # Errors
    /// When it cannot be read or `out` does not take it.
    pub fn export(
        &self,
        _session: &Session,
        id: &str,
        out: &mut dyn Write,
    ) -> Result<(), EngineError> {
        let container = self.records.load(id)?;
        let view = View::open(self, &container, Extent::Root)?;
        pack(&view.path, out, PackOptions::default())?;
        self.events.container(&container, "export", &[]);
        Ok(())
    }
}
