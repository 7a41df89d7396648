//! What the errors of the engine mean to whoever asked.
//!
//! Docker's own statuses decide, odd ones included: a network in use is forbidden (403), where a
//! container or a volume in use is a conflict (409).

use coracle_words::ErrorKind;

use crate::EngineError;
use crate::copy::CopyError;
use crate::networks::NetworkError;
use crate::records::RecordError;
use crate::session::SessionError;
use crate::volumes::VolumeError;

impl EngineError {
    /// Its kind, as Docker's API tells them apart.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Record(error) => error.kind(),
            Self::Network(error) => error.kind(),
            Self::Volume(error) => error.kind(),
            Self::Image(error) => error.kind(),
            Self::Copy(
                CopyError::NotFound { .. } | CopyError::StreamTarget { missing: true, .. },
            ) => ErrorKind::NotFound,
            Self::Copy(CopyError::StreamTarget { .. } | CopyError::NotExtractable) => {
                ErrorKind::BadRequest
            }
            Self::Session(SessionError::Busy { .. })
            | Self::MonitorSilent { .. }
            | Self::Elsewhere { .. } => ErrorKind::Unavailable,
            Self::NotRunning { .. }
            | Self::Paused { .. }
            | Self::AlreadyPaused { .. }
            | Self::RemoveRunning { .. } => ErrorKind::Conflict,
            Self::NetworkConfig { .. }
            | Self::Spec(_)
            | Self::Mount(_)
            | Self::InvalidName(_)
            | Self::User(_)
            | Self::Start(_)
            | Self::Refuse(_) => ErrorKind::BadRequest,
            _ => ErrorKind::Internal,
        }
    }
}

impl RecordError {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Ambiguous { .. } => ErrorKind::BadRequest,
            Self::NameTaken { .. } => ErrorKind::Conflict,
            Self::Busy { .. } => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        }
    }
}

impl NetworkError {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::UnknownDriver { .. } => ErrorKind::NotFound,
            Self::NameTaken { .. } | Self::SecondIngress { .. } => ErrorKind::Conflict,
            Self::Predefined { .. }
            | Self::RemovePredefined { .. }
            | Self::OneInstance { .. }
            | Self::Overlap
            | Self::NotAttachable { .. }
            | Self::InUse { .. } => ErrorKind::Forbidden,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Busy { .. } => ErrorKind::Unavailable,
            Self::Io { .. }
            | Self::Parse { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::PoolsExhausted => ErrorKind::Internal,
            _ => ErrorKind::BadRequest,
        }
    }
}

impl VolumeError {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::UnknownDriver { .. } => ErrorKind::NotFound,
            Self::InUse { .. } => ErrorKind::InUse,
            Self::OfOthers { .. } => ErrorKind::Conflict,
            Self::UnsupportedType { .. } => ErrorKind::Unsupported,
            Self::Busy { .. } => ErrorKind::Unavailable,
            Self::InvalidName { .. }
            | Self::ShortName { .. }
            | Self::LongName { .. }
            | Self::InvalidOption { .. }
            | Self::MissingOption { .. }
            | Self::InvalidFilter { .. } => ErrorKind::BadRequest,
            _ => ErrorKind::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> String {
        "x".to_owned()
    }

    /// The statuses are those of the recorded exchanges of Docker 28.5.
    #[test]
    fn kinds_have_dockers_statuses() {
        let cases: [(EngineError, u16); 14] = [
            (RecordError::NotFound { reference: name() }.into(), 404),
            (RecordError::NameTaken { name: name(), holder: name() }.into(), 409),
            (EngineError::NotRunning { id: name() }, 409),
            (EngineError::Paused { id: name() }, 409),
            (EngineError::RemoveRunning { name: name(), status: name() }, 409),
            (NetworkError::NotFound { reference: name() }.into(), 404),
            (NetworkError::NameTaken { name: name() }.into(), 409),
            (NetworkError::RemovePredefined { name: name() }.into(), 403),
            (NetworkError::InUse { name: name(), users: Vec::new() }.into(), 403),
            (NetworkError::InvalidFilter { filter: name() }.into(), 400),
            (VolumeError::NotFound { name: name() }.into(), 404),
            (VolumeError::InUse { name: name(), users: Vec::new() }.into(), 409),
            (VolumeError::OfOthers { name: name() }.into(), 409),
            (VolumeError::InvalidFilter { filter: name() }.into(), 400),
        ];
        for (error, status) in cases {
            assert_eq!(error.kind().status(), status, "{error:?}");
        }
    }

    #[test]
    fn other_kinds() {
        let silent = EngineError::MonitorSilent { id: name(), pid: None };
        assert_eq!(silent.kind(), ErrorKind::Unavailable);
        assert_eq!(EngineError::Refuse(name()).kind(), ErrorKind::BadRequest);
        let image = coracle_image::ImageError::NoSuchImage { name: name() };
        assert_eq!(EngineError::from(image).kind(), ErrorKind::NotFound);
        let io = EngineError::Io { what: name(), source: std::io::Error::other("x") };
        assert_eq!(io.kind(), ErrorKind::Internal);
    }
}
