//! Which processes a container has, and what `/proc` says of them.
//!
//! # How it works
//!
//! With a cgroup the kernel keeps the list. Without one a process belongs to the container
//! when it is in the mount namespace of the container's init (`exec` puts it there without
//! being a child of it) or has an ancestor that belongs. The mount namespace, because no
//! two containers share one, as they may share a pid namespace.
//!
//! # Limits
//!
//! `/proc` is read process by process: one that ends meanwhile is left out. Without a
//! cgroup, an orphan of a container that joined another's pid namespace counts as a process
//! of both: the other's init is its parent now.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::cgroup;

/// Fields of `/proc/PID/stat` (proc(5)); times in clock ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStat {
    pub pid: i32,
    pub ppid: i32,
    pub command: String,
    pub state: char,
    /// Device number of the controlling terminal; 0 is none.
    pub terminal: i32,
    /// User and system time of the process itself.
    pub own_ticks: u64,
    /// The same of its children that have ended.
    pub children_ticks: u64,
    pub threads: u64,
    /// After boot.
    pub start_ticks: u64,
}

impl ProcessStat {
    /// Reads one process; `None` when it is gone.
    #[must_use]
    pub fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name may hold blanks and brackets: it ends at the last bracket.
        let (head, tail) = text.split_at_checked(text.rfind(')')?)?;
        let (pid, command) = head.split_once(" (")?;
        let fields: Vec<&str> = tail.get(1..)?.split_ascii_whitespace().collect();
        // proc(5) counts from 1 and the state is field 3.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            pid: pid.parse().ok()?,
            ppid: fields.get(1)?.parse().ok()?,
            command: command.to_owned(),
            state: fields.first()?.chars().next()?,
            terminal: fields.get(4)?.parse().ok()?,
            own_ticks: number(14)?.checked_add(number(15)?)?,
            children_ticks: number(16)?.checked_add(number(17)?)?,
            threads: number(20)?,
            start_ticks: number(22)?,
        })
    }
}

/// The processes of the container whose init is `init`, by host pid, ascending.
///
/// # Errors
/// When the cgroup or `/proc` cannot be read.
pub fn of_container(cgroup: Option<&Path>, init: i32) -> io::Result<Vec<ProcessStat>> {
    if let Some(cgroup) = cgroup {
        let mut pids = BTreeSet::new();
        from_cgroup(cgroup, &mut pids)?;
        return Ok(pids.into_iter().filter_map(ProcessStat::read).collect());
    }
    let namespace = mount_namespace(init).filter(|found| Some(found) != own().as_ref());
    with_descendants(|pid| match &namespace {
        Some(namespace) => mount_namespace(pid).as_ref() == Some(namespace),
        None => pid == init,
    })
}

/// A mount namespace that is held open: no other gets its number.
#[derive(Debug)]
pub(crate) struct MountNamespace {
    name: OsString,
    _open: fs::File,
}

impl MountNamespace {
    /// That of a process; an error when it is our own.
    pub(crate) fn of(pid: i32) -> io::Result<Self> {
        let open = fs::File::open(format!("/proc/{pid}/ns/mnt"))?;
        let name = fs::read_link(format!("/proc/self/fd/{}", open.as_raw_fd()))?.into_os_string();
        match own().as_ref() == Some(&name) {
            true => Err(io::ErrorKind::InvalidInput.into()),
            false => Ok(Self { name, _open: open }),
        }
    }

    /// The processes in it, and their descendants.
    pub(crate) fn processes(&self) -> io::Result<Vec<ProcessStat>> {
        with_descendants(|pid| mount_namespace(pid).as_ref() == Some(&self.name))
    }
}

/// The processes that belong, with their descendants, by pid.
pub(crate) fn with_descendants(belongs: impl Fn(i32) -> bool) -> io::Result<Vec<ProcessStat>> {
    let all = everything()?;
    let mut members: BTreeSet<i32> = all.keys().copied().filter(|pid| belongs(*pid)).collect();
    add_descendants(&all, &mut members);
    Ok(all.into_values().filter(|process| members.contains(&process.pid)).collect())
}

fn from_cgroup(cgroup: &Path, pids: &mut BTreeSet<i32>) -> io::Result<()> {
    pids.extend(cgroup::processes(cgroup)?);
    for entry in fs::read_dir(cgroup)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            from_cgroup(&entry.path(), pids)?;
        }
    }
    Ok(())
}

fn everything() -> io::Result<BTreeMap<i32, ProcessStat>> {
    Ok(fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(ProcessStat::read)
        .map(|process| (process.pid, process))
        .collect())
}

/// Parents may have higher pids than their children once pids wrap: until nothing changes.
fn add_descendants(all: &BTreeMap<i32, ProcessStat>, members: &mut BTreeSet<i32>) {
    loop {
        let before = members.len();
        let found: Vec<i32> = all
            .values()
            .filter(|process| members.contains(&process.ppid))
            .map(|process| process.pid)
            .collect();
        members.extend(found);
        if members.len() == before {
            return;
        }
    }
}

fn mount_namespace(pid: i32) -> Option<OsString> {
    fs::read_link(format!("/proc/{pid}/ns/mnt")).ok().map(Into::into)
}

fn own() -> Option<OsString> {
    fs::read_link("/proc/self/ns/mnt").ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use crate::processes::find::*;

    #[test]
    fn stat_with_a_name_full_of_brackets() {
        let line = "7 (a ) b) S 1 7 7 34817 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4242 9 9";
        let process = ProcessStat::parse(line).unwrap();
        assert_eq!((process.pid, process.ppid, process.command.as_str()), (7, 1, "a ) b"));
        assert_eq!((process.own_ticks, process.children_ticks), (5 + 6, 7 + 8));
        assert_eq!((process.terminal, process.threads, process.start_ticks), (34817, 9, 4242));
    }

    #[test]
    fn a_child_belongs_to_its_parent_and_a_stranger_does_not() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let child_pid = i32::try_from(child.id()).unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        let pids: Vec<i32> =
            of_container(None, me).unwrap().iter().map(|process| process.pid).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(pids.contains(&me) && pids.contains(&child_pid));
        assert!(!pids.contains(&1));
    }
}
