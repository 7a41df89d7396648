//! What was found, less what is not to be looked for.

use super::{Options, Rule};
use crate::limits::SUGGESTIONS_MAX;
use crate::source::{Fault, Span};

/// A rule that is broken somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    pub description: &'static str,
    /// Empty for a rule that is explained nowhere.
    pub url: String,
    pub detail: String,
    pub at: Vec<Span>,
}

#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    options: Options,
    /// Those of the comments above what is looked at now.
    here: Option<Options>,
}

impl Findings {
    pub(crate) fn with(&mut self, options: Options) {
        self.options = options;
    }

    /// What is added next is about an instruction with these comments.
    pub(crate) fn of_instruction(&mut self, comments: &[String]) {
        self.here = Options::of_comments(comments);
    }

    /// What is added next cannot be silenced by an instruction.
    pub(crate) fn of_file(&mut self) {
        self.here = None;
    }

    pub(crate) fn add(&mut self, rule: Rule<'_>, at: &[Span]) {
        let name = rule.name();
        let mut all = std::iter::once(&self.options).chain(&self.here);
        let wanted = match rule.is_experimental() {
            true => all.any(|options| options.tries(name)),
            false => all.all(|options| !options.skips(name)),
        };
        if wanted {
            self.found.push(Finding {
                rule: name,
                description: rule.description(),
                url: rule.url(),
                detail: rule.detail(),
                at: at.to_vec(),
            });
        }
    }

    /// So many that no more thought goes into one.
    pub(crate) fn are_many(&self) -> bool {
        self.found.len() > SUGGESTIONS_MAX
    }

    /// Where findings fail a build.
    pub(crate) fn as_fault(&self) -> Result<(), Fault> {
        if !self.options.is_error || self.found.is_empty() {
            return Ok(());
        }
        let mut rules: Vec<&str> = self.found.iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        Err(Fault::new(format!("lint violation found for rules: {}", rules.join(", "))))
    }

    /// As they were found.
    pub(crate) fn in_order_found(self) -> Vec<Finding> {
        self.found
    }

    /// By line; within one as they were found.
    pub(crate) fn in_order(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.at.first().map(|span| span.first));
        self.found
    }
}
