//! Whether everything that knows of the containers of a world says the same.
//!
//! # How it works
//!
//! `ps` and `inspect` are held against `/proc` (monitors, first processes, and whatever else has a container's
//! root), the mount table of the user's namespaces, the runtime folder, the records, and the networks: what
//! `network inspect` lists, what the network helper counts, and what addresses a container really has.
//!
//! Things end a moment after a command has said so; callers look until all agree, or a deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::{TestEnv, leak, wait};

/// The length of an id in names of runtime folders.
const SHORT: usize = 12;

/// Looks until all agree; what does not when the time is up.
#[must_use]
pub fn disagreements(env: &TestEnv) -> Vec<String> {
    let mut last = Vec::new();
    wait::poll(wait::DEADLINE, || {
        last = look(env);
        last.is_empty().then_some(())
    });
    last
}

/// Fails the test unless all agree before a deadline.
#[track_caller]
pub fn assert_agreement(env: &TestEnv) {
    let last = disagreements(env);
    assert!(last.is_empty(), "not of one mind:\n  {}", last.join("\n  "));
}

/// A container as `inspect` shows it.
struct Listed {
    id: String,
    name: String,
    pid: i64,
    runs: bool,
    /// Addresses by network.
    addresses: BTreeMap<String, String>,
}

fn look(env: &TestEnv) -> Vec<String> {
    let ids = env.containers();
    let mut all = Vec::new();
    for id in &ids {
        let output = env.run(["inspect", id]);
        // Removed since: look again.
        if output.status() != 0 {
            return vec![format!("{id} is listed, but: {output}")];
        }
        all.push(listed(&output.json()[0]));
    }
    let mut wrong = Vec::new();
    processes(env, &all, &mut wrong);
    mounts(env, &all, &mut wrong);
    records(env, &all, &mut wrong);
    networks(env, &all, &mut wrong);
    wrong
}

fn listed(value: &Value) -> Listed {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let state = &value["State"];
    let networks = value["NetworkSettings"]["Networks"].as_object().cloned().unwrap_or_default();
    let addresses = networks.into_iter().map(|(name, got)| (name, text(&got["IPAddress"])));
    Listed {
        id: text(&value["Id"]),
        name: text(&value["Name"]).trim_start_matches('/').to_owned(),
        pid: state["Pid"].as_i64().unwrap_or_default(),
        runs: state["Running"] == true && state["Restarting"] == false,
        addresses: addresses.filter(|(_, address)| !address.is_empty()).collect(),
    }
}

/// Monitors by the container they are for.
pub fn monitors(env: &TestEnv) -> BTreeMap<String, Vec<i32>> {
    let mut found: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for pid in leak::processes_named(env.root(), "coracle-monitor") {
        let pid = pid.as_raw_nonzero().get();
        let cmdline = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let id = cmdline.split('\0').nth(1).unwrap_or_default();
        found.entry(id.to_owned()).or_default().push(pid);
    }
    found
}

fn processes(env: &TestEnv, all: &[Listed], wrong: &mut Vec<String>) {
    let mut monitors = monitors(env);
    for one in all {
        let own = monitors.remove(&one.id).unwrap_or_default();
        let wanted = usize::from(one.runs);
        if own.len() != wanted {
            wrong.push(format!("{} is looked after by {own:?}, wanted {wanted}", one.name));
        }
        if one.runs {
            let status = fs::read_to_string(format!("/proc/{}/status", one.pid));
            let status = status.unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
            let parent = parent.and_then(|pid| pid.parse::<i32>().ok());
            if parent.is_none() || parent != own.first().copied() {
                let pid = one.pid;
                wrong.push(format!("{}: {pid} is a child of {parent:?}, not {own:?}", one.name));
            }
        }
    }
    for (id, pids) in monitors {
        wrong.push(format!("{pids:?} look after {id}, which is not listed"));
    }
    // Whatever else runs has the root of a container that runs.
    for (pid, id) in leak::rooted(env.root()) {
        if !all.iter().any(|one| one.runs && one.id == id) {
            wrong.push(format!("process {pid} runs in {id}, which does not run"));
        }
    }
}

/// The folders of running containers, of every boot and pid namespace.
fn runtime_folders(env: &TestEnv) -> Vec<PathBuf> {
    let boots = fs::read_dir(env.data().join("run")).into_iter().flatten().flatten();
    let places = boots.map(|boot| boot.path().join("c"));
    // Where builds before this one had theirs.
    let places = places.chain([env.root().join("run/coracle/c")]);
    places.filter(|place| place.exists()).collect()
}

fn mounts(env: &TestEnv, all: &[Listed], wrong: &mut Vec<String>) {
    let running: BTreeSet<String> =
        all.iter().filter(|one| one.runs).map(|one| one.id[..SHORT].to_owned()).collect();
    let mut folders = BTreeSet::new();
    for place in runtime_folders(env) {
        let entries = fs::read_dir(place).into_iter().flatten().flatten();
        folders.extend(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    }
    if folders != running {
        wrong.push(format!("runtime folders of {folders:?}, but {running:?} run"));
    }
    for pid in monitors(env).into_values().flatten() {
        let table = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        let roots = table.lines().filter_map(|line| {
            let point = line.split(' ').nth(4)?;
            let folder = point.strip_suffix("/merged")?.rsplit('/').next()?;
            (folder.len() == SHORT).then(|| folder.to_owned())
        });
        let mounted: BTreeSet<String> = roots.collect();
        // A root that is copied is mounted too: on itself.
        if !table.is_empty() && mounted != running {
            wrong.push(format!("{pid} sees roots of {mounted:?}, but {running:?} run"));
        }
    }
}

fn records(env: &TestEnv, all: &[Listed], wrong: &mut Vec<String>) {
    let containers = env.data().join("containers");
    let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    for entry in fs::read_dir(&containers).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && name != "names" && !ids.contains(name.as_str()) {
            wrong.push(format!("a folder of no container: {name}"));
        }
    }
    let wanted: BTreeMap<String, String> =
        all.iter().map(|one| (one.name.clone(), one.id.clone())).collect();
    let names = fs::read_dir(containers.join("names")).into_iter().flatten().flatten();
    let names: BTreeMap<String, String> = names
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read_to_string(entry.path()).unwrap_or_default())
        })
        .collect();
    if names != wanted {
        wrong.push(format!("names {names:?}, but listed are {wanted:?}"));
    }
}

fn networks(env: &TestEnv, all: &[Listed], wrong: &mut Vec<String>) {
    let mut wanted: BTreeMap<(String, String), String> = BTreeMap::new();
    for one in all.iter().filter(|one| one.runs) {
        let table = fs::read_to_string(format!("/proc/{}/net/fib_trie", one.pid));
        let table = table.unwrap_or_default();
        for (network, address) in &one.addresses {
            if !table.is_empty() && !table.contains(&format!("|-- {address}\n")) {
                wrong.push(format!("{} has not its address {address} of {network}", one.name));
            }
            wanted.insert((network.clone(), one.id.clone()), address.clone());
        }
    }
    for one in all.iter().filter(|one| !one.runs && !one.addresses.is_empty()) {
        wrong.push(format!("{} does not run, but has {:?}", one.name, one.addresses));
    }
    let mut addresses: Vec<_> = wanted.iter().map(|((network, _), one)| (network, one)).collect();
    addresses.sort();
    if let Some(pair) = addresses.windows(2).find(|pair| pair[0] == pair[1]) {
        wrong.push(format!("two containers have {:?}", pair[0]));
    }
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    let names = env.run(["network", "ls", "--format", "{{.Name}}"]).success().lines();
    for network in env
        .run(["network", "inspect"].into_iter().map(str::to_owned).chain(names))
        .json()
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = network["Name"].as_str().unwrap_or_default();
        for (id, member) in network["Containers"].as_object().into_iter().flatten() {
            let address = member["IPv4Address"].as_str().unwrap_or_default();
            let address = address.split('/').next().unwrap_or_default();
            if !address.is_empty() {
                found.insert((name.to_owned(), id.clone()), address.to_owned());
            }
        }
    }
    if found != wanted {
        wrong.push(format!("networks list {found:?}, containers have {wanted:?}"));
    }
    let helpers = leak::processes_named(env.root(), "coracle-netd").len();
    let needed = usize::from(!wanted.is_empty());
    if helpers != needed {
        wrong.push(format!("{helpers} network helpers for {} addresses", wanted.len()));
    }
}
