//! `cp` and `export`: a container's files out, and files in.

use std::io::Write;

use coracle_image::pack::{PackOptions, pack};

use super::Engine;
use crate::copy::view::{Extent, View, Whose};
use crate::copy::{self, ContainerPath, Copied, CopyOptions, HostSource, HostTarget};
use crate::error::EngineError;
use crate::model::{Container, Status};
use crate::session::Session;

impl Engine {
    /// The files of a container. What is seen ends with this process.
    fn view(&self, container: &Container, extent: Extent) -> Result<View, EngineError> {
        let status = self.records.life(&container.id)?.state.status;
        let whose = Whose {
            container,
            paths: &self.paths,
            layers: &self.config.layers,
            is_new: status == Status::Created,
        };
        View::open(whose, extent)
    }

    /// Makes the working folder of a container that was not started yet, so that it is among its
    /// files as with Docker, which makes it at once. Here that would make every start slower.
    pub(super) fn make_working_folder(&self, container: &Container) -> Result<(), EngineError> {
        let folder = &container.config.working_dir;
        let status = self.records.life(&container.id)?.state.status;
        if folder.is_empty() || status != Status::Created {
            return Ok(());
        }
        // The view is the thread's: this one goes on as it is.
        let made = std::thread::scope(|scope| {
            let work = || self.view(container, Extent::Root).map(drop);
            scope.spawn(work).join()
        });
        made.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

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
        let view = self.view(&container, Extent::Everything)?;
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
        let view = self.view(&container, Extent::Everything)?;
        let copied = copy::copy_out(&view, from, to, options)?;
        self.events.container(&container, "archive-path", &[]);
        Ok(copied)
    }

    /// What is in a folder of the container `id`, and whether each is a folder, for whoever types its path.
    ///
    /// The calling thread leaves its mount namespace: do nothing else in it afterwards.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn names_in(
        &self,
        _session: &Session,
        id: &str,
        folder: &str,
    ) -> Result<Vec<(String, bool)>, EngineError> {
        let container = self.records.load(id)?;
        let view = self.view(&container, Extent::Everything)?;
        view.names_in(folder).map_err(|errno| EngineError::io("read the folder")(errno.into()))
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
        let view = self.view(&container, Extent::Root)?;
        pack(&view.path, out, PackOptions::default())?;
        self.events.container(&container, "export", &[]);
        Ok(())
    }
}
