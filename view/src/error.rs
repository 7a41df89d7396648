//! What can go wrong in looking things up: words, and a kind.

use std::io;

use coracle_image::ImageError;
use coracle_runtime::EngineError;
use coracle_runtime::logs::LogError;
use coracle_runtime::networks::NetworkError;
use coracle_runtime::records::RecordError;
use coracle_runtime::volumes::VolumeError;
use coracle_swarm::SwarmError;
use coracle_words::ErrorKind;
use coracle_words::moment::InvalidMoment;

/// A kind of what can be named and not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    Container,
    Image,
    Network,
    Volume,
    /// Any of them.
    Any,
}

/// Why something could not be looked up. The messages are Docker's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    #[error(transparent)]
    Engine(EngineError),
    #[error(transparent)]
    Image(ImageError),
    #[error(transparent)]
    Swarm(#[from] SwarmError),
    /// A filter's key that the list does not know.
    #[error("invalid filter '{key}'")]
    UnknownFilter { key: String },
    /// A filter's value that it cannot have.
    #[error("invalid filter '{key}=[{value}]'")]
    InvalidFilter { key: String, value: String },
    #[error("invalid filter '{key}={value}': {why}")]
    BadFilter { key: String, value: String, why: String },
    #[error("more than one until filter specified")]
    SeveralUntil,
    #[error(transparent)]
    Moment(#[from] InvalidMoment),
    #[error("{0}")]
    Platform(String),
    #[error(
        "image with reference {name} was found but does not provide the specified platform \
         ({wanted})"
    )]
    OtherPlatform { name: String, wanted: String },
    #[error("error: no such object: {name}")]
    NoSuchObject { name: String },
    /// What Docker's client says when it does not find something in an answer.
    #[error("{0}")]
    OfClient(String),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("cannot wait for output")]
    Wait(#[source] io::Error),
    #[error("cannot write the answer as JSON")]
    Json { source: serde_json::Error },
}

impl From<EngineError> for ViewError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Image(error) => Self::Image(error),
            other => Self::Engine(other),
        }
    }
}

impl From<ImageError> for ViewError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl From<NetworkError> for ViewError {
    fn from(error: NetworkError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<VolumeError> for ViewError {
    fn from(error: VolumeError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<RecordError> for ViewError {
    fn from(error: RecordError) -> Self {
        Self::Engine(error.into())
    }
}

impl ViewError {
    /// What it means: an exit code in the command line, a status in the API.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Engine(error) => error.kind(),
            Self::Image(error) => error.kind(),
            Self::Swarm(error) => error.kind(),
            Self::UnknownFilter { .. }
            | Self::InvalidFilter { .. }
            | Self::BadFilter { .. }
            | Self::SeveralUntil
            | Self::Moment(_)
            | Self::Platform(_) => ErrorKind::BadRequest,
            Self::OtherPlatform { .. } | Self::NoSuchObject { .. } | Self::OfClient(_) => {
                ErrorKind::NotFound
            }
            Self::Log(LogError::NotReadable) => ErrorKind::Unsupported,
            Self::Log(_) | Self::Wait(_) | Self::Json { .. } => ErrorKind::Internal,
        }
    }

    /// What the user can do about it, when we know.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Log(error) => error.hint(),
            _ => None,
        }
    }

    /// What was named and is not there.
    #[must_use]
    pub fn missing(&self) -> Option<(Object, &str)> {
        match self {
            Self::Engine(EngineError::Record(RecordError::NotFound { reference })) => {
                Some((Object::Container, reference))
            }
            Self::Engine(EngineError::Network(NetworkError::NotFound { reference })) => {
                Some((Object::Network, reference))
            }
            Self::Engine(EngineError::Volume(VolumeError::NotFound { name })) => {
                Some((Object::Volume, name))
            }
            Self::Image(ImageError::NoSuchImage { name }) => Some((Object::Image, name)),
            Self::NoSuchObject { name } => Some((Object::Any, name)),
            _ => None,
        }
    }

    /// Whether Docker's client says it by itself, without asking the engine: such words come
    /// without "Error response from daemon".
    #[must_use]
    pub fn is_of_client(&self) -> bool {
        matches!(
            self,
            Self::Image(ImageError::Reference(_) | ImageError::TagWithDigest)
                | Self::Moment(_)
                | Self::Platform(_)
                | Self::NoSuchObject { .. }
                | Self::OfClient(_)
                | Self::Json { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_from_below() {
        let missing = RecordError::NotFound { reference: "web".to_owned() };
        let error = ViewError::from(missing);
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.missing(), Some((Object::Container, "web")));
        assert_eq!(error.to_string(), "No such container: web");
        let error =
            ViewError::from(EngineError::Image(ImageError::NoSuchImage { name: "x".into() }));
        assert_eq!(
            (error.kind(), error.missing()),
            (ErrorKind::NotFound, Some((Object::Image, "x")))
        );
        let error = ViewError::from(NetworkError::RemovePredefined { name: "host".to_owned() });
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        let error = ViewError::UnknownFilter { key: "bogus".to_owned() };
        assert_eq!((error.kind(), error.is_of_client()), (ErrorKind::BadRequest, false));
        assert!(ViewError::from(ImageError::TagWithDigest).is_of_client());
    }
}
