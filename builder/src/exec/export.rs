//! Hands results over: to the store, as files, to registries.
//!
//! What reads layers or the network is done by a child in the namespaces of the build, which are entered for it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use coracle_image::archive::Composition;
use coracle_image::{Digest, Layer, Reference, RegistrySettings};
use coracle_runtime::Home;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{BuildError, FailedStep, StepError};
use super::files::{Mounted, leave};
use super::jobs::Child;
use super::surroundings::Surroundings;
use super::workshop::Workshop;
use super::{Built, Vertices};
use crate::export::{self, ExportError, Place, Product, texts};
use crate::progress::{CANCELED, Event, Progress, Status, TICK, Vertex};
use crate::request::{BuildRequest, Output, OutputKind};

impl From<ExportError> for StepError {
    fn from(error: ExportError) -> Self {
        let hint = error.hint();
        let is_internal = error.kind() == coracle_words::ErrorKind::Internal;
        let internal = Self::internal("export", &error);
        let message = internal.message.trim_start_matches("export: ").to_owned();
        Self { message, hint, is_internal, ..Self::default() }
    }
}

/// Hands results over.
pub(super) struct Exporter<'a, 'n> {
    /// The place of the request whose results they are.
    pub(super) request: usize,
    pub(super) home: &'a Home,
    pub(super) workshop: &'a mut Option<Workshop>,
    pub(super) vertices: &'a mut Vertices,
    pub(super) network: &'n RegistrySettings,
    pub(super) surroundings: &'a dyn Surroundings,
    pub(super) progress: &'a mut dyn Progress,
}

/// What is known of a result beside what [`Built`] tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// How many of its layers the build made.
    pub(super) own_layers: usize,
    pub(super) epoch: Option<i64>,
}

impl Exporter<'_, '_> {
    /// Does all that a request asks for.
    pub(super) fn outputs(
        &mut self,
        request: &BuildRequest,
        facts: Facts,
        built: &mut Built,
    ) -> Result<(), BuildError> {
        let to_store = Output {
            kind: OutputKind::Image { names: request.names.clone(), push: false },
            rewrites_timestamps: false,
        };
        let outputs = match &request.outputs[..] {
            [] => std::slice::from_ref(&to_store),
            outputs => outputs,
        };
        for output in outputs {
            let Some(title) = texts::title(&output.kind) else { continue };
            self.vertex(title, &mut |this, vertex| {
                this.output(vertex, output, request, facts, built)
            })?;
        }
        Ok(())
    }

    /// A line of work, which fails with what is done in it.
    pub(super) fn vertex(
        &mut self,
        title: &str,
        work: &mut dyn FnMut(&mut Self, Vertex) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let title = self.vertices.title(self.request, title);
        let vertex = self.vertices.add(self.progress, title.clone());
        self.progress.tell(Event::Started { vertex, at: SystemTime::now() });
        let outcome = work(self, vertex);
        let error = outcome.as_ref().err().map(|error| match error.message.as_str() {
            message if message == BuildError::canceled().message => CANCELED.to_owned(),
            message => message.to_owned(),
        });
        self.progress.tell(Event::Completed { vertex, at: SystemTime::now(), error });
        outcome.map_err(|error| BuildError {
            step: Some(Box::new(FailedStep {
                vertex,
                name: title,
                log: Vec::new(),
                exit_code: None,
                command: None,
            })),
            ..error
        })
    }

    fn output(
        &mut self,
        vertex: Vertex,
        output: &Output,
        request: &BuildRequest,
        facts: Facts,
        built: &mut Built,
    ) -> Result<(), BuildError> {
        let begun = SystemTime::now();
        let layers = self.layers(output, facts, built)?;
        let ids: Vec<Digest> = layers.iter().map(|layer| layer.diff_id).collect();
        let image = |names: &[Reference]| Composition {
            config: built.config.clone(),
            layers: layers.clone(),
            names: names.to_vec(),
            annotations: request.annotations.clone(),
        };
        match &output.kind {
            OutputKind::Image { names, push } => {
                let images = self.home.images().map_err(StepError::from)?;
                let composed = images.compose(&image(names)).map_err(StepError::from)?;
                self.tell(vertex, "exporting layers", begun);
                self.tell(vertex, &texts::manifest(&composed.digest), begun);
                self.tell(vertex, &texts::config(&composed.id), begun);
                for name in names {
                    self.tell(vertex, &texts::naming(&name.clone().with_default_tag()), begun);
                }
                built.image = Some((composed.id, composed.digest));
                built.names.clone_from(names);
                if *push {
                    let digest = self.push(vertex, names)?;
                    built.image = Some((composed.id, digest));
                }
            }
            OutputKind::Local(path) => {
                let epoch = facts.epoch;
                let copy = |root: &Path, one_id| export::folder(root, path, epoch, one_id);
                let bytes: u64 = self.with_root(&ids, copy)?;
                self.count(vertex, "copying files", bytes, begun);
            }
            OutputKind::Tar(path) => {
                let out = self.surroundings.standard_output();
                let pack = |root: &Path, _| {
                    let mut out = Sink::open(path.as_deref(), out.as_ref())?;
                    export::archive(root, &mut out, facts.epoch)?;
                    out.finish()
                };
                self.with_root(&ids, pack)?;
                self.tell(vertex, "sending tarball", begun);
            }
            OutputKind::Docker { path, names } => {
                let place = (path.as_deref(), true, true);
                let ids = self.layout(vertex, image(names), place, facts)?;
                built.known_as(ids, names);
            }
            OutputKind::Oci { path, is_archive, names } => {
                let place = (path.as_deref(), *is_archive, false);
                let ids = self.layout(vertex, image(names), place, facts)?;
                built.known_as(ids, names);
            }
            OutputKind::Nothing => {}
        }
        Ok(())
    }

    /// The layers that an output has.
    fn layers(
        &mut self,
        output: &Output,
        facts: Facts,
        built: &Built,
    ) -> Result<Vec<Layer>, BuildError> {
        let (true, Some(epoch)) = (output.rewrites_timestamps, facts.epoch) else {
            return Ok(built.layers.clone());
        };
        self.child(|workshop| {
            Ok(export::rewritten(&workshop.store, &built.layers, facts.own_layers, epoch)?)
        })
    }

    /// Uploads an image of the store; gives the digest under which registries know it.
    fn push(&mut self, vertex: Vertex, names: &[Reference]) -> Result<Digest, BuildError> {
        let begun = SystemTime::now();
        self.begin(vertex, "pushing layers", begun);
        let network = self.network;
        let pushed: Vec<Digest> = self.child(|workshop| {
            let outcomes = export::push(&workshop.store, network, names)?;
            Ok(outcomes.into_iter().map(|outcome| outcome.digest).collect())
        })?;
        self.tell(vertex, "pushing layers", begun);
        for (name, digest) in names.iter().zip(&pushed) {
            let name = name.clone().with_default_tag();
            self.tell(vertex, &texts::pushing(&name, digest), begun);
        }
        pushed.last().copied().ok_or_else(|| StepError::from(ExportError::NoName).into())
    }

    fn layout(
        &mut self,
        vertex: Vertex,
        image: Composition,
        (path, is_archive, for_docker): (Option<&Path>, bool, bool),
        facts: Facts,
    ) -> Result<(Digest, Digest), BuildError> {
        let begun = SystemTime::now();
        self.begin(vertex, "exporting layers", begun);
        let now = match facts.epoch {
            Some(epoch) => chrono::DateTime::from_timestamp(epoch, 0).unwrap_or_default(),
            None => chrono::Utc::now(),
        };
        let now = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let product = Product { image, now };
        let out = self.surroundings.standard_output();
        let digest: Digest = self.child(|workshop| {
            let store = &workshop.store;
            if let (Some(folder), false) = (path, is_archive) {
                return Ok(export::layout(store, &product, for_docker, Place::Folder(folder))?);
            }
            let mut out = Sink::open(path, out.as_ref())?;
            let digest = export::layout(store, &product, for_docker, Place::Archive(&mut out))?;
            out.finish()?;
            Ok(digest)
        })?;
        let id = product.image.documents().map_err(StepError::from)?.id();
        self.tell(vertex, "exporting layers", begun);
        self.tell(vertex, &texts::manifest(&digest), begun);
        self.tell(vertex, &texts::config(&id), begun);
        if is_archive {
            self.tell(vertex, "sending tarball", begun);
        }
        Ok((id, digest))
    }

    /// Does something in a child with the root filesystem of these layers.
    fn with_root<T: Serialize + DeserializeOwned>(
        &mut self,
        layers: &[Digest],
        work: impl FnOnce(&Path, bool) -> Result<T, ExportError>,
    ) -> Result<T, BuildError> {
        self.child(|workshop| {
            leave()?;
            let scratch = workshop.scratch()?;
            let mounted = Mounted::new(workshop, layers, scratch.join("root"))?;
            let done = work(&mounted.target, workshop.one_id());
            mounted.take_down()?;
            Ok(done?)
        })
    }

    /// Does something in a child that is where layers can be read, and waits for it.
    pub(super) fn child<T: Serialize + DeserializeOwned>(
        &mut self,
        work: impl FnOnce(&Workshop) -> Result<T, StepError>,
    ) -> Result<T, BuildError> {
        if self.workshop.is_none() {
            *self.workshop = Some(Workshop::enter(self.home)?);
        }
        let Some(workshop) = self.workshop.as_ref() else { return Err(BuildError::canceled()) };
        let child = Child::start(|| work(workshop))?;
        self.wait(child)
    }

    /// Does something in a child that needs no layers.
    pub(super) fn outside<T: Serialize + DeserializeOwned>(
        &mut self,
        work: impl FnOnce() -> Result<T, StepError>,
    ) -> Result<T, BuildError> {
        let child = Child::start(work)?;
        self.wait(child)
    }

    fn wait<T: DeserializeOwned>(&mut self, mut child: Child) -> Result<T, BuildError> {
        let interrupt = self.surroundings.interrupt();
        let tick = Timespec::try_from(TICK).ok();
        loop {
            let ready = {
                let fds = std::iter::once(child.as_fd()).chain(interrupt);
                let mut fds: Vec<_> =
                    fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
                // Interrupted is as good as nothing: the loop comes back.
                poll(&mut fds, tick.as_ref()).unwrap_or(0);
                fds.iter().map(|fd| !fd.revents().is_empty()).collect::<Vec<_>>()
            };
            if ready.get(1) == Some(&true) {
                child.kill();
                return Err(BuildError::canceled());
            }
            if ready.first() == Some(&true) && child.read() {
                return Ok(child.finish()?);
            }
            self.progress.tick();
        }
    }

    fn begin(&mut self, vertex: Vertex, id: &str, started: SystemTime) {
        self.status(vertex, id, 0, started, None);
    }

    pub(super) fn tell(&mut self, vertex: Vertex, id: &str, started: SystemTime) {
        self.status(vertex, id, 0, started, Some(SystemTime::now()));
    }

    fn count(&mut self, vertex: Vertex, id: &str, current: u64, started: SystemTime) {
        self.status(vertex, id, current, started, Some(SystemTime::now()));
    }

    fn status(
        &mut self,
        vertex: Vertex,
        id: &str,
        current: u64,
        started: SystemTime,
        completed: Option<SystemTime>,
    ) {
        let id = id.to_owned();
        let status = Status { vertex, id, current, total: 0, started, completed };
        self.progress.tell(Event::Status(status));
    }
}

/// Where an archive goes.
struct Sink {
    out: BufWriter<File>,
    path: Option<PathBuf>,
}

impl Sink {
    fn open(path: Option<&Path>, standard: Option<&OwnedFd>) -> Result<Self, ExportError> {
        let file = match path {
            Some(path) => export::create(path)?,
            None => {
                let copy = standard.and_then(|out| out.as_fd().try_clone_to_owned().ok());
                File::from(copy.ok_or(ExportError::NoStandardOutput)?)
            }
        };
        Ok(Self { out: BufWriter::new(file), path: path.map(Path::to_owned) })
    }

    fn finish(mut self) -> Result<(), ExportError> {
        let path = self.path.clone().unwrap_or_default();
        self.out.flush().map_err(|why| ExportError::Folder { path, why })?;
        self.path = None;
        Ok(())
    }
}

impl Drop for Sink {
    /// A half of an archive is of no use; what is no file of its own (`/dev/stdout`) stays.
    fn drop(&mut self) {
        if let Some(path) = self.path.take()
            && std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file())
        {
            drop(std::fs::remove_file(path));
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
