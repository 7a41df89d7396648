//! Which user and group ids the user namespace gets.
//!
//! Id 0 inside is the calling user; 1 and up are the user's subordinate ids
//! (subuid(5)). A process that is already root maps every id it has to itself.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;

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
    Single { why: Lack },
}

/// Why only one id can be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lack {
    #[error("this is only tried")]
    Probe,
    #[error("the namespace that this process is in has no others")]
    Given,
    #[error("{file}: {error}")]
    Unreadable { file: &'static str, error: String },
    #[error("{file} has no range for {who}")]
    NoRange { file: &'static str, who: String },
    #[error("the ids in {file} are not among those of this container")]
    NotHere { file: &'static str },
    #[error("newuidmap and newgidmap are not installed")]
    NotInstalled,
    #[error("newuidmap cannot gain rights here: no_new_privs is set")]
    NoNewPrivileges,
    #[error("{path} is on a file system that is mounted nosuid")]
    Nosuid { path: &'static str },
    #[error("{path} is neither set-user-id nor has file capabilities")]
    NoRights { path: &'static str },
}

impl Lack {
    /// What to do about it, for the user `user`.
    #[must_use]
    pub fn remedy(&self, user: &str) -> String {
        match self {
            Self::NotInstalled => {
                "as root: `apt-get install uidmap` (Fedora: `dnf install shadow-utils`)".to_owned()
            }
            Self::NoNewPrivileges => {
                "start the container or service we are in without no-new-privileges \
                 (Kubernetes: `allowPrivilegeEscalation: true`)"
                    .to_owned()
            }
            Self::Nosuid { path } => {
                format!("mount the file system of {path} without `nosuid`")
            }
            Self::NoRights { path } => format!("as root: `chmod u+s {path}`"),
            Self::NotHere { .. } => "start the container we are in with more ids, or name ids in \
                 /etc/subuid and /etc/subgid that /proc/self/uid_map and gid_map have"
                .to_owned(),
            Self::Probe | Self::Given | Self::Unreadable { .. } | Self::NoRange { .. } => format!(
                "as root: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \
                 {user}`, with a range that nobody else in /etc/subuid has"
            ),
        }
    }
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
                    let error = error.to_string();
                    Self::Single { why: Lack::Unreadable { file: "/proc/self/uid_map", error } }
                }
            };
        }
        match (
            subordinate("/etc/subuid", uid, uid, name, "/proc/self/uid_map"),
            subordinate("/etc/subgid", uid, gid, name, "/proc/self/gid_map"),
        ) {
            (Ok(uids), Ok(gids)) => match usable("newuidmap").and_then(|()| usable("newgidmap")) {
                Ok(()) => Self::Subordinate { uids, gids },
                Err(why) => Self::Single { why },
            },
            (Err(why), _) | (_, Err(why)) => Self::Single { why },
        }
    }

    /// The map of the namespace that we are in already, which somebody else made: with only one id, or as it is.
    #[must_use]
    pub fn of_namespace(one_id: bool) -> Self {
        if one_id { Self::Single { why: Lack::Given } } else { Self::detect(0, 0, None, true) }
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

/// Whether a helper is there and would get the rights it needs when we start it (execve(2)).
fn usable(name: &str) -> Result<(), Lack> {
    let path = find_helper(name).ok_or(Lack::NotInstalled)?;
    if rustix::thread::no_new_privs().unwrap_or(false) {
        return Err(Lack::NoNewPrivileges);
    }
    let is_nosuid = rustix::fs::statvfs(path)
        .is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::NOSUID));
    if is_nosuid {
        return Err(Lack::Nosuid { path });
    }
    let is_set_user_id = fs::metadata(path).is_ok_and(|file| file.mode() & 0o4000 != 0);
    let has_capabilities =
        || rustix::fs::getxattr(path, "security.capability", &mut [0u8; 24][..]).is_ok();
    if is_set_user_id || has_capabilities() { Ok(()) } else { Err(Lack::NoRights { path }) }
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

fn subordinate(
    file: &'static str,
    uid: u32,
    own: u32,
    name: Option<&str>,
    ours: &'static str,
) -> Result<Vec<IdRange>, Lack> {
    let read = |file: &'static str| {
        fs::read_to_string(file)
            .map_err(|error| Lack::Unreadable { file, error: error.to_string() })
    };
    let mut ranges = apart(&parse_subordinate(&read(file)?, uid, name), own);
    if ranges.is_empty() {
        let who = name.map_or_else(|| uid.to_string(), ToOwned::to_owned);
        return Err(Lack::NoRange { file, who });
    }
    // In a container fewer ids may be there than its files speak of.
    let here = identity(&read(ours)?);
    ranges.retain(|range| is_within(*range, &here));
    if ranges.is_empty() {
        return Err(Lack::NotHere { file });
    }
    let mut map = vec![IdRange { inside: 0, outside: own, count: 1 }];
    let mut inside = 1u32;
    for (outside, count) in ranges {
        map.push(IdRange { inside, outside, count });
        inside = inside.saturating_add(count);
    }
    Ok(map)
}

/// The ranges without the user's own id, and each id once: the kernel maps none twice, and
/// people do write such lines into /etc/subuid.
fn apart(ranges: &[(u32, u32)], own: u32) -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = Vec::new();
    for range in ranges {
        let mut pieces = vec![*range];
        for taken in std::iter::once((own, 1)).chain(all.iter().copied()) {
            pieces = pieces.into_iter().flat_map(|piece| without(piece, taken)).collect();
        }
        all.extend(pieces);
    }
    all
}

/// What of a range lies before and behind another.
fn without((start, count): (u32, u32), taken: (u32, u32)) -> Vec<(u32, u32)> {
    let end = start.saturating_add(count);
    let (from, to) = (taken.0.clamp(start, end), taken.0.saturating_add(taken.1).clamp(start, end));
    let pieces = [(start, from - start), (to, end - to)];
    pieces.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Whether one of the runs of ids that are here has all of these.
fn is_within((start, count): (u32, u32), here: &[IdRange]) -> bool {
    let end = u64::from(start) + u64::from(count);
    here.iter().any(|range| {
        start >= range.inside && end <= u64::from(range.inside) + u64::from(range.count)
    })
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
    fn no_id_is_mapped_twice() {
        assert_eq!(apart(&[(1000, 10)], 1000), [(1001, 9)]);
        assert_eq!(apart(&[(990, 20)], 1000), [(990, 10), (1001, 9)]);
        assert_eq!(apart(&[(100, 50), (100, 50), (140, 20)], 7), [(100, 50), (150, 10)]);
        assert_eq!(apart(&[(1000, 1)], 1000), []);
        let apart_already = [(100_000, 65_536), (300_000, 10)];
        assert_eq!(apart(&apart_already, 1000), apart_already);
    }

    #[test]
    fn the_remedy_depends_on_what_is_missing() {
        assert!(Lack::NotInstalled.remedy("ann").contains("apt-get install uidmap"));
        let lack = Lack::NoRange { file: "/etc/subuid", who: "ann".to_owned() };
        assert_eq!(
            lack.remedy("ann"),
            "as root: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann`, \
             with a range that nobody else in /etc/subuid has"
        );
    }

    #[test]
    fn ids_that_are_not_here_cannot_be_had() {
        let here = identity("0 1001 1\n1 100000 65536\n");
        assert!(is_within((1, 65_536), &here));
        assert!(!is_within((1, 65_537), &here));
        assert!(!is_within((0, 2), &here));
        assert!(!is_within((u32::MAX, u32::MAX), &here));
    }

    #[test]
    fn identity_keeps_what_the_outer_namespace_has() {
        let ranges = identity("         0     100000      65536\n");
        assert_eq!(ranges, [IdRange { inside: 0, outside: 0, count: 65_536 }]);
        let all = identity("         0          0 4294967295\n");
        assert_eq!(all, [IdRange { inside: 0, outside: 0, count: 4_294_967_294 }]);
    }
}
