//! What stages begin with: names and platforms, with the values of global variables.

use coracle_image::Platform;

use super::Walk;
use super::state::{State, Step};
use crate::check::Rule;
use crate::instruction::Stage;
use crate::similar::{did_you_mean, similar};
use crate::source::{Fault, Span};

impl Walk<'_> {
    pub(super) fn add_stages(
        &mut self,
        stages: Vec<Stage>,
        declared: &[String],
    ) -> Result<(), Fault> {
        for (number, stage) in stages.into_iter().enumerate() {
            self.findings.of_instruction(&stage.comments);
            let span = stage.span;
            let (base, result) = self.expander.text(&stage.base, &|name| self.globals.get(name));
            self.undeclared(&base.unset, declared, span);
            result.map_err(|why| Fault::new(why).at(span))?;
            if base.text.is_empty() {
                let why = format!("base name ({}) should not be blank", stage.base);
                return Err(Fault::new(why).at(span));
            }
            let mut used = base.set;
            let platform = match &stage.platform {
                Some(written) => {
                    let names = self.expander.text(written, &|name| self.globals.get(name)).0.set;
                    used.extend(names);
                    Some(self.platform(written, &stage, declared)?)
                }
                None => None,
            };
            let is_context =
                stage.name.as_deref().is_some_and(|name| self.request.context(name).is_some());
            let ignores_cache =
                self.request.ignores_cache(stage.name.as_deref().unwrap_or_default());
            let steps = stage.instructions.into_iter();
            let at = self.add(State {
                base_name: base.text,
                title: stage.name.clone().unwrap_or_else(|| format!("stage-{number}")),
                is_context,
                name: stage.name,
                span,
                platform,
                is_stage: true,
                comments: stage.comments,
                ignores_cache,
                steps: steps
                    .map(|instruction| Step { instruction, is_trigger: false, sources: Vec::new() })
                    .collect(),
                ..State::default()
            });
            self.states[at].count_steps();
            used.iter().for_each(|name| self.states[at].notes.arg(name, None));
        }
        Ok(())
    }

    fn platform(
        &mut self,
        written: &str,
        stage: &Stage,
        declared: &[String],
    ) -> Result<Platform, Fault> {
        let (expanded, result) = self.expander.text(written, &|name| self.globals.get(name));
        let here = [stage.span];
        self.undeclared(&expanded.unset, declared, stage.span);
        let target = self.globals.get("TARGETPLATFORM");
        if expanded.set == ["TARGETPLATFORM"]
            && expanded.unset.is_empty()
            && target.as_ref() == Some(&expanded.text)
        {
            self.findings.add(Rule::RedundantTargetPlatform { platform: written }, &here);
        }
        let parsed = expanded.text.parse::<Platform>();
        let is_constant = expanded.set.is_empty() && expanded.unset.is_empty();
        if let (Ok(platform), true) = (&parsed, is_constant) {
            // A stage that is named after it is meant to be of it.
            let name = stage.name.as_deref().unwrap_or_default();
            if !name.contains(&platform.os) && !name.contains(&platform.architecture) {
                let rule = Rule::FromPlatformFlagConstDisallowed { platform: &expanded.text };
                self.findings.add(rule, &here);
            }
        }
        let what = format!("failed to process arguments for platform {}", expanded.text);
        result.map_err(|why| Fault::new(why).within(&what).at(stage.span))?;
        let near = expanded.unset.iter().find_map(|name| similar(name, self.globals.names()));
        if expanded.text.is_empty() {
            let why = format!("empty platform value from expression {written}");
            return Err(Fault::new(did_you_mean(why, near)).at(stage.span));
        }
        parsed.map_err(|_| {
            let cause = match expanded.text.split('/').count() {
                1 => "unknown operating system or architecture",
                _ => "cannot parse platform specifier",
            };
            let text = &expanded.text;
            let why =
                format!("failed to parse platform {written}: {text:?}: {cause}: invalid argument");
            Fault::new(did_you_mean(why, near)).at(stage.span)
        })
    }

    fn undeclared(&mut self, unset: &[String], declared: &[String], span: Span) {
        let known: Vec<&str> =
            declared.iter().map(String::as_str).chain(self.globals.names()).collect();
        for name in unset.iter().filter(|name| !known.contains(&name.as_str())) {
            let near = similar(name, known.iter().copied());
            self.findings.add(Rule::UndefinedArgInFrom { name, near }, &[span]);
        }
    }
}
