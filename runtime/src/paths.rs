//! Where things lie: the data root that stays, and the runtime directory that does not.
//!
//! ```text
//! data/  containers/ID/{container.json,state.json,lock,upper/,work/,hosts,…}
//!        volumes/NAME/{_data/,volume.json}      events.jsonl
//!        networks/{ID.json,predefined.json,lock}
//! run/   ns/PID-START                a process that holds the user's namespaces
//!        net/{netd.sock,lock}        where the network helper listens
//!        c/ID12/{merged/,oci/,config.json,control.sock}
//! ```

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// Why a directory of ours cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    #[error("cannot create {path}")]
    Create { path: PathBuf, source: io::Error },
    #[error("{path} belongs to user {owner}, not to us")]
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
            Self::Create { .. } => Some(
                "the home directory must be writable; CORACLE_DATA_ROOT and XDG_RUNTIME_DIR name \
                 other places"
                    .to_owned(),
            ),
            Self::OpenToOthers { path, .. } => {
                Some(format!("run `chmod go-rwx {}`", path.display()))
            }
            Self::ForeignOwner { .. } | Self::NotADirectory { .. } => {
                Some("set XDG_RUNTIME_DIR to a folder of your own with mode 0700".to_owned())
            }
        }
    }
}

/// The two roots, and every path below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub data: PathBuf,
    pub run: PathBuf,
}

/// The length of the id in names of runtime directories: sockets have 108 bytes of path.
const SHORT_ID: usize = 12;

impl Paths {
    /// Makes both roots, private to the user; `uid` is who must own them.
    ///
    /// # Errors
    /// When one cannot be made, or belongs to somebody else.
    pub fn create(data: PathBuf, run: PathBuf, uid: u32) -> Result<Self, PathError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| PathError::Create { path, source }
        };
        make_private(&data)?;
        check(&data, &fs::metadata(&data).map_err(failed(&data))?, uid, 0o022)?;
        // This one may be in `/tmp`, where anybody may have put a symlink.
        make_private(&run)?;
        check(&run, &fs::symlink_metadata(&run).map_err(failed(&run))?, uid, 0o077)?;
        Ok(Self { data, run })
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

    /// Where the root filesystem of a running container is mounted.
    #[must_use]
    pub fn merged(&self, id: &str) -> PathBuf {
        self.running(id).join("merged")
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
fn check(path: &Path, meta: &fs::Metadata, uid: u32, closed: u32) -> Result<(), PathError> {
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
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_directory_open_to_others_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let run = temp.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).unwrap();
        let uid = fs::metadata(&run).unwrap().uid();
        let error = Paths::create(temp.path().join("data"), run, uid).unwrap_err();
        assert!(matches!(error, PathError::OpenToOthers { .. }), "{error}");
    }

    #[test]
    fn a_symlink_in_place_of_the_runtime_directory_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let own = temp.path().join("own");
        fs::create_dir(&own).unwrap();
        let run = temp.path().join("run");
        std::os::unix::fs::symlink(&own, &run).unwrap();
        let uid = fs::metadata(&own).unwrap().uid();
        let error = Paths::create(temp.path().join("data"), run, uid).unwrap_err();
        assert!(matches!(error, PathError::NotADirectory { .. }), "{error}");
    }
}
