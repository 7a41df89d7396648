//! Containers on disk: a record that rarely changes and a state that does.
//!
//! # How it works
//!
//! `container.json` is what was asked for; writing it is what makes a container exist.
//! `state.json` is where its life stands; the monitor writes it while it lives, a command
//! otherwise. `names/NAME` holds the id of the container with that name.
//!
//! Creating, renaming and removing happen under one lock for all containers, held for a
//! moment. Whoever looks at a container and acts on what it saw holds the lock of that
//! container ([`ContainerLock`]); `engine/hold.rs` says when, and in which order.
//!
//! A container that is removed loses its record, then its folder gets a name that says who
//! removes it, and then the folder goes: nobody else touches it while that process lives.
//!
//! Files are replaced by rename. What a user would miss is also synced before the command
//! that made it returns: the record, the first state and the name of a new container, and
//! every later change of a record. A container that removes itself is not: after a power
//! cut it would be gone anyway. Nor are the changes of states: after a power cut nothing
//! runs, an older state says so as well as the last one, and a monitor would wait for the
//! disk at every start. A file system that then leaves an empty file in place of either
//! has made what [`crate::damage`] is for.
//!
//! A record that cannot be read is an error for who names it, and is passed over by lists.
//! Its name stays taken. Only [`Records::forget`] takes it away.
//!
//! # Invariants
//!
//! A folder without `container.json` is debris of a command that died, for whoever makes
//! or unmakes one holds the lock; and so is a name that leads to no folder, or the folder
//! of a remover that does not live. All are swept under the lock.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_image::short_id;
use coracle_sys::process::ProcessId;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

use crate::boot;
use crate::damage::{self, Damaged, Unreadable};
use crate::file_lock::Holder;
use crate::identity::present;
use crate::model::{Container, RECORD_VERSION, State, Status, Timestamp};
use crate::paths::{PathError, Paths, make_private};
use crate::watcher::Watcher;

mod debris;
mod locks;

pub(crate) use locks::ContainerLock;
pub use locks::RecordsLock;

/// What to do when a disk is full.
pub(crate) const DISK_FULL: &str =
    "the disk is full; `coracle system prune` removes what is unused";

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    #[error("No such container: {reference}")]
    NotFound { reference: String },
    #[error("multiple IDs found with provided prefix: {reference}")]
    Ambiguous { reference: String },
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    )]
    NameTaken { name: String, holder: String },
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot understand {path}")]
    Parse { path: PathBuf, source: serde_json::Error },
    #[error("{path} was written by a newer Coracle (format {found}, we know {known})")]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot remove {path}")]
    Remove { path: PathBuf, source: io::Error },
    #[error("container {}: its record cannot be used", short_id(.id))]
    Damaged { id: String, source: Box<RecordError> },
    /// Somebody works on it, and takes long.
    #[error("{what} is being changed by {holder}, which did not finish in {waited_s} s")]
    Busy { what: String, holder: Holder, waited_s: u64 },
    #[error(transparent)]
    Path(#[from] PathError),
}

impl RecordError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { id, source } => Some(cure(id, source)),
            _ => None,
        }
    }
}

/// What can be done about a container whose record cannot be read.
fn cure(id: &str, why: &RecordError) -> String {
    let id = short_id(id);
    let state = |path: &Path| path.file_name().is_some_and(|name| name == "state.json");
    match why {
        RecordError::Newer { .. } => {
            format!("use the newer version for it; `coracle rm -f {id}` removes it")
        }
        RecordError::Parse { path, .. } | RecordError::Read { path, .. } if state(path) => format!(
            "`coracle system check --repair` gives it a new state, `coracle rm -f {id}` removes it"
        ),
        _ => format!("`coracle rm -f {id}` removes it"),
    }
}

/// The exit code of a container that nobody saw end.
const LOST_CODE: i32 = 255;

/// How long the processes of a lost container are waited for.
const ENDING: Duration = Duration::from_secs(2);

/// A process by pid and start time, as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    pub pid: i32,
    pub start_ticks: u64,
}

impl From<ProcessId> for ProcessRecord {
    fn from(id: ProcessId) -> Self {
        Self { pid: id.pid, start_ticks: id.start_ticks }
    }
}

impl From<ProcessRecord> for ProcessId {
    fn from(record: ProcessRecord) -> Self {
        Self { pid: record.pid, start_ticks: record.start_ticks }
    }
}

/// The content of `state.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    pub version: u32,
    pub state: State,
    /// Who watches the container; set while it is meant to run.
    pub monitor: Option<ProcessRecord>,
    /// The container's first process, with its pid outside.
    pub init: Option<ProcessRecord>,
    /// Which boot and pid namespace the processes belong to ([`crate::boot`]).
    pub boot_id: String,
    /// The user stopped it, so `unless-stopped` no longer applies.
    pub stopped_by_user: bool,
    pub restart_count: u32,
    /// A command is to start it again, not before then: its policy applies, and no monitor is
    /// there to do it.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// The cgroup of the container below the cgroup mount, when it has one of its own.
    #[serde(default)]
    pub cgroup: Option<PathBuf>,
    /// What it has of its networks.
    #[serde(default)]
    pub network: crate::model::NetworkState,
}

impl Life {
    /// Whether the processes it names are of this boot and this pid namespace.
    #[must_use]
    pub fn is_of_here(&self) -> bool {
        self.boot_id == boot::this()
    }
}

/// All containers of a data root.
#[derive(Clone, Debug)]
pub struct Records {
    paths: Paths,
}

impl Records {
    /// # Errors
    /// When the folders cannot be made.
    pub fn open(paths: &Paths) -> Result<Self, RecordError> {
        make_private(&paths.containers().join("names"))?;
        Ok(Self { paths: paths.clone() })
    }

    fn name_file(&self, name: &str) -> PathBuf {
        self.paths.containers().join("names").join(name)
    }

    fn record_file(&self, id: &str) -> PathBuf {
        self.paths.container(id).join("container.json")
    }

    /// Whether a container is there. One whose folder or record this user may not read is.
    fn has_record(&self, id: &str) -> bool {
        !matches!(present(fs::symlink_metadata(self.record_file(id))), Ok(None))
    }

    fn life_file(&self, id: &str) -> PathBuf {
        self.paths.container(id).join("state.json")
    }

    /// Makes the container exist. Its folder must have been made by the caller.
    ///
    /// # Errors
    /// [`RecordError::NameTaken`], or when a file cannot be written.
    pub fn create(&self, _lock: &RecordsLock, container: &Container) -> Result<(), RecordError> {
        let sync = sync_of(container);
        self.take_name(&container.name, &container.id, sync)?;
        let path = self.lock_file(&container.id);
        crate::file_lock::open(&path, true)
            .map_err(|errno| RecordError::Write { path, source: errno.into() })?;
        let life = Life { version: RECORD_VERSION, ..Life::default() };
        replace_json(&self.life_file(&container.id), &life, sync)?;
        self.save(container)?;
        if sync == Sync::Yes { sync_folder(&self.paths.containers()) } else { Ok(()) }
    }

    fn take_name(&self, name: &str, id: &str, sync: Sync) -> Result<(), RecordError> {
        match self.holder(name) {
            Some(holder) => Err(RecordError::NameTaken { name: name.to_owned(), holder }),
            None => replace(&self.name_file(name), id.as_bytes(), sync),
        }
    }

    /// The container that has a name, which may be one whose record cannot be read. Where
    /// the file of the name is damaged, the records are asked.
    fn holder(&self, name: &str) -> Option<String> {
        let bytes = fs::read(self.name_file(name)).ok()?;
        match String::from_utf8(bytes) {
            Ok(id) if is_id(&id) => self.has_record(&id).then_some(id),
            _ => self.ids().ok()?.into_iter().find(|id| self.is_called(id, name)),
        }
    }

    /// Whether a record says so, or what is left of it.
    fn is_called(&self, id: &str, name: &str) -> bool {
        match self.load(id) {
            Ok(container) => container.name == name,
            Err(_) => self.salvaged_name(id).is_some_and(|salvaged| salvaged == name),
        }
    }

    /// The name in what is left of a record, or that of the file that leads to it.
    #[must_use]
    pub fn salvaged_name(&self, id: &str) -> Option<String> {
        let bytes = fs::read(self.record_file(id)).unwrap_or_default();
        let salvaged = damage::salvage(&bytes, "name");
        let salvaged = salvaged.filter(|name| crate::names::validate(name).is_ok());
        salvaged.or_else(|| {
            let leads = |name: &String| {
                fs::read_to_string(self.name_file(name)).is_ok_and(|holder| holder == id)
            };
            entries(&self.paths.containers().join("names")).ok()?.into_iter().find(leads)
        })
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// As [`Records::create`].
    pub fn rename(
        &self,
        _lock: &RecordsLock,
        container: &mut Container,
        name: &str,
    ) -> Result<(), RecordError> {
        self.take_name(name, &container.id, sync_of(container))?;
        let old = std::mem::replace(&mut container.name, name.to_owned());
        self.save(container)?;
        self.free_name(&old, &container.id)
    }

    /// Takes a name away from a container, if it is that one's.
    fn free_name(&self, name: &str, id: &str) -> Result<(), RecordError> {
        let path = self.name_file(name);
        match fs::read_to_string(&path) {
            Ok(holder) if holder != id => Ok(()),
            _ => remove_file(&path),
        }
    }

    /// Makes the container cease to exist. Its folder is left to the caller, under the name
    /// that is given back.
    ///
    /// # Errors
    /// [`RecordError::NotFound`] when somebody was faster; or when a file cannot be removed.
    pub(crate) fn forget(
        &self,
        _lock: &RecordsLock,
        container: &Container,
    ) -> Result<PathBuf, RecordError> {
        let id = container.id.as_str();
        self.must_exist(id)?;
        // It may have been renamed since the caller looked.
        let name = self.load(id).map_or_else(|_| container.name.clone(), |found| found.name);
        remove_file(&self.record_file(id))?;
        self.free_name(&name, id)?;
        Ok(self.claim(&self.paths.container(id), id))
    }

    /// The same for a container whose record cannot be read: by its id alone.
    ///
    /// # Errors
    /// [`RecordError::NotFound`] when somebody was faster; or when a file cannot be removed.
    pub(crate) fn forget_damaged(
        &self,
        _lock: &RecordsLock,
        id: &str,
    ) -> Result<PathBuf, RecordError> {
        self.must_exist(id)?;
        let leads = |name: &String| {
            fs::read_to_string(self.name_file(name)).is_ok_and(|holder| holder == id)
        };
        let names = entries(&self.paths.containers().join("names"))?;
        // A damaged name leads nowhere once the record is gone, and is swept.
        remove_file(&self.record_file(id))?;
        names
            .iter()
            .filter(|name| leads(name))
            .try_for_each(|name| remove_file(&self.name_file(name)))?;
        Ok(self.claim(&self.paths.container(id), id))
    }

    /// Whether what is left of a record that cannot be read names this.
    #[must_use]
    pub fn mentions(&self, id: &str, word: &str) -> bool {
        damage::mentions(&self.record_file(id), word)
    }

    /// What is left of a record that a newer version wrote, or that lacks something.
    #[must_use]
    pub fn salvage(&self, id: &str) -> Option<serde_json::Value> {
        serde_json::from_slice(&fs::read(self.record_file(id)).ok()?).ok()
    }

    /// Gives a container another state, when its own cannot be read and is not newer: ended,
    /// nobody knows how. True: it was needed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn renew_life(&self, id: &str) -> Result<bool, RecordError> {
        match self.life(id) {
            Err(RecordError::Damaged { source, .. })
                if !matches!(*source, RecordError::Newer { .. }) => {}
            _ => return Ok(false),
        }
        let mut life = Life { version: RECORD_VERSION, ..Life::default() };
        life.state.status = Status::Exited;
        life.state.exit_code = LOST_CODE;
        "its state was lost".clone_into(&mut life.state.error);
        replace_json(&self.life_file(id), &life, Sync::Yes).map(|()| true)
    }

    /// Writes a changed record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, container: &Container) -> Result<(), RecordError> {
        replace_json(&self.record_file(&container.id), container, sync_of(container))
    }

    /// Writes a changed state.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_life(&self, id: &str, life: &Life) -> Result<(), RecordError> {
        let path = self.life_file(id);
        match replace_json(&path, life, Sync::No) {
            Err(RecordError::Write { source, .. })
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                overwrite_json(&path, life)
            }
            result => result,
        }
    }

    /// # Errors
    /// When there is no such container or it cannot be read.
    pub fn load(&self, id: &str) -> Result<Container, RecordError> {
        let path = self.record_file(id);
        let whole = |container: &Container| {
            // Paths are made of both.
            match crate::names::validate(&container.name) {
                _ if container.id != id => Some("it is the record of another container".to_owned()),
                Err(error) => Some(error.to_string()),
                Ok(()) => None,
            }
        };
        let read =
            read_json::<Container>(&path, id).and_then(|container| match whole(&container) {
                None => Ok(container),
                Some(why) => {
                    Err(RecordError::Parse { path, source: serde_json::Error::custom(why) })
                }
            });
        read.map_err(|error| as_damage(id, error))
    }

    fn read_life(&self, id: &str) -> Result<Life, RecordError> {
        match read_json(&self.life_file(id), id) {
            // The record is removed before the state, and made after it.
            Err(RecordError::NotFound { .. }) if self.record_file(id).exists() => {
                let path = self.life_file(id);
                let source = io::Error::from(io::ErrorKind::NotFound);
                Err(as_damage(id, RecordError::Read { path, source }))
            }
            read => read.map_err(|error| as_damage(id, error)),
        }
    }

    /// Who watches a container; `None` when nobody does, in whatever pid namespace.
    pub(crate) fn watcher(&self, life: &Life) -> Option<Watcher> {
        Watcher::of(&self.paths, life)
    }

    /// Whether a container has a monitor, here or in another pid namespace.
    #[must_use]
    pub fn lives(&self, life: &Life) -> bool {
        self.watcher(life).is_some()
    }

    /// Whether the container is recorded as running while nobody watches it.
    fn is_orphaned(&self, life: &Life) -> bool {
        life.state.status.is_running() && !self.lives(life)
    }

    /// The state as it is: a container whose monitor died is not called running.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn life(&self, id: &str) -> Result<Life, RecordError> {
        let mut life = self.read_life(id)?;
        if self.is_orphaned(&life) {
            // Its monitor may have written the end, and gone, since we read.
            life = self.read_life(id)?;
        }
        if self.is_orphaned(&life) {
            // The kernel is ending its processes; they are not called gone before they are.
            if let Some(init) = life.init.filter(|_| life.is_of_here()) {
                let _gone: bool = ProcessId::from(init).wait_end(ENDING);
            }
            mark_lost(&mut life);
        }
        Ok(life)
    }

    /// The state as it was last written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn life_as_written(&self, id: &str) -> Result<Life, RecordError> {
        self.read_life(id)
    }

    /// All containers that can be read, and those that cannot. In no order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Listing, RecordError> {
        let mut listing = Listing::default();
        for id in self.ids()? {
            match self.load(&id).and_then(|container| Ok((container, self.life(&id)?))) {
                Ok(readable) => listing.readable.push(readable),
                Err(RecordError::Damaged { id, source }) => {
                    listing.damaged.push(DamagedContainer {
                        note: note(&id, &source),
                        is_newer: matches!(*source, RecordError::Newer { .. }),
                        id,
                    });
                }
                // Removed while we looked.
                Err(_) => {}
            }
        }
        Ok(listing)
    }

    /// The ids of all containers, in no order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, RecordError> {
        let mut ids = entries(&self.paths.containers())?;
        ids.retain(|name| is_id(name) && self.has_record(name));
        Ok(ids)
    }

    /// The id that a name, an id or a unique prefix of one stands for.
    ///
    /// # Errors
    /// When it stands for none or for several.
    pub fn find(&self, reference: &str) -> Result<String, RecordError> {
        let name = reference.strip_prefix('/').unwrap_or(reference);
        let not_found = || RecordError::NotFound { reference: reference.to_owned() };
        if is_id(name) && self.has_record(name) {
            return Ok(name.to_owned());
        }
        if !name.is_empty()
            && !name.contains('/')
            && name != "."
            && name != ".."
            && name.len() <= crate::names::NAME_BYTES_MAX
            && let Some(id) = self.holder(name)
        {
            return Ok(id);
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(not_found());
        }
        let mut found = self.ids()?.into_iter().filter(|id| id.starts_with(name));
        let id = found.next().ok_or_else(not_found)?;
        if found.next().is_some() {
            return Err(RecordError::Ambiguous { reference: reference.to_owned() });
        }
        Ok(id)
    }
}

/// What there is.
#[derive(Debug, Default)]
pub struct Listing {
    pub readable: Vec<(Container, Life)>,
    pub damaged: Vec<DamagedContainer>,
}

/// A container whose record or state cannot be read.
#[derive(Debug)]
pub struct DamagedContainer {
    /// All of it.
    pub id: String,
    pub note: Damaged,
    /// A newer version understands it.
    pub is_newer: bool,
}

fn note(id: &str, source: &RecordError) -> Damaged {
    Damaged {
        kind: "container",
        id: short_id(id).to_owned(),
        why: damage::in_one_line(source),
        cure: cure(id, source),
    }
}

/// What is there and cannot be read is damaged; what is not there is not there.
fn as_damage(id: &str, error: RecordError) -> RecordError {
    match error {
        error @ (RecordError::NotFound { .. } | RecordError::Damaged { .. }) => error,
        error => RecordError::Damaged { id: id.to_owned(), source: Box::new(error) },
    }
}

/// The names in a folder.
fn entries(dir: &Path) -> Result<Vec<String>, RecordError> {
    let entries =
        fs::read_dir(dir).map_err(|source| RecordError::Read { path: dir.to_owned(), source })?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// What a container is whose monitor was killed, or ended with the machine: it went with it.
pub fn mark_lost(life: &mut Life) {
    /// The code of a process ended by SIGKILL.
    const KILLED: i32 = 137;
    /// Docker's, for an end that nobody saw.
    const UNSEEN: i32 = 255;
    let (code, why) = match boot::is_over(&life.boot_id) {
        true => (UNSEEN, "the machine was restarted"),
        false => (KILLED, "the container's monitor was killed"),
    };
    if life.state.status != Status::Restarting {
        life.state.exit_code = code;
        life.state.finished_at = crate::clock::now();
    }
    life.state.status = Status::Exited;
    life.state.pid = 0;
    why.clone_into(&mut life.state.error);
    life.monitor = None;
    life.init = None;
    life.network.clear();
}

fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn read_json<T: DeserializeOwned>(path: &Path, id: &str) -> Result<T, RecordError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => RecordError::NotFound { reference: id.to_owned() },
        _ => RecordError::Read { path: path.to_owned(), source },
    })?;
    damage::parse(&bytes, RECORD_VERSION).map_err(|why| match why {
        Unreadable::Parse(source) => RecordError::Parse { path: path.to_owned(), source },
        Unreadable::Newer { found } => {
            RecordError::Newer { path: path.to_owned(), found, known: RECORD_VERSION }
        }
    })
}

fn replace_json(path: &Path, value: &impl Serialize, sync: Sync) -> Result<(), RecordError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|source| RecordError::Parse { path: path.to_owned(), source })?;
    replace(path, &bytes, sync)
}

/// Writes over a file that is there, in the room it has already: on a full disk, how a
/// container ended is worth more than that a crash at this moment leaves the old state.
fn overwrite_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let failed = |source| RecordError::Write { path: path.to_owned(), source };
    let mut bytes = serde_json::to_vec(value)
        .map_err(|source| RecordError::Parse { path: path.to_owned(), source })?;
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    let room = file.metadata().map_err(failed)?.len();
    // Blanks cover the rest of what was there: so there is no moment between two steps.
    bytes.resize(bytes.len().max(usize::try_from(room).unwrap_or(0)), b' ');
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes, 0).map_err(failed)
}

/// How the file names begin of what has no name yet; no container's name does.
const UNNAMED: char = '.';

/// Whether a file must be on the disk before the command that writes it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    Yes,
    No,
}

fn sync_of(container: &Container) -> Sync {
    if container.host_config.auto_remove { Sync::No } else { Sync::Yes }
}

/// Replaces a file in one step: a reader sees the old content or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8], sync: Sync) -> Result<(), RecordError> {
    let failed = |source| RecordError::Write { path: path.to_owned(), source };
    let mut name = OsString::from(UNNAMED.to_string());
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", rustix::process::getpid()));
    let new = path.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut file: File =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        if sync == Sync::Yes {
            file.sync_data()?;
        }
        fs::rename(&new, path)
    };
    write().map_err(|source| {
        drop(fs::remove_file(&new));
        failed(source)
    })?;
    match path.parent() {
        Some(folder) if sync == Sync::Yes => sync_folder(folder),
        _ => Ok(()),
    }
}

/// Has the names in a folder written to the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), RecordError> {
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|source| RecordError::Write { path: folder.to_owned(), source })
}

fn remove_file(path: &Path) -> Result<(), RecordError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(RecordError::Remove { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
