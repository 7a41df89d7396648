//! Steps that are carried out: begun when nothing stands in their way, and put on record.

use std::collections::HashMap;
use std::time::Instant;

use coracle_image::{Digest, Layer};

use super::super::cache::{Kind, Record};
use super::super::error::StepError;
use super::super::graph::NodeId;
use super::super::jobs::Child;
use super::super::mounts::{Maker, Mounts};
use super::super::run::Command;
use super::super::workshop::Workshop;
use super::super::{files, key};
use super::{COMMANDS_MAX, Scheduler, State, Work, diff_ids};
use crate::plan::{From, Operation, Run};

impl Scheduler<'_> {
    fn busy(&self, commands: bool) -> usize {
        let is = |state: &&State| match state {
            State::Mounting(..) | State::Running(..) => commands,
            State::Copying(..) | State::Keeping(..) | State::Reading(_) => !commands,
            State::Asking(_) | State::Fetching(..) | State::Bringing(..) => !commands,
            _ => false,
        };
        self.states.iter().filter(is).count()
    }

    pub(super) fn carry_out(&mut self, node: NodeId, id: Digest) -> Result<(), StepError> {
        let graph = self.given.graph;
        let step = &graph.nodes[node].step;
        let is_command = matches!(step.operation, Operation::Run(_));
        let max = if is_command { COMMANDS_MAX } else { self.files_max };
        if self.busy(is_command) >= max {
            return Ok(());
        }
        let lock = self.cache.try_lock(&id);
        let lock = lock.map_err(|e| StepError::internal("lock a step", &e))?;
        let Some(lock) = lock else { return Ok(()) };
        // Whoever had the lock may have made it.
        if !step.ignores_cache && self.take_cached(node, id) {
            return Ok(());
        }
        let on = graph.nodes[node].on.and_then(|on| self.outcome(on));
        let layers = diff_ids(on);
        let work = Work { id, is_other: false, began: Instant::now(), _lock: lock };
        let request = &self.given.requests[graph.nodes[node].request];
        match &step.operation {
            Operation::Run(run) => self.begin_command(node, work, run)?,
            operation => {
                let sources = self.take_layers(node);
                self.start(node);
                if self.given.workshop.is_none() {
                    self.given.workshop = Some(Workshop::enter(self.given.home)?);
                }
                let (Some(workshop), contexts) = (&self.given.workshop, &self.given.contexts)
                else {
                    return Ok(());
                };
                let taken = files::Taken {
                    request,
                    contexts,
                    layers: &layers,
                    sources: &sources,
                    fetched: self.fetched[node].as_ref(),
                };
                let child = Child::start(|| files::carry_out(workshop, operation, &taken))?;
                self.states[node] = State::Copying(work, child);
            }
        }
        Ok(())
    }

    /// Makes the mounts of a command, and starts it when nothing is copied for them.
    fn begin_command(&mut self, node: NodeId, work: Work, run: &Run) -> Result<(), StepError> {
        self.start(node);
        let of = &self.given.graph.nodes[node];
        let (step, request) = (&of.step, &self.given.requests[of.request]);
        let cache = self.cache.clone();
        let outcomes: HashMap<usize, Vec<Digest>> = key::sources(&step.operation)
            .into_iter()
            .zip(self.take_layers(node))
            .filter_map(|((from, _), layers)| match from {
                From::Step(step) => Some((*step, layers)),
                From::Context(_) | From::Nothing => None,
            })
            .collect();
        let maker = Maker {
            request,
            cache: &cache,
            step: &step.name,
            layers: &|step| outcomes.get(&step).cloned().unwrap_or_default(),
        };
        if self.given.workshop.is_none() {
            self.given.workshop = Some(Workshop::enter(self.given.home)?);
        }
        let Some(workshop) = self.given.workshop.as_mut() else { return Ok(()) };
        let Some((mounts, copies)) = maker.make(workshop, &run.mounts)? else {
            return Ok(());
        };
        if copies.is_empty() {
            return self.start_command(node, work, mounts);
        }
        let of = (request, &self.given.contexts);
        let child = Child::start(|| files::materialise(workshop, of, &copies))?;
        self.states[node] = State::Mounting(work, mounts, child);
        Ok(())
    }

    /// Starts the command of a step whose mounts are there.
    pub(super) fn start_command(
        &mut self,
        node: NodeId,
        work: Work,
        mut mounts: Mounts,
    ) -> Result<(), StepError> {
        let of = &self.given.graph.nodes[node];
        let Operation::Run(run) = &of.step.operation else { return Ok(()) };
        let layers = diff_ids(of.on.and_then(|on| self.outcome(on)));
        let workshop = self.workshop()?;
        mounts.add_scripts(workshop, &run.scripts)?;
        let command = Command::start(workshop, run, &layers, mounts)?;
        self.states[node] = State::Running(work, command);
        Ok(())
    }

    /// The layers of the steps that files come from, in the order of [`key::sources`].
    fn take_layers(&self, node: NodeId) -> Vec<Vec<Digest>> {
        let of = |source: &Option<NodeId>| diff_ids(source.and_then(|node| self.outcome(node)));
        self.given.graph.nodes[node].sources.iter().map(of).collect()
    }

    /// Puts what a step made on record.
    pub(super) fn keep(
        &mut self,
        node: NodeId,
        work: Work,
        layer: Layer,
        kind: Kind,
    ) -> Result<(), StepError> {
        let of = &self.given.graph.nodes[node];
        let created = coracle_runtime::clock::now();
        let parent = of.on.and_then(|on| self.outcome(on)).map(|outcome| outcome.id);
        let description = of.step.name.clone();
        let record = Record { layer: layer.clone(), created, description, kind, parent };
        let id = match work.is_other {
            true => key::id_of_other(&work.id, &layer.diff_id),
            false => work.id,
        };
        let put = self.cache.put(&id, &record);
        put.map_err(|e| StepError::internal("write the build cache", &e))?;
        self.cache.touch(&id);
        self.complete(node, None);
        self.keeper.add(id, layer.diff_id, work.began.elapsed());
        self.done(node, id, layer, created);
        Ok(())
    }
}
