//! What the cache of builds holds: which of it is meant, how much of it may stay, what it comes to.
//!
//! Ids are shown by their first characters, as many as those of BuildKit have; a filter takes any part of one from its
//! begin.

use coracle_builder::exec::{Usage, UsageKind};
use coracle_words::Timestamp;

use crate::filter::{Filter, Filters};
use crate::{Now, ViewError};

/// Keys of `--filter`. Those with `~` take an expression, those with `!` what it is not.
const KEYS: &[&str] = &[
    "description",
    "description!",
    "description~",
    "id",
    "id!",
    "id~",
    "immutable",
    "inuse",
    "mutable",
    "parent",
    "parents",
    "private",
    "shared",
    "type",
    "type!",
    "type~",
    "until",
    "unused-for",
];

/// Characters of an id.
const ID_CHARS: usize = 25;

/// Which entries are meant.
#[derive(Debug)]
pub struct Wanted {
    filters: Filters,
    /// Those that were not used since.
    unused_since: Option<Timestamp>,
    in_use: Option<bool>,
    shared: Option<bool>,
    mutable: Option<bool>,
}

impl Wanted {
    /// # Errors
    /// When a key is none, or a value has no meaning.
    pub fn new(given: &[Filter], now: &Now) -> Result<Self, ViewError> {
        let with_value = |filter: &Filter| {
            let is_switch = ["immutable", "inuse", "mutable", "private", "shared"];
            let means_true = filter.value.is_empty() && is_switch.contains(&filter.key.as_str());
            let value = if means_true { "true".to_owned() } else { filter.value.clone() };
            Filter { key: filter.key.clone(), value }
        };
        let given: Vec<Filter> = given.iter().map(with_value).collect();
        let mut filters = Filters::new(&given, KEYS)?;
        for value in filters.values("unused-for").to_vec() {
            filters.add("until", &value);
        }
        let not = |truth: Option<bool>| truth.map(|truth| !truth);
        Ok(Self {
            unused_since: filters.until(now)?.map(Into::into),
            in_use: filters.truth("inuse")?,
            shared: filters.truth("shared")?.or(not(filters.truth("private")?)),
            mutable: filters.truth("mutable")?.or(not(filters.truth("immutable")?)),
            filters,
        })
    }

    #[must_use]
    pub fn has(&self, entry: &Usage) -> bool {
        let is = |wanted: Option<bool>, value: bool| wanted.is_none_or(|wanted| wanted == value);
        let last_used = entry.last_used.unwrap_or(entry.created);
        self.unused_since.is_none_or(|since| last_used < since)
            && is(self.in_use, entry.in_use)
            && is(self.shared, entry.shared)
            && is(self.mutable, is_mutable(entry))
            && self.by_id("id", Some(entry.id.hex()))
            && self.by_id("parent", entry.parent.map(|parent| parent.hex()))
            && self.by_id("parents", entry.parent.map(|parent| parent.hex()))
            && self.by_text("id", &entry.id.hex())
            && self.by_text("type", entry.kind.name())
            && self.filters.exact("type", entry.kind.name())
            && self.by_text("description", &entry.description)
            && self.filters.exact("description", &entry.description)
    }

    fn by_id(&self, key: &str, id: Option<String>) -> bool {
        let begins = |wanted: &String| id.as_ref().is_some_and(|id| id.starts_with(wanted));
        !self.filters.has(key) || self.filters.values(key).iter().any(begins)
    }

    fn by_text(&self, key: &str, text: &str) -> bool {
        let not = format!("{key}!");
        !(self.filters.has(&not) && self.filters.exact(&not, text))
            && self.filters.matches(&format!("{key}~"), text)
    }
}

/// What a prune may leave; nothing is said by a zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes that may stay in any case.
    pub reserved: u64,
    /// Bytes that the cache may take.
    pub used_max: u64,
    /// Bytes that are to be free on the disk.
    pub free_min: u64,
}

impl Room {
    /// How many of the `total` bytes may stay, with so many `free` on the disk.
    #[must_use]
    pub fn keeps(self, total: u64, free: u64) -> Option<u64> {
        if self == Self::default() {
            return None;
        }
        let excess = self.free_min.saturating_sub(free);
        let most = match (self.used_max, excess) {
            (0, 0) if self.free_min > 0 => total,
            (most, 0) => most,
            (0, excess) => total.saturating_sub(excess),
            (most, excess) => most.min(total.saturating_sub(excess)),
        };
        Some(most.max(self.reserved))
    }
}

/// What it comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub total: u64,
    /// Of these, what images have too.
    pub shared: u64,
    /// Of these, what nobody uses.
    pub reclaimable: u64,
}

impl Sums {
    #[must_use]
    pub fn of(entries: &[Usage]) -> Self {
        let sum = |counts: &dyn Fn(&Usage) -> bool| {
            entries.iter().filter(|entry| counts(entry)).map(|entry| entry.size).sum()
        };
        Self {
            total: sum(&|_| true),
            shared: sum(&|entry| entry.shared),
            reclaimable: sum(&|entry| !entry.in_use),
        }
    }
}

/// The id of an entry, as it is shown.
#[must_use]
pub fn shown_id(entry: &Usage) -> String {
    short(&entry.id.hex())
}

/// That of what it stands on.
#[must_use]
pub fn shown_parent(entry: &Usage) -> Option<String> {
    entry.parent.map(|parent| short(&parent.hex()))
}

fn short(hex: &str) -> String {
    hex.chars().take(ID_CHARS).collect()
}

/// Commands write to it after it was made.
#[must_use]
pub fn is_mutable(entry: &Usage) -> bool {
    entry.kind == UsageKind::CacheMount
}

#[cfg(test)]
mod tests {
    use coracle_image::Digest;

    use super::*;

    fn entry(name: &str) -> Usage {
        Usage {
            id: Digest::of(name.as_bytes()),
            parent: None,
            layer: None,
            kind: UsageKind::Regular,
            description: format!("mount / from exec {name}"),
            created: "2026-11-20T10:00:00Z".parse().unwrap(),
            last_used: Some("2026-11-20T12:00:00Z".parse().unwrap()),
            uses: 1,
            size: 1000,
            shared: false,
            in_use: false,
        }
    }

    fn wanted(text: &str) -> Result<Wanted, ViewError> {
        let filters = text.split_whitespace().map(|pair| {
            let (key, value) = pair.split_once('=').unwrap();
            Filter { key: key.to_owned(), value: value.to_owned() }
        });
        let time = "2026-11-20T13:00:00Z".parse().unwrap();
        let zone = chrono::FixedOffset::east_opt(0).unwrap();
        Wanted::new(&filters.collect::<Vec<_>>(), &Now { time, zone })
    }

    #[test]
    fn filters() {
        let plain = entry("make");
        let mount = Usage { kind: UsageKind::CacheMount, parent: Some(plain.id), ..entry("pip") };
        let used = Usage { in_use: true, shared: true, ..entry("cc") };
        let all = [&plain, &mount, &used];
        let names = |text: &str| -> Vec<usize> {
            let wanted = wanted(text).unwrap();
            (0..3).filter(|index| wanted.has(all[*index])).collect()
        };
        assert_eq!(names(""), [0, 1, 2]);
        assert_eq!(names("type=exec.cachemount"), [1]);
        assert_eq!(names("type!=exec.cachemount"), [0, 2]);
        assert_eq!(names("mutable="), [1]);
        assert_eq!(names("immutable=true inuse=0"), [0]);
        assert_eq!(names("private=1"), [0, 1]);
        assert_eq!(names("description~=exec.(make|cc)$"), [0, 2]);
        assert_eq!(names(&format!("id={}", shown_id(&used))), [2]);
        assert_eq!(names(&format!("parent={}", shown_id(&plain))), [1]);
        assert_eq!(names("until=30m"), [0, 1, 2]);
        assert_eq!(names("unused-for=2h"), [] as [usize; 0]);
        assert!(wanted("bogus=1").is_err() && wanted("inuse=maybe").is_err());
        let sums = Sums::of(&[plain.clone(), used.clone()]);
        assert_eq!(sums, Sums { total: 2000, shared: 1000, reclaimable: 1000 });
    }

    #[test]
    fn room() {
        let keeps =
            |reserved, used_max, free_min| Room { reserved, used_max, free_min }.keeps(1000, 100);
        assert_eq!(keeps(0, 0, 0), None);
        assert_eq!(keeps(300, 0, 0), Some(300));
        assert_eq!(keeps(0, 400, 0), Some(400));
        assert_eq!(keeps(0, 0, 300), Some(800), "200 have to go");
        assert_eq!(keeps(0, 0, 50), Some(1000), "nothing has to");
        assert_eq!(keeps(0, 400, 300), Some(400));
        assert_eq!(keeps(900, 400, 300), Some(900));
        assert_eq!(keeps(0, 0, u64::MAX), Some(0));
    }
}
