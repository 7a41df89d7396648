//! Versions of the Engine API: which there are, and which a request speaks.

use coracle_view::Api;

/// The newest, which requests without a version speak.
pub(crate) const MAX: Version = Version(1, 55);
/// The oldest.
pub(crate) const MIN: Version = Version(1, 24);

/// `1.51`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u16, pub(crate) u16);

impl Version {
    /// Reads `1.51`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
        Some(Self(number(major)?, number(minor)?))
    }

    /// Whose documents it has.
    pub(crate) fn documents(self) -> Api {
        Api::of_minor(self.1.into())
    }

    /// Splits `/v1.51/info`; a path without a version speaks the newest.
    pub(crate) fn split(path: &str) -> (Option<Self>, &str) {
        let Some(rest) = path.strip_prefix("/v") else { return (None, path) };
        let (word, after) =
            rest.split_once('/').map_or((rest, ""), |(word, _)| (word, &rest[word.len()..]));
        match Self::parse(word) {
            Some(version) if !after.is_empty() => (Some(version), after),
            _ => (None, path),
        }
    }

    /// Why a request of this version is not answered.
    pub(crate) fn complaint(self) -> Option<String> {
        if self > MAX {
            return Some(format!(
                "client version {self} is too new. Maximum supported API version is {MAX}"
            ));
        }
        (self < MIN).then(|| {
            format!(
                "client version {self} is too old. Minimum supported API version is {MIN}, please upgrade your \
                 client to a newer version"
            )
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_begin_with_a_version() {
        assert_eq!(Version::split("/v1.51/info"), (Some(Version(1, 51)), "/info"));
        assert_eq!(Version::split("/volumes"), (None, "/volumes"));
        assert_eq!(Version::split("/vfoo/info"), (None, "/vfoo/info"));
        assert_eq!(Version::split("/v1.51"), (None, "/v1.51"));
        assert_eq!(Version::split("/version"), (None, "/version"));
    }

    #[test]
    fn the_newest_is_that_of_docker() {
        assert_eq!(MAX.to_string(), coracle_view::NEWEST);
    }

    #[test]
    fn only_known_versions_are_spoken() {
        assert_eq!(Version(1, 51).complaint(), None);
        assert!(Version(1, 99).complaint().is_some_and(|text| text.contains("too new")));
        assert!(Version(1, 12).complaint().is_some_and(|text| text.contains("too old")));
        assert_eq!(
            (Version(1, 51).documents(), Version(1, 52).documents()),
            (Api::V1_51, Api::V1_55)
        );
    }
}
