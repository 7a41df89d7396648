//! The plan, when every stage was gone through: what nobody needs goes, and the target becomes an image.

use coracle_image::Platform;
use coracle_image::config::{History, ImageConfig, RootFs};
use coracle_words::Timestamp;

use super::{Purpose, State, Walk};
use crate::instruction;
use crate::plan::{From, MountKind, Operation, Outcome, Plan, Source, Step, StepId};
use crate::request::Network;
use crate::source::Fault;

/// The comment of entries of the history that stand for an instruction.
pub(super) const COMMENT: &str = "buildkit.dockerfile.v0";

/// The comment of those that stand for a layer that no instruction tells of.
const COMMENT_OF_LAYERS: &str = "buildkit.exporter.image.v0";

impl Walk<'_> {
    pub(super) fn finish(mut self, target: usize) -> Result<Plan, Fault> {
        let files = self.states[target].files.from();
        let step = self.as_step(&files);
        let state = std::mem::take(&mut self.states[target]);
        let platform = state.platform.clone().unwrap_or_else(|| self.target_platform.clone());
        let mut outcome = Outcome {
            step,
            inherited: state.config.inherited,
            image: ImageConfig::default(),
            platform,
        };
        let layers = self.layers_of(step);
        outcome.image = self.outcome(state, &layers);
        self.do_anew_what_begins_with_contexts();
        let (steps, step) = needed(std::mem::take(&mut self.steps), step);
        outcome.step = step;
        if self.purpose == Purpose::Build {
            self.refuse_entitlements(&steps)?;
        }
        Ok(Plan { steps, outcome, epoch: self.epoch })
    }

    /// As with `BuildKit`, what begins with the folder of a context is never taken from the cache.
    fn do_anew_what_begins_with_contexts(&mut self) {
        if self.context_steps.is_empty() {
            return;
        }
        let mut begins = vec![false; self.steps.len()];
        for step in self.context_steps.values() {
            begins[*step] = true;
        }
        for (at, step) in self.steps.iter_mut().enumerate() {
            if step.on.is_some_and(|on| begins[on]) {
                begins[at] = true;
                step.ignores_cache = true;
            }
        }
    }

    /// What each layer came from, bottom first.
    fn layers_of(&self, top: Option<StepId>) -> Vec<Option<&str>> {
        let mut names = Vec::new();
        let mut next = top;
        while let Some(at) = next {
            let step = &self.steps[at];
            match &step.operation {
                Operation::Image { layers, .. } => names.extend(layers.iter().map(|_| None)),
                _ => names.push(Some(step.name.as_str())),
            }
            next = step.on;
        }
        names.reverse();
        names
    }

    fn outcome(&self, state: State, layers: &[Option<&str>]) -> ImageConfig {
        let mut config = state.config;
        let mut image = std::mem::take(&mut config.image);
        image.config.env = Some(config.image_env.entries()).filter(|env| !env.is_empty());
        // An empty list is not written down.
        for list in [&mut image.config.cmd, &mut image.config.entrypoint] {
            list.take_if(|list| list.is_empty());
        }
        if !self.request.labels.is_empty() {
            let labels = image.config.labels.get_or_insert_default();
            labels.extend(self.request.labels.clone());
        }
        if self.request.platform.is_some() {
            let is_other = image.os != self.target_platform.os
                || image.architecture != self.target_platform.architecture;
            image.os.clone_from(&self.target_platform.os);
            image.architecture.clone_from(&self.target_platform.architecture);
            if is_other || !self.target_platform.variant.is_empty() {
                image.variant = Some(self.target_platform.variant.clone());
            }
            if is_other {
                image.os_version = None;
            }
        }
        let variant = image.variant.take().unwrap_or_default();
        let normal = Platform::new(&image.os, &image.architecture, &variant);
        (image.os, image.architecture) = (normal.os, normal.architecture);
        image.variant = Some(normal.variant).filter(|variant| !variant.is_empty());
        image.rootfs = RootFs { kind: "layers".to_owned(), diff_ids: Vec::new() };
        image.created = self.epoch.and_then(time);
        tell_of_layers(&mut image.history, layers);
        for own in image.history.iter_mut().skip(config.inherited) {
            own.created.clone_from(&image.created);
        }
        image
    }

    fn refuse_entitlements(&self, steps: &[Step]) -> Result<(), Fault> {
        for step in steps {
            let Operation::Run(run) = &step.operation else { continue };
            let asked = [
                ("network.host", run.network == Network::Host),
                ("security.insecure", run.is_insecure),
            ];
            for (entitlement, is_asked) in asked {
                if is_asked && !self.request.allows(entitlement) {
                    let why = format!("failed to load LLB: {entitlement} is not allowed");
                    return Err(Fault::new(why));
                }
            }
        }
        Ok(())
    }
}

/// As many entries of the history have a layer as there are layers.
fn tell_of_layers(history: &mut Vec<History>, layers: &[Option<&str>]) {
    let mut told = history.iter().filter(|entry| !entry.empty_layer).count();
    for entry in history.iter_mut().filter(|entry| !entry.empty_layer) {
        if told <= layers.len() {
            break;
        }
        entry.empty_layer = true;
        told -= 1;
    }
    for name in layers.iter().skip(told) {
        history.push(History {
            created_by: name.map(str::to_owned),
            comment: Some(COMMENT_OF_LAYERS.to_owned()),
            ..History::default()
        });
    }
}

/// As RFC 3339 has it; none beyond the years it has.
pub(super) fn time(seconds: i64) -> Option<String> {
    Timestamp::of_seconds(seconds).map(|time| time.to_string())
}

/// The steps that one needs, in their order, and its new number.
fn needed(steps: Vec<Step>, top: Option<StepId>) -> (Vec<Step>, Option<StepId>) {
    let mut is_needed = vec![false; steps.len()];
    let mut open: Vec<StepId> = top.into_iter().collect();
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut is_needed[at], true) {
            continue;
        }
        open.extend(steps[at].on);
        open.extend(steps[at].operation.sources().filter_map(|from| match from {
            From::Step(step) => Some(*step),
            From::Context(_) | From::Nothing => None,
        }));
    }
    let mut numbers = vec![0; steps.len()];
    let mut kept = Vec::new();
    for (at, mut step) in steps.into_iter().enumerate() {
        if !is_needed[at] {
            continue;
        }
        numbers[at] = kept.len();
        step.on = step.on.map(|on| numbers[on]);
        step.operation.renumber(&numbers);
        kept.push(step);
    }
    (kept, top.map(|top| numbers[top]))
}

impl Operation {
    /// What it takes files from, but for what it lies on.
    pub fn sources(&self) -> Box<dyn Iterator<Item = &From> + '_> {
        match self {
            Self::Image { .. } | Self::Folder { .. } => Box::new(std::iter::empty()),
            Self::Run(run) => Box::new(run.mounts.iter().filter_map(|mount| match &mount.kind {
                MountKind::Bind { from, .. } | MountKind::Cache { from: Some((from, _)), .. } => {
                    Some(from)
                }
                _ => None,
            })),
            Self::Copy(copy) => Box::new(copy.sources.iter().filter_map(|source| match source {
                Source::Files { from, .. } => Some(from),
                _ => None,
            })),
        }
    }

    fn renumber(&mut self, numbers: &[StepId]) {
        let renumber = |from: &mut From| {
            if let From::Step(step) = from {
                *step = numbers[*step];
            }
        };
        match self {
            Self::Image { .. } | Self::Folder { .. } => {}
            Self::Run(run) => {
                for mount in &mut run.mounts {
                    if let MountKind::Bind { from, .. }
                    | MountKind::Cache { from: Some((from, _)), .. } = &mut mount.kind
                    {
                        renumber(from);
                    }
                }
            }
            Self::Copy(copy) => {
                for source in &mut copy.sources {
                    if let Source::Files { from, .. } = source {
                        renumber(from);
                    }
                }
            }
        }
    }
}

/// The network of a step: what it asks for, or else what the request says.
pub(super) fn network(asked: instruction::Network, of_request: Network) -> Network {
    match asked {
        instruction::Network::Default => of_request,
        instruction::Network::Host => Network::Host,
        instruction::Network::None => Network::None,
    }
}
