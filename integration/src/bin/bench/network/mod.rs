//! The rows of networks: `bench network` prints them, `bench agent SOCKET` is the far host's hand.
//!
//! # How it works
//!
//! The unit is what this host itself gets to a test host, which is a network namespace behind a veth that
//! `scripts/bench` makes. iperf3 measures throughput, the `traffic` program of this package the rest. Both run
//! in the containers as they are: iperf3 with the libraries it needs, in a folder that is mounted.
//!
//! Each of our two paths for packets is a world of its own and takes its turns with the peers.

pub(crate) mod far;
mod latency;
mod load;
mod memory;
mod start;
mod throughput;
mod worlds;

use worlds::Worlds;

/// Prints the rows, or only those of these groups.
pub(crate) fn rows(only: &[&str]) {
    let wanted = |group: &str| only.is_empty() || only.contains(&group);
    crate::table::head();
    if wanted("start") {
        start::rows();
    }
    if wanted("memory") {
        memory::row();
    }
    if !["throughput", "latency", "load"].into_iter().any(wanted) {
        return;
    }
    let worlds = Worlds::new();
    if wanted("throughput") {
        throughput::rows(&worlds);
    }
    if wanted("latency") {
        latency::rows(&worlds);
    }
    if wanted("load") {
        load::rows(&worlds);
    }
}
