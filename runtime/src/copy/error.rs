//! What can go wrong in a copy, in Docker's words where it has some.

use std::io;

use coracle_image::ImageError;
use coracle_image::tar::TarError;
use coracle_image::unpack::UnpackError;

/// Why files could not be copied into or out of a container.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    #[error("cannot copy directory")]
    DirectoryOverFile,
    #[error("no such directory")]
    NoSuchDirectory,
    #[error("not a directory")]
    NotDirectory,
    #[error("too many symlinks in {path}")]
    TooManySymlinks { path: String },
    /// A call on a path of the host; the reason is the cause in Go's spelling.
    #[error("{call} {path}: {why}")]
    Host { call: &'static str, path: String, why: String },
    #[error("invalid output path: directory {dir:?} does not exist")]
    OutputDirectory { dir: String },
    #[error("invalid output path: {path:?} must be a directory or a regular file: {why}")]
    OutputKind { path: String, why: &'static str },
    #[error("destination \"{container}:{path}\" must be a directory")]
    StreamTarget { container: String, path: String, missing: bool },
    #[error(
        "destination \"{container}:{path}\" must be a directory or a regular file: got a device"
    )]
    DeviceTarget { container: String, path: String },

    #[error("Could not find the file {path} in container {container}")]
    NotFound { path: String, container: String },
    #[error("extraction point is not a directory")]
    NotExtractable,
    #[error("mounted volume is marked read-only")]
    ReadOnlyVolume,
    #[error("container rootfs is marked read-only")]
    ReadOnlyRoot,
    #[error("unexpected EOF")]
    UnexpectedEof,
    #[error("cannot overwrite directory {path:?} with non-directory {dest:?}")]
    FileOverDirectory { path: String, dest: String },
    #[error("cannot overwrite non-directory {path:?} with directory {dest:?}")]
    DirectoryOverOther { path: String, dest: String },
    #[error("refusing entry `{entry}`: {why}")]
    Refused { entry: String, why: &'static str },
    #[error("cannot {doing} `{entry}`")]
    Entry { doing: &'static str, entry: String, source: io::Error },
    #[error("cannot read the archive")]
    Archive { source: UnpackError },
    #[error("cannot read what is to be copied")]
    Pack { source: ImageError },
    #[error("cannot take the user's own rights for what is written here")]
    Rights { source: io::Error },
    #[error("cannot show the files of container {id}: {doing}")]
    View { id: String, doing: String, source: io::Error },
}

impl CopyError {
    /// Whether Docker's client finds this by itself, without its daemon.
    #[must_use]
    pub fn is_clients_own(&self) -> bool {
        matches!(
            self,
            Self::DirectoryOverFile
                | Self::NoSuchDirectory
                | Self::NotDirectory
                | Self::TooManySymlinks { .. }
                | Self::Host { .. }
                | Self::OutputDirectory { .. }
                | Self::OutputKind { .. }
                | Self::StreamTarget { .. }
                | Self::DeviceTarget { .. }
        )
    }

    pub(crate) fn host(
        call: &'static str,
        path: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Host { call, path, why: spelled(&error) }
    }

    pub(crate) fn entry<E: Into<io::Error>>(
        doing: &'static str,
        entry: &[u8],
    ) -> impl FnOnce(E) -> Self {
        let entry = String::from_utf8_lossy(entry).escape_debug().to_string();
        move |source| Self::Entry { doing, entry, source: source.into() }
    }
}

impl From<UnpackError> for CopyError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Archive(TarError::Read { source, .. })
                if source.kind() == io::ErrorKind::UnexpectedEof =>
            {
                Self::UnexpectedEof
            }
            source => Self::Archive { source },
        }
    }
}

impl From<TarError> for CopyError {
    fn from(error: TarError) -> Self {
        UnpackError::from(error).into()
    }
}

/// `no such file or directory`: as Docker's users know it.
fn spelled(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::CopyError;

    #[test]
    fn host_errors_read_as_dockers() {
        let error = std::fs::symlink_metadata("/no/such").unwrap_err();
        let error = CopyError::host("lstat", "/no/such")(error);
        assert_eq!(error.to_string(), "lstat /no/such: no such file or directory");
        assert!(error.is_clients_own());
    }
}
