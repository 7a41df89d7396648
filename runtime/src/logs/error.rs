//! What can go wrong with logs.

use std::io;
use std::path::PathBuf;

/// Why a log cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    #[error("error looking up logging plugin {driver}: plugin \"{driver}\" not found")]
    UnknownDriver { driver: String },
    #[error("logging driver \"{driver}\" is not supported")]
    UnsupportedDriver { driver: String },
    #[error("unknown log opt '{option}' for {driver} log driver")]
    UnknownOption { driver: &'static str, option: String },
    #[error("logger: logging mode not supported: {mode}")]
    Mode { mode: String },
    #[error("logger: max-buffer-size option is only supported with 'mode=non-blocking'")]
    BufferOfBlocking,
    #[error(
        "failed to create task for container: failed to initialize logging driver: {complaint}"
    )]
    Initialize { complaint: String },
    #[error("configured logging driver does not support reading")]
    NotReadable,
    #[error("cannot open the log {path}")]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot write the log {path}; output is lost")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot rotate the log {path}")]
    Rotate { path: PathBuf, source: io::Error },
    #[error("cannot read the log {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot wait for output in {path}")]
    Watch { path: PathBuf, source: io::Error },
}

impl LogError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnsupportedDriver { driver } => {
                let to = if driver == "journald" { "systemd-cat" } else { "logger" };
                Some(format!(
                    "logs are files here (json-file, local): `coracle logs -f NAME | {to} -t NAME` \
                     hands them on"
                ))
            }
            Self::NotReadable => {
                Some("the container was started with `--log-driver none`".to_owned())
            }
            _ => None,
        }
    }
}
