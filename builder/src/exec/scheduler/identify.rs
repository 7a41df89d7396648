//! What a step stands for: its id, from what it does and the content of what it takes.

use coracle_image::Digest;

use super::super::error::StepError;
use super::super::graph::NodeId;
use super::super::jobs::Child;
use super::super::{files, key, remote, workshop};
use super::{Outcome, Scheduler, State, diff_ids};
use crate::plan::{From, Operation};

impl Scheduler<'_> {
    pub(super) fn begin(&mut self, node: NodeId) -> Result<(), StepError> {
        let step = &self.given.graph.nodes[node].step;
        if let Operation::Image { layers, .. } = &step.operation {
            let id = self.id(node, &[]);
            let layers = self.given.images.layers(layers)?;
            self.start(node);
            self.complete(node, None);
            self.states[node] = State::Done(Outcome { id, layers, created: Vec::new() });
            return Ok(());
        }
        if remote::is_needed(&step.operation) && self.fetched[node].is_none() {
            self.start(node);
            let graph = self.given.graph;
            let request = &self.given.requests[graph.nodes[node].request];
            let folder = self.given.home.settings().data_root.join(workshop::FOLDER);
            let folder = folder.join(remote::FOLDER);
            let operation = &graph.nodes[node].step.operation;
            let settings = &self.given.settings;
            let child = Child::start(|| remote::fetch(operation, request, settings, folder))?;
            self.states[node] = State::Asking(child);
            return Ok(());
        }
        let (found, missing) = self.contents(node)?;
        if missing.is_empty() {
            return self.found(node, &found);
        }
        self.start(node);
        let layers: Vec<(usize, Vec<Digest>)> =
            missing.iter().map(|(number, from)| (*number, diff_ids(self.outcome(*from)))).collect();
        let operation = &self.given.graph.nodes[node].step.operation;
        let workshop = self.workshop()?;
        let child = Child::start(move || files::digests(workshop, operation, &layers))?;
        self.states[node] = State::Reading(child);
        Ok(())
    }

    /// The digests of what a step takes, as far as they are known, and the sources that have to be read.
    #[expect(clippy::type_complexity, reason = "a pair of two lists")]
    pub(super) fn contents(
        &mut self,
        node: NodeId,
    ) -> Result<(Vec<Option<String>>, Vec<(usize, NodeId)>), StepError> {
        let graph = self.given.graph;
        let operation = &graph.nodes[node].step.operation;
        let request = graph.nodes[node].request;
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for (number, (from, _)) in key::sources(operation).into_iter().enumerate() {
            let content = match (from, graph.nodes[node].sources[number]) {
                (_, Some(source)) => {
                    let content = self.known_content(&self.part(node, number, source))?;
                    if content.is_none() {
                        missing.push((number, source));
                    }
                    content
                }
                (From::Context(name), None) => {
                    let place = (&self.given.requests[request], name.as_deref());
                    let selectors = files::selectors(operation, number);
                    Some(self.given.contexts.digest(
                        request,
                        place,
                        &selectors,
                        self.progress,
                        self.given.interrupt,
                    )?)
                }
                (_, None) => Some(String::new()),
            };
            found.push(content);
        }
        // What came from elsewhere is behind all files.
        found.extend(self.fetched[node].iter().flatten().map(|(_, one)| Some(one.key.clone())));
        Ok((found, missing))
    }

    /// The digest of a part of a result that was read before, here or elsewhere.
    fn known_content(&self, part: &Digest) -> Result<Option<String>, StepError> {
        let here = self.cache.content(part);
        if here.is_some() {
            return Ok(here);
        }
        let Some(content) = self.given.imports.content(part) else { return Ok(None) };
        let put = self.cache.put_content(part, content);
        put.map_err(|error| StepError::internal("write the build cache", &error))?;
        Ok(Some(content.to_owned()))
    }

    /// What names a part of another step's result.
    pub(in crate::exec) fn part(&self, node: NodeId, number: usize, source: NodeId) -> Digest {
        let operation = &self.given.graph.nodes[node].step.operation;
        let id = self.outcome(source).map(|outcome| outcome.id.to_string()).unwrap_or_default();
        files::part(operation, number, &id)
    }

    /// The id of a step, with the digests of what it takes.
    fn id(&self, node: NodeId, contents: &[Option<String>]) -> Digest {
        let of = &self.given.graph.nodes[node];
        let on = of.on.and_then(|on| self.outcome(on));
        let on = on.map(|outcome| outcome.id.to_string()).unwrap_or_default();
        key::id(&of.step, &on, contents)
    }

    /// The id is known: the result may be as well.
    pub(super) fn found(&mut self, node: NodeId, contents: &[Option<String>]) -> Result<(), StepError> {
        let id = self.id(node, contents);
        if !self.given.graph.nodes[node].step.ignores_cache
            && (self.take_cached(node, id) || self.fetch(node, id)?)
        {
            return Ok(());
        }
        self.states[node] = State::Queued(id);
        Ok(())
    }
}
