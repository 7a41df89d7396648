//! The steps of all requests as one graph: a step that several need is there once.

use std::collections::{HashMap, HashSet};

use coracle_image::Digest;

use super::key::{self, Key};
use crate::plan::{From, MountKind, Operation, Plan, Source, Step};
use crate::request::{BuildRequest, Context};

/// Index of a step in the graph.
pub(super) type NodeId = usize;

/// A step of the graph.
#[derive(Debug)]
pub(super) struct Node {
    /// The first request that has it.
    pub(super) request: usize,
    pub(super) step: Step,
    /// What it stands on.
    pub(super) on: Option<NodeId>,
    /// Where its files come from, in the order of [`key::sources`]; none for those of a context.
    pub(super) sources: Vec<Option<NodeId>>,
}

impl Node {
    pub(super) fn needs(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.on.into_iter().chain(self.sources.iter().flatten().copied())
    }
}

/// The steps of all requests, each after those that it needs.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// By plan: the step whose files its target has.
    pub(super) targets: Vec<Option<NodeId>>,
}

impl Graph {
    /// The graph of the plans of those requests that `numbers` are the places of.
    pub(super) fn of(requests: &[BuildRequest], numbers: &[usize], plans: &[Plan]) -> Self {
        let mut graph = Self::default();
        let mut known: HashMap<Digest, NodeId> = HashMap::new();
        for (&request, plan) in numbers.iter().zip(plans) {
            let mut ids: Vec<NodeId> = Vec::with_capacity(plan.steps.len());
            for step in &plan.steps {
                let on = step.on.map(|on| ids[on]);
                let mut key = Key::new("node");
                key.text(&step.key().to_string()).text(&step.platform.to_string());
                key.text(&format!("{on:?} {}", step.ignores_cache));
                for (from, what) in key::sources(&step.operation) {
                    let place = match from {
                        From::Step(step) => format!("step {}", ids[*step]),
                        From::Context(name) => context(&requests[request], name.as_deref()),
                        From::Nothing => "nothing".to_owned(),
                    };
                    key.text(&place).text(what);
                }
                beside(&mut key, &step.operation);
                let id = key.finish();
                let node = *known.entry(id).or_insert_with(|| {
                    let of = |(from, _): (&From, &str)| match from {
                        From::Step(step) => Some(ids[*step]),
                        From::Context(_) | From::Nothing => None,
                    };
                    let sources = key::sources(&step.operation).into_iter().map(of).collect();
                    graph.nodes.push(Node { request, step: step.clone(), on, sources });
                    graph.nodes.len() - 1
                });
                // Of equal steps the last gives its name.
                let known = &mut graph.nodes[node];
                if known.request == request && !matches!(step.operation, Operation::Image { .. }) {
                    known.step.name.clone_from(&step.name);
                }
                ids.push(node);
            }
            graph.targets.push(plan.outcome.step.map(|step| ids[step]));
        }
        graph
    }

    /// How many layers a step comes to, with those below.
    pub(super) fn layers(&self, node: NodeId) -> usize {
        let (mut count, mut at) = (0, Some(node));
        while let Some(node) = at {
            count += match &self.nodes[node].step.operation {
                Operation::Image { layers, .. } => layers.len(),
                Operation::Run(_) | Operation::Copy(_) | Operation::Folder { .. } => 1,
            };
            at = self.nodes[node].on;
        }
        count
    }

    /// The names of the cache mounts of commands that do without the cache.
    pub(super) fn cache_mounts_anew(&self) -> HashSet<String> {
        let anew = self.nodes.iter().filter(|node| node.step.ignores_cache);
        let mounts = anew.flat_map(|node| match &node.step.operation {
            Operation::Run(run) => run.mounts.as_slice(),
            _ => &[],
        });
        let names = mounts.filter_map(|mount| match &mount.kind {
            MountKind::Cache { id, .. } => Some(id.clone()),
            _ => None,
        });
        names.collect()
    }
}

/// What makes two steps differ though it does not count for their ids.
fn beside(key: &mut Key, operation: &Operation) {
    match operation {
        Operation::Run(run) => {
            for text in run.hosts.iter().chain(&run.unkeyed_env) {
                key.text(text);
            }
        }
        Operation::Copy(copy) => {
            for source in &copy.sources {
                if let Source::Http { url, .. } | Source::Git { url, .. } = source {
                    key.text(url);
                }
            }
        }
        Operation::Image { .. } | Operation::Folder { .. } => {}
    }
}

/// What tells a context from others.
fn context(request: &BuildRequest, name: Option<&str>) -> String {
    match name {
        None => format!("{:?} {:?}", request.context, request.dockerfile.ignore),
        Some(name) => {
            let context = request.contexts.get(name).unwrap_or(&Context::Nothing);
            format!("{context:?} {:?}", request.ignores.get(name))
        }
    }
}
