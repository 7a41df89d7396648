//! One instruction, with the values that variables have at its place.

use std::collections::BTreeMap;

use super::env::Env;
use super::request::Request;
use super::state::{State, Step};
use crate::check::{Findings, Rule};
use crate::expand::Expander;
use crate::instruction::{Instruction, Kind};
use crate::limits::{STEPS_MAX, TEXT_BYTES, VALUES_BYTES_MAX, VARIABLES_MAX};
use crate::plan::{self, From, Operation};
use crate::source::{Fault, Span};

pub(super) struct Scope<'a> {
    pub(super) state: &'a mut State,
    /// Those of the plan.
    pub(super) steps: &'a mut Vec<plan::Step>,
    pub(super) findings: &'a mut Findings,
    pub(super) expander: Expander,
    pub(super) globals: &'a Env,
    pub(super) given: &'a BTreeMap<String, String>,
    pub(super) request: &'a Request,
    pub(super) epoch: Option<i64>,
    pub(super) step: &'a Step,
    /// Files of each of its sources.
    pub(super) sources: Vec<From>,
    /// Bytes that texts may still take.
    pub(super) room: &'a mut usize,
}

/// Takes bytes from what all texts may take.
pub(super) fn spend(room: &mut usize, bytes: usize) -> Result<(), Fault> {
    *room = room.checked_sub(bytes).ok_or_else(|| {
        let why = "with the values of its variables, the Dockerfile becomes longer than";
        Fault::new(format!("{why} {VALUES_BYTES_MAX} bytes"))
    })?;
    Ok(())
}

impl<'a> Scope<'a> {
    pub(super) fn dispatch(&mut self) -> Result<(), Fault> {
        let comments = &self.instruction().comments;
        self.findings.of_instruction(comments);
        let instruction = self.instruction();
        match &instruction.kind {
            Kind::Add(copy) => self.copy(copy, true),
            Kind::Arg(args) => self.args(args),
            Kind::Cmd(command) => self.cmd(command),
            Kind::Copy(copy) => self.copy(copy, false),
            Kind::Entrypoint(command) => self.entrypoint(command),
            Kind::Env(pairs) => self.env(pairs),
            Kind::Expose(ports) => self.expose(ports),
            Kind::Healthcheck(health) => self.healthcheck(health),
            Kind::Label(pairs) => self.label(pairs),
            Kind::Maintainer(name) => self.maintainer(name),
            Kind::Onbuild(text) => self.onbuild(text),
            Kind::Run(run) => self.run(run),
            Kind::Shell(words) => self.shell(words),
            Kind::Stopsignal(signal) => self.stopsignal(signal),
            Kind::User(user) => self.user(user),
            Kind::Volume(volumes) => self.volume(volumes),
            Kind::Workdir(path) => self.workdir(path),
        }
    }

    pub(super) fn instruction(&self) -> &'a Instruction {
        &self.step.instruction
    }

    pub(super) fn here(&self) -> Span {
        self.step.instruction.span
    }

    pub(super) fn add(&mut self, rule: Rule<'_>) {
        self.findings.add(rule, &[self.here()]);
    }

    /// Takes bytes that the configuration keeps.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), Fault> {
        let bytes = bytes + TEXT_BYTES;
        self.state.config.bytes += bytes;
        spend(self.room, bytes)
    }

    /// Sets what instructions see.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        self.state.config.env.set(name, value);
        if self.state.config.env.len().max(self.state.config.args.len()) > VARIABLES_MAX {
            return Err(Fault::new(format!("a stage has more than {VARIABLES_MAX} variables")));
        }
        spend(self.room, name.len() + value.len())
    }

    /// Adds a step on top of the stage.
    pub(super) fn push(&mut self, name: String, operation: Operation) -> Result<(), Fault> {
        spend(self.room, name.len())?;
        if self.steps.len() >= STEPS_MAX {
            return Err(Fault::new(format!("a build has more than {STEPS_MAX} steps")));
        }
        let on = match self.state.files.from() {
            From::Step(step) => Some(step),
            From::Context(_) | From::Nothing => None,
        };
        self.steps.push(plan::Step {
            name,
            span: self.here(),
            // Folders of WORKDIR are taken from the cache all the same.
            ignores_cache: self.state.ignores_cache
                && !matches!(operation, Operation::Folder { .. }),
            platform: self.state.platform.clone().unwrap_or_else(coracle_image::Platform::host),
            on,
            operation,
        });
        self.state.files = super::state::Files::of(From::Step(self.steps.len() - 1));
        Ok(())
    }

    /// The name of the step that is added next; `env` has the variables of its text.
    pub(super) fn name(&mut self, text: &str, expander: &Expander, masked: &[String]) -> String {
        let env = &self.state.config.env;
        let get = |name: &str| match masked.iter().any(|other| other == name) {
            true => Some("****".to_owned()),
            false => env.get(name),
        };
        let (expanded, result) = expander.text(text, &get);
        let text = if result.is_ok() { &expanded.text } else { text };
        let mut text = super::names::with_large_name(text);
        if self.step.is_trigger {
            text.insert_str(0, "ONBUILD ");
        }
        let platform = self.state.platform.as_ref().filter(|_| self.request.shows_platform);
        let platform = platform.map(|platform| super::names::platform(platform, env));
        self.state.name_step(&text, platform.as_deref())
    }

    pub(super) fn expand(&mut self, text: &str) -> Result<String, Fault> {
        self.expand_as(text, &self.expander.clone())
    }

    pub(super) fn expand_as(&mut self, text: &str, expander: &Expander) -> Result<String, Fault> {
        let config = &self.state.config;
        let (expanded, result) = expander.text(text, &|name| config.env.get(name));
        let is_known = |name: &&String| {
            config.is_open
                || config.args.iter().any(|(arg, _)| **arg == ***name)
                || BUILDER_ARGS.contains(&name.as_str())
        };
        let span = self.here();
        for name in expanded.unset.iter().filter(|name| !is_known(name)) {
            let near = match self.findings.are_many() {
                true => None,
                false => crate::similar::similar(name, config.env.names()),
            };
            self.findings.add(Rule::UndefinedVar { name, near }, &[span]);
        }
        result.map_err(Fault::new)?;
        spend(self.room, expanded.text.len())?;
        Ok(expanded.text)
    }
}

/// Arguments that instructions do not see.
pub(super) const BUILDER_ARGS: [&str; 2] =
    ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];
