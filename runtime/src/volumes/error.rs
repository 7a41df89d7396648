//! What can go wrong with volumes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::damage::{self, Damaged};
use crate::file_lock::{Holder, LockError};

/// Why something cannot be done with a volume.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeError {
    #[error(
        "create {name}: \"{name}\" includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, \
         use absolute path"
    )]
    InvalidName { name: String },
    #[error(
        "create {name}: volume name is too short, names should be at least two alphanumeric \
         characters"
    )]
    ShortName { name: String },
    #[error("create {name}…: volume name is too long, names have at most {limit} characters")]
    LongName {
        /// Its beginning.
        name: String,
        limit: usize,
    },
    #[error(
        "create {name}: error looking up volume plugin {driver}: plugin \"{driver}\" not found"
    )]
    UnknownDriver { name: String, driver: String },
    #[error("create {name}: invalid option: \"{option}\"")]
    InvalidOption { name: String, option: String },
    #[error("create {name}: missing required option: \"{option}\"")]
    MissingOption { name: String, option: &'static str },
    #[error("create {name}: a volume of type \"{kind}\" needs privileges on the host")]
    UnsupportedType { name: String, kind: String },
    #[error("get {name}: no such volume")]
    NotFound { name: String },
    #[error("remove {name}: volume is in use - [{}]", users.join(", "))]
    InUse { name: String, users: Vec<String> },
    #[error(
        "create {name}: a volume of that name is there already, which was made outside of this session of the Engine \
         API"
    )]
    OfOthers { name: String },
    #[error("invalid filter '{filter}'")]
    InvalidFilter { filter: String },
    #[error("cannot access path {path}")]
    Subpath { path: PathBuf, source: io::Error },
    #[error("failed to mount local volume {name}")]
    Mount { name: String, source: io::Error },
    #[error("cannot fill the volume {name} from {path} of the image")]
    CopyUp { name: String, path: PathBuf, source: io::Error },
    #[error("cannot understand {path}")]
    Parse { path: PathBuf, source: serde_json::Error },
    #[error("{path} was written by a newer Coracle (format {found}, we know {known})")]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("volume {name}: its record cannot be used")]
    Damaged { name: String, source: Box<VolumeError> },
    /// Somebody makes or removes some, or fills one, and takes long.
    #[error("{what} being changed by {holder}, which did not finish in {waited_s} s")]
    Busy { what: String, holder: Holder, waited_s: u64 },
    #[error("cannot {action} {path}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// What can be done about a volume whose record cannot be read.
fn cure(name: &str, why: &VolumeError) -> String {
    let remove = format!("`coracle volume rm -f {name}` removes it with its data");
    match why {
        VolumeError::Newer { .. } => format!("use the newer version for it; {remove}"),
        _ => format!(
            "`coracle system check --repair` makes its record anew and keeps the data, {remove}"
        ),
    }
}

impl VolumeError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnsupportedType { .. } => Some(
                "mount it on the host and use `--opt type=none --opt o=bind --opt device=PATH`"
                    .to_owned(),
            ),
            Self::Damaged { name, source } => Some(cure(name, source)),
            Self::InUse { .. } => Some("remove the containers that use it first".to_owned()),
            _ => None,
        }
    }

    /// As lists tell of it, when it is one that cannot be read.
    pub(super) fn note(&self) -> Option<Damaged> {
        let Self::Damaged { name, source } = self else { return None };
        let why = damage::in_one_line(source);
        Some(Damaged { kind: "volume", id: name.clone(), why, cure: cure(name, source) })
    }

    /// Why a lock was not had.
    pub(super) fn lock(
        what: &str,
        path: &Path,
        patience: Duration,
    ) -> impl FnOnce(LockError) -> Self {
        move |error| match error {
            LockError::Io(source) => Self::io("lock", path)(source),
            LockError::Held(holder) => {
                let waited_s = patience.as_secs();
                Self::Busy { what: what.to_owned(), holder, waited_s }
            }
        }
    }

    pub(super) fn io<E: Into<io::Error>>(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source: source.into() }
    }
}
