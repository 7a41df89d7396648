//! The volumes of a data root: make, list, find, remove.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags};

use super::record::{RECORD_VERSION, Record};
use super::{ANONYMOUS_LABEL, Filter, Source, Volume, VolumeError, remove_tree, tree_bytes};
use crate::damage::{self, Damaged, Notes, Unreadable};
use crate::file_lock::{self, FileLock};
use crate::model::Timestamp;
use crate::records::{Sync, replace, sync_folder};

/// Names of volumes being made; sorted out of every list by their dot.
const NEW_PREFIX: &str = ".new-";
/// Names of volumes being removed.
const GONE_PREFIX: &str = ".gone-";
/// The longest name: a folder is called so, with a prefix for a moment.
const NAME_BYTES_MAX: usize = 240;
/// Mode of a volume that nothing was copied into, as Docker makes it.
const DATA_MODE: u32 = 0o755;

/// A volume to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateVolume {
    /// `None`: a generated one, and the volume is anonymous.
    pub name: Option<String>,
    /// Empty means `local`.
    pub driver: String,
    pub labels: BTreeMap<String, String>,
    pub options: BTreeMap<String, String>,
    /// It goes with a container that removes itself: its record need not outlive a power cut.
    pub passing: bool,
}

/// What was removed because nobody used it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    pub names: Vec<String>,
    pub bytes: u64,
}

/// All volumes of a data root.
#[derive(Debug, Clone)]
pub struct Volumes {
    dir: PathBuf,
    damage: Notes,
    /// What is made is its own, and nothing else is found.
    owner: Option<String>,
}

/// The lock under which volumes come and go. Whoever writes down that a container uses a
/// volume holds it too, or the volume could be removed in between.
#[derive(Debug)]
pub struct VolumesLock {
    _file: FileLock,
}

impl Volumes {
    /// The volumes in `dir`, which need not exist.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, damage: Notes::default(), owner: None }
    }

    /// The same for a session of the Engine API.
    #[must_use]
    pub fn of(self, owner: Option<&str>) -> Self {
        Self { owner: owner.map(str::to_owned), ..self }
    }

    /// The same, with what cannot be read noted there.
    #[must_use]
    pub fn noting(self, damage: &Notes) -> Self {
        Self { damage: damage.clone(), ..self }
    }

    /// Takes the lock; waits for whoever has it.
    ///
    /// # Errors
    /// When the lock file cannot be opened, or somebody has it for too long.
    pub(crate) fn lock(&self) -> Result<VolumesLock, VolumeError> {
        self.lock_within(file_lock::PATIENCE)
    }

    fn lock_within(&self, patience: Duration) -> Result<VolumesLock, VolumeError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(VolumeError::io("create", &self.dir))?;
        let path = self.dir.join(".lock");
        let file = file_lock::open(&path, true).map_err(VolumeError::io("open", &path))?;
        let taken = file_lock::take(file, patience);
        let file = taken.map_err(VolumeError::lock("the volumes are", &path, patience))?;
        Ok(VolumesLock { _file: file })
    }

    /// Makes a volume, or gives the one that has that name; true: it is new.
    ///
    /// # Errors
    /// For a bad name, driver or option, and when it cannot be written.
    pub(crate) fn create(&self, request: CreateVolume) -> Result<(Volume, bool), VolumeError> {
        let lock = self.lock()?;
        self.create_locked(&lock, request)
    }

    /// As [`Volumes::create`] under a lock that the caller has.
    ///
    /// # Errors
    /// As [`Volumes::create`].
    pub(crate) fn create_locked(
        &self,
        _lock: &VolumesLock,
        request: CreateVolume,
    ) -> Result<(Volume, bool), VolumeError> {
        let CreateVolume { name, driver, mut labels, options, passing } = request;
        let name = match name.filter(|name| !name.is_empty()) {
            Some(name) => name,
            None => {
                labels.insert(ANONYMOUS_LABEL.to_owned(), String::new());
                generate_name().map_err(VolumeError::io("name a volume in", &self.dir))?
            }
        };
        check_name(&name)?;
        if !driver.is_empty() && driver != "local" {
            return Err(VolumeError::UnknownDriver { name, driver });
        }
        match self.any(&name) {
            Err(VolumeError::NotFound { .. }) => {}
            Ok(found) if self.is_own(&found) => return Ok((found, false)),
            Ok(_) => return Err(VolumeError::OfOthers { name }),
            Err(error) => return Err(error),
        }
        Source::parse(&name, Some(&options))?;
        self.sweep();
        let record = Record {
            version: RECORD_VERSION,
            created: crate::clock::now(),
            driver: "local".to_owned(),
            labels: Some(labels).filter(|labels| !labels.is_empty()),
            options: Some(options).filter(|options| !options.is_empty()),
            owner: self.owner.clone(),
        };
        let new = self.dir.join(format!("{NEW_PREFIX}{name}"));
        let folder = self.dir.join(&name);
        let made = assemble(&new, &record, !passing).and_then(|()| {
            rustix::fs::renameat_with(CWD, &new, CWD, &folder, RenameFlags::NOREPLACE)
                .map_err(VolumeError::io("create", &folder))?;
            if passing { Ok(()) } else { sync(&self.dir) }
        });
        if let Err(error) = made {
            remove_tree(&new).ok();
            return Err(error);
        }
        Ok((Volume::from_record(&name, &folder, record)?, true))
    }

    /// The volume of that name.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn get(&self, name: &str) -> Result<Volume, VolumeError> {
        match self.any(name)? {
            found if self.is_own(&found) => Ok(found),
            _ => Err(VolumeError::NotFound { name: name.to_owned() }),
        }
    }

    fn is_own(&self, volume: &Volume) -> bool {
        self.owner.is_none() || volume.owner == self.owner
    }

    /// The volume of that name, whoever made it.
    fn any(&self, name: &str) -> Result<Volume, VolumeError> {
        let not_found = || VolumeError::NotFound { name: name.to_owned() };
        check_name(name).map_err(|_| not_found())?;
        let folder = self.dir.join(name);
        let read = read_record(&folder.join("volume.json"));
        match read
            .and_then(|record| record.map(|it| Volume::from_record(name, &folder, it)).transpose())
        {
            Ok(Some(found)) => Ok(found),
            // Volumes come and go whole: one without a record has lost it.
            Ok(None) if folder.join("_data").is_dir() => {
                let path = folder.join("volume.json");
                let source =
                    VolumeError::io("read", path)(io::Error::from(io::ErrorKind::NotFound));
                Err(VolumeError::Damaged { name: name.to_owned(), source: Box::new(source) })
            }
            Ok(None) => Err(not_found()),
            Err(source) => {
                Err(VolumeError::Damaged { name: name.to_owned(), source: Box::new(source) })
            }
        }
    }

    /// All volumes in natural order of names; one that cannot be read is noted.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self) -> Result<Vec<Volume>, VolumeError> {
        let mut found = Vec::new();
        for name in self.names()? {
            match self.get(&name) {
                Ok(volume) => found.push(volume),
                Err(error) => error.note().into_iter().for_each(|note| self.damage.note(note)),
            }
        }
        found.sort_by(|a, b| natural(&a.name).cmp(&natural(&b.name)));
        Ok(found)
    }

    /// The names of all volumes, and why some cannot be read.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn damaged(&self) -> Result<Vec<Damaged>, VolumeError> {
        let names = self.names()?;
        Ok(names.iter().filter_map(|name| self.get(name).err()?.note()).collect())
    }

    /// Makes the record of a volume anew, when its own cannot be read and is not newer. Its
    /// data stays; labels and options are lost. True: it was needed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn renew(&self, name: &str) -> Result<bool, VolumeError> {
        let _lock = self.lock()?;
        match self.get(name) {
            Err(VolumeError::Damaged { source, .. })
                if !matches!(*source, VolumeError::Newer { .. }) => {}
            _ => return Ok(false),
        }
        let record = Record {
            version: RECORD_VERSION,
            created: crate::clock::now(),
            driver: "local".to_owned(),
            labels: None,
            options: None,
            owner: None,
        };
        let path = self.dir.join(name).join("volume.json");
        let bytes = serde_json::to_vec(&record)
            .map_err(|source| VolumeError::Parse { path: path.clone(), source })?;
        replace(&path, &bytes, Sync::Yes)
            .map_err(io::Error::other)
            .map_err(VolumeError::io("write", &path))?;
        Ok(true)
    }

    /// Removes a volume; false: there was none, which only `force` allows.
    ///
    /// `users` gives the ids of the containers that use it; `list` is the lock under which
    /// containers are made, so that none is meanwhile.
    ///
    /// # Errors
    /// When it is in use or absent, or cannot be removed.
    pub(crate) fn remove<L>(
        &self,
        list: L,
        name: &str,
        force: bool,
        users: impl FnOnce(&Volume) -> Vec<String>,
    ) -> Result<bool, VolumeError> {
        let lock = self.lock()?;
        let (volume, damaged) = match self.get(name) {
            Err(VolumeError::NotFound { .. }) if force => return Ok(false),
            Err(VolumeError::Damaged { .. }) if force => (self.what_is_left(name), true),
            found => (found?, false),
        };
        let users = users(&volume);
        if !users.is_empty() {
            return Err(VolumeError::InUse { name: name.to_owned(), users });
        }
        if damaged {
            super::attach::unmount(&volume)?;
        }
        let gone = self.take_away(&lock, &volume)?;
        drop((lock, list));
        remove_tree(&gone)?;
        Ok(true)
    }

    fn what_is_left(&self, name: &str) -> Volume {
        let (created, data) = (Timestamp::ZERO, self.dir.join(name).join("_data"));
        Volume { name: name.to_owned(), created, labels: None, options: None, data, owner: None }
    }

    /// Removes volumes that nobody uses: anonymous ones, or `all`; `list` as above.
    ///
    /// # Errors
    /// When one cannot be removed; those before it are gone.
    pub(crate) fn prune<L>(
        &self,
        list: L,
        all: bool,
        filter: &Filter,
        mut is_used: impl FnMut(&Volume) -> bool,
    ) -> Result<Pruned, VolumeError> {
        let lock = self.lock()?;
        self.sweep();
        let mut pruned = Pruned::default();
        let mut gone = Vec::new();
        for volume in self.list()? {
            let wanted = (all || filter.all() || volume.is_anonymous())
                && filter.matches(&volume, || false)
                && !is_used(&volume);
            if wanted {
                pruned.bytes += tree_bytes(&volume.data);
                gone.push(self.take_away(&lock, &volume)?);
                pruned.names.push(volume.name);
            }
        }
        drop((lock, list));
        gone.iter().try_for_each(|path| remove_tree(path))?;
        Ok(pruned)
    }

    /// Renames a volume so that it no longer exists; returns where it lies now.
    fn take_away(&self, _lock: &VolumesLock, volume: &Volume) -> Result<PathBuf, VolumeError> {
        super::attach::detach(volume)?;
        let folder = self.dir.join(&volume.name);
        let gone = self.dir.join(format!("{GONE_PREFIX}{}", volume.name));
        remove_tree(&gone)?;
        fs::rename(&folder, &gone).map_err(VolumeError::io("remove", &folder))?;
        Ok(gone)
    }

    fn names(&self) -> Result<Vec<String>, VolumeError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            outcome => outcome.map_err(VolumeError::io("list", &self.dir))?,
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.collect())
    }

    /// Removes what killed commands left. Needs the lock; best effort.
    fn sweep(&self) {
        for name in self.names().unwrap_or_default() {
            if name.starts_with(NEW_PREFIX) || name.starts_with(GONE_PREFIX) {
                // A failure shows again when the volume itself is dealt with.
                remove_tree(&self.dir.join(name)).ok();
            }
        }
    }
}

fn check_name(name: &str) -> Result<(), VolumeError> {
    let mut bytes = name.bytes();
    if name.len() > NAME_BYTES_MAX {
        let name = name.chars().take(32).collect();
        return Err(VolumeError::LongName { name, limit: NAME_BYTES_MAX });
    }
    if name.len() == 1 {
        return Err(VolumeError::ShortName { name: name.to_owned() });
    }
    let valid = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if valid { Ok(()) } else { Err(VolumeError::InvalidName { name: name.to_owned() }) }
}

fn generate_name() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hex::encode(bytes))
}

/// Makes the folder of a volume at `new`.
fn assemble(new: &Path, record: &Record, synced: bool) -> Result<(), VolumeError> {
    let data = new.join("_data");
    DirBuilder::new().mode(0o700).create(new).map_err(VolumeError::io("create", new))?;
    fs::create_dir(&data).map_err(VolumeError::io("create", &data))?;
    // Whatever the umask is.
    fs::set_permissions(&data, Permissions::from_mode(DATA_MODE))
        .map_err(VolumeError::io("create", &data))?;
    let path = new.join("volume.json");
    let bytes = serde_json::to_vec(record)
        .map_err(|source| VolumeError::Parse { path: path.clone(), source })?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(&bytes)?;
            if synced { file.sync_data() } else { Ok(()) }
        })
        .map_err(VolumeError::io("write", &path))?;
    if synced { sync(new) } else { Ok(()) }
}

/// Has the names in a folder written to the disk.
fn sync(folder: &Path) -> Result<(), VolumeError> {
    sync_folder(folder).map_err(io::Error::other).map_err(VolumeError::io("write", folder))
}

/// `None`: there is no such file.
fn read_record(path: &Path) -> Result<Option<Record>, VolumeError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        outcome => outcome.map_err(VolumeError::io("read", path))?,
    };
    damage::parse(&bytes, RECORD_VERSION).map(Some).map_err(|why| match why {
        Unreadable::Parse(source) => VolumeError::Parse { path: path.to_owned(), source },
        Unreadable::Newer { found } => {
            VolumeError::Newer { path: path.to_owned(), found, known: RECORD_VERSION }
        }
    })
}

/// A key that sorts numbers inside names by their value.
fn natural(name: &str) -> Vec<(u128, &str)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text_end = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let (text, tail) = rest.split_at(text_end);
        let digits_end = tail.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(tail.len());
        let (digits, tail) = tail.split_at(digits_end);
        // Text first: `a` before `a1`; a number before any text.
        if !text.is_empty() {
            key.push((u128::MAX, text));
        }
        if !digits.is_empty() {
            key.push((digits.parse().unwrap_or(u128::MAX - 1), digits));
        }
        rest = tail;
    }
    key
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{CreateVolume, Filter, Volume, Volumes, natural};

    fn named(name: &str) -> CreateVolume {
        CreateVolume { name: Some(name.to_owned()), ..CreateVolume::default() }
    }

    fn complaint(volumes: &Volumes, request: CreateVolume) -> String {
        volumes.create(request).unwrap_err().to_string()
    }

    /// Names below the directory of all volumes, the lock aside.
    fn entries(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != ".lock")
            .collect();
        names.sort();
        names
    }

    #[test]
    fn creating_twice_is_fine() {
        let temp = tempfile::tempdir().unwrap();
        let volumes = Volumes::new(temp.path().join("volumes"));
        let labels: BTreeMap<_, _> = [("a".to_owned(), "b".to_owned())].into();
        let request = CreateVolume { labels: labels.clone(), ..named("v1") };
        let (volume, is_new) = volumes.create(request).unwrap();
        assert!(is_new);
        assert_eq!(volume.labels, Some(labels));
        let meta = fs::metadata(temp.path().join("volumes/v1/_data")).unwrap();
        assert_eq!(meta.permissions().mode() & 0o7777, 0o755);
        assert_eq!(volumes.create(named("v1")).unwrap(), (volume.clone(), false));
        assert_eq!(volumes.get("v1").unwrap(), volume);
        assert_eq!(entries(&temp.path().join("volumes")), ["v1"]);
    }

    #[test]
    fn bad_requests_in_dockers_words() {
        let temp = tempfile::tempdir().unwrap();
        let volumes = Volumes::new(temp.path().to_owned());
        assert_eq!(
            complaint(&volumes, named("bad/name")),
            "create bad/name: \"bad/name\" includes invalid characters for a local volume name, \
             only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host \
             directory, use absolute path"
        );
        assert_eq!(
            complaint(&volumes, named("x")),
            "create x: volume name is too short, names should be at least two alphanumeric \
             characters"
        );
        assert_eq!(
            complaint(&volumes, CreateVolume { driver: "nosuch".to_owned(), ..named("vv") }),
            "create vv: error looking up volume plugin nosuch: plugin \"nosuch\" not found"
        );
        for name in ["nosuch", "../x", ".lock", ""] {
            let error = volumes.get(name).unwrap_err().to_string();
            assert_eq!(error, format!("get {name}: no such volume"));
        }
        assert_eq!(entries(temp.path()), [""; 0]);
    }

    #[test]
    fn whoever_holds_the_volumes_for_long_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let volumes = Volumes::new(temp.path().to_owned());
        let held = volumes.lock().unwrap();
        let error = volumes.lock_within(std::time::Duration::from_millis(5)).unwrap_err();
        let me = std::process::id();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("the volumes are being changed by process {me} (")),
            "{text}"
        );
        assert!(text.ends_with(", which did not finish in 0 s"), "{text}");
        drop(held);
        drop(volumes.lock().unwrap());
    }

    #[test]
    fn volumes_in_use_stay() {
        let temp = tempfile::tempdir().unwrap();
        let volumes = Volumes::new(temp.path().to_owned());
        volumes.create(named("cpy")).unwrap();
        for force in [false, true] {
            let error = volumes.remove((), "cpy", force, |_| vec!["86c5".to_owned()]).unwrap_err();
            assert_eq!(error.to_string(), "remove cpy: volume is in use - [86c5]");
        }
        assert!(volumes.remove((), "cpy", false, |_| Vec::new()).unwrap());
        assert_eq!(entries(temp.path()), [""; 0]);
        let error = volumes.remove((), "cpy", false, |_| Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "get cpy: no such volume");
        assert!(!volumes.remove((), "cpy", true, |_| Vec::new()).unwrap());
    }

    #[test]
    fn pruning_takes_anonymous_ones_unless_told() {
        let temp = tempfile::tempdir().unwrap();
        let volumes = Volumes::new(temp.path().to_owned());
        let (anonymous, _) = volumes.create(CreateVolume::default()).unwrap();
        assert_eq!(anonymous.name.len(), 64);
        for name in ["named1", "used"] {
            volumes.create(named(name)).unwrap();
        }
        fs::write(anonymous.data.join("file"), "1234567").unwrap();
        let is_used = |volume: &Volume| volume.name == "used";
        let pruned = volumes.prune((), false, &Filter::default(), is_used).unwrap();
        assert_eq!((pruned.names, pruned.bytes), (vec![anonymous.name], 7));
        let pruned = volumes.prune((), true, &Filter::default(), is_used).unwrap();
        assert_eq!(pruned.names, ["named1"]);
        assert_eq!(entries(temp.path()), ["used"]);
    }

    #[test]
    fn what_a_killed_command_left_is_swept() {
        let temp = tempfile::tempdir().unwrap();
        let volumes = Volumes::new(temp.path().to_owned());
        for name in [".new-v1", ".gone-v2"] {
            fs::create_dir_all(temp.path().join(name).join("_data/x")).unwrap();
        }
        assert_eq!(volumes.list().unwrap(), []);
        volumes.create(named("v1")).unwrap();
        assert_eq!(entries(temp.path()), ["v1"]);
    }

    #[test]
    fn natural_order() {
        let mut names = ["v10", "v2", "v", "named1", "222958c4", "6e158047", "cpy"];
        names.sort_by(|a, b| natural(a).cmp(&natural(b)));
        assert_eq!(names, ["6e158047", "222958c4", "cpy", "named1", "v", "v2", "v10"]);
    }
}
