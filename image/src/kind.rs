//! What an error about images means to whoever asked.

use coracle_words::ErrorKind;

use crate::ImageError;

impl ImageError {
    /// Its kind, as Docker's API tells them apart.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchImage { .. } | Self::NoPlatform { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Reference(_)
            | Self::Digest(_)
            | Self::AmbiguousId { .. }
            | Self::TagWithDigest
            | Self::AmbiguousTag
            | Self::BadArchive { .. }
            | Self::ChangeCommand { .. }
            | Self::Change { .. } => ErrorKind::BadRequest,
            Self::LoadImage { source, .. } => source.kind(),
            _ => ErrorKind::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let no_such = || ImageError::NoSuchImage { name: "x".to_owned() };
        assert_eq!(no_such().kind(), ErrorKind::NotFound);
        let within = ImageError::LoadImage { image: "x".to_owned(), source: Box::new(no_such()) };
        assert_eq!(within.kind(), ErrorKind::NotFound);
        let conflict = ImageError::Conflict { what: "unable to remove".to_owned() };
        assert_eq!(conflict.kind(), ErrorKind::Conflict);
        assert_eq!(ImageError::TagWithDigest.kind(), ErrorKind::BadRequest);
        let users = ImageError::Users { source: "unreadable".into() };
        assert_eq!(users.kind(), ErrorKind::Internal);
    }
}
