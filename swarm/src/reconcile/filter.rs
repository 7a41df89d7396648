//! Why a node is not suitable for a task, in Docker's words.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Availability, Node, NodeState, Task};

use super::constraint;
use super::schedule::{Site, host_ports};

/// What is looked at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Filter {
    Ready,
    Resources,
    Constraints,
    Platform,
    HostPorts,
    MaxReplicas,
}

/// The first thing that speaks against a node.
pub(super) fn check(task: &Task, site: &Site) -> Option<Filter> {
    let node = &site.node;
    let ready =
        node.status.state == NodeState::Ready && node.spec.availability == Availability::Active;
    if !ready {
        return Some(Filter::Ready);
    }
    let resources = task.spec.resources.as_ref();
    if let Some(reserved) = resources.and_then(|resources| resources.reservations.as_ref()) {
        let fits = reserved.nano_cpus <= site.nano_cpus
            && reserved.memory_bytes <= site.memory_bytes
            && reserved.generic_resources.is_empty();
        if !fits {
            return Some(Filter::Resources);
        }
    }
    if !constraint::fits(&task.spec, node) {
        return Some(Filter::Constraints);
    }
    let placement = task.spec.placement.as_ref();
    let platforms = placement.map_or(&[][..], |placement| &placement.platforms);
    if !platforms.is_empty() && !platforms.iter().any(|platform| is_platform(platform, node)) {
        return Some(Filter::Platform);
    }
    if host_ports(task).any(|port| site.ports.contains(&port)) {
        return Some(Filter::HostPorts);
    }
    let most = placement.map_or(0, |placement| placement.max_replicas);
    let count = u64::try_from(site.tasks_of(&task.service_id)).unwrap_or(u64::MAX);
    (most > 0 && count >= most).then_some(Filter::MaxReplicas)
}

/// Whether a platform that an image is for is that of a node.
fn is_platform(platform: &Value, node: &Node) -> bool {
    let member = |name| platform.get(name).and_then(Value::as_str).unwrap_or_default();
    let has = &node.description.platform;
    let (os, architecture) = (member("OS"), member("Architecture"));
    (os.is_empty() || os.eq_ignore_ascii_case(&has.os))
        && (architecture.is_empty() || short(architecture) == short(&has.architecture))
}

/// One name for what has two.
fn short(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// How often which filter spoke against nodes, the most frequent first.
pub(super) fn explain(failures: &BTreeMap<Filter, usize>) -> String {
    let mut sorted: Vec<(Filter, usize)> =
        failures.iter().map(|(filter, count)| (*filter, *count)).collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words: Vec<String> = sorted.into_iter().map(|(filter, count)| say(filter, count)).collect();
    words.join("; ")
}

fn say(filter: Filter, count: usize) -> String {
    let nodes = if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
    match filter {
        Filter::Ready => format!("{nodes} not available for new tasks"),
        Filter::Resources => format!("insufficient resources on {nodes}"),
        Filter::Constraints => format!("scheduling constraints not satisfied on {nodes}"),
        Filter::Platform => format!("unsupported platform on {nodes}"),
        Filter::HostPorts => format!("host-mode port already in use on {nodes}"),
        Filter::MaxReplicas => "max replicas per node limit exceed".to_owned(),
    }
}
