//! Caches from and to elsewhere, as a build uses them.

use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use coracle_image::{ArtifactLayer, ArtifactPlace, Digest, Layer, Reference, RegistrySettings};

use super::cache::{Kind, Record};
use super::error::{BuildError, StepError};
use super::export::Exporter;
use super::graph::NodeId;
use super::key;
use super::scheduler::Scheduler;
use crate::cache_transfer::{self, CacheError, CachedResult, Config, Imported};
use crate::request::{CacheKind, CachePlace};

impl From<CacheError> for StepError {
    fn from(error: CacheError) -> Self {
        Self::new(error.to_string())
    }
}

/// Caches that were read before a build.
#[derive(Debug, Default)]
pub(super) struct Imports<'n> {
    /// Places that were asked, whatever they had.
    seen: Vec<CacheKind>,
    found: Vec<(ArtifactPlace<'n>, Imported)>,
}

/// A result that is elsewhere.
pub(super) struct Elsewhere<'i> {
    pub(super) place: &'i ArtifactPlace<'i>,
    pub(super) layer: &'i ArtifactLayer,
    result: &'i CachedResult,
}

impl Imports<'_> {
    pub(super) fn find(&self, id: &Digest) -> Option<Elsewhere<'_>> {
        self.found.iter().find_map(|(place, imported)| {
            let (result, layer) = imported.find(id)?;
            Some(Elsewhere { place, layer, result })
        })
    }

    /// The digest of a part of a result.
    pub(super) fn content(&self, part: &Digest) -> Option<&str> {
        self.found.iter().find_map(|(_, imported)| imported.content(part))
    }
}

impl Elsewhere<'_> {
    /// What is on record of it as soon as its layer is here.
    pub(super) fn record(&self, layer: Layer) -> Option<Record> {
        Some(Record {
            layer,
            created: self.result.created.parse().ok()?,
            description: self.result.description.clone(),
            kind: if self.result.is_command { Kind::Command } else { Kind::Files },
            parent: self.result.parent,
        })
    }
}

/// The place as the library of images knows it; `None` for what is in images themselves.
fn place<'n>(cache: &CachePlace, network: &'n RegistrySettings) -> Option<ArtifactPlace<'n>> {
    match &cache.kind {
        CacheKind::Local(path) => Some(ArtifactPlace::Folder(path.clone())),
        CacheKind::Registry(name) => Some(ArtifactPlace::Registry(network, name.clone())),
        CacheKind::Inline | CacheKind::Actions { .. } => None,
    }
}

/// As `BuildKit` calls it.
fn shown(name: &Reference) -> String {
    let text = name.familiar();
    text.strip_suffix(":latest").map_or(text.clone(), str::to_owned)
}

impl<'n> Exporter<'_, 'n> {
    /// Reads the caches that a build may take from. One that cannot be used is told, and no more.
    pub(super) fn import(
        &mut self,
        places: &[CachePlace],
        imports: &mut Imports<'n>,
    ) -> Result<(), BuildError> {
        for cache in places {
            if imports.seen.contains(&cache.kind) {
                continue;
            }
            imports.seen.push(cache.kind.clone());
            let Some(place) = place(cache, self.network) else { continue };
            let title = match &cache.kind {
                CacheKind::Registry(name) => {
                    format!("importing cache manifest from {}", shown(name))
                }
                _ => format!("importing cache manifest from local:{place}"),
            };
            let mut found = None;
            let outcome = self.vertex(&title, &mut |this, _| {
                let failed = |error: StepError| StepError {
                    message: match &cache.kind {
                        CacheKind::Registry(_) => {
                            format!(
                                "failed to configure registry cache importer: {}",
                                error.message
                            )
                        }
                        _ => format!("local cache import: {}", error.message),
                    },
                    ..error
                };
                found = Some(match &place {
                    ArtifactPlace::Folder(_) => {
                        cache_transfer::import(&place).map_err(|error| failed(error.into()))?
                    }
                    ArtifactPlace::Registry(..) => this
                        .outside(|| cache_transfer::import(&place).map_err(|e| failed(e.into())))?,
                });
                Ok(())
            });
            match (outcome, found) {
                (Err(error), _) if error.message == BuildError::canceled().message => {
                    return Err(error);
                }
                (Ok(()), Some(imported)) => imports.found.push((place, imported)),
                // The line of work has told why.
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts results where `--cache-to` says.
    pub(super) fn export_cache(
        &mut self,
        cache: &CachePlace,
        results: &Results,
    ) -> Result<(), BuildError> {
        // What there is not was refused before anything was built; what does not count has no place.
        let Some(place) = place(cache, self.network) else { return Ok(()) };
        let title = match &place {
            ArtifactPlace::Folder(_) => "exporting cache to client directory",
            ArtifactPlace::Registry(..) => "exporting cache to registry",
        };
        let outcome = self.vertex(title, &mut |this, vertex| {
            let begun = SystemTime::now();
            let told: Vec<String> = this.child(|workshop| {
                let told = std::cell::RefCell::new(Vec::new());
                let tell = |what: &str, done: bool| {
                    if done {
                        told.borrow_mut().push(what.to_owned());
                    }
                };
                let Results { config, layers } = results;
                cache_transfer::export(&workshop.store, &place, config, layers, &tell)?;
                Ok(told.into_inner())
            })?;
            this.tell(vertex, "preparing build cache for export", begun);
            for what in told {
                this.tell(vertex, &what, begun);
            }
            Ok(())
        });
        match outcome {
            Err(error)
                if cache.ignores_errors && error.message != BuildError::canceled().message =>
            {
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Results that go elsewhere.
#[derive(Debug, Default)]
pub(super) struct Results {
    config: Config,
    layers: HashMap<Digest, Layer>,
}

impl Scheduler<'_> {
    /// What a cache of the target at `node` has: with `whole`, the results of all steps that it came of, otherwise
    /// those of what it stands on.
    pub(super) fn results(&self, node: Option<NodeId>, whole: bool) -> Results {
        let mut out = Results::default();
        let mut below = BTreeSet::new();
        let mut next = node;
        while let Some(node) = next {
            below.insert(node);
            next = self.given.graph.nodes[node].on;
        }
        let mut all = below.clone();
        let mut todo: Vec<NodeId> = below.iter().copied().collect();
        while let Some(node) = todo.pop() {
            todo.extend(self.given.graph.nodes[node].needs().filter(|need| all.insert(*need)));
        }
        for node in all {
            let operation = &self.given.graph.nodes[node].step.operation;
            for number in 0..key::sources(operation).len() {
                let Some(source) = self.given.graph.nodes[node].sources[number] else { continue };
                let part = self.part(node, number, source);
                if let Some(content) = self.cache.content(&part) {
                    out.config.contents.insert(part, content);
                }
            }
            if !whole && !below.contains(&node) {
                continue;
            }
            let Some(outcome) = self.outcome(node) else { continue };
            let Some(record) = self.cache.get(&outcome.id) else { continue };
            out.config.results.insert(
                outcome.id,
                CachedResult {
                    layer: record.layer.diff_id,
                    created: record.created.to_string(),
                    description: record.description,
                    is_command: record.kind == Kind::Command,
                    parent: record.parent,
                },
            );
            out.layers.insert(record.layer.diff_id, record.layer);
        }
        out
    }
}
