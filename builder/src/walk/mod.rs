//! From stage to stage, in the order of a build: values of variables, what each takes from, what is wrong.

mod copy;
mod dispatch;
mod env;
mod epoch;
mod expose;
mod from;
mod globals;
mod graph;
mod images;
mod mounts;
mod state;

pub use images::{Base, BaseImage, Bases};

use std::collections::BTreeMap;

use coracle_image::{Platform, Reference};

use dispatch::Scope;
use env::Env;
use state::{Image, State};

use crate::check::{Findings, Request, Rule};
use crate::dockerfile::{Document, parse};
use crate::expand::Expander;
use crate::instruction::{self, Kind, Stages};
use crate::limits::{TRIGGERS_MAX, VALUES_BYTES_MAX};
use crate::source::Fault;

struct Walk<'a> {
    request: &'a Request,
    bases: &'a dyn Bases,
    findings: &'a mut Findings,
    expander: Expander,
    globals: Env,
    states: Vec<State>,
    /// The last stage of each name.
    names: BTreeMap<String, usize>,
    target_platform: Platform,
}

/// What every stage begins with: images that have no search path get this one.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) fn walk(
    document: &Document,
    read: Stages,
    request: &Request,
    bases: &dyn Bases,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let expander = Expander::new(document.escape);
    let last = read.stages.last().and_then(|stage| stage.name.as_deref());
    let predefined = globals::predefined(request, last);
    globals::check_defaults(predefined.clone(), &read, &expander, findings);
    let mut globals = globals::declared(predefined, &read, &request.build_args, &expander)?;
    epoch::resolve(&mut globals, &read, request, &expander)?;
    let target_platform = request.platform.clone().unwrap_or_else(Platform::host);
    let mut walk = Walk {
        request,
        bases,
        findings,
        expander,
        globals,
        states: Vec::new(),
        names: BTreeMap::new(),
        target_platform,
    };
    let declared =
        read.globals.iter().flat_map(|(args, _)| args.iter().map(|arg| arg.name.clone()));
    walk.add_stages(read.stages, &declared.collect::<Vec<_>>())?;
    let target = walk.target()?;
    walk.link()?;
    walk.refuse_circles()?;
    let reachable = walk.resolve(target)?;
    walk.dispatch(&reachable)
}

impl Walk<'_> {
    fn everything(&self) -> bool {
        self.request.target.is_none() && !self.request.only_needed
    }

    /// Looks up images and adds what they make a build begin with, until nothing new is needed.
    fn resolve(&mut self, target: usize) -> Result<Vec<bool>, Fault> {
        loop {
            let reachable = self.reachable(target);
            for (at, is_reachable) in reachable.iter().enumerate() {
                self.resolve_base(at, *is_reachable || self.everything())?;
            }
            let mut has_new = false;
            for at in (0..reachable.len()).filter(|at| reachable[*at]) {
                let span = self.states[at].span;
                has_new |=
                    self.add_triggers(at).map_err(|fault| Fault::new(fault.message).at(span))?;
            }
            if !has_new {
                return Ok(self.reachable(target));
            }
        }
    }

    fn resolve_base(&mut self, at: usize, is_wanted: bool) -> Result<(), Fault> {
        let state = &mut self.states[at];
        if state.base.is_some() || state.is_done || state.is_resolved {
            return Ok(());
        }
        state.is_resolved = is_wanted;
        let only_copied_from = !state.is_stage;
        if state.base_name == "scratch" && !state.is_context {
            state.image = Image::Empty;
            state.platform = Some(self.target_platform.clone());
            state.is_done |= only_copied_from;
            return Ok(());
        }
        let reference = Reference::parse(&state.base_name).map_err(|why| {
            Fault::new(format!("failed to parse stage name {:?}: {why}", state.base_name))
                .at(state.span)
        })?;
        let reference = reference.with_default_tag();
        state.is_done |= only_copied_from;
        if !is_wanted || only_copied_from {
            return Ok(());
        }
        let platform = state.platform.clone().unwrap_or_else(|| self.target_platform.clone());
        let replaced = state.is_context
            || self.request.contexts.iter().any(|name| {
                Reference::parse(name).is_ok_and(|name| name.with_default_tag() == reference)
            });
        let base = if replaced { Base::Unknown } else { self.bases.base(&reference, &platform) };
        state.image = match base {
            Base::Unknown => Image::Unknown,
            Base::Known(image) => Image::Known(image),
        };
        if let Image::Known(image) = &state.image
            && let Some(actual) = &image.platform
            && (actual.os != platform.os || actual.architecture != platform.architecture)
        {
            let (expected, actual) = (platform.to_string(), actual.to_string());
            let rule = Rule::InvalidBaseImagePlatform {
                image: &state.base_name,
                expected: &expected,
                actual: &actual,
            };
            self.findings.of_file();
            self.findings.add(rule, &[state.span]);
        }
        state.platform = Some(platform);
        Ok(())
    }

    /// Puts the instructions in front that the base asks for. Whether they need something new.
    fn add_triggers(&mut self, at: usize) -> Result<bool, Fault> {
        if std::mem::replace(&mut self.states[at].has_triggers, true) {
            return Ok(false);
        }
        let texts: Vec<String> = match self.states[at].base {
            Some(base) => {
                let steps = self.states[base].steps.iter();
                let triggers = steps.filter_map(|step| match &step.instruction.kind {
                    Kind::Onbuild(text) => Some(text.clone()),
                    _ => None,
                });
                triggers.collect()
            }
            None => match &self.states[at].image {
                Image::Known(image) => image.on_build.clone(),
                Image::Empty | Image::Unknown => Vec::new(),
            },
        };
        if texts.len() > TRIGGERS_MAX {
            return Err(Fault::new(format!("more than {TRIGGERS_MAX} ONBUILD triggers")));
        }
        let mut steps = Vec::new();
        let mut has_new = false;
        for text in texts {
            let document = parse(&text)?;
            let [line] = &document.lines[..] else {
                return Err(Fault::new("onbuild trigger should be a single expression"));
            };
            let mut instruction = instruction::read(line)?
                .ok_or_else(|| Fault::new(format!("unknown instruction: {}", line.name)))?;
            instruction.span = self.states[at].span;
            instruction.comments.clear();
            let step = self.step(instruction)?;
            has_new |= !step.sources.is_empty();
            self.need(at, &step);
            steps.push(step);
        }
        let state = &mut self.states[at];
        steps.append(&mut state.steps);
        state.steps = steps;
        Ok(has_new)
    }

    /// Carries out the instructions of every stage that counts.
    fn dispatch(&mut self, reachable: &[bool]) -> Result<(), Fault> {
        let mut room = VALUES_BYTES_MAX;
        for (at, is_reachable) in reachable.iter().enumerate() {
            let counts = self.everything() || (*is_reachable && !self.states[at].is_done);
            if !counts || !self.states[at].is_stage {
                continue;
            }
            self.begin(at);
            self.states[at].is_done = true;
            let steps = std::mem::take(&mut self.states[at].steps);
            for step in &steps {
                let span = step.instruction.span;
                self.refuse_later_sources(at, step).map_err(|fault| fault.at(span))?;
                let state = &mut self.states[at];
                let mut scope = Scope {
                    config: &mut state.config,
                    used: &mut state.used,
                    findings: &mut *self.findings,
                    expander: self.expander,
                    globals: &self.globals,
                    given: &self.request.build_args,
                    ignore: self.request.ignore.as_ref(),
                    instruction: &step.instruction,
                    room: &mut room,
                };
                scope.dispatch().map_err(|fault| fault.at(span))?;
            }
            self.states[at].steps = steps;
        }
        Ok(())
    }

    /// What a stage takes over from what it begins with.
    fn begin(&mut self, at: usize) {
        let mut config = match self.states[at].base {
            Some(base) => self.states[base].config.clone(),
            None => self.states[at].image.config(),
        };
        if config.image_env.get("PATH").is_none() {
            config.image_env.set("PATH", PATH);
        }
        let image_env = config.image_env.clone();
        config.env.extend(&image_env);
        self.states[at].config = config;
    }
}
