//! Nodes for tasks: PENDING becomes ASSIGNED, or the task says why no node is suitable.
//!
//! A task of a global service has its node already; that node must be suitable. For others, of the suitable nodes, that is
//! taken whose branch of the spread preferences has the fewest tasks of the service, on which the service failed less
//! than five times in five minutes, that has the fewest tasks of the service, then the fewest at all, then
//! the smallest number.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Node, PublishMode, Task, TaskState};

use super::clock::{SECOND, after};
use super::draft::{Draft, TaskNo};
use super::filter::{self, Filter};
use super::{constraint, slots};

/// From so many failures of a service on a node on, others come first.
const FAILURES_MAX: usize = 5;
const FAILURES_WINDOW: i64 = 300 * SECOND;

/// A node and what goes on there.
#[derive(Debug, Clone, Default)]
pub(super) struct Site {
    pub(super) node: Node,
    pub(super) nano_cpus: i64,
    pub(super) memory_bytes: i64,
    /// Protocol and number of host-mode ports.
    pub(super) ports: BTreeSet<(String, u16)>,
    /// Tasks that are to run.
    pub(super) active: usize,
    pub(super) of_service: BTreeMap<String, usize>,
    /// Recent failures, by service and version of its spec.
    failures: BTreeMap<(String, u64), usize>,
}

impl Site {
    pub(super) fn tasks_of(&self, service: &str) -> usize {
        self.of_service.get(service).copied().unwrap_or_default()
    }

    fn add(&mut self, task: &Task) {
        let resources = task.spec.resources.as_ref();
        if let Some(reserved) = resources.and_then(|resources| resources.reservations.as_ref()) {
            self.nano_cpus -= reserved.nano_cpus;
            self.memory_bytes -= reserved.memory_bytes;
        }
        self.ports.extend(host_ports(task));
        if slots::is_wanted(task) {
            self.active += 1;
            *self.of_service.entry(task.service_id.clone()).or_default() += 1;
        }
    }

    fn failures(&self, task: &Task) -> usize {
        let key = (task.service_id.clone(), task.own.spec_version);
        let count = self.failures.get(&key).copied().unwrap_or_default();
        if count >= FAILURES_MAX { count } else { 0 }
    }
}

/// The ports that a task needs on its node.
pub(super) fn host_ports(task: &Task) -> impl Iterator<Item = (String, u16)> {
    let ports = task.own.ports.iter().filter(|port| port.mode() == PublishMode::Host);
    let ports = ports.filter(|port| port.published_port != 0);
    ports.map(|port| (port.protocol.clone(), port.published_port))
}

/// Gives pending tasks their nodes.
pub(super) fn schedule(draft: &mut Draft<'_>) {
    let mut pending: Vec<TaskNo> = draft
        .tasks()
        .filter(|(_, task)| task.status.state == TaskState::Pending && slots::is_wanted(task))
        .map(|(number, _)| number)
        .collect();
    if pending.is_empty() {
        return;
    }
    pending.sort_by(|a, b| {
        let order = |task: &Task| (task.node_id.is_empty(), task.meta.created_at);
        let (a, b) = (draft.task(*a), draft.task(*b));
        (order(a), &a.service_id, a.slot, &a.id).cmp(&(order(b), &b.service_id, b.slot, &b.id))
    });
    let mut sites = sites(draft);
    for number in pending {
        place(draft, number, &mut sites);
    }
}

fn sites(draft: &Draft<'_>) -> Vec<Site> {
    let mut sites: Vec<Site> = draft
        .nodes()
        .map(|node| Site {
            nano_cpus: node.description.resources.nano_cpus,
            memory_bytes: node.description.resources.memory_bytes,
            node: node.clone(),
            ..Site::default()
        })
        .collect();
    sites.sort_by_key(|site| site.node.own.number);
    let index: BTreeMap<String, usize> =
        sites.iter().enumerate().map(|(at, site)| (site.node.id.clone(), at)).collect();
    for (_, task) in draft.tasks() {
        let Some(at) = index.get(&task.node_id) else { continue };
        let state = task.status.state;
        if state >= TaskState::Assigned && !state.is_over() {
            sites[*at].add(task);
        } else if matches!(state, TaskState::Failed | TaskState::Rejected)
            && after(task.status.timestamp, FAILURES_WINDOW) > draft.now
        {
            let key = (task.service_id.clone(), task.own.spec_version);
            *sites[*at].failures.entry(key).or_default() += 1;
        }
    }
    sites
}

/// Gives one task its node, or says why it has none.
fn place(draft: &mut Draft<'_>, number: TaskNo, sites: &mut [Site]) {
    let task = draft.task(number);
    let bound = !task.node_id.is_empty();
    let mut failures: BTreeMap<Filter, usize> = BTreeMap::new();
    let mut suitable = Vec::new();
    for (at, site) in sites.iter().enumerate() {
        if bound && site.node.id != task.node_id {
            continue;
        }
        match filter::check(task, site) {
            None => suitable.push(at),
            Some(filter) => *failures.entry(filter).or_default() += 1,
        }
    }
    let now = draft.now;
    let Some(best) = choose(task, sites, &suitable) else {
        let words = match (filter::explain(&failures), bound) {
            (words, _) if words.is_empty() => "no suitable node".to_owned(),
            (words, true) => words,
            (words, false) => format!("no suitable node ({words})"),
        };
        if task.status.err != words {
            draft.change(number).status.err = words;
        }
        return;
    };
    let task = draft.change(number);
    task.node_id.clone_from(&sites[best].node.id);
    task.status.state = TaskState::Assigned;
    task.status.timestamp = now;
    task.status.err.clear();
    task.status.message = if bound {
        "scheduler confirmed task can run on preassigned node".to_owned()
    } else {
        "scheduler assigned task to node".to_owned()
    };
    sites[best].add(task);
}

/// The best of the suitable sites.
fn choose(task: &Task, sites: &[Site], suitable: &[usize]) -> Option<usize> {
    let mut suitable = suitable.to_vec();
    let mut branch: Vec<usize> = (0..sites.len()).collect();
    for preference in task.spec.placement.iter().flat_map(|placement| &placement.preferences) {
        let Some(spread) = &preference.spread else { continue };
        let value = |at: usize| constraint::label(&spread.spread_descriptor, &sites[at].node);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for at in &branch {
            let Some(value) = value(*at) else { continue };
            *counts.entry(value).or_default() += sites[*at].tasks_of(&task.service_id);
        }
        let values: BTreeSet<&str> = suitable.iter().filter_map(|at| value(*at)).collect();
        let fewest = values.into_iter().min_by_key(|value| counts.get(value));
        if let Some(fewest) = fewest {
            suitable.retain(|at| value(*at) == Some(fewest));
            branch.retain(|at| value(*at) == Some(fewest));
        }
    }
    suitable.into_iter().min_by_key(|at| {
        let site = &sites[*at];
        (site.failures(task), site.tasks_of(&task.service_id), site.active)
    })
}
