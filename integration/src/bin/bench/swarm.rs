//! The rows of a swarm: services made, scaled and rolled, and what the agent costs.
//!
//! A service is there when `service ls` shows all of its replicas; that is asked without a pause, so the time of one
//! look is in each number. What real Docker took is in the table as it was recorded, in the same way
//! (`docs/performance.md`).

use std::time::{Duration, Instant};

use coracle_integration::TestEnv;

use crate::table::{self, Promise};

const TURNS: usize = 5;
/// How long the agent is watched while nothing happens.
const IDLE: Duration = Duration::from_secs(60);
/// A time without a wake-up after which the agent is taken to be at rest, and how long that is waited for.
const REST: Duration = Duration::from_secs(3);
const REST_WITHIN: Duration = Duration::from_secs(60);
/// The time that a rolling update watches a task for.
const MONITOR_MS: f64 = 100.0;

pub(crate) fn rows() {
    table::head();
    let env = TestEnv::new();
    env.run(["swarm", "init"]).success();
    let mut made = Vec::new();
    let mut scaled = Vec::new();
    let mut rolled = Vec::new();
    for turn in 0..TURNS {
        made.push(until(&env, "10/10", &create(10)));
        scaled.push(until(&env, "50/50", &words("service scale -d s=50")));
        if turn + 1 == TURNS {
            agent(&env);
        }
        remove(&env);
        until(&env, "5/5", &create(5));
        rolled.push(roll(&env));
        remove(&env);
    }
    let row = |what: &str, docker: f64, limit: f64, times: &mut Vec<f64>| {
        let medians = [
            ("coracle".to_owned(), Some(median(times))),
            ("docker (recorded)".to_owned(), Some(docker)),
        ];
        table::row(what, "ms", &Promise::AtMost(limit), &medians);
    };
    row("`service create` of 10 replicas, running", 1100.0, 250.0, &mut made);
    row("`service scale` from 10 to 50, running", 3200.0, 900.0, &mut scaled);
    row("forced update of 5, beyond the monitor time", 8100.0, 600.0, &mut rolled);
    env.run(["swarm", "leave", "--force"]).success();
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn create(replicas: usize) -> Vec<String> {
    words(&format!(
        "service create -d --no-resolve-image --init --name s --replicas {replicas} --update-monitor \
         {MONITOR_MS}ms --stop-grace-period 1s alpine sleep 100000"
    ))
}

/// Milliseconds from a command to so many replicas.
fn until(env: &TestEnv, shown: &str, command: &[String]) -> f64 {
    let begun = Instant::now();
    env.run(command).success();
    while env.run(["service", "ls", "--format", "{{.Replicas}}"]).success().stdout().trim() != shown
    {
    }
    begun.elapsed().as_secs_f64() * 1000.0
}

fn roll(env: &TestEnv) -> f64 {
    let begun = Instant::now();
    env.run(["service", "update", "-d", "--force", "s"]).success();
    let state = ["service", "inspect", "s", "--format", "{{.UpdateStatus.State}}"];
    while env.run(state).success().stdout().trim() != "completed" {}
    begun.elapsed().as_secs_f64() * 1000.0 - MONITOR_MS
}

fn remove(env: &TestEnv) {
    env.run(["service", "rm", "s"]).success();
    while !env.run(["ps", "-aq"]).success().stdout().trim().is_empty() {}
}

/// What the agent has of 50 tasks in memory of its own, and how often it wakes when nothing happens: both at rest, for
/// a task that was just shown as running still has its start to be noted.
fn agent(env: &TestEnv) {
    let Some(pid) = find(env) else { return };
    let switches = || {
        let names = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
        field(&format!("/proc/{pid}/status"), &names)
    };
    let (begun, mut last, mut since) = (Instant::now(), switches(), Instant::now());
    while since.elapsed() < REST && begun.elapsed() < REST_WITHIN {
        std::thread::sleep(Duration::from_millis(100));
        let now = switches();
        if now > last {
            (last, since) = (now, Instant::now());
        }
    }
    let private =
        field(&format!("/proc/{pid}/smaps_rollup"), &["Private_Clean:", "Private_Dirty:"]);
    let mib = private / 1024.0;
    let medians = [
        ("coracle".to_owned(), Some(mib)),
        ("dockerd and containerd (recorded)".to_owned(), Some(167.0)),
    ];
    table::row("private memory of the agent, 50 tasks", "MiB", &Promise::AtMost(4.0), &medians);
    let before = switches();
    std::thread::sleep(IDLE);
    let medians = [("coracle".to_owned(), Some(switches() - before))];
    let what = format!("wake-ups of the agent in {} s of nothing", IDLE.as_secs());
    table::row(&what, "", &Promise::AtMost(0.0), &medians);
}

fn find(env: &TestEnv) -> Option<String> {
    let data = env.data();
    std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find_map(|path| {
        let line = std::fs::read(path.join("cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0);
        let ours = words.next()? == b"coracle-swarm"
            && words.next()? == data.as_os_str().as_encoded_bytes();
        ours.then(|| path.file_name()?.to_str().map(str::to_owned))?
    })
}

/// The sum of these fields of a file of proc(5).
fn field(path: &str, names: &[&str]) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let of = |line: &str| {
        let (name, rest) = line.split_once(char::is_whitespace)?;
        names.contains(&name).then(|| rest.split_whitespace().next()?.parse::<f64>().ok())?
    };
    text.lines().filter_map(of).sum()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
