//! The labels of an image, and when it was made.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use coracle_image::{Image, Store};

/// The labels of an image; none when its configuration cannot be read.
pub fn labels(store: &Store, image: &Image) -> BTreeMap<String, String> {
    store.config(&image.id).ok().and_then(|config| config.config.labels).unwrap_or_default()
}

pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}
