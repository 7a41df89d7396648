//! What a build can be given: arguments, secrets and sockets of what the target needs (`--call=outline`).

use std::collections::{BTreeMap, BTreeSet};

use super::Walk;
use super::state::State;
use crate::instruction::{about, mount};
use crate::source::Span;

/// What can be given to a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    pub name: Option<String>,
    /// The comment above its begin, if it begins with the name.
    pub about: String,
    /// These and all below in the order of their lines.
    pub args: Vec<Argument>,
    pub secrets: Vec<Given>,
    pub ssh: Vec<Given>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    pub name: String,
    pub value: String,
    pub about: String,
    pub at: Span,
}

/// A secret or a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub name: String,
    pub required: bool,
    pub at: Span,
}

/// An argument, and those that its default names.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) argument: Argument,
    pub(super) needs: Vec<String>,
}

/// What the instructions of a stage take.
#[derive(Debug, Default)]
pub(super) struct Notes {
    args: BTreeMap<String, Argument>,
    used: BTreeSet<String>,
    secrets: BTreeMap<String, Given>,
    ssh: BTreeMap<String, Given>,
}

impl Notes {
    /// An argument is used; `argument` tells of it where the stage says more than that.
    pub(super) fn arg(&mut self, name: &str, argument: Option<Argument>) {
        self.used.insert(name.to_owned());
        if let Some(argument) = argument {
            self.args.insert(name.to_owned(), argument);
        }
    }

    pub(super) fn mount(&mut self, kind: mount::Type, id: &str, required: bool, at: Span) {
        let known = match kind {
            mount::Type::Secret => &mut self.secrets,
            mount::Type::Ssh => &mut self.ssh,
            _ => return,
        };
        let given = Given { name: id.to_owned(), required, at };
        known.entry(id.to_owned()).or_insert(given);
    }
}

impl Walk<'_> {
    pub(super) fn outline(&self, target: usize) -> Outline {
        let stage = &self.states[target];
        let mut args = BTreeMap::new();
        let (mut secrets, mut ssh) = (BTreeMap::new(), BTreeMap::new());
        let mut seen = vec![false; self.states.len()];
        let mut open = vec![target];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            let state = &self.states[at];
            self.add_args(state, &mut args);
            for (known, of) in [(&mut secrets, &state.notes.secrets), (&mut ssh, &state.notes.ssh)]
            {
                for (id, given) in of {
                    known.entry(id.clone()).or_insert_with(|| given.clone());
                }
            }
            open.extend(state.needs.iter().map(|(other, _)| *other));
            open.extend(state.base);
        }
        Outline {
            name: stage.name.clone(),
            about: about(&stage.comments, stage.name.as_deref().unwrap_or_default()),
            args: in_order(args, |argument| argument.at),
            secrets: in_order(secrets, |given| given.at),
            ssh: in_order(ssh, |given| given.at),
        }
    }

    /// Arguments that a stage uses, and those that their defaults use.
    fn add_args(&self, state: &State, args: &mut BTreeMap<String, Argument>) {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = state.notes.used.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            let argument = match (state.notes.args.get(name), self.global_args.get(name)) {
                (Some(argument), _) => argument,
                (None, Some(global)) => {
                    open.extend(global.needs.iter().map(String::as_str));
                    &global.argument
                }
                (None, None) => continue,
            };
            args.entry(name.to_owned()).or_insert_with(|| argument.clone());
        }
    }
}

fn in_order<T>(found: BTreeMap<String, T>, at: impl Fn(&T) -> Span) -> Vec<T> {
    let mut found: Vec<T> = found.into_values().collect();
    found.sort_by_key(|one| at(one).first);
    found
}
