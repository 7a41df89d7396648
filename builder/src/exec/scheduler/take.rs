//! Results that were made before, here or elsewhere.

use std::time::{Duration, SystemTime};

use coracle_image::{Digest, Layer};

use super::super::error::StepError;
use super::super::graph::NodeId;
use super::super::jobs::Child;
use super::{Outcome, Scheduler, State};
use crate::cache_transfer;
use crate::progress::Event;

impl Scheduler<'_> {
    /// Begins to fetch what was made elsewhere.
    pub(super) fn fetch(&mut self, node: NodeId, id: Digest) -> Result<bool, StepError> {
        let imports = self.given.imports;
        let Some(elsewhere) = imports.find(&id) else { return Ok(false) };
        let store = &self.workshop()?.store;
        let fetch = || Ok(cache_transfer::fetch(store, elsewhere.place, elsewhere.layer)?);
        let child = Child::start::<Layer>(fetch)?;
        self.states[node] = State::Fetching(id, child);
        Ok(true)
    }

    /// A result came from elsewhere, or did not: then the step is carried out.
    pub(super) fn fetched(
        &mut self,
        node: NodeId,
        id: Digest,
        outcome: Result<Layer, StepError>,
    ) -> Result<(), StepError> {
        let imports = self.given.imports;
        let record = match (outcome, imports.find(&id)) {
            (Ok(layer), Some(elsewhere)) => elsewhere.record(layer),
            (Err(error), _) => {
                self.start(node);
                let words = format!("its result cannot be fetched: {}\n", error.message);
                self.log(node, 2, words.into_bytes());
                None
            }
            (Ok(_), None) => None,
        };
        if let Some(record) = record {
            let put = self.cache.put(&id, &record);
            put.map_err(|error| StepError::internal("write the build cache", &error))?;
            self.keeper.add(id, record.layer.diff_id, Duration::ZERO);
            if self.take_cached(node, id) {
                return Ok(());
            }
        }
        self.is_lost[node] = true;
        self.again = true;
        self.states[node] = State::Waiting;
        Ok(())
    }

    /// Steps whose results stayed elsewhere, because nobody needs them here.
    pub(super) fn tell_of_unwanted(&mut self) {
        for node in 0..self.states.len() {
            let State::Known(id) = self.states[node] else { continue };
            if self.given.imports.find(&id).is_some() {
                let vertex = self.vertex(node);
                self.progress.tell(Event::Cached { vertex, at: SystemTime::now() });
            }
        }
    }

    /// Takes what was made before.
    pub(super) fn take_cached(&mut self, node: NodeId, id: Digest) -> bool {
        let Some(record) = self.cache.get(&id) else { return false };
        if !self.given.store.has_layer(&record.layer.diff_id) {
            return false;
        }
        self.cache.touch(&id);
        let vertex = self.vertex(node);
        self.progress.tell(Event::Cached { vertex, at: SystemTime::now() });
        self.done(node, id, record.layer, record.created);
        true
    }

    pub(super) fn done(
        &mut self,
        node: NodeId,
        id: Digest,
        layer: Layer,
        created: coracle_runtime::model::Timestamp,
    ) {
        let on = self.given.graph.nodes[node].on.and_then(|on| self.outcome(on)).cloned();
        let mut outcome = on.unwrap_or(Outcome { id, layers: Vec::new(), created: Vec::new() });
        outcome.id = id;
        outcome.layers.push(layer);
        outcome.created.push(created);
        self.states[node] = State::Done(outcome);
    }
}
