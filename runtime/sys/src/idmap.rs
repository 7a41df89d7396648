//! Which user and group ids the user namespace gets.
//!
//! Id 0 inside is the calling user; 1 and up are the user's subordinate ids
//! (subuid(5)). A process that is already root maps every id it has to itself.

use std::fs;
use std::io;
use std::path::Path;

/// A run of ids: `inside` is backed by `outside`, `count` ids long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    pub inside: u32,
    pub outside: u32,
    pub count: u32,
}

/// How ids are mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdMap {
    /// Subordinate ids through newuidmap and newgidmap.
    Subordinate { uids: Vec<IdRange>, gids: Vec<IdRange> },
    /// We are root: every id we have, as it is, written by ourselves.
    Identity { uids: Vec<IdRange>, gids: Vec<IdRange> },
    /// Only id 0, which is the user.
    Single { why: String },
}

impl IdMap {
    /// The map for the user `uid`:`gid` named `name`.
    #[must_use]
    pub fn detect(uid: u32, gid: u32, name: Option<&str>, can_map: bool) -> Self {
        if uid == 0 && can_map {
            let own = |file| fs::read_to_string(file).map(|text| identity(&text));
            return match (own("/proc/self/uid_map"), own("/proc/self/gid_map")) {
                (Ok(uids), Ok(gids)) => Self::Identity { uids, gids },
                (Err(error), _) | (_, Err(error)) => {
                    Self::Single { why: format!("/proc/self/uid_map: {error}") }
                }
            };
        }
        match (
            subordinate("/etc/subuid", uid, uid, name),
            subordinate("/etc/subgid", uid, gid, name),
        ) {
            (Ok(uids), Ok(gids)) => match (find_helper("newuidmap"), find_helper("newgidmap")) {
                (Some(_), Some(_)) => Self::Subordinate { uids, gids },
                _ => Self::Single { why: "newuidmap and newgidmap are not installed".into() },
            },
            (Err(why), _) | (_, Err(why)) => Self::Single { why },
        }
    }

    /// How many user ids the namespace has.
    #[must_use]
    pub fn uid_count(&self) -> u32 {
        match self {
            Self::Subordinate { uids, .. } | Self::Identity { uids, .. } => {
                uids.iter().map(|range| range.count).fold(0, u32::saturating_add)
            }
            Self::Single { .. } => 1,
        }
    }

    #[must_use]
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Single { .. })
    }
}

/// Where a set-user-id helper lives; the usual directories only, never `PATH`.
#[must_use]
pub fn find_helper(name: &str) -> Option<&'static str> {
    let candidates: [&'static str; 4] = match name {
        "newuidmap" => [
            "/usr/bin/newuidmap",
            "/bin/newuidmap",
            "/usr/sbin/newuidmap",
            "/run/wrappers/bin/newuidmap",
        ],
        _ => [
            "/usr/bin/newgidmap",
            "/bin/newgidmap",
            "/usr/sbin/newgidmap",
            "/run/wrappers/bin/newgidmap",
        ],
    };
    candidates.into_iter().find(|path| Path::new(path).exists())
}

/// A namespace that has all ids passes for the first one, where device nodes can be made
/// and more; so ours lacks the last, which nobody has.
const COUNT_MAX: u32 = u32::MAX - 1;

fn identity(map: &str) -> Vec<IdRange> {
    let number = |field: Option<&str>| field.and_then(|text| text.parse::<u32>().ok());
    map.lines()
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let inside = number(fields.next())?;
            let count = number(fields.nth(1))?.min(COUNT_MAX);
            Some(IdRange { inside, outside: inside, count })
        })
        .collect()
}

fn subordinate(file: &str, uid: u32, own: u32, name: Option<&str>) -> Result<Vec<IdRange>, String> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("{file} does not exist"));
        }
        Err(error) => return Err(format!("{file}: {error}")),
    };
    let ranges = parse_subordinate(&text, uid, name);
    if ranges.is_empty() {
        let who = name.map_or_else(|| uid.to_string(), ToOwned::to_owned);
        return Err(format!("{file} has no range for {who}"));
    }
    let mut map = vec![IdRange { inside: 0, outside: own, count: 1 }];
    let mut inside = 1u32;
    for (outside, count) in ranges {
        map.push(IdRange { inside, outside, count });
        inside = inside.saturating_add(count);
    }
    Ok(map)
}

fn parse_subordinate(text: &str, uid: u32, name: Option<&str>) -> Vec<(u32, u32)> {
    let uid = uid.to_string();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let owner = fields.next()?;
            let start = fields.next()?.parse().ok()?;
            let count = fields.next()?.parse().ok().filter(|count| *count > 0)?;
            (Some(owner) == name || owner == uid).then_some((start, count))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_by_name_and_by_number() {
        let text = "ann:100000:65536\nbob:1:2\n1000:300000:10\nann:x:1\n";
        assert_eq!(parse_subordinate(text, 1000, Some("ann")), [(100_000, 65_536), (300_000, 10)]);
        assert_eq!(parse_subordinate(text, 7, None), []);
    }

    #[test]
    fn identity_keeps_what_the_outer_namespace_has() {
        let ranges = identity("         0     100000      65536\n");
        assert_eq!(ranges, [IdRange { inside: 0, outside: 0, count: 65_536 }]);
        let all = identity("         0          0 4294967295\n");
        assert_eq!(all, [IdRange { inside: 0, outside: 0, count: 4_294_967_294 }]);
    }
}
