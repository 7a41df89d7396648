//! What can go wrong in the engine, in the words a user of Docker knows.

use std::io;
use std::path::PathBuf;

use coracle_sys::SyscallError;

use crate::paths::PathError;
use crate::records::{DISK_FULL, RecordError};
use crate::session::SessionError;
use crate::start::failure::Failure;

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    User(#[from] crate::start::users::UserError),
    #[error(transparent)]
    Spec(#[from] crate::spec::SpecError),
    #[error(transparent)]
    Mount(#[from] crate::mounts::MountError),
    #[error(transparent)]
    Log(#[from] crate::logs::LogError),
    #[error(transparent)]
    Volume(#[from] crate::volumes::VolumeError),
    #[error(transparent)]
    Network(#[from] crate::networks::NetworkError),
    /// Of the settings for one of a new container's networks.
    #[error("invalid config for network {name}: {why}")]
    NetworkConfig { name: String, why: crate::networks::NetworkError },
    #[error(transparent)]
    Copy(#[from] crate::copy::CopyError),
    #[error(transparent)]
    Top(#[from] crate::processes::top::TopError),
    #[error(transparent)]
    Image(#[from] coracle_image::ImageError),
    #[error(transparent)]
    InvalidName(#[from] crate::names::InvalidName),
    /// The container's program did not start.
    #[error("{}", .0.message)]
    Start(Failure),
    #[error("cannot {what}")]
    Io { what: String, source: io::Error },
    #[error("cannot {what}")]
    Syscall { what: String, source: SyscallError },
    #[error("container {id} is not running")]
    NotRunning { id: String },
    #[error("container {id} is already paused")]
    AlreadyPaused { id: String },
    #[error("Container {id} is not paused")]
    NotPaused { id: String },
    #[error("Container {id} is paused, unpause the container before exec")]
    Paused { id: String },
    #[error(
        "cannot remove container \"{name}\": container is {status}: stop the container before removing or force remove"
    )]
    RemoveRunning { name: String, status: String },
    #[error("the monitor of container {id} refused: {message}")]
    Refused { id: String, message: String },
    #[error("the monitor of container {id} ended unexpectedly")]
    MonitorGone { id: String },
    #[error("the monitor of container {id} ({}) does not answer", who(*.pid))]
    MonitorSilent { id: String, pid: Option<i32> },
    /// What needs processes or namespaces of the container.
    #[error("cannot {what}: container {name} runs in another pid namespace")]
    Elsewhere { what: String, name: String },
    #[error("container {id} was killed and has not ended after {waited_s} s")]
    Unkillable { id: String, waited_s: u64 },
    #[error("image layer {digest} is not unpacked at {path}")]
    LayerMissing { digest: String, path: PathBuf },
    #[error("Cannot update container {id}")]
    Limit { id: String, source: crate::cgroup::CgroupError },
    #[error("cannot mount /proc for the container: {} hidden here", hidden(.paths))]
    HiddenProc { paths: Vec<String> },
    /// A fault of ours: a command that needs the namespaces is to enter them first.
    #[error("internal error: the namespaces were not entered")]
    NotEntered,
    /// A request that cannot be honoured, with the reason.
    #[error("{0}")]
    Refuse(String),
}

/// A monitor; one of another pid namespace has no pid here.
fn who(pid: Option<i32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "in another pid namespace".to_owned(),
    }
}

/// "/proc/kcore is", "/proc/kcore and 3 more are".
fn hidden(paths: &[String]) -> String {
    match paths {
        [path] => format!("{path} is"),
        [path, more @ ..] => format!("{path} and {} more are", more.len()),
        [] => "a part is".to_owned(),
    }
}

/// An error and all its causes in one line, each said once.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text = format!("{text}: {why}");
        }
        cause = error.source();
    }
    text
}

/// Whether a full disk is at the bottom of it, whichever part met it.
pub(crate) fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::StorageFull)
    })
}

impl EngineError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn syscall(what: impl Into<String>) -> impl FnOnce(SyscallError) -> Self {
        let what = what.into();
        move |source| Self::Syscall { what, source }
    }

    /// The error of a container that is gone with the word the user named it by.
    #[must_use]
    pub fn about(self, name: &str) -> Self {
        match self {
            Self::Record(RecordError::NotFound { .. }) => {
                RecordError::NotFound { reference: name.to_owned() }.into()
            }
            other => other,
        }
    }

    /// The error as the monitor tells it to whoever started it.
    pub(crate) fn into_failure(self) -> Failure {
        let cause = std::error::Error::source(&self).map(|cause| format!(": {cause}"));
        let message = format!("{self}{}", cause.unwrap_or_default());
        Failure { hint: self.hint(), ..Failure::new(self.exit_code(), message) }
    }

    /// The exit code of `run` and `exec` for this error.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Start(failure) => failure.code,
            _ => crate::start::failure::SETUP_FAILED,
        }
    }

    /// What the user can do about it, when we know.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            // Whatever could not be written, that is why.
            error if is_disk_full(error) => Some(DISK_FULL.to_owned()),
            Self::Start(failure) => failure.hint.clone(),
            Self::Session(error) => error.hint(),
            Self::HiddenProc { .. } => Some(
                "inside a container, run that one with `--security-opt seccomp=unconfined \
                 --security-opt systempaths=unconfined`"
                    .to_owned(),
            ),
            Self::Path(error) => error.hint(),
            Self::Record(error) if error.hint().is_some() => error.hint(),
            Self::Network(error) if error.hint().is_some() => error.hint(),
            Self::Volume(error) if error.hint().is_some() => error.hint(),
            Self::Spec(error) => error.hint(),
            Self::Log(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Limit { source, .. } => source.hint(),
            Self::MonitorSilent { id, pid: Some(pid) } => Some(format!(
                "`kill -CONT {pid}` if it was stopped; `rm -f {}` ends it",
                coracle_image::short_id(id)
            )),
            Self::MonitorSilent { id, pid: None } => Some(format!(
                "`rm -f {}` ends it from where it was started",
                coracle_image::short_id(id)
            )),
            Self::Elsewhere { .. } => Some(
                "do it where the container was started; `stop`, `kill` and `rm -f` reach it from here"
                    .to_owned(),
            ),
            Self::LayerMissing { .. } => Some("pull or load the image again".to_owned()),
            _ => None,
        }
    }
}
