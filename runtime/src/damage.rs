//! Records that cannot be read: told of, kept, and in nobody's way.
//!
//! # How it works
//!
//! A power cut, a full disk or a copied home leaves files that are empty, filled with zero
//! bytes, cut off, or written by a newer version. Whoever lists things passes over what it
//! cannot read and notes it in [`Notes`], which the command line prints once per command.
//! A command that names the thing fails with the cause and the cure.
//!
//! What cannot be read may still be in use. [`mentions`] looks for a name in the bytes that
//! are left, so that a volume is not removed under a container whose record a newer version
//! understands.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};

/// Something on disk whose record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// `container`, `network`, `volume`.
    pub kind: &'static str,
    /// What a command finds it by.
    pub id: String,
    /// The causes in one line.
    pub why: String,
    /// What the user can do.
    pub cure: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, id, why, cure } = self;
        write!(f, "{kind} {id}: {why}; {cure}")
    }
}

/// What readers passed over. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    all: BTreeSet<Damaged>,
    told: BTreeSet<Damaged>,
}

impl Notes {
    pub fn note(&self, damaged: Damaged) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.insert(damaged);
    }

    /// What was noted and not given before.
    #[must_use]
    pub fn take_new(&self) -> Vec<Damaged> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<_> = seen.all.difference(&seen.told).cloned().collect();
        seen.told.extend(new.iter().cloned());
        new
    }
}

/// An error and its causes in one line.
#[must_use]
pub fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

/// Why bytes are no record.
#[derive(Debug)]
pub enum Unreadable {
    Parse(serde_json::Error),
    Newer { found: u32 },
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// Understands a record, whose format is at most `known`.
///
/// # Errors
/// When it is damaged, or of a newer format, whatever else that one holds.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], known: u32) -> Result<T, Unreadable> {
    // A record of the present format is the usual case, and its version stands in front.
    if let Ok(head) = serde_json::from_slice::<VersionOnly>(bytes)
        && head.version > known
    {
        return Err(Unreadable::Newer { found: head.version });
    }
    serde_json::from_slice(bytes).map_err(|error| Unreadable::Parse(explain(bytes, error)))
}

fn explain(bytes: &[u8], error: serde_json::Error) -> serde_json::Error {
    if bytes.is_empty() {
        return serde_json::Error::custom("the file is empty");
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return serde_json::Error::custom("the file holds nothing but zero bytes");
    }
    error
}

/// Whether a file has this word in quotes somewhere, however damaged it is.
#[must_use]
pub fn mentions(path: &Path, word: &str) -> bool {
    let quoted = format!("\"{word}\"");
    std::fs::read(path)
        .is_ok_and(|bytes| bytes.windows(quoted.len()).any(|part| part == quoted.as_bytes()))
}

/// The text that follows `"key":` where it first stands in what may be a part of a record.
#[must_use]
pub fn salvage(bytes: &[u8], key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let rest = text.split_once(&format!("\"{key}\""))?.1.trim_start();
    let rest = rest.strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (value, _) = rest.split_once('"')?;
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Record {
        #[expect(dead_code, reason = "only whether it parses counts")]
        name: String,
    }

    #[test]
    fn every_kind_of_damage_is_told_apart() {
        let words = |bytes: &[u8]| match parse::<Record>(bytes, 1).unwrap_err() {
            Unreadable::Parse(error) => error.to_string(),
            Unreadable::Newer { found } => format!("newer: {found}"),
        };
        assert_eq!(words(b""), "the file is empty");
        assert_eq!(words(&[0; 9]), "the file holds nothing but zero bytes");
        assert_eq!(words(br#"{"version":7,"name":{"first":"x"}}"#), "newer: 7");
        assert!(words(br#"{"version":1,"na"#).starts_with("EOF"));
        assert!(words(br#"{"version":1,"name":4}"#).starts_with("invalid type"));
        assert!(parse::<Record>(br#"{"version":1,"name":"x"}"#, 1).is_ok());
    }

    #[test]
    fn what_is_left_of_a_record_still_names_things() {
        let cut = br#"{"version":1,"id":"00ff","name" : "web","created":"20"#;
        assert_eq!(salvage(cut, "name").as_deref(), Some("web"));
        assert_eq!(salvage(cut, "created"), None);
        assert_eq!(salvage(&[0; 20], "name"), None);
    }

    #[test]
    fn each_damage_is_given_once() {
        let notes = Notes::default();
        let damaged = |id: &str| Damaged {
            kind: "volume",
            id: id.to_owned(),
            why: "w".to_owned(),
            cure: "c".to_owned(),
        };
        notes.note(damaged("a"));
        notes.clone().note(damaged("a"));
        assert_eq!(notes.take_new(), [damaged("a")]);
        notes.note(damaged("a"));
        notes.note(damaged("b"));
        assert_eq!(notes.take_new(), [damaged("b")]);
    }
}
