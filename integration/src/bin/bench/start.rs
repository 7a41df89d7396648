//! The rows of a start: cold, beside another container, on a network, `exec`, and a thousand in a row.
//!
//! # How it works
//!
//! crun runs a bundle with the same root and makes namespaces of its own, as the same user: that is the bare
//! start. A thousand runs are counted by what our processes and the data root have before and after.

use std::{fs, path::Path};

use coracle_integration::{TestEnv, leak, wait};

use crate::peers::Peers;
use crate::rows::detached;
use crate::table::{self, Promise};
use crate::turns::{Contender, medians, milliseconds};

const TURNS: usize = 41;
/// Runs that must leave nothing behind, and how many go before the first count.
const MANY: usize = 1000;
const WARM: usize = 20;
/// What memory may be more after [`MANY`] runs, in kB: a page here and there is not growth.
const GROWTH_MAX: u64 = 256;

const NONE: [&str; 6] = ["run", "--rm", "--network", "none", "alpine", "true"];
const BRIDGE: [&str; 4] = ["run", "--rm", "alpine", "true"];

pub(crate) fn rows(peers: &Peers) {
    let bundle = peers.make_bundle();
    let crun = || {
        Contender::new("crun", || {
            bundle.clone().and_then(|()| milliseconds(peers.crun_true(), &peers.said()))
        })
    };
    let (cold, beside, bridged) = (TestEnv::new(), TestEnv::new(), TestEnv::new());
    detached(&beside, "idle").run().success();
    bridged.run(["run", "-d", "--name", "idle", "alpine", "sleep", "1000"]).success();
    let row = |what: &str, promise: Promise, contenders| {
        table::row(what, "ms", &promise, &medians(what, TURNS, contenders));
    };

    let what = "`run --rm --network none alpine true`, nothing of ours running";
    row(what, Promise::Times(1.10, "crun"), vec![turn("coracle", &cold, &NONE), crun()]);
    let what = "`run --rm --network none alpine true` beside another container";
    row(what, Promise::Times(0.95, "crun"), vec![turn("coracle", &beside, &NONE), crun()]);
    let what = "`run --rm alpine true` on the bridge, its helper up";
    let none = turn("--network none", &bridged, &NONE);
    row(
        what,
        Promise::Times(1.10, "--network none"),
        vec![turn("coracle", &bridged, &BRIDGE), none],
    );
    let what = "`exec idle true`";
    let exec = turn("coracle", &beside, &["exec", "idle", "true"]);
    row(what, Promise::Times(0.35, "crun"), vec![exec, crun()]);
    thousand(&bridged);
}

fn turn<'a>(name: &'a str, env: &'a TestEnv, args: &'a [&'a str]) -> Contender<'a> {
    let said = env.work().join("said");
    Contender::new(name, move || milliseconds(env.coracle().args(args).into_command(), &said))
}

/// What our processes of a world hold, and what lies in its data root.
struct Held {
    memory_kb: u64,
    descriptors: usize,
    files: usize,
}

fn thousand(env: &TestEnv) {
    let what = "1000 × `run --rm alpine true`: more memory, descriptors, files";
    let runs = |count: usize| {
        for _ in 0..count {
            env.run(BRIDGE).success();
        }
        // The last one's monitor may still be on its way out.
        wait::until("one monitor is left", || monitors(env) == 1);
        held(env)
    };
    let before = runs(WARM);
    let after = runs(MANY);
    let more = |after: usize, before: usize| after.saturating_sub(before);
    let memory = after.memory_kb.saturating_sub(before.memory_kb);
    let descriptors = more(after.descriptors, before.descriptors);
    let files = more(after.files, before.files);
    let kept = memory <= GROWTH_MAX && descriptors == 0 && files == 0;
    let grown = format!("{memory} kB, {descriptors}, {files}");
    let promise = format!("≤ {GROWTH_MAX} kB, 0, 0");
    table::line(what, &grown, "-", "-", &promise, if kept { "PASS" } else { "MISS" });
}

fn monitors(env: &TestEnv) -> usize {
    leak::processes_named(env.root(), "coracle-monitor").len()
}

fn held(env: &TestEnv) -> Held {
    let mut held = Held { memory_kb: 0, descriptors: 0, files: files_below(&env.data()) };
    for name in ["coracle-monitor", "coracle-netd"] {
        for pid in leak::processes_named(env.root(), name) {
            let pid = pid.as_raw_nonzero();
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
            held.memory_kb += rollup.ok().and_then(|text| private_kb(&text)).unwrap_or_default();
            held.descriptors += fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        }
    }
    held
}

/// Memory that is the process's own (`Private_Dirty` of proc_pid_smaps(5)).
fn private_kb(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn files_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => 1 + files_below(&entry.path()),
            _ => 1,
        })
        .sum()
}
