//! What the host lets its users do in its network: pings, and ports below 1024.

use std::fs;

use rustix::process::getgroups;

use super::Rung;
use crate::networks::first_free_port;

/// The groups of users who may send echo requests (icmp(7)): first and last.
const PING_GROUPS: &str = "/proc/sys/net/ipv4/ping_group_range";

/// Whether containers' pings get out; within their networks they always arrive.
pub(super) fn ping() -> Rung {
    let range = fs::read_to_string(PING_GROUPS).unwrap_or_default();
    let mut groups = getgroups().unwrap_or_default();
    groups.push(rustix::process::getegid());
    let ours: Vec<u32> = groups.into_iter().map(rustix::process::Gid::as_raw).collect();
    if may_ping(&range, &ours) {
        return Rung::have("ping", "containers may ping hosts outside");
    }
    Rung::fall_back(
        "ping",
        format!(
            "only within networks: no group of yours is in net.ipv4.ping_group_range ({})",
            range.split_whitespace().collect::<Vec<_>>().join(" ")
        ),
        "`ping` of hosts outside from containers",
        "as root: `sysctl net.ipv4.ping_group_range=\"0 2147483647\"`",
    )
}

fn may_ping(range: &str, groups: &[u32]) -> bool {
    let mut numbers = range.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
    let (Some(first), Some(last)) = (numbers.next(), numbers.next()) else { return false };
    groups.iter().any(|group| (first..=last).contains(group))
}

/// Whether every port can be published.
pub(super) fn low_ports() -> Rung {
    match first_free_port() {
        0 | 1 => Rung::have("low-ports", "every port can be published"),
        first => Rung::fall_back(
            "low-ports",
            format!("ports from {first} on (net.ipv4.ip_unprivileged_port_start)"),
            "`-p 80:80`, and servers on low ports with `--network host`",
            "as root: `sysctl net.ipv4.ip_unprivileged_port_start=80`; or publish them higher: \
             `\"low-ports\": \"+8000\"` in the settings makes 8080 of 80",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_groups_is_read() {
        assert!(may_ping("0\t2147483647\n", &[1000]));
        assert!(may_ping("100 200", &[1000, 150]));
        assert!(!may_ping("1\t0\n", &[0, 1]), "nobody");
        assert!(!may_ping("", &[0]));
    }
}
