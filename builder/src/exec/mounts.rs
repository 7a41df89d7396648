//! What a command has mounted.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use coracle_image::Digest;
use coracle_runtime::Engine;
use coracle_runtime::engine::{ImageFacts, TaskFile};
use coracle_runtime::model::{
    BindOptions, DeliveredFile, ImageOptions, Mount as EngineMount, MountType,
};
use coracle_runtime::session::Session;
use rustix::fs::Mode;
use zeroize::Zeroizing;

use super::cache::{Cache, CacheHeld, CacheWanted};
use super::error::StepError;
use super::files::ShownByMount;
use super::workshop::{Scratch, Workshop};
use crate::plan::{From, Mount, MountKind};
use crate::request::BuildRequest;
use crate::sources::{SourceError, secrets, ssh};

/// The mode of scripts.
const SCRIPT_MODE: u32 = 0o755;
/// That of a cache mount of which the Dockerfile says nothing.
const CACHE_MODE: u32 = 0o755;

/// The mounts of a command, as the engine takes them.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    pub(super) tmpfs: BTreeMap<String, String>,
    pub(super) mounts: Vec<EngineMount>,
    pub(super) images: BTreeMap<String, ImageFacts>,
    /// Files that never touch a disk, with their content.
    pub(super) delivered: Vec<(DeliveredFile, Zeroizing<Vec<u8>>)>,
    pub(super) env: Vec<String>,
    caches: Vec<CacheHeld>,
    agents: Vec<ssh::Forward>,
    /// Folders that are thrown away.
    scratch: Vec<Scratch>,
}

/// Whom mounts are made for.
pub(super) struct Maker<'a> {
    pub(super) request: &'a BuildRequest,
    pub(super) cache: &'a Cache,
    /// The name of the step.
    pub(super) step: &'a str,
    /// Layers of the steps that files come from.
    pub(super) layers: &'a dyn Fn(usize) -> Vec<Digest>,
}

impl Maker<'_> {
    /// Makes all mounts of a command, and tells what has to be copied for them; `None` when a cache has to be waited for.
    pub(super) fn make<'m>(
        &self,
        workshop: &mut Workshop,
        all: &'m [Mount],
    ) -> Result<Option<(Mounts, Vec<ShownByMount<'m>>)>, StepError> {
        let (mut out, mut copies) = (Mounts::default(), Vec::new());
        for mount in all {
            out.uncover(&mount.target);
            if !self.add(workshop, mount, &mut out, &mut copies)? {
                return Ok(None);
            }
        }
        Ok(Some((out, copies)))
    }

    fn add<'m>(
        &self,
        workshop: &mut Workshop,
        mount: &'m Mount,
        out: &mut Mounts,
        copies: &mut Vec<ShownByMount<'m>>,
    ) -> Result<bool, StepError> {
        let target = &mount.target;
        match &mount.kind {
            MountKind::Tmpfs { size } => {
                let size = (*size > 0).then(|| format!(",size={size}"));
                let options = format!("exec,dev{}", size.unwrap_or_default());
                out.tmpfs.insert(target.clone(), options);
            }
            MountKind::Secret { id, required, owner, mode, env, is_file } => {
                let Some(secret) = self.request.secrets.get(id) else {
                    return match required {
                        true => Err(StepError::new(format!("secret {id}: not found"))),
                        false => Ok(true),
                    };
                };
                let content = secrets::read(id, secret)?;
                let (uid, gid) = *owner;
                // Without a file it is delivered under a name alone.
                let target = if *is_file { target.clone() } else { format!("secret {id}") };
                let file = DeliveredFile { target, uid, gid, mode: *mode, env: env.clone() };
                out.delivered.push((file, content));
            }
            MountKind::Ssh { id, required, owner, mode } => {
                let named = |entry: &String| entry.starts_with("SSH_AUTH_SOCK=");
                if !out.env.iter().any(named) {
                    out.env.push(format!("SSH_AUTH_SOCK={target}"));
                }
                let Some(agent) = self.request.ssh.get(id) else {
                    return match required {
                        true => Err(StepError::new(format!("unset ssh forward key {id}"))),
                        false => Ok(true),
                    };
                };
                let scratch = workshop.scratch()?;
                let socket = scratch.join("agent");
                out.scratch.push(scratch);
                let owner = (!workshop.one_id()).then_some(*owner);
                let rights = ssh::Rights { owner, mode: *mode };
                let forward = ssh::Forward::start(id, agent, socket, rights)?;
                out.mounts.push(bind(forward.socket(), target, false));
                out.agents.push(forward);
            }
            MountKind::Cache { id, from, sharing, owner, mode, read_only } => {
                let begins = self.begins(from.as_ref(), *owner, *mode);
                let wanted =
                    CacheWanted { id, from: &begins, sharing: *sharing, description: self.step };
                let held = self.cache.hold(wanted);
                let held = held.map_err(|e| StepError::internal("use a cache mount", &e))?;
                let Some(held) = held else { return Ok(false) };
                if let (true, Some((from, source))) = (held.is_new, from) {
                    copies.push(self.copy((from, source), &held.data));
                } else if held.is_new {
                    make_folder(&held.data, *owner, *mode)
                        .map_err(|e| StepError::internal("make a cache mount", &e))?;
                }
                out.mounts.push(bind(&held.data, target, *read_only));
                out.caches.push(held);
            }
            MountKind::Bind { from, source, writable } => {
                let copy = self.bind_from(workshop, (from, source), target, *writable, out)?;
                copies.extend(copy);
            }
        }
        Ok(true)
    }

    /// What tells a cache mount from others of its name: files that it begins with, or whose folder it is.
    fn begins(&self, from: Option<&(From, String)>, (uid, gid): (u32, u32), mode: u32) -> String {
        match from {
            Some((From::Step(step), path)) => {
                let layers = (self.layers)(*step);
                let layers: String = layers.iter().map(|layer| format!("{layer} ")).collect();
                format!("{layers}{path}")
            }
            Some((from, path)) => format!("{from:?} {path}"),
            None if (uid, gid, mode) == (0, 0, CACHE_MODE) => String::new(),
            None => format!("{uid}:{gid} {mode:o}"),
        }
    }

    fn copy<'m>(&self, (from, source): (&'m From, &'m str), target: &Path) -> ShownByMount<'m> {
        let layers = match from {
            From::Step(step) => (self.layers)(*step),
            From::Context(_) | From::Nothing => Vec::new(),
        };
        ShownByMount { from, source, layers, target: target.to_owned() }
    }

    /// Binds files from elsewhere; the copy that has to be made for it.
    fn bind_from<'m>(
        &self,
        workshop: &mut Workshop,
        (from, source): (&'m From, &'m str),
        target: &str,
        writable: bool,
        out: &mut Mounts,
    ) -> Result<Option<ShownByMount<'m>>, StepError> {
        match from {
            From::Step(step) if !writable => {
                let name = format!("step {}", out.images.len());
                let layers = (self.layers)(*step);
                let facts = ImageFacts { layers, ..ImageFacts::default() };
                out.images.insert(name.clone(), facts);
                let subpath = source.trim_start_matches('/').to_owned();
                out.mounts.push(EngineMount {
                    kind: MountType::Image,
                    source: name,
                    target: target.to_owned(),
                    read_only: true,
                    image_options: Some(ImageOptions { subpath }),
                    ..EngineMount::default()
                });
                Ok(None)
            }
            _ => {
                let scratch = workshop.scratch()?;
                let data = scratch.join("data");
                out.scratch.push(scratch);
                out.mounts.push(bind(&data, target, !writable));
                Ok(Some(self.copy((from, source), &data)))
            }
        }
    }
}

impl Mounts {
    /// What was mounted at a place is not seen below what comes after it.
    fn uncover(&mut self, target: &str) {
        self.tmpfs.remove(target);
        self.mounts.retain(|mount| mount.target != target);
        self.delivered.retain(|(file, _)| file.target != target || file.env.is_some());
    }

    /// Scripts that a command names. They are no secrets, and what is in memory alone cannot be executed.
    pub(super) fn add_scripts(
        &mut self,
        workshop: &Workshop,
        scripts: &[(String, std::sync::Arc<str>)],
    ) -> Result<(), StepError> {
        let failed = |error| StepError::internal("write a script", &error);
        for (target, text) in scripts {
            let scratch = workshop.scratch()?;
            let path = scratch.join("script");
            self.scratch.push(scratch);
            fs::write(&path, text.as_bytes()).map_err(failed)?;
            fs::set_permissions(&path, Permissions::from_mode(SCRIPT_MODE)).map_err(failed)?;
            self.mounts.push(bind(&path, target, true));
        }
        Ok(())
    }

    /// Hands the content of files over, before the start.
    pub(super) fn deliver(
        &self,
        engine: &Engine,
        session: &Session,
        id: &str,
    ) -> Result<(), StepError> {
        if self.delivered.is_empty() {
            return Ok(());
        }
        let mut files = Vec::with_capacity(self.delivered.len());
        for (file, content) in &self.delivered {
            files.push(TaskFile { target: &file.target, content });
        }
        Ok(engine.deliver_task(session, id, &files)?)
    }
}

fn bind(source: &Path, target: &str, read_only: bool) -> EngineMount {
    EngineMount {
        kind: MountType::Bind,
        source: source.display().to_string(),
        target: target.to_owned(),
        read_only,
        bind_options: Some(BindOptions::default()),
        ..EngineMount::default()
    }
}

fn make_folder(path: &Path, (uid, gid): (u32, u32), mode: u32) -> std::io::Result<()> {
    let new = path.with_extension("new");
    match fs::create_dir(&new) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    std::os::unix::fs::chown(&new, Some(uid), Some(gid))?;
    rustix::fs::chmod(&new, Mode::from_raw_mode(mode))?;
    match fs::rename(&new, path) {
        // Somebody was faster.
        Err(_) if path.is_dir() => Ok(()),
        made => made,
    }
}

impl std::convert::From<SourceError> for StepError {
    fn from(error: SourceError) -> Self {
        let hint = error.hint();
        let text = error.to_string();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        // Some words have their cause in them.
        let message = match cause.filter(|cause| !text.contains(cause)) {
            Some(cause) => format!("{text}: {cause}"),
            None => text,
        };
        Self { hint, ..Self::new(message) }
    }
}
