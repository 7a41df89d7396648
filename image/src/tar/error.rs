//! Why an archive cannot be read; always tells where.

use std::io;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    #[error("the archive breaks off {place}")]
    Read { place: String, source: io::Error },

    #[error("invalid header {place}: {why}")]
    Header { place: String, why: String },
}

impl TarError {
    pub(crate) fn read_end(source: io::Error) -> Self {
        Self::Read { place: "after its last entry".to_owned(), source }
    }
}
