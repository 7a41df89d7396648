//! Where steps are carried out: a home of its own in the data root, entered when the first step must be.
//!
//! # How it works
//!
//! `builder/` is a home like the user's, with the layers of his images: steps are its containers, and nobody else sees
//! them. `builder/builds/PID-START` is locked while a build lives. What builds left that died is removed by the next one that
//! enters; their folders also by whoever prunes the cache.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use coracle_image::{Digest, Store, StoreOptions};
use coracle_runtime::engine::{KeptHelper, RemoveOptions};
use coracle_runtime::paths::make_private;
use coracle_runtime::session::Session;
use coracle_runtime::volumes::remove_tree;
use coracle_runtime::{Engine, Home, HomeSettings, Storage};
use coracle_sys::process::ProcessId;
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use super::error::StepError;

/// The folder of the builder in a data root.
pub(super) const FOLDER: &str = "builder";
/// What the record of a container says of its build.
const BUILD: &str = "build";

/// A build home that was entered.
#[derive(Debug)]
pub(super) struct Workshop {
    home: Home,
    /// That of the images, as it is used in the namespaces.
    pub(super) store: Store,
    layers: PathBuf,
    build: String,
    scratches: Cell<u64>,
    /// The network helper, from the first command on that uses it.
    helper: Option<KeptHelper>,
    mark: PathBuf,
    _lock: File,
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What children left that were killed.
        for (folder, build) in steps(&self.home.settings().data_root) {
            if build.as_deref() == Some(&self.build) {
                drop(remove_tree(&folder));
            }
        }
        // One that stays is nobody's, and goes when the next build sweeps.
        drop(fs::remove_file(&self.mark));
    }
}

impl Workshop {
    /// Enters the namespaces; `user` is the home of the images.
    pub(super) fn enter(user: &Home) -> Result<Self, StepError> {
        let data = user.settings().data_root.clone();
        let own = data.join(FOLDER);
        let layers = data.join("layers");
        let settings = HomeSettings {
            data_root: own.clone(),
            layers: Some(layers.clone()),
            ..user.settings().clone()
        };
        let mut home = Home::new(settings);
        let here = std::env::current_dir();
        let engine = home.engine()?;
        let mut session = engine.enter(true)?;
        session.let_others_in();
        if let Ok(here) = here {
            // A folder that is gone by now is missed by whoever names a relative path.
            std::env::set_current_dir(here).unwrap_or_default();
        }
        if engine.needs_recovery() {
            // What is left is no part of this build; the sweep below meets it again.
            drop(engine.recover(&mut session, &|_| false));
        }
        let one_id = session.single_id;
        home.keep(session);
        let store = Store::open(&data, StoreOptions { one_id })?;
        let me = ProcessId::current();
        let build = format!("{}-{}", me.pid, me.start_ticks);
        let mark = own.join("builds").join(&build);
        let lock = leave_mark(&mark).map_err(|e| StepError::internal("mark the build", &e))?;
        let scratches = Cell::new(0);
        let mut workshop =
            Self { home, store, layers, build, scratches, helper: None, mark, _lock: lock };
        workshop.sweep()?;
        Ok(workshop)
    }

    pub(super) fn engine(&mut self) -> Result<(&Engine, &mut Session), StepError> {
        Ok(self.home.engine_in_session()?)
    }

    /// Keeps the network helper that a command has, for those that come after it.
    pub(super) fn keep_helper(&mut self) -> Result<(), StepError> {
        if !self.helper.as_ref().is_some_and(KeptHelper::is_alive) {
            self.helper = self.engine()?.0.keep_helper();
        }
        Ok(())
    }

    pub(super) fn storage(&self) -> Storage {
        self.home.settings().storage
    }

    /// What the record of a container of this build has.
    pub(super) fn origin(&self) -> Value {
        json!({ BUILD: self.build })
    }

    /// Only one id is mapped.
    pub(super) fn one_id(&self) -> bool {
        self.home.one_id()
    }

    /// A new folder of this process, on the file system of the layers.
    pub(super) fn scratch(&self) -> Result<Scratch, StepError> {
        let number = self.scratches.get();
        self.scratches.set(number + 1);
        // A child goes on counting where its parent was.
        let name = format!("{}.{}.{number}", self.build, std::process::id());
        let path = self.home.settings().data_root.join("steps").join(name);
        make_private(&path).map_err(|error| StepError::internal("make a folder", &error))?;
        Ok(Scratch(path))
    }

    /// The folders of layers, lowest first.
    pub(super) fn folders(&self, layers: &[Digest]) -> Vec<PathBuf> {
        layers.iter().map(|layer| self.layers.join(layer.hex()).join("diff")).collect()
    }

    /// Removes the containers of builds that died.
    fn sweep(&mut self) -> Result<(), StepError> {
        let builds = self.home.settings().data_root.join("builds");
        let (engine, session) = self.home.engine_in_session()?;
        let options = RemoveOptions { force: true, volumes: true };
        for id in engine.records.ids().unwrap_or_default() {
            let origin = engine.records.load(&id).map(|container| container.origin);
            let build = origin.ok().and_then(|it| Some(it.get(BUILD)?.as_str()?.to_owned()));
            if build.is_none_or(|build| !is_alive(&builds, &build)) {
                // What cannot be removed now is met again by the next build.
                drop(engine.remove(session, &id, options));
            }
        }
        sweep_folders(&self.home.settings().data_root);
        Ok(())
    }
}

/// A folder that goes when nobody has this any more.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl std::ops::Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays goes with what is left of the build.
        drop(remove_tree(&self.0));
    }
}

/// Removes what builds in the data root `data` have left that died. Whoever calls has entered the namespaces.
pub(super) fn sweep_steps(data: &Path) {
    let own = data.join(FOLDER);
    sweep_containers(&own);
    sweep_folders(&own);
}

/// Removes the folders of containers, where no build lives.
fn sweep_containers(own: &Path) {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    // Listed before builds are asked: each leaves its mark before its first container.
    let containers = own.join("containers");
    let mut found = entries(&containers.join("names"));
    found.extend(entries(&containers).into_iter().filter(|path| !path.ends_with("names")));
    let builds = own.join("builds");
    let mut marks = entries(&builds).into_iter();
    if marks.any(|mark| mark.file_name().is_some_and(|it| is_alive(&builds, &it.to_string_lossy())))
    {
        return;
    }
    for path in found.iter().filter(|path| !path.ends_with("lock")) {
        // What stays goes with the next build.
        drop(remove_tree(path));
    }
}

fn sweep_folders(own: &Path) {
    let builds = own.join("builds");
    for (folder, build) in steps(own) {
        if build.is_none_or(|build| !is_alive(&builds, &build)) {
            drop(remove_tree(&folder));
        }
    }
    for entry in fs::read_dir(&builds).into_iter().flatten().flatten() {
        let Ok(file) = File::open(entry.path()) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // While it is ours: a build that comes sees that it is gone.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// Folders of steps, and their builds.
fn steps(own: &Path) -> Vec<(PathBuf, Option<String>)> {
    let entries = fs::read_dir(own.join("steps")).into_iter().flatten().flatten();
    let build = |name: &str| name.split('.').next().map(str::to_owned);
    entries.map(|entry| (entry.path(), entry.file_name().to_str().and_then(build))).collect()
}

fn leave_mark(mark: &Path) -> std::io::Result<File> {
    if let Some(folder) = mark.parent() {
        make_private(folder).map_err(std::io::Error::other)?;
    }
    loop {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(mark)?;
        flock(&file, FlockOperation::LockExclusive)?;
        // Whoever sweeps may have removed it before it was locked.
        let ours = file.metadata()?;
        if fs::metadata(mark).is_ok_and(|there| there.ino() == ours.ino()) {
            return Ok(file);
        }
    }
}

/// Whether the process of a build lives: it has its mark locked.
fn is_alive(builds: &Path, build: &str) -> bool {
    if build.contains('/') {
        return false;
    }
    let Ok(file) = File::open(builds.join(build)) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_builds_that_died_are_swept() {
        let temp = tempfile::tempdir().unwrap();
        let own = temp.path().join(FOLDER);
        let alive = leave_mark(&own.join("builds/1-1")).unwrap();
        drop(leave_mark(&own.join("builds/2-2")).unwrap());
        for name in ["1-1.7.0", "2-2.7.0", "3-3.7.1"] {
            fs::create_dir_all(own.join("steps").join(name).join("root")).unwrap();
        }
        let container = own.join("containers/c");
        fs::create_dir_all(container.join("upper")).unwrap();
        sweep_steps(temp.path());
        assert!(container.exists(), "a build lives");
        let left: Vec<_> = steps(&own).into_iter().map(|(_, build)| build).collect();
        assert_eq!(left, [Some("1-1".to_owned())]);
        assert!(own.join("builds/1-1").exists() && !own.join("builds/2-2").exists());
        drop(alive);
        sweep_steps(temp.path());
        assert!(steps(&own).is_empty() && !own.join("builds/1-1").exists());
        assert!(!container.exists());
    }
}
