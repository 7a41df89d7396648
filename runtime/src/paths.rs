//! Where things lie: the data root that stays, and in it the runtime folder of what runs now.
//!
//! ```text
//! data/  containers/ID/{container.json,state.json,lock,upper/,work/,hosts,…}
//!        volumes/NAME/{_data/,volume.json}      events.jsonl
//!        networks/{ID.json,predefined.json,lock}
//!        run/BOOT.PIDNS/                        of this boot and this pid namespace:
//!            ns/PID-START            a process that holds the user's namespaces; it locks it
//!            net/{netd.sock,lock}    where the network helper listens
//!            c/ID12/control.sock     what others ask of a container
//!            inside/                 a tmpfs that only those in the namespaces see:
//!                c/ID12/{merged/,oci/,config.json,shm/,…}      secrets/
//! ```

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::{boot, runtime_folder};

/// Why a directory of ours cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    #[error("cannot create {path}")]
    Create { path: PathBuf, source: io::Error },
    #[error("cannot close {path} to others")]
    Close { path: PathBuf, source: io::Error },
    #[error("{path} belongs to user {owner}, and this is user {}", rustix::process::geteuid().as_raw())]
    ForeignOwner { path: PathBuf, owner: u32 },
    #[error("{path} may be {} by others (mode {mode:o})", if .mode & 0o022 != 0 { "written" } else { "read" })]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("{path} is not a directory")]
    NotADirectory { path: PathBuf },
}

impl PathError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Create { path, .. } => Some(match foreign_owner(path) {
                Some((folder, owner)) => format!(
                    "{} belongs to user {owner}: `sudo` and `su` may have kept HOME; CORACLE_DATA_ROOT \
                     names another place",
                    folder.display()
                ),
                None => "the home directory must be writable; CORACLE_DATA_ROOT names another place"
                    .to_owned(),
            }),
            Self::Close { .. } => None,
            Self::OpenToOthers { path, .. } => {
                Some(format!("run `chmod go-rwx {}`", path.display()))
            }
            Self::ForeignOwner { .. } => Some(
                "every user has a store of their own: run this as that user, or set CORACLE_DATA_ROOT to \
                 a folder of yours (`sudo` and `su` may have kept yours or theirs)"
                    .to_owned(),
            ),
            Self::NotADirectory { .. } => {
                Some("set CORACLE_DATA_ROOT to a folder of your own".to_owned())
            }
        }
    }
}

/// The folder that stands in the way of making `path`, if it is another user's.
fn foreign_owner(path: &Path) -> Option<(&Path, u32)> {
    let there = |folder: &&Path| fs::metadata(folder).is_ok();
    let folder = path.ancestors().skip(1).find(there)?;
    let owner = fs::metadata(folder).ok()?.uid();
    let ours = [0, rustix::process::geteuid().as_raw()];
    (!ours.contains(&owner)).then_some((folder, owner))
}

/// The data root and the runtime folder, and every path below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub data: PathBuf,
    /// Of this boot and this pid namespace.
    pub run: PathBuf,
}

/// The length of the id in names of runtime directories: sockets have 108 bytes of path.
const SHORT_ID: usize = 12;

impl Paths {
    /// Makes the data root and the place for runtime folders, private to the user; `uid` is
    /// who must own them.
    ///
    /// # Errors
    /// When one cannot be made, or belongs to somebody else.
    pub fn create(data: PathBuf, uid: u32) -> Result<Self, PathError> {
        make_private(&data)?;
        let meta = fs::metadata(&data)
            .map_err(|source| PathError::Create { path: data.clone(), source })?;
        check(&data, &meta, uid, 0o022)?;
        if meta.mode() & 0o077 != 0 {
            close(&data)?;
        }
        let run = runtime_folder::open(&data, uid)?.join(boot::this());
        Ok(Self { data, run })
    }

    /// The same with the runtime folder of another boot or pid namespace; `None` when `mark`,
    /// which a file may say, is none.
    pub(crate) fn at(&self, mark: &str) -> Option<Self> {
        let run = self.run.with_file_name(boot::is_mark(mark).then_some(mark)?);
        Some(Self { data: self.data.clone(), run })
    }

    /// The boots and pid namespaces that have a runtime folder.
    pub(crate) fn boots(&self) -> Vec<String> {
        let entries = self.run.parent().and_then(|base| fs::read_dir(base).ok());
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        names
            .filter_map(|name| name.into_string().ok())
            .filter(|name| boot::is_mark(name))
            .collect()
    }

    /// The same with each runtime folder in which something may live now.
    pub(crate) fn of_this_boot(&self) -> impl Iterator<Item = Self> + '_ {
        let marks = self.boots().into_iter().filter(|mark| !boot::is_over(mark));
        marks.filter_map(|mark| self.at(&mark))
    }

    #[must_use]
    pub fn containers(&self) -> PathBuf {
        self.data.join("containers")
    }

    #[must_use]
    pub fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    #[must_use]
    pub fn volumes(&self) -> PathBuf {
        self.data.join("volumes")
    }

    #[must_use]
    pub fn volume(&self, name: &str) -> PathBuf {
        self.volumes().join(name)
    }

    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.data.join("events.jsonl")
    }

    /// The records of networks.
    #[must_use]
    pub fn networks(&self) -> PathBuf {
        self.data.join("networks")
    }

    /// Where the network helper listens.
    #[must_use]
    pub fn network(&self) -> PathBuf {
        self.run.join("net")
    }

    /// The container's log, named as Docker names it.
    #[must_use]
    pub fn log(&self, id: &str) -> PathBuf {
        self.container(id).join(format!("{id}-json.log"))
    }

    #[must_use]
    pub fn holders(&self) -> PathBuf {
        self.run.join("ns")
    }

    #[must_use]
    pub fn running(&self, id: &str) -> PathBuf {
        self.run.join("c").join(id.get(..SHORT_ID).unwrap_or(id))
    }

    /// The folder that is in memory, and another one in each mount namespace of ours.
    #[must_use]
    pub fn inside(&self) -> PathBuf {
        self.run.join("inside")
    }

    /// Files that must not lie on a disk.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.inside().join("secrets")
    }

    /// What only a container's monitor and those in its namespaces use.
    #[must_use]
    pub fn bundle(&self, id: &str) -> PathBuf {
        self.inside().join("c").join(id.get(..SHORT_ID).unwrap_or(id))
    }

    /// Where the root filesystem of a running container is mounted.
    #[must_use]
    pub fn merged(&self, id: &str) -> PathBuf {
        self.bundle(id).join("merged")
    }

    /// The socket on which a monitor takes requests.
    #[must_use]
    pub fn control(&self, id: &str) -> PathBuf {
        self.running(id).join("control.sock")
    }
}

/// Whether a login session's folder is the user's own: others could swap what is below a
/// folder that they may write, or a link that is theirs.
///
/// # Errors
/// Why it must not be used, as it is said of the folder.
pub fn check_session_folder(folder: &Path, uid: u32) -> Result<(), String> {
    let meta = fs::symlink_metadata(folder).map_err(|error| format!("is not there: {error}"))?;
    if !meta.is_dir() {
        return Err("is not a directory".to_owned());
    }
    if meta.uid() != uid {
        return Err(format!("belongs to user {}", meta.uid()));
    }
    match meta.mode() & 0o7777 {
        mode if mode & 0o022 != 0 => Err(format!("may be written by others (mode {mode:o})")),
        _ => Ok(()),
    }
}

/// Connects to the socket `name` in `folder`, however long the path of the folder is.
///
/// # Errors
/// As `open(2)` and `connect(2)`.
pub(crate) fn connect(folder: &Path, name: &str) -> io::Result<UnixStream> {
    let folder = rustix::fs::open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    UnixStream::connect(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
}

/// Refuses a directory of ours that somebody else made or may use.
pub(crate) fn check(
    path: &Path,
    meta: &fs::Metadata,
    uid: u32,
    closed: u32,
) -> Result<(), PathError> {
    let path = path.to_owned();
    if meta.uid() != uid {
        return Err(PathError::ForeignOwner { path, owner: meta.uid() });
    }
    if !meta.is_dir() {
        return Err(PathError::NotADirectory { path });
    }
    let mode = meta.mode() & 0o7777;
    if mode & closed != 0 {
        return Err(PathError::OpenToOthers { path, mode });
    }
    Ok(())
}

/// Closes to others what is in a data root that they may enter: set-user-id programs of layers
/// are to be reached by nobody, and files of volumes by containers alone.
fn close(data: &Path) -> Result<(), PathError> {
    for name in ["blobs", "layers", "tmp", "containers", "volumes", "networks"] {
        let path = data.join(name);
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if meta.is_dir() && meta.mode() & 0o077 != 0 {
            fs::set_permissions(&path, Permissions::from_mode(0o700))
                .map_err(|source| PathError::Close { path, source })?;
        }
    }
    Ok(())
}

/// Creates `path` and its parents; what is new is readable by the user alone.
///
/// # Errors
/// As `mkdir(2)`.
pub fn make_private(path: &Path) -> Result<(), PathError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| PathError::Create { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_folder_is_of_this_boot() {
        let temp = tempfile::tempdir().unwrap();
        let uid = fs::metadata(temp.path()).unwrap().uid();
        let paths = Paths::create(temp.path().join("data"), uid).unwrap();
        assert_eq!(paths.run, temp.path().join("data/run").join(boot::this()));
        assert!(paths.boots().is_empty(), "it is made when something is put there");
        make_private(&paths.holders()).unwrap();
        make_private(&temp.path().join("data/run/b.1")).unwrap();
        let mut boots = paths.boots();
        boots.sort_by_key(|boot| boot != "b.1");
        assert_eq!(boots, ["b.1", boot::this()]);
        assert_eq!(paths.at("b.1").unwrap().run, temp.path().join("data/run/b.1"));
        assert_eq!(paths.at("../x"), None);
    }
}
