//! What is asked of the world outside on the way: images, and the time of something remote.

use coracle_image::config::ImageConfig;
use coracle_image::{Digest, Platform, Reference};
use coracle_words::ErrorKind;

use crate::source::{Fault, Span};

/// Knows images, or has them fetched; asked once for each stage that begins with one.
pub trait Images {
    /// `None`: nobody knows. A check goes on then, with whatever the image may set; a build cannot.
    ///
    /// # Errors
    /// It is not to be had; the words are told as they are.
    fn image(
        &mut self,
        name: &Reference,
        platform: &Platform,
    ) -> Result<Option<BaseImage>, Unavailable>;

    /// What another request of the same call came to, by its index.
    ///
    /// # Errors
    /// It has failed, or has no image.
    fn result(&mut self, request: usize) -> Result<Option<BaseImage>, Unavailable> {
        let why = format!("the result of target {request} is not known here");
        Err(Unavailable::new(why, ErrorKind::Internal))
    }

    /// When something that `SOURCE_DATE_EPOCH` names was made, in seconds. `None`: it does not say.
    ///
    /// # Errors
    /// It cannot be asked.
    fn epoch(&mut self, of: &Dated) -> Result<Option<i64>, Unavailable> {
        _ = of;
        Ok(None)
    }
}

/// What a stage takes over from its image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BaseImage {
    /// With the diffIDs of its layers.
    pub config: ImageConfig,
    /// Of what the registry calls it: shown behind its name.
    pub digest: Option<Digest>,
}

/// What `SOURCE_DATE_EPOCH` names instead of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dated {
    /// The build context, or a further one by its name in the request.
    Context(Option<String>),
    /// The only thing that a stage adds.
    Http {
        url: String,
        checksum: Option<String>,
    },
    Git {
        url: String,
        checksum: Option<String>,
    },
}

/// Why an image is not to be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Unavailable {
    pub message: String,
    /// What can be done about it.
    pub hint: Option<String>,
    pub kind: ErrorKind,
}

impl Unavailable {
    pub fn new(message: impl Into<String>, kind: ErrorKind) -> Self {
        Self { message: message.into(), hint: None, kind }
    }
}

/// Why a Dockerfile has no plan.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoPlan {
    #[error(transparent)]
    Fault(#[from] Fault),
    /// What is at a place of it is not to be had.
    #[error("{what}: {why}")]
    Unavailable {
        /// As written.
        what: String,
        at: Vec<Span>,
        why: Unavailable,
    },
}

impl NoPlan {
    /// The instructions it is about, if it is about any.
    pub fn at(&self) -> &[Span] {
        match self {
            Self::Fault(fault) => &fault.at,
            Self::Unavailable { at, .. } => at,
        }
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Fault(fault) => fault.kind(),
            Self::Unavailable { why, .. } => why.kind,
        }
    }

    /// The same as a fault of the file, for those who know no other.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Unavailable { ref at, .. } => Fault { message: self.to_string(), at: at.clone() },
        }
    }
}
