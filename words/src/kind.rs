//! Kinds of errors: what an answer means, apart from its words.
//!
//! Each crate's error has one. The command line makes an exit code of it, the Engine API a status
//! of HTTP; the words are the error's own.

/// What an error means to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for makes no sense: a bad name, flag, filter, reference.
    BadRequest,
    /// Something that was named is not there.
    NotFound,
    /// The name is taken, or the object is in a state in which this cannot be done to it.
    Conflict,
    /// Somebody uses what is to go.
    InUse,
    /// It is so already: nothing was done.
    NotModified,
    /// Not to this object, whoever asks.
    Forbidden,
    /// Not now: somebody else works on it, or a part of the engine is not there.
    Unavailable,
    /// Docker has it, this engine does not.
    Unsupported,
    /// The engine or the host failed.
    Internal,
}

impl ErrorKind {
    /// The status of the Engine API (RFC 9110 section 15): the one that Docker 28.5 answers with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::NotModified => 304,
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::InUse => 409,
            Self::Internal => 500,
            Self::Unsupported => 501,
            Self::Unavailable => 503,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorKind;

    #[test]
    fn statuses_are_dockers() {
        for (kind, status) in [
            (ErrorKind::NotModified, 304),
            (ErrorKind::BadRequest, 400),
            (ErrorKind::Forbidden, 403),
            (ErrorKind::NotFound, 404),
            (ErrorKind::Conflict, 409),
            (ErrorKind::InUse, 409),
            (ErrorKind::Internal, 500),
            (ErrorKind::Unsupported, 501),
            (ErrorKind::Unavailable, 503),
        ] {
            assert_eq!(kind.status(), status, "{kind:?}");
        }
    }
}
