//! What a step stands for: its id, from what it does and the content of what it takes; and which steps are wanted.
//!
//! # How it works
//!
//! Targets are wanted, what they stand on, and steps that do without the cache. Of other steps the id alone is worked
//! out: it may be enough to find what was made of their files. When it is not, the steps are wanted whose files a wanted
//! one takes.

use std::path::PathBuf;

use coracle_image::Digest;

use super::super::error::StepError;
use super::super::graph::NodeId;
use super::super::jobs::Child;
use super::super::{files, key, remote, workshop};
use super::{Outcome, Scheduler, State, diff_ids};
use crate::plan::{From, Operation};
use crate::request::BuildRequest;

impl<'a> Scheduler<'a> {
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
            let (operation, request, folder) = self.sources(node);
            let settings = &self.given.settings;
            let child = Child::start(|| remote::fetch(operation, request, settings, folder))?;
            self.states[node] = State::Asking(child);
            return Ok(());
        }
        let (found, missing) = self.contents(node)?;
        if missing.is_empty() {
            return self.found(node, &found);
        }
        // Without being wanted it is as good as not there: whoever takes its files will want it.
        if !self.wanted[node] || !self.are_there(node) {
            return Ok(());
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

    /// A step is to be made, and what it stands on.
    pub(super) fn want(&mut self, node: NodeId) {
        let mut next = Some(node);
        while let Some(node) = next.filter(|node| !self.wanted[*node]) {
            self.wanted[node] = true;
            self.again = true;
            if matches!(self.states[node], State::Known(_)) {
                self.states[node] = State::Waiting;
            }
            next = self.given.graph.nodes[node].on;
        }
    }

    /// Whether all that a wanted step needs is there; what is not is wanted from here on.
    pub(super) fn are_there(&mut self, node: NodeId) -> bool {
        let graph = self.given.graph;
        let mut are_there = true;
        for need in graph.nodes[node].needs() {
            are_there &= self.outcome(need).is_some();
            self.want(need);
        }
        are_there
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
        let id = self.known(source).map(|id| id.to_string()).unwrap_or_default();
        files::part(operation, number, &id)
    }

    /// The id of a step, with the digests of what it takes.
    fn id(&self, node: NodeId, contents: &[Option<String>]) -> Digest {
        let of = &self.given.graph.nodes[node];
        let on = of.on.and_then(|on| self.known(on));
        let on = on.map(|id| id.to_string()).unwrap_or_default();
        key::id(&of.step, &on, contents)
    }

    /// The id of a step, when it is known.
    pub(super) fn known(&self, node: NodeId) -> Option<Digest> {
        match &self.states[node] {
            State::Done(outcome) => Some(outcome.id),
            State::Known(id) => Some(*id),
            _ => None,
        }
    }

    /// The id is known: the result may be as well.
    pub(super) fn found(
        &mut self,
        node: NodeId,
        contents: &[Option<String>],
    ) -> Result<(), StepError> {
        let id = self.id(node, contents);
        let of = &self.given.graph.nodes[node];
        let (on, is_cached) = (of.on, !of.step.ignores_cache);
        let stands = on.is_none_or(|on| self.outcome(on).is_some());
        if is_cached && stands && self.take_cached(node, id) {
            return Ok(());
        }
        if !self.wanted[node] {
            self.states[node] = State::Known(id);
            return Ok(());
        }
        if is_cached && stands && !self.is_lost[node] && self.fetch(node, id)? {
            return Ok(());
        }
        match self.are_there(node) {
            true => self.queue(node, id),
            false => Ok(()),
        }
    }

    /// A step is to be carried out: what it takes from elsewhere has to be here.
    pub(super) fn queue(&mut self, node: NodeId, id: Digest) -> Result<(), StepError> {
        self.states[node] = State::Queued(id);
        let Some(all) = self.fetched[node].as_ref().filter(|all| remote::is_incomplete(all)) else {
            return Ok(());
        };
        let (operation, request, folder) = self.sources(node);
        let settings = &self.given.settings;
        let child = Child::start(|| remote::bring(operation, request, settings, folder, all))?;
        self.start(node);
        self.states[node] = State::Bringing(id, child);
        Ok(())
    }

    /// What a step does, for whom, and where what it takes from elsewhere is kept.
    fn sources(&self, node: NodeId) -> (&'a Operation, &'a BuildRequest, PathBuf) {
        let of = &self.given.graph.nodes[node];
        let folder = self.given.home.settings().data_root.join(workshop::FOLDER);
        let request = &self.given.requests[of.request];
        (&of.step.operation, request, folder.join(remote::FOLDER))
    }
}
