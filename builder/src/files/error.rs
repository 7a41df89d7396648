//! Why files could not be found or copied, in `BuildKit`'s words where it has some.

use std::io;

use coracle_image::Digest;
use coracle_words::ErrorKind;
use rustix::io::Errno;

use super::owner::Owner;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A path of a context that is not there.
    #[error(
        "failed to compute cache key: failed to calculate checksum of ref {}: {path:?}: not found",
        reference(path)
    )]
    NotInContext { path: String },

    #[error(
        "failed to compute cache key: failed to calculate checksum of ref {}: too many links",
        reference(path)
    )]
    TooManyLinks { path: String },

    /// A path of a root filesystem that is not there.
    #[error("lstat {path}: no such file or directory")]
    NotInRoot { path: String },

    #[error("cannot copy to non-directory: {path}")]
    FolderOverFile { path: String },

    #[error("cannot replace to directory {path} with file")]
    FileOverFolder { path: String },

    #[error("mkdir {path}: not a directory")]
    NotAFolder { path: String },

    #[error("mkdir {path}: too many links")]
    LinksInCircle { path: String },

    #[error("invalid pattern {pattern:?}: syntax error in pattern")]
    BadPattern { pattern: String },

    #[error("invalid user index: {name}")]
    BadOwner { name: String },

    #[error("{path}: a device cannot be copied: only the host's root may make one")]
    Device { path: String },

    #[error("{path}: more than {} folders within each other", super::limits::FOLDER_DEPTH_MAX)]
    TooDeep { path: String },

    #[error("{path}: larger than {} GiB", super::limits::FILE_BYTES_MAX >> 30)]
    TooLarge { path: String },

    #[error("{path}: it changed while it was read; build again")]
    Changed { path: String },

    /// Whoever asked for it wants it no more.
    #[error("context canceled")]
    Ended,

    #[error("owner {uid}:{gid} of {path} is outside the ids this user may use")]
    Owner { uid: u32, gid: u32, path: String, source: io::Error },

    #[error(transparent)]
    Archive(#[from] coracle_image::tar::TarError),

    #[error(transparent)]
    Unpack(#[from] coracle_image::unpack::UnpackError),

    #[error("refusing entry `{entry}` of the archive: {why}")]
    Refused { entry: String, why: &'static str },

    #[error("cannot {doing} {path}")]
    Io { doing: &'static str, path: String, source: io::Error },
}

impl FilesError {
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotInContext { .. } | Self::NotInRoot { .. } => ErrorKind::NotFound,
            Self::FolderOverFile { .. }
            | Self::FileOverFolder { .. }
            | Self::NotAFolder { .. }
            | Self::TooManyLinks { .. }
            | Self::LinksInCircle { .. }
            | Self::BadPattern { .. }
            | Self::BadOwner { .. }
            | Self::Archive(_)
            | Self::Refused { .. }
            | Self::TooDeep { .. }
            | Self::TooLarge { .. } => ErrorKind::BadRequest,
            Self::Device { .. } | Self::Owner { .. } => ErrorKind::Unsupported,
            Self::Changed { .. } => ErrorKind::Conflict,
            Self::Ended => ErrorKind::Unavailable,
            Self::Io { .. } | Self::Unpack(_) => ErrorKind::Internal,
        }
    }

    /// What the user can do about it, when we know.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Owner { .. } => Some(
                "a larger range of subordinate ids in /etc/subuid and /etc/subgid would cover it"
                    .to_owned(),
            ),
            Self::Unpack(error) => error.hint(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("the disk is full; `coracle system prune` removes what is unused".to_owned())
            }
            _ => None,
        }
    }

    /// The same of a path below another.
    #[must_use]
    pub(super) fn below(mut self, base: &[u8]) -> Self {
        if let Self::Io { path, .. }
        | Self::Device { path }
        | Self::TooLarge { path }
        | Self::Changed { path } = &mut self
            && !base.is_empty()
        {
            let below = path.trim_start_matches('/');
            let slash = if below.is_empty() { "" } else { "/" };
            *path = format!("{}{slash}{below}", shown(base));
        }
        self
    }

    /// For `map_err`: an owner that cannot be set, for want of ids or otherwise.
    pub(super) fn owner(owner: Owner, path: &[u8]) -> impl FnOnce(Errno) -> Self {
        move |errno| match errno {
            Errno::INVAL | Errno::PERM => {
                let Owner { uid, gid } = owner;
                Self::Owner { uid, gid, path: shown(path), source: errno.into() }
            }
            errno => Self::io("set the owner of", path)(errno),
        }
    }

    /// For `map_err`: names the step and the path.
    pub(super) fn io<E: Into<io::Error>>(
        doing: &'static str,
        path: &[u8],
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { doing, path: shown(path), source: source.into() }
    }
}

/// A path for messages: absolute in its tree, control characters escaped.
pub(super) fn shown(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let mut out = String::from("/");
    for c in text.trim_start_matches('/').chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Something in the place of `BuildKit`'s id of a snapshot, equal for equal messages.
fn reference(path: &str) -> String {
    format!("context::{}", &Digest::of(path.as_bytes()).hex()[..25])
}
