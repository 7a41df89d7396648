//! Which process believes to have which ids.
//!
//! # How it works
//!
//! A process gets an entry with its first question; until then it has its parent's ids.
//! Before a process changes its ids, and when it ends, its children without an entry get
//! one with the ids as they were.
//!
//! # Limits
//!
//! A process killed by a signal does not say so: a child of it that has not asked anything
//! is taken for a child of the container's first process.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use super::ids::Ids;
use crate::processes::find::ProcessStat;

/// Entries beyond which dead processes are swept.
const SWEEP_AT: usize = 4096;
/// Generations looked up before giving up; a pid namespace is rarely this deep.
const ANCESTORS_MAX: usize = 256;

/// How long a pid is believed to be the same process without another look: no pid comes
/// round again so fast.
const TRUST: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Entry {
    start_ticks: u64,
    ids: Ids,
    seen: Instant,
}

/// The ids by process.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: HashMap<i32, Entry>,
}

impl Table {
    /// The process of thread `tid` and its ids; `first` for one without known ancestor.
    pub(super) fn ids_of(&mut self, tid: i32, first: &Ids) -> Option<(i32, &mut Ids)> {
        let pid = self.settle(tid, first)?;
        Some((pid, &mut self.entries.get_mut(&pid)?.ids))
    }

    /// Makes sure that there is a current entry for the process of `tid`.
    fn settle(&mut self, tid: i32, first: &Ids) -> Option<i32> {
        let now = Instant::now();
        if self.entries.get(&tid).is_some_and(|entry| now.duration_since(entry.seen) < TRUST) {
            return Some(tid);
        }
        let process = ProcessStat::read(tid)?;
        if self.is_current(&process) {
            self.entries.entry(tid).and_modify(|entry| entry.seen = now);
            return Some(tid);
        }
        let leader = leader_of(tid)?;
        if leader != tid {
            return self.settle(leader, first);
        }
        let ids = self.inherited(&process).unwrap_or_else(|| first.clone());
        if self.entries.len() >= SWEEP_AT {
            self.sweep();
        }
        self.entries.insert(tid, Entry { start_ticks: process.start_ticks, ids, seen: now });
        Some(tid)
    }

    fn is_current(&self, process: &ProcessStat) -> bool {
        self.entries.get(&process.pid).is_some_and(|entry| entry.start_ticks == process.start_ticks)
    }

    /// The ids of the nearest ancestor that has an entry.
    fn inherited(&self, process: &ProcessStat) -> Option<Ids> {
        let mut parent = process.ppid;
        for _ in 0..ANCESTORS_MAX {
            let stat = ProcessStat::read(parent)?;
            if self.is_current(&stat) {
                return self.entries.get(&parent).map(|entry| entry.ids.clone());
            }
            parent = stat.ppid;
        }
        None
    }

    /// Gives the children of `pid` that have no entry the ids it has now. Theirs find
    /// them there.
    pub(super) fn settle_children(&mut self, pid: i32, first: &Ids) {
        for child in children(pid) {
            // One that is gone already needs no entry.
            self.settle(child, first);
        }
    }

    /// The process ends.
    pub(super) fn end(&mut self, pid: i32, first: &Ids) {
        self.settle_children(pid, first);
        self.entries.remove(&pid);
    }

    fn sweep(&mut self) {
        self.entries.retain(|pid, entry| {
            ProcessStat::read(*pid).is_some_and(|process| process.start_ticks == entry.start_ticks)
        });
    }
}

fn leader_of(tid: i32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| {
            list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::super::ids::{Change, Kind, StartIds};
    use super::*;

    fn shell() -> (Child, i32) {
        let child =
            Command::new("sh").arg("-c").arg("read x").stdin(Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        (child, pid)
    }

    #[test]
    fn a_child_has_the_ids_its_parent_had_when_it_was_born() {
        let me = i32::try_from(std::process::id()).unwrap();
        let (mut child, pid) = shell();
        let mut table = Table::default();
        let first: Ids = StartIds::default().into();
        assert_eq!(table.ids_of(me, &first).unwrap().0, me);
        table.settle_children(me, &first);
        let (_, ids) = table.ids_of(me, &first).unwrap();
        ids.change(Kind::User, Change::One(42)).unwrap();
        assert_eq!(table.ids_of(pid, &first).unwrap().1.user.real, 0);
        let (mut later, later_pid) = shell();
        assert_eq!(table.ids_of(later_pid, &first).unwrap().1.user.real, 42);
        for child in [&mut child, &mut later] {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
        table.end(pid, &first);
        assert!(table.ids_of(pid, &first).is_none());
    }

    #[test]
    fn a_thread_speaks_for_its_process() {
        let mut table = Table::default();
        let me = i32::try_from(std::process::id()).unwrap();
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        assert_eq!(table.ids_of(tid, &Ids::from(StartIds::default())).unwrap().0, me);
    }
}
