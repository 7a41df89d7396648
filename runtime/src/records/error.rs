//! Why a record cannot be read or written, and what can be done about it.

use std::io;
use std::path::{Path, PathBuf};

use coracle_image::short_id;

use crate::damage::{self, Damaged};
use crate::file_lock::Holder;
use crate::paths::PathError;

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
    #[error("several nodes have a container {name}")]
    OnSeveral { name: String },
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
            Self::OnSeveral { .. } => Some("`--node NODE` says which is meant".to_owned()),
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

pub(super) fn note(id: &str, source: &RecordError) -> Damaged {
    Damaged {
        kind: "container",
        id: short_id(id).to_owned(),
        why: damage::in_one_line(source),
        cure: cure(id, source),
    }
}

/// What is there and cannot be read is damaged; what is not there is not there.
pub(super) fn as_damage(id: &str, error: RecordError) -> RecordError {
    match error {
        error @ (RecordError::NotFound { .. } | RecordError::Damaged { .. }) => error,
        error => RecordError::Damaged { id: id.to_owned(), source: Box::new(error) },
    }
}
