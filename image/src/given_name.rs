//! A name of an image as its user typed it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Reference;

/// What a user called an image: a [`Reference`], or else an id, its beginning, or what some
/// older record has. Prints as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenName {
    text: String,
    reference: Option<Reference>,
}

impl GivenName {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name that was typed, without a tag of our own; `None` when it is none.
    pub fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }
}

impl From<&str> for GivenName {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), reference: Reference::parse(text).ok() }
    }
}

impl fmt::Display for GivenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for GivenName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for GivenName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok((&*text).into())
    }
}

#[cfg(test)]
mod tests {
    use super::GivenName;

    #[test]
    fn a_name_stays_as_it_was_typed() {
        for (typed, complete) in [
            ("alpine", Some("docker.io/library/alpine")),
            ("docker.io/library/alpine:3", Some("docker.io/library/alpine:3")),
            ("sha256:d5f7", Some("docker.io/library/sha256:d5f7")),
            ("No Name", None),
            ("", None),
        ] {
            let json = format!("{typed:?}");
            let name: GivenName = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&name).unwrap(), json);
            assert_eq!(name.to_string(), typed);
            assert_eq!(name.reference().map(ToString::to_string).as_deref(), complete, "{typed}");
        }
    }
}
