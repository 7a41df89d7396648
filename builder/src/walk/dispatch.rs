//! One instruction, with the values that variables have at its place.

use std::collections::BTreeMap;

use coracle_runtime::processes::signals;

use super::env::Env;
use super::state::{Config, Used};
use super::{copy, expose, mounts};
use crate::check::{Findings, Rule, secret_names};
use crate::dockerfile::Pair;
use crate::expand::Expander;
use crate::ignore::Ignore;
use crate::instruction::{Arg, Command, Copy, Instruction, Kind, Run};
use crate::limits::{VALUES_BYTES_MAX, VARIABLES_MAX};
use crate::source::{Fault, Span};

pub(super) struct Scope<'a> {
    pub(super) config: &'a mut Config,
    pub(super) used: &'a mut Used,
    pub(super) findings: &'a mut Findings,
    pub(super) expander: Expander,
    pub(super) globals: &'a Env,
    pub(super) given: &'a BTreeMap<String, String>,
    pub(super) ignore: Option<&'a Ignore>,
    pub(super) instruction: &'a Instruction,
    /// Bytes that variables may still have.
    pub(super) room: &'a mut usize,
}

impl Scope<'_> {
    pub(super) fn dispatch(&mut self) -> Result<(), Fault> {
        self.findings.of_instruction(&self.instruction.comments);
        match &self.instruction.kind {
            Kind::Add(copy) => self.copy(copy, true)?,
            Kind::Arg(args) => self.args(args)?,
            Kind::Cmd(command) => {
                let last = self.used.cmd.replace(self.here());
                self.once(last);
                self.shell_form(command);
            }
            Kind::Copy(copy) => self.copy(copy, false)?,
            Kind::Entrypoint(command) => {
                let last = self.used.entrypoint.replace(self.here());
                self.once(last);
                self.shell_form(command);
            }
            Kind::Env(pairs) => self.env(pairs)?,
            Kind::Expose(ports) => self.expose(ports)?,
            Kind::Healthcheck(_) => {
                let last = self.used.healthcheck.replace(self.here());
                self.once(last);
            }
            Kind::Label(pairs) => {
                self.pairs(pairs)?;
                self.old_form(pairs);
            }
            Kind::Maintainer(_) | Kind::Onbuild(_) => {}
            Kind::Run(run) => self.run(run)?,
            Kind::Shell(words) => self.config.shell.clone_from(words),
            Kind::Stopsignal(signal) => {
                let signal = self.expand(signal)?;
                if signals::parse(&signal).is_none() {
                    return Err(Fault::new(format!("invalid signal: {signal}")));
                }
            }
            Kind::User(user) => drop(self.expand(user)?),
            Kind::Volume(volumes) => {
                for volume in volumes {
                    if self.expand(volume)?.is_empty() {
                        return Err(Fault::new("VOLUME specified can not be an empty string"));
                    }
                }
            }
            Kind::Workdir(path) => self.workdir(path)?,
        }
        Ok(())
    }

    fn here(&self) -> Span {
        self.instruction.span
    }

    fn add(&mut self, rule: Rule<'_>) {
        self.findings.add(rule, &[self.here()]);
    }

    fn env(&mut self, pairs: &[Pair]) -> Result<(), Fault> {
        // All see the values from before the line.
        let values = self.pairs(pairs)?;
        self.old_form(pairs);
        for (name, value) in values {
            if secret_names::is_secret(&name) {
                self.add(Rule::SecretsUsedInArgOrEnv { instruction: "ENV", name: &name });
            }
            self.set(&name, &value)?;
            self.config.image_env.set(&name, value);
        }
        Ok(())
    }

    fn pairs(&mut self, pairs: &[Pair]) -> Result<Vec<(String, String)>, Fault> {
        let expanded =
            pairs.iter().map(|pair| Ok((self.expand(&pair.key)?, self.expand(&pair.value)?)));
        expanded.collect()
    }

    fn old_form(&mut self, pairs: &[Pair]) {
        let instruction = self.instruction.name.as_str();
        if pairs.iter().any(|pair| pair.is_old) {
            self.add(Rule::LegacyKeyValueFormat { instruction });
        }
    }

    fn args(&mut self, args: &[Arg]) -> Result<(), Fault> {
        for arg in args {
            if secret_names::is_secret(&arg.name) {
                self.add(Rule::SecretsUsedInArgOrEnv { instruction: "ARG", name: &arg.name });
            }
            let value = match (self.given.get(&arg.name), &arg.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => Some(self.expand(default)?),
                (None, None) => self.globals.get(&arg.name),
            };
            // What is set of these concerns the builder alone.
            if let Some(value) = value.filter(|_| !BUILDER_ARGS.contains(&arg.name.as_str())) {
                self.set(&arg.name, &value)?;
            }
            self.config.args.push(arg.name.clone());
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        self.config.env.set(name, value);
        if self.config.env.len() > VARIABLES_MAX {
            return Err(Fault::new(format!("a stage has more than {VARIABLES_MAX} variables")));
        }
        let left = self.room.checked_sub(name.len() + value.len());
        *self.room = left.ok_or_else(|| {
            Fault::new(format!("variables have more than {VALUES_BYTES_MAX} bytes together"))
        })?;
        Ok(())
    }

    /// Only the last one of its kind counts, so the one before is told of.
    fn once(&mut self, last: Option<Span>) {
        let instruction = self.instruction.name.as_str();
        if let Some(span) = last {
            self.findings.add(Rule::MultipleInstructionsDisallowed { instruction }, &[span]);
        }
    }

    fn shell_form(&mut self, command: &Command) {
        let instruction = self.instruction.name.as_str();
        if command.with_shell && self.config.shell.is_empty() {
            self.add(Rule::JsonArgsRecommended { instruction });
        }
    }

    fn expose(&mut self, ports: &[String]) -> Result<(), Fault> {
        let mut words = Vec::new();
        for port in ports {
            let env = &self.config.env;
            words.extend(self.expander.words(port, &|name| env.get(name)).map_err(Fault::new)?);
        }
        for port in &words {
            expose::check(port, &[self.here()], self.findings)?;
        }
        Ok(())
    }

    fn workdir(&mut self, path: &str) -> Result<(), Fault> {
        let path = self.expand(path)?;
        if !self.config.has_workdir && !path.starts_with('/') {
            self.add(Rule::WorkdirRelativePath { path: &path });
        }
        self.config.has_workdir = true;
        self.config.working_dir = match path.starts_with('/') {
            true => path,
            false => format!("{}/{path}", self.config.working_dir),
        };
        Ok(())
    }

    fn run(&mut self, run: &Run) -> Result<(), Fault> {
        for mount in &run.mounts {
            let read = crate::instruction::mount::read(mount, &mut |value| self.expand(value))?;
            mounts::check(&read, &self.config.working_dir)?;
        }
        if run.devices.is_empty() {
            return Ok(());
        }
        Err(Fault::new(
            "device feature is only supported in Dockerfile frontend 1.14.0-labs or later",
        ))
    }

    fn copy(&mut self, written: &Copy, is_add: bool) -> Result<(), Fault> {
        let mut read = written.clone();
        read.chown = self.expand(&written.chown)?;
        read.chmod = self.expand(&written.chmod)?;
        read.checksum = self.expand(&written.checksum)?;
        for source in &mut read.paths.sources {
            *source = self.expand(source)?;
        }
        read.paths.destination = self.expand(&written.paths.destination)?;
        for content in read.paths.contents.iter().filter(|content| content.expands) {
            let raw = Expander { ignores_quotes: true, ..Expander::new('\\') };
            self.expand_as(&content.text, &raw)?;
        }
        copy::check(&read, is_add)?;
        if let (Some(ignore), None) = (self.ignore, &read.from) {
            let verb = if is_add { "Add" } else { "Copy" };
            copy::ignored(&read, verb, ignore, &[self.here()], self.findings);
        }
        Ok(())
    }

    fn expand(&mut self, text: &str) -> Result<String, Fault> {
        self.expand_as(text, &self.expander.clone())
    }

    fn expand_as(&mut self, text: &str, expander: &Expander) -> Result<String, Fault> {
        let env = &self.config.env;
        let (expanded, result) = expander.text(text, &|name| env.get(name));
        let is_known = |name: &&String| {
            self.config.is_open
                || self.config.args.contains(*name)
                || BUILDER_ARGS.contains(&name.as_str())
        };
        let span = self.here();
        for name in expanded.unset.iter().filter(|name| !is_known(name)) {
            let near = match self.findings.are_many() {
                true => None,
                false => crate::similar::similar(name, env.names()),
            };
            self.findings.add(Rule::UndefinedVar { name, near }, &[span]);
        }
        result.map_err(Fault::new)?;
        Ok(expanded.text)
    }
}

/// Arguments that instructions do not see.
const BUILDER_ARGS: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];
