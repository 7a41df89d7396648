//! Why a bake file, or what is asked of it, cannot be followed.

use std::fmt;
use std::sync::Arc;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Arc<str>,
    /// From 1; 0 where nobody knows.
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) fn of(file: &str) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }

    pub(super) fn at(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { file: file.into(), line, column }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BakeError {
    place: Option<Place>,
    why: String,
}

impl BakeError {
    pub(super) fn new(place: Place, why: String) -> Self {
        Self { place: Some(place), why }
    }

    pub(super) fn plain(why: impl Into<String>) -> Self {
        Self { place: None, why: why.into() }
    }
}

impl fmt::Display for BakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { file, line, column }) = &self.place {
            match line {
                0 => write!(f, "{file}: ")?,
                line => write!(f, "{file}:{line},{column}: ")?,
            }
        }
        f.write_str(&self.why)
    }
}

impl std::error::Error for BakeError {}
