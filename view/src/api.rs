//! Versions of the Engine API whose documents differ.

/// Whose documents are wanted. They changed in Docker 29 only where this says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Docker 28.5; what the command line prints to who asks for a version up to it.
    V1_51,
    /// Docker 29.7.
    #[default]
    V1_55,
}

/// The release of Docker that is followed: what its client and engine print and answer.
pub const FOLLOWED: &str = "29.7.2";
/// The newest version of the API, that of [`FOLLOWED`].
pub const NEWEST: &str = "1.55";
/// The oldest one that anybody may ask for, as for [`FOLLOWED`].
pub const OLDEST: &str = "1.40";

/// The minor numbers of the above: there is one major number.
const MAJOR: u32 = 1;
const OLDEST_MINOR: u32 = 40;
/// The last one with the documents of Docker 28.
const LAST_OF_28: u32 = 51;

/// Why a version cannot be had; in the words of Docker's client and engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidApi {
    #[error("invalid API version ({0}): must be formatted <major>.<minor>")]
    Format(String),
    #[error(
        "client version {0} is too old. Minimum supported API version is {OLDEST}, please upgrade \
         your client to a newer version"
    )]
    TooOld(String),
}

impl Api {
    /// The documents of version 1 with that minor number.
    #[must_use]
    pub fn of_minor(minor: u32) -> Self {
        if minor <= LAST_OF_28 { Self::V1_51 } else { Self::V1_55 }
    }

    /// What who asks for `version` gets, as of `DOCKER_API_VERSION`: one that is newer than all
    /// is lowered without a word, as Docker's client does since 29.
    ///
    /// # Errors
    /// When it is no version, or older than [`OLDEST`].
    pub fn for_client(version: &str) -> Result<Self, InvalidApi> {
        let number = |text: &str| text.parse::<u32>().ok();
        let parts = version.split_once('.').and_then(|(a, b)| number(a).zip(number(b)));
        let (major, minor) = parts.ok_or_else(|| InvalidApi::Format(version.to_owned()))?;
        match (major, minor) {
            (0, _) => Err(InvalidApi::TooOld(version.to_owned())),
            (MAJOR, ..OLDEST_MINOR) => Err(InvalidApi::TooOld(version.to_owned())),
            (MAJOR, minor) => Ok(Self::of_minor(minor)),
            _ => Ok(Self::V1_55),
        }
    }
}

/// The number that is spoken with who asks for `version`.
#[must_use]
pub fn spoken(version: Option<&str>) -> &str {
    match version.map(|version| (version, Api::for_client(version))) {
        Some((version, Ok(_))) if is_older(version) => version,
        _ => NEWEST,
    }
}

fn is_older(version: &str) -> bool {
    let minor = |text: &str| text.split_once('.')?.1.parse::<u32>().ok();
    version.starts_with("1.") && minor(version) < minor(NEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_are_asked_for() {
        for (version, api) in [
            ("1.40", Api::V1_51),
            ("1.51", Api::V1_51),
            ("1.52", Api::V1_55),
            (NEWEST, Api::V1_55),
            ("1.99", Api::V1_55),
            ("2.0", Api::V1_55),
        ] {
            assert_eq!(Api::for_client(version), Ok(api), "{version}");
        }
        assert_eq!(
            Api::for_client("1.39").unwrap_err().to_string(),
            "client version 1.39 is too old. Minimum supported API version is 1.40, please upgrade \
             your client to a newer version"
        );
        for text in ["v1.55", "1", "1.x", "latest"] {
            assert_eq!(
                Api::for_client(text).unwrap_err().to_string(),
                format!("invalid API version ({text}): must be formatted <major>.<minor>")
            );
        }
        let numbers = [None, Some("1.51"), Some("1.99"), Some("2.0")].map(spoken);
        assert_eq!(numbers, [NEWEST, "1.51", NEWEST, NEWEST]);
        assert_eq!(Api::default(), Api::for_client(NEWEST).unwrap());
        assert_eq!(OLDEST, format!("{MAJOR}.{OLDEST_MINOR}"));
    }
}
