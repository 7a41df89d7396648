//! The memory of what stays beside an idle container.

use std::{fs, time::Duration};

use coracle_integration::TestEnv;

use crate::{
    peers::Peers,
    rows::detached,
    table::{self, Promise},
    turns::{Contender, aside, medians},
};

/// Idle containers in this row.
const CONTAINERS: u32 = 5;

pub(crate) fn row(peers: &Peers) {
    let what = "memory (PSS) of our helpers per idle container";
    let env = TestEnv::new();
    for number in 0..CONTAINERS {
        detached(&env, &format!("c{number}")).run().success();
        // A peer that cannot is out when its processes are looked for.
        aside(peers.podman_detached(&format!("c{number}")), &peers.said()).ok();
    }
    // Idle is what has been so for a moment; until then a process may still hold what starting took.
    std::thread::sleep(Duration::from_secs(2));
    let ids = env.containers();
    let ours = Contender::new("coracle", || {
        per_container(&|command| {
            // The container's own processes do not have its id in their command line.
            ids.iter().any(|id| command.contains(id))
        })
    });
    let storage = peers.podman_root().display().to_string();
    let conmon = Contender::new("conmon", || {
        per_container(&|command| {
            command.starts_with("/usr/bin/conmon") && command.contains(&storage)
        })
    });
    table::row(what, "kB", &Promise::AtMost(1000.0), &medians(what, 1, vec![ours, conmon]));
    aside(peers.podman(["rm", "-f", "-a", "-t", "0"]), &peers.said()).ok();
}

/// Proportional set size in kilobytes of the processes with such a command line, per container.
fn per_container(wanted: &dyn Fn(&str) -> bool) -> Result<f64, String> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let sizes: Vec<f64> = pids
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| wanted(&String::from_utf8_lossy(&line)))
        })
        .filter_map(pss)
        .collect();
    if sizes.len() < CONTAINERS as usize {
        return Err(format!("{} helpers for {CONTAINERS} containers", sizes.len()));
    }
    Ok(sizes.iter().sum::<f64>() / f64::from(CONTAINERS))
}

/// Proportional set size of a process, in kilobytes.
pub(crate) fn pss(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
