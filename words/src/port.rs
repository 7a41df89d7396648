//! Ports as users and documents write them: `80`, `80/udp`, `8000-8010`.

use std::borrow::Borrow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a port is of when nothing is written.
const DEFAULT_PROTOCOL: &str = "tcp";

/// Ports and protocol of a text, which is `tcp` where none is written; neither is checked.
pub fn split(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or((text, DEFAULT_PROTOCOL))
}

/// A protocol that has ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Sctp,
    Tcp,
    Udp,
}

impl Protocol {
    /// Reads a name in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_lowercase().as_str() {
            "sctp" => Some(Self::Sctp),
            "tcp" => Some(Self::Tcp),
            "udp" => Some(Self::Udp),
            _ => None,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sctp => "sctp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// Ports from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// A text is no range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected PORT or PORT-PORT")]
pub struct InvalidPortRange;

impl PortRange {
    pub fn first(self) -> u16 {
        self.first
    }

    /// Whether it has only one port.
    pub fn is_single(self) -> bool {
        self.first == self.last
    }

    /// How many ports it has, of which there is always one.
    pub fn count(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    pub fn numbers(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// Each of its ports as documents name it.
    pub fn keys(self, protocol: impl fmt::Display) -> impl Iterator<Item = PortKey> {
        self.numbers().map(move |number| PortKey::new(number, &protocol))
    }
}

impl FromStr for PortRange {
    type Err = InvalidPortRange;

    fn from_str(text: &str) -> Result<Self, InvalidPortRange> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(InvalidPortRange),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_single() {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Digits alone: no sign.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A port of a container as documents name it, `80/tcp`: the key of their maps.
///
/// Read as it is written, whatever that is: images and records may name what nobody carries.
/// Keys are in the order of their texts, which is that of the documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortKey {
    text: String,
    number: Option<u16>,
}

impl PortKey {
    pub fn new(number: u16, protocol: impl fmt::Display) -> Self {
        Self { text: format!("{number}/{protocol}"), number: Some(number) }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `None` when what is written is none.
    pub fn number(&self) -> Option<u16> {
        self.number
    }

    /// As it is written, or what it is when nothing is.
    pub fn protocol(&self) -> &str {
        split(&self.text).1
    }
}

impl From<String> for PortKey {
    fn from(text: String) -> Self {
        let number = number(split(&text).0);
        Self { text, number }
    }
}

impl From<&str> for PortKey {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Borrow<str> for PortKey {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for PortKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for PortKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{PortKey, PortRange, Protocol, split};

    #[test]
    fn a_text_without_protocol_is_of_tcp() {
        assert_eq!(split("80"), ("80", "tcp"));
        assert_eq!(split("80-81/udp"), ("80-81", "udp"));
        assert_eq!(split("80/"), ("80", ""));
    }

    #[test]
    fn ranges_there_and_back() {
        for text in ["80", "80-90", "0", "65535"] {
            assert_eq!(text.parse::<PortRange>().unwrap().to_string(), text);
        }
        let range: PortRange = "80-81".parse().unwrap();
        assert_eq!((range.count(), range.is_single()), (2, false));
        let keys: Vec<_> = range.keys(Protocol::Udp).map(|key| key.to_string()).collect();
        assert_eq!(keys, ["80/udp", "81/udp"]);
        for text in ["", "-", "80-", "-80", "90-80", "65536", "+80", "80-81-82", "x"] {
            assert!(text.parse::<PortRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn protocols() {
        assert_eq!(Protocol::parse("UDP"), Some(Protocol::Udp));
        assert_eq!(Protocol::parse("sctp").map(|it| it.to_string()), Some("sctp".to_owned()));
        assert_eq!((Protocol::parse(""), Protocol::parse("icmp")), (None, None));
    }

    #[test]
    fn keys_stay_as_they_are_written_and_in_the_order_of_their_texts() {
        let text = r#"{"443/tcp":1,"80":2,"80/TCP":3,"80/tcp":4,"9/dccp":5,"bogus":6}"#;
        let map: BTreeMap<PortKey, u8> = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&map).unwrap(), text);
        let parts: Vec<_> = map.keys().map(|key| (key.number(), key.protocol())).collect();
        let wanted = [(443, "tcp"), (80, "tcp"), (80, "TCP"), (80, "tcp"), (9, "dccp")];
        assert_eq!(parts[..5], wanted.map(|(number, protocol)| (Some(number), protocol)));
        assert_eq!(parts[5], (None, "tcp"));
        assert_eq!(map.get("80/tcp"), Some(&4));
    }
}
