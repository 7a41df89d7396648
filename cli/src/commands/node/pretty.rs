//! A node as text for a person.

use coracle_swarm::model::Node;
use coracle_view::node::document;

use super::rows::{reachability_word, state_word};
use crate::commands::task::rows::capital;
use crate::format::units;

/// As Docker writes it, but for what there is not: certificates.
pub(super) fn pretty(node: &Node) -> String {
    let mut out = format!("ID:\t\t\t{}\n", node.id);
    if !node.spec.name.is_empty() {
        out.push_str(&format!("Name:\t\t\t{}\n", node.spec.name));
    }
    labels(&mut out, "Labels:", &node.spec.labels);
    let description = &node.description;
    out.push_str(&format!("Hostname:              \t{}\n", description.hostname));
    let joined = node.meta.created_at.datetime();
    out.push_str(&format!("Joined at:             \t{}\n", units::go_time(joined).to_lowercase()));
    out.push_str(&format!("Status:\n State:\t\t\t{}\n", capital(state_word(node.status.state))));
    if !node.status.message.is_empty() {
        out.push_str(&format!(" Message:\t\t{}\n", capital(&node.status.message)));
    }
    out.push_str(&format!(
        " Availability:         \t{}\n",
        capital(&node.spec.availability.to_string())
    ));
    if !node.status.addr.is_empty() {
        out.push_str(&format!(" Address:\t\t{}\n", node.status.addr));
    }
    if let Some(status) = &node.manager_status {
        let leader = if status.leader { "Yes" } else { "No" };
        let reachability = capital(reachability_word(status.reachability));
        out.push_str(&format!(
            "Manager Status:\n Address:\t\t{}\n Raft Status:\t\t{reachability}\n Leader:\t\t{leader}\n",
            status.addr
        ));
    }
    let platform = &description.platform;
    out.push_str(&format!(
        "Platform:\n Operating System:\t{}\n Architecture:\t\t{}\n",
        platform.os, platform.architecture
    ));
    let resources = &description.resources;
    let memory = u64::try_from(resources.memory_bytes).unwrap_or(0);
    out.push_str(&format!(
        "Resources:\n CPUs:\t\t\t{}\n Memory:\t\t{}\n",
        resources.nano_cpus / 1_000_000_000,
        units::binary_size(memory)
    ));
    plugins(&mut out, node);
    out.push_str(&format!("Engine Version:\t\t{}\n", description.engine.engine_version));
    labels(&mut out, "Engine Labels:", &description.engine.labels);
    out
}

fn labels(out: &mut String, title: &str, labels: &std::collections::BTreeMap<String, String>) {
    if labels.is_empty() {
        return;
    }
    out.push_str(&format!("{title}\n"));
    for (key, value) in labels {
        let is = if value.is_empty() { "" } else { "=" };
        out.push_str(&format!(" - {key}{is}{value}\n"));
    }
}

fn plugins(out: &mut String, node: &Node) {
    let all = document(node).unwrap_or_default()["Description"]["Engine"]["Plugins"].clone();
    let all = all.as_array().cloned().unwrap_or_default();
    out.push_str("Plugins:\n");
    for (kind, tabs) in [("Log", "\t\t"), ("Network", "\t\t"), ("Volume", "\t\t")] {
        let names =
            all.iter().filter(|one| one["Type"] == kind).filter_map(|one| one["Name"].as_str());
        out.push_str(&format!(" {kind}:{tabs}{}\n", names.collect::<Vec<_>>().join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::node;
    use super::*;

    #[test]
    fn the_text_is_the_recorded_one() {
        let mut node = node("nc1tu9fidywt8tvxrj9p9yfon", "swm2", Some(false));
        node.spec.labels = [("zone".to_owned(), "a".to_owned())].into();
        node.meta.created_at = "2026-11-29T12:37:39.68856139Z".parse().unwrap();
        node.status.addr = "10.77.0.22".to_owned();
        node.manager_status.as_mut().unwrap().addr = "10.77.0.22:2377".to_owned();
        node.description.platform.os = "linux".to_owned();
        node.description.platform.architecture = "x86_64".to_owned();
        node.description.resources.nano_cpus = 2_000_000_000;
        node.description.resources.memory_bytes = 25_276_502_016;
        assert_eq!(
            pretty(&node),
            "ID:\t\t\tnc1tu9fidywt8tvxrj9p9yfon\nLabels:\n - zone=a\nHostname:              \tswm2\n\
             Joined at:             \t2026-11-29 12:37:39.68856139 +0000 utc\nStatus:\n State:\t\t\tReady\n \
             Availability:         \tActive\n Address:\t\t10.77.0.22\nManager Status:\n Address:\t\t10.77.0.22:2377\n \
             Raft Status:\t\tReachable\n Leader:\t\tNo\nPlatform:\n Operating System:\tlinux\n Architecture:\t\tx86_64\n\
             Resources:\n CPUs:\t\t\t2\n Memory:\t\t23.54GiB\nPlugins:\n Log:\t\tjson-file, local, none\n \
             Network:\t\tbridge, host, null, overlay\n Volume:\t\tlocal\nEngine Version:\t\t28.5.2\n"
        );
    }
}
