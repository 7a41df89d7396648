//! Why mounts cannot be had; the texts are Docker's.

/// Where Docker would have found the mistake: it decides the words around the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// While reading the flag: `invalid argument … for … flag: TEXT`, then the usage.
    Flag,
    /// In the client: `docker: TEXT`.
    Client,
    /// In the engine: `docker: Error response from daemon: TEXT`.
    Engine,
}

/// Why a mount is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    #[error("{text}")]
    Flag { text: String },

    #[error("invalid empty volume spec")]
    EmptyVolume,
    #[error("invalid spec: {spec}: {reason}")]
    VolumeSpec { spec: String, reason: &'static str },

    #[error("invalid volume specification: '{spec}'")]
    Raw { spec: String },
    #[error("invalid mode: {mode}")]
    Mode { mode: String },
    #[error(
        "invalid volume specification: '{spec}': invalid mount config for type \"{kind}\": {reason}"
    )]
    RawConfig { spec: String, kind: String, reason: String },
    #[error("invalid mount config for type \"{kind}\": {reason}")]
    Config { kind: String, reason: String },
    #[error("invalid mount config for type \"bind\": bind source path does not exist: {path}")]
    SourceMissing { path: String },
    #[error("Duplicate mount point: {destination}")]
    Duplicate { destination: String },
    #[error("invalid mount path: '{path}' mount path must be absolute")]
    TmpfsPath { path: String },
    #[error("invalid specification: destination can't be '/'")]
    TmpfsOnRoot,
    #[error("volumes-from specification cannot be an empty string")]
    EmptyVolumesFrom,
    #[error(
        "create {name}: volume name is too short, names should be at least two alphanumeric characters"
    )]
    ShortName { name: String },
    #[error(
        "create {name}: {name:?} includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    )]
    Name { name: String },
}

impl MountError {
    pub(super) fn flag(text: impl Into<String>) -> Self {
        Self::Flag { text: text.into() }
    }

    /// Where Docker would have found it.
    pub fn side(&self) -> Side {
        match self {
            Self::Flag { .. } => Side::Flag,
            Self::EmptyVolume | Self::VolumeSpec { .. } => Side::Client,
            _ => Side::Engine,
        }
    }
}
