//! How much a container uses.
//!
//! # How it works
//!
//! [`sample`] reads the container's cgroup. What the cgroup does not tell (it has no such
//! controller, or there is no cgroup) is summed over `/proc` for the container's
//! processes. Two samples give the share of CPU time, as `docker stats` shows it.
//!
//! # Limits
//!
//! Summed memory is the proportional share of every mapping, so page cache of files that
//! nobody maps is missing. Children that nobody waited for are missing from summed CPU
//! time and block I/O.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::processes::find;
use crate::processes::find::ProcessStat;

/// Clock ticks per second in `/proc`; the same on every architecture of Linux we build for.
pub(crate) const TICKS_PER_SECOND: u64 = 100;

/// What to look at.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub cgroup: Option<&'a Path>,
    /// The container's first process, as a host pid; `None` where it has none here.
    pub init: Option<i32>,
}

/// One reading; `None` is shown as `--`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    #[serde(skip)]
    pub at: Instant,
    pub cpu_us: Option<u64>,
    /// Without page cache that can be dropped at once, as Docker counts.
    pub memory_bytes: Option<u64>,
    /// The container's limit, or the machine's memory.
    pub memory_limit_bytes: Option<u64>,
    /// Threads, as Docker counts.
    pub pids: Option<u64>,
    pub block_read_bytes: Option<u64>,
    pub block_write_bytes: Option<u64>,
    pub net_received_bytes: Option<u64>,
    pub net_sent_bytes: Option<u64>,
}

impl Sample {
    /// CPU time since `earlier` as a percentage of one CPU.
    #[must_use]
    pub fn cpu_percent(&self, earlier: &Self) -> Option<f64> {
        let used = self.cpu_us?.saturating_sub(earlier.cpu_us?);
        let passed = self.at.saturating_duration_since(earlier.at);
        if passed.is_zero() {
            return None;
        }
        Some(Duration::from_micros(used).as_secs_f64() / passed.as_secs_f64() * 100.0)
    }

    /// Memory as a percentage of its limit.
    #[must_use]
    pub fn memory_percent(&self) -> Option<f64> {
        let (used, limit) = (self.memory_bytes?, self.memory_limit_bytes?);
        #[expect(clippy::cast_precision_loss, reason = "a percentage shown with two decimals")]
        let percent = (limit > 0).then(|| used as f64 / limit as f64 * 100.0);
        percent
    }
}

/// Reads a running container.
#[must_use]
pub fn sample(target: &Target<'_>) -> Sample {
    let at = Instant::now();
    let group = target.cgroup.map(from_cgroup).unwrap_or_default();
    // Only when something is missing: it costs a walk over every process.
    let summed = if group.is_complete() {
        Usage::default()
    } else {
        let list = target.init.and_then(|init| find::of_container(target.cgroup, init).ok());
        list.map(|list| from_processes(&list)).unwrap_or_default()
    };
    let network = target.init.and_then(network);
    let machine = crate::home::memory_total();
    Sample {
        at,
        cpu_us: group.cpu_us.or(summed.cpu_us),
        memory_bytes: group.memory_bytes.or(summed.memory_bytes),
        memory_limit_bytes: match (group.memory_limit_bytes, machine) {
            (Some(limit), Some(machine)) => Some(limit.min(machine)),
            (limit, machine) => limit.or(machine),
        },
        pids: group.pids.or(summed.pids),
        block_read_bytes: group.block_bytes.or(summed.block_bytes).map(|(read, _)| read),
        block_write_bytes: group.block_bytes.or(summed.block_bytes).map(|(_, write)| write),
        net_received_bytes: network.map(|(received, _)| received),
        net_sent_bytes: network.map(|(_, sent)| sent),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Usage {
    cpu_us: Option<u64>,
    memory_bytes: Option<u64>,
    memory_limit_bytes: Option<u64>,
    pids: Option<u64>,
    block_bytes: Option<(u64, u64)>,
}

impl Usage {
    fn is_complete(&self) -> bool {
        self.cpu_us.is_some()
            && self.memory_bytes.is_some()
            && self.pids.is_some()
            && self.block_bytes.is_some()
    }
}

fn from_cgroup(path: &Path) -> Usage {
    let text = |file: &str| fs::read_to_string(path.join(file)).ok();
    let number = |file: &str| text(file)?.trim().parse::<u64>().ok();
    let cache = text("memory.stat").and_then(|text| value_of(&text, "inactive_file")).unwrap_or(0);
    Usage {
        cpu_us: text("cpu.stat").and_then(|text| value_of(&text, "usage_usec")),
        memory_bytes: number("memory.current").map(|bytes| bytes.saturating_sub(cache)),
        memory_limit_bytes: number("memory.max"),
        pids: number("pids.current"),
        block_bytes: text("io.stat").map(|text| sum_io(&text)),
    }
}

/// The number after `key` on a line of its own.
fn value_of(text: &str, key: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(name, _)| *name == key)
        .and_then(|(_, value)| value.trim().parse().ok())
}

/// Bytes read and written over all devices, from `io.stat`.
fn sum_io(text: &str) -> (u64, u64) {
    let sum = |key: &str| {
        text.split_ascii_whitespace()
            .filter_map(|word| word.strip_prefix(key)?.strip_prefix('=')?.parse::<u64>().ok())
            .fold(0, u64::saturating_add)
    };
    (sum("rbytes"), sum("wbytes"))
}

fn from_processes(list: &[ProcessStat]) -> Usage {
    let ticks: u64 = list.iter().map(|process| process.own_ticks + process.children_ticks).sum();
    let io: Vec<(u64, u64)> = list.iter().filter_map(|process| block_io(process.pid)).collect();
    let pairs = io.iter().fold((0u64, 0u64), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Usage {
        cpu_us: Some(ticks * (1_000_000 / TICKS_PER_SECOND)),
        memory_bytes: Some(list.iter().filter_map(|process| memory(process.pid)).sum()),
        memory_limit_bytes: None,
        pids: Some(list.iter().map(|process| process.threads).sum()),
        block_bytes: (!io.is_empty()).then_some(pairs),
    }
}

/// The proportional share of memory, or where that is not shown, what is resident.
fn memory(pid: i32) -> Option<u64> {
    let kilobytes = |file: &str, key: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    kilobytes("smaps_rollup", "Pss:").or_else(|| kilobytes("status", "VmRSS:")).map(|kb| kb * 1024)
}

fn block_io(pid: i32) -> Option<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    Some((value_of(&text, "read_bytes:")?, value_of(&text, "write_bytes:")?))
}

/// Received and sent bytes of the container's own network; none of its own counts zero.
fn network(init: i32) -> Option<(u64, u64)> {
    let namespace = |who: &str| fs::read_link(format!("/proc/{who}/ns/net"));
    let (theirs, ours) = (namespace(&init.to_string()), namespace("self"));
    if let (Ok(theirs), Ok(ours)) = (theirs, ours)
        && theirs == ours
    {
        return Some((0, 0));
    }
    Some(sum_network(&fs::read_to_string(format!("/proc/{init}/net/dev")).ok()?))
}

fn sum_network(text: &str) -> (u64, u64) {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim() != "lo")
        .fold((0, 0), |(received, sent), (_, counters)| {
            let mut fields = counters.split_ascii_whitespace().map(str::parse::<u64>);
            let first = fields.next().and_then(Result::ok).unwrap_or(0);
            let ninth = fields.nth(7).and_then(Result::ok).unwrap_or(0);
            (received + first, sent + ninth)
        })
}

#[cfg(test)]
mod tests {
    use crate::processes::stats::*;

    #[test]
    fn a_cgroup_gives_dockers_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("cpu.stat", "usage_usec 1500\nuser_usec 1\n"),
            ("memory.current", "1000\n"),
            ("memory.stat", "anon 5\ninactive_file 400\n"),
            ("memory.max", "max\n"),
            ("pids.current", "3\n"),
            ("io.stat", "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n"),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let expected = Usage {
            cpu_us: Some(1500),
            memory_bytes: Some(600),
            memory_limit_bytes: None,
            pids: Some(3),
            block_bytes: Some((11, 22)),
        };
        assert_eq!(from_cgroup(folder.path()), expected);
    }

    #[test]
    fn percentages() {
        let at = Instant::now();
        let first = Sample {
            at,
            cpu_us: Some(1_000_000),
            memory_bytes: Some(16),
            memory_limit_bytes: Some(64),
            pids: Some(1),
            block_read_bytes: None,
            block_write_bytes: None,
            net_received_bytes: None,
            net_sent_bytes: None,
        };
        let second =
            Sample { at: at + Duration::from_secs(2), cpu_us: Some(2_000_000), ..first.clone() };
        assert_eq!(second.cpu_percent(&first), Some(50.0));
        assert_eq!(first.cpu_percent(&first), None);
        assert_eq!(first.memory_percent(), Some(25.0));
    }

    #[test]
    fn network_counters_leave_out_loopback() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n\
                    lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n\
                    eth0: 778 9 0 0 0 0 0 0 126 3 0 0 0 0 0 0\n";
        assert_eq!(sum_network(text), (778, 126));
    }

    #[test]
    fn this_process_without_a_cgroup() {
        let init = i32::try_from(std::process::id()).unwrap();
        let sample = sample(&Target { cgroup: None, init: Some(init) });
        assert!(sample.memory_bytes.unwrap() > 100_000);
        assert!(sample.pids.unwrap() >= 1);
        assert!(sample.memory_limit_bytes.unwrap() > sample.memory_bytes.unwrap());
        assert_eq!((sample.net_received_bytes, sample.net_sent_bytes), (Some(0), Some(0)));
    }
}
