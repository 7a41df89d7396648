//! What can go wrong while a plan is carried out.

use coracle_runtime::EngineError;

use crate::container::ContainerError;

/// Why a plan could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Container(#[from] ContainerError),
    #[error("environment variable {variable:?} required by {kind} {name:?} is not set")]
    NoVariable { variable: String, kind: &'static str, name: String },
    #[error("cannot read {kind} file {path}")]
    CannotRead { kind: &'static str, path: String, source: std::io::Error },
    /// What a service waits for will not come.
    #[error("{message}")]
    Dependency {
        message: String,
        /// The last words of the culprit.
        detail: Option<String>,
    },
    #[error("application not healthy after {time}")]
    NotInTime { time: String },
    #[error("{service} hook exited with status {code}{}", said(.output))]
    Hook { service: String, code: i32, output: String },
    #[error(
        "service {service:?} pre_start[{index}] exited with code {code}{} (hook container \
         {container} retained for inspection)", said(.output)
    )]
    PreStart { service: String, index: usize, code: i32, output: String, container: String },
    #[error("No such image: {name}")]
    NoImage { name: String },
    /// The user wanted it to end.
    #[error("interrupted")]
    Interrupted,
    #[error("cannot wait for containers")]
    Wait { source: std::io::Error },
}

fn said(output: &str) -> String {
    match output.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

macro_rules! through_engine {
    ($($kind:ty),*) => {$(
        impl From<$kind> for ApplyError {
            fn from(error: $kind) -> Self {
                Self::Engine(error.into())
            }
        }
    )*};
}

through_engine!(
    coracle_runtime::records::RecordError,
    coracle_runtime::networks::NetworkError,
    coracle_runtime::volumes::VolumeError
);
