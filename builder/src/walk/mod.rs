//! A Dockerfile from stage to stage, in the order of a build: the one walk that finds what is wrong and makes the plan.
//!
//! # How it works
//!
//! Global variables get their values, then [`from`] reads what each stage begins with and [`graph`] which stage takes
//! from which. What the target needs is looked up ([`resolve`]), with the instructions that images add. Then the
//! instructions are carried out ([`dispatch`]) on what is known of the stage ([`state`]): those that set something
//! change its configuration ([`configure`]), the others add a step to the plan ([`command`], [`files`]). At the end
//! what nobody needs is left out ([`finish`]).
//!
//! # Limits
//!
//! [`crate::limits`]: all texts that come out of variables together have a bound, and so have stages, variables,
//! triggers and steps.

mod command;
mod configure;
mod copy;
mod dispatch;
mod env;
mod epoch;
mod expose;
mod files;
mod finish;
mod from;
mod globals;
mod graph;
mod images;
mod mounts;
mod names;
mod outline;
mod paths;
mod request;
mod resolve;
mod state;

use std::collections::BTreeMap;

use coracle_image::Platform;

pub use images::{BaseImage, Dated, Images, NoPlan, Unavailable};
pub use outline::{Argument, Given, Outline};
pub(crate) use request::Purpose;
pub use request::Request;

use dispatch::Scope;
use env::Env;
use outline::Noted;
use state::State;

use crate::check::{Findings, Options, Rule, casing, duplicate_names};
use crate::dockerfile::{Document, directive, parse};
use crate::expand::Expander;
use crate::instruction::{Stages, stages};
use crate::limits::{DOCKERFILE_BYTES_MAX, STAGES_MAX, TEXT_BYTES, VALUES_BYTES_MAX};
use crate::plan::{Plan, StepId};
use crate::source::Fault;

struct Walk<'a> {
    request: &'a Request,
    purpose: Purpose,
    images: &'a mut dyn Images,
    findings: &'a mut Findings,
    expander: Expander,
    globals: Env,
    /// `--build-arg`.
    given: BTreeMap<String, String>,
    /// `ARG` before the first stage.
    global_args: BTreeMap<String, Noted>,
    epoch: Option<i64>,
    states: Vec<State>,
    /// The last stage of each name.
    names: BTreeMap<String, usize>,
    /// What mounts without a source take from.
    nothing: Option<usize>,
    target_platform: Platform,
    steps: Vec<crate::plan::Step>,
    /// Steps that bring a context in as a root filesystem, by its name.
    context_steps: BTreeMap<String, StepId>,
    /// Bytes that texts may still take.
    room: usize,
    /// Instructions that were added in front of stages.
    added: usize,
}

/// Reads the text of a Dockerfile and goes through it.
pub(crate) fn read(
    text: &str,
    request: &Request,
    purpose: Purpose,
    images: &mut dyn Images,
    findings: &mut Findings,
) -> Result<(Plan, Outline), NoPlan> {
    let (document, read) = parsed(text, request, findings)?;
    walk(&document, read, request, purpose, images, findings)
}

fn parsed(
    text: &str,
    request: &Request,
    findings: &mut Findings,
) -> Result<(Document, Stages), Fault> {
    if text.is_empty() {
        return Err(Fault::new("the Dockerfile cannot be empty"));
    }
    if text.len() > DOCKERFILE_BYTES_MAX {
        return Err(Fault::new(format!(
            "the Dockerfile is larger than {DOCKERFILE_BYTES_MAX} bytes"
        )));
    }
    let options = match &request.options {
        Some(options) => options.clone(),
        None => Options::parse(&directive::check(text).unwrap_or_default())
            .map_err(|why| Fault::new(format!("failed to parse check options: {why}")))?,
    };
    findings.with(options);
    let document = parse(text)?;
    for span in &document.empty_continuations {
        findings.add(Rule::NoEmptyContinuation, &[*span]);
    }
    let read = stages(&document, findings)?;
    if read.stages.is_empty() {
        return Err(Fault::new("dockerfile contains no stages to build"));
    }
    if read.stages.len() > STAGES_MAX {
        return Err(Fault::new(format!("the Dockerfile has more than {STAGES_MAX} stages")));
    }
    duplicate_names(&read.stages, findings);
    casing::check(&read.stages, findings);
    Ok((document, read))
}

fn walk(
    document: &Document,
    read: Stages,
    request: &Request,
    purpose: Purpose,
    images: &mut dyn Images,
    findings: &mut Findings,
) -> Result<(Plan, Outline), NoPlan> {
    let expander = Expander::new(document.escape);
    let last = read.stages.last().and_then(|stage| stage.name.as_deref());
    let predefined = globals::predefined(request, last);
    globals::check_defaults(predefined.clone(), &read, &expander, findings);
    let (mut globals, global_args) =
        globals::declared(predefined, &read, &request.build_args, &expander)?;
    let mut given = request.build_args.clone();
    let epoch = epoch::resolve(&mut globals, &mut given, &read, request, &expander, images)?;
    let mut walk = Walk {
        request,
        purpose,
        images,
        findings,
        expander,
        globals,
        given,
        global_args,
        epoch,
        states: Vec::new(),
        names: BTreeMap::new(),
        nothing: None,
        target_platform: request.platform.clone().unwrap_or_else(Platform::host),
        steps: Vec::new(),
        context_steps: BTreeMap::new(),
        room: VALUES_BYTES_MAX,
        added: 0,
    };
    let declared =
        read.globals.iter().flat_map(|(args, _)| args.iter().map(|arg| arg.name.clone()));
    walk.add_stages(read.stages, &declared.collect::<Vec<_>>())?;
    let target = walk.target()?;
    walk.link()?;
    walk.refuse_circles()?;
    if let [only] = &mut walk.states[..] {
        only.title.clear();
    }
    let reachable = walk.resolve(target)?;
    walk.dispatch(&reachable)?;
    walk.findings.as_fault()?;
    let outline = walk.outline(target);
    Ok((walk.finish(target)?, outline))
}

impl Walk<'_> {
    /// Whether stages are looked at that nobody needs.
    fn everything(&self) -> bool {
        self.purpose == Purpose::Check && self.request.target.is_none()
    }

    /// Carries out the instructions of every stage that counts.
    fn dispatch(&mut self, reachable: &[bool]) -> Result<(), Fault> {
        for (at, is_reachable) in reachable.iter().enumerate() {
            let counts = self.everything() || (*is_reachable && !self.states[at].is_done);
            if !counts || !self.states[at].is_stage || self.states[at].is_context {
                continue;
            }
            self.begin(at)?;
            self.states[at].is_done = true;
            let steps = std::mem::take(&mut self.states[at].steps);
            for step in &steps {
                let span = step.instruction.span;
                self.refuse_later_sources(at, step).map_err(|fault| fault.at(span))?;
                let sources =
                    step.sources.iter().map(|source| self.states[source.state].files.from());
                let mut scope = Scope {
                    sources: sources.collect(),
                    state: &mut self.states[at],
                    steps: &mut self.steps,
                    findings: &mut *self.findings,
                    expander: self.expander,
                    globals: &self.globals,
                    given: &self.given,
                    request: self.request,
                    epoch: self.epoch,
                    step,
                    room: &mut self.room,
                };
                scope.dispatch().map_err(|fault| fault.at(span))?;
            }
            self.states[at].steps = steps;
        }
        Ok(())
    }

    /// What a stage takes over from what it begins with.
    fn begin(&mut self, at: usize) -> Result<(), Fault> {
        if let Some(base) = self.states[at].base {
            let base = &self.states[base];
            let (config, files) = (base.config.for_child(), base.files.clone());
            let platform = base.platform.clone();
            let state = &mut self.states[at];
            (state.config, state.files, state.platform) = (config, files, platform);
        }
        let config = &self.states[at].config;
        let bytes = config.bytes + (config.env.len() + config.image_env.len()) * TEXT_BYTES;
        dispatch::spend(&mut self.room, bytes)?;
        let files = self.states[at].files.from();
        let on = self.as_step(&files);
        let state = &mut self.states[at];
        state.files =
            state::Files::of(on.map_or(crate::plan::From::Nothing, crate::plan::From::Step));
        state.config.begin();
        Ok(())
    }
}
