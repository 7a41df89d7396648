//! What stages begin with: images and contexts are looked up, and the instructions they bring are put in front.

use coracle_image::{Platform, Reference};

use super::state::{Config, Files};
use super::{BaseImage, NoPlan, Purpose, Unavailable, Walk};
use crate::check::Rule;
use crate::dockerfile::parse;
use crate::instruction::{self, Kind};
use crate::limits::{INSTRUCTIONS_MAX, TRIGGERS_MAX};
use crate::plan::{Copy, From, Operation, Source, Step, StepId};
use crate::request::Context;
use crate::similar::{did_you_mean, similar};
use crate::source::{Fault, Span};

impl Walk<'_> {
    /// Looks up images and adds what they make a build begin with, until nothing new is needed.
    pub(super) fn resolve(&mut self, target: usize) -> Result<Vec<bool>, NoPlan> {
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

    fn resolve_base(&mut self, at: usize, is_wanted: bool) -> Result<(), NoPlan> {
        let state = &mut self.states[at];
        if state.base.is_some() || state.is_done || state.is_resolved {
            return Ok(());
        }
        state.is_resolved = is_wanted;
        let only_copied_from = !state.is_stage;
        if state.base_name == "scratch" && !state.is_context {
            state.config = Config::empty(&self.target_platform);
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
        // A check does not look into what is only copied from.
        if !is_wanted {
            // Its image has had a number, as with `BuildKit`, should a trigger want the stage later.
            state.name_step("", None);
        }
        if !is_wanted || (only_copied_from && self.purpose != Purpose::Build) {
            return Ok(());
        }
        let platform = state.platform.clone().unwrap_or_else(|| self.target_platform.clone());
        let request = self.request;
        if self.states[at].is_context {
            let name = self.states[at].name.as_deref().unwrap_or_default();
            if let Some((name, context)) = request.context(name) {
                self.states[at].is_done = true;
                return self.begin_with_context(at, name, context, platform);
            }
        }
        if let Some((name, context)) = request.context(&reference.to_string()) {
            return self.begin_with_context(at, name, context, platform);
        }
        self.begin_with_image(at, &reference, platform)
    }

    fn begin_with_image(
        &mut self,
        at: usize,
        reference: &Reference,
        platform: Platform,
    ) -> Result<(), NoPlan> {
        let found =
            self.images.image(reference, &platform).map_err(|why| self.unavailable(at, why))?;
        let Some(image) = found else {
            if self.purpose == Purpose::Build {
                let why = format!("{}: not found", self.states[at].base_name);
                return Err(Fault::new(why).at(self.states[at].span).into());
            }
            self.states[at].config = Config::unknown();
            self.states[at].platform = Some(platform);
            return Ok(());
        };
        self.refuse_foreign(at, &image, &platform);
        if !image.config.rootfs.diff_ids.is_empty() {
            let name = match &image.digest {
                Some(digest) if reference.digest().is_none() => format!("{reference}@{digest}"),
                _ => reference.to_string(),
            };
            let shown = self.request.shows_platform.then(|| platform.to_string());
            let state = &mut self.states[at];
            let name = state.name_step(&format!("FROM {name}"), shown.as_deref());
            let step = self.add_image(name, at, Some(reference.clone()), &image, &platform);
            self.states[at].files = Files::of(From::Step(step));
        }
        self.states[at].config = Config::of(image.config);
        self.states[at].platform = Some(platform);
        Ok(())
    }

    /// An image is not of the platform that it was asked for.
    fn refuse_foreign(&mut self, at: usize, image: &BaseImage, platform: &Platform) {
        let variant = image.config.variant.as_deref().unwrap_or_default();
        let actual = Platform::new(&image.config.os, &image.config.architecture, variant);
        if actual.architecture.is_empty()
            || (actual.os == platform.os && actual.architecture == platform.architecture)
        {
            return;
        }
        let (expected, actual) = (platform.to_string(), actual.to_string());
        let rule = Rule::InvalidBaseImagePlatform {
            image: &self.states[at].base_name,
            expected: &expected,
            actual: &actual,
        };
        self.findings.of_file();
        self.findings.add(rule, &[self.states[at].span]);
    }

    fn unavailable(&self, at: usize, mut why: Unavailable) -> NoPlan {
        let state = &self.states[at];
        let titles = self.states.iter().map(|state| state.title.as_str());
        let near = similar(&state.base_name, titles.filter(|title| !title.is_empty()).chain(USUAL));
        why.message = did_you_mean(why.message, near);
        NoPlan::Unavailable { what: state.base_name.clone(), at: vec![state.span], why }
    }

    /// A context stands in the stead of what a stage begins with, or of the stage.
    fn begin_with_context(
        &mut self,
        at: usize,
        name: &str,
        context: &Context,
        platform: Platform,
    ) -> Result<(), NoPlan> {
        let image = match context {
            Context::Image(reference) if reference.familiar() == "scratch" => None,
            Context::Image(reference) => {
                let reference = reference.clone().with_default_tag();
                let found = self.images.image(&reference, &platform);
                found.map_err(|why| self.unavailable(at, why))?.map(|it| (Some(reference), it))
            }
            Context::Result(request) => {
                let found = self.images.result(*request);
                found.map_err(|why| self.unavailable(at, why))?.map(|it| (None, it))
            }
            Context::Git(_) | Context::Http(_) => {
                let step = self.fetched_context(name, context);
                self.states[at].files = Files::of(From::Step(step));
                None
            }
            Context::Folder(_) | Context::Nothing => {
                self.states[at].files = Files::of(From::Context(Some(name.to_owned())));
                None
            }
        };
        self.states[at].config = match image {
            Some((reference, image)) => {
                let shown = reference.as_ref().map_or_else(|| name.to_owned(), Reference::familiar);
                let title = format!("[context {name}] {shown}");
                if !image.config.rootfs.diff_ids.is_empty() {
                    let step = self.add_image(title, at, reference, &image, &platform);
                    self.states[at].files = Files::of(From::Step(step));
                }
                Config::of(image.config)
            }
            None if self.purpose != Purpose::Build
                && matches!(context, Context::Image(_) | Context::Nothing) =>
            {
                Config::unknown()
            }
            None => Config::empty(&platform),
        };
        self.states[at].platform = Some(platform);
        Ok(())
    }

    fn add_image(
        &mut self,
        name: String,
        at: usize,
        reference: Option<Reference>,
        image: &BaseImage,
        platform: &Platform,
    ) -> StepId {
        let layers = image.config.rootfs.diff_ids.clone();
        self.add_step(Step {
            name,
            span: self.states[at].span,
            ignores_cache: false,
            platform: platform.clone(),
            on: None,
            operation: Operation::Image { reference, layers },
        })
    }

    fn add_step(&mut self, step: Step) -> StepId {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// The step whose result these files are, for whoever begins with them.
    pub(super) fn as_step(&mut self, files: &From) -> Option<StepId> {
        let name = match files {
            From::Nothing | From::Context(None) => return None,
            From::Step(step) => return Some(*step),
            From::Context(Some(name)) => name,
        };
        if let Some(step) = self.context_steps.get(name) {
            return Some(*step);
        }
        let all = Source::Files { from: files.clone(), pattern: "/".to_owned() };
        let title = format!("[context {name}] load from client");
        Some(self.context_step(name, title, all))
    }

    /// The step that fetches a context: a repository, or what a web server has, unpacked if it is an archive.
    fn fetched_context(&mut self, name: &str, context: &Context) -> StepId {
        if let Some(step) = self.context_steps.get(name) {
            return *step;
        }
        let (title, source) = match context {
            Context::Git(url) => {
                let source = Source::Git { url: url.clone(), keeps_git_dir: false, checksum: None };
                ("load git source", source)
            }
            Context::Http(url) => {
                let named = "context".to_owned();
                let source = Source::Http { url: url.clone(), name: named, checksum: None };
                ("load remote build context", source)
            }
            _ => unreachable!("only what is elsewhere is fetched"),
        };
        self.context_step(name, format!("[context {name}] {title}"), source)
    }

    /// A step whose result is all of a context.
    fn context_step(&mut self, name: &str, title: String, source: Source) -> StepId {
        let step = self.add_step(Step {
            name: title,
            span: Span::line(0),
            ignores_cache: false,
            platform: self.target_platform.clone(),
            on: None,
            operation: Operation::Copy(Box::new(Copy {
                sources: vec![source],
                destination: "/".to_owned(),
                unpack: Some(true),
                ..Copy::default()
            })),
        });
        self.context_steps.insert(name.to_owned(), step);
        step
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
            None => self.states[at].config.image.config.on_build.take().unwrap_or_default(),
        };
        if texts.len() > TRIGGERS_MAX {
            return Err(Fault::new(format!("more than {TRIGGERS_MAX} ONBUILD triggers")));
        }
        self.added += texts.len();
        if self.added > INSTRUCTIONS_MAX {
            let why = "the ONBUILD triggers of all stages are more than";
            return Err(Fault::new(format!("{why} {INSTRUCTIONS_MAX} instructions")));
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
            let mut step = self.step(instruction)?;
            step.is_trigger = true;
            has_new |= !step.sources.is_empty();
            self.need(at, &step);
            steps.push(step);
        }
        let state = &mut self.states[at];
        state.numbers.total += steps.len();
        steps.append(&mut state.steps);
        state.steps = steps;
        Ok(has_new)
    }
}

/// Images that somebody may have meant.
const USUAL: [&str; 7] = ["alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"];
