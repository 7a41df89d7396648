//! Which word is wanted, from the words before it. Pure.

use clap::{Arg, ArgAction, Command};

use super::Candidate;
use crate::args::spec::Spec;
use crate::args::{Table, commands_below, global_flags};

/// What is being typed.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) wanted: Wanted,
    /// What of it is there already; candidates begin with it.
    pub(super) prefix: String,
    /// Flags of the command that were given, with their values.
    pub(super) set: Vec<(String, String)>,
    /// What stood between `compose` and its command.
    pub(super) compose: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Wanted {
    Nothing,
    /// One of these: commands, flags.
    Words(Vec<Candidate>),
    /// The value of a flag, by its long name.
    Value {
        command: &'static str,
        flag: String,
    },
    /// What follows the arguments that were given.
    Argument {
        command: &'static str,
        given: Vec<String>,
    },
}

/// A flag as far as it matters here.
#[derive(Debug)]
struct Flag {
    long: Option<String>,
    short: Option<char>,
    has_value: bool,
    is_repeatable: bool,
    is_hidden: bool,
    about: String,
}

impl Flag {
    fn of(arg: &Arg) -> Self {
        let optional = arg.get_num_args().is_some_and(|range| range.min_values() == 0);
        Self {
            long: arg.get_long().map(str::to_owned),
            short: arg.get_short(),
            has_value: arg.get_action().takes_values() && !optional,
            is_repeatable: matches!(arg.get_action(), ArgAction::Append),
            is_hidden: arg.is_hide_set(),
            about: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        }
    }

    fn name(&self) -> String {
        self.long.clone().or_else(|| self.short.map(String::from)).unwrap_or_default()
    }
}

fn flags_of(command: &Command) -> Vec<Flag> {
    command.get_arguments().filter(|arg| !arg.is_positional()).map(Flag::of).collect()
}

/// Words read by the flags there are.
#[derive(Debug, Default)]
struct Read {
    arguments: Vec<String>,
    set: Vec<(String, String)>,
    /// The last word is a flag whose value comes next.
    open: Option<String>,
    /// No flags follow.
    ended: bool,
    /// Where the first argument stands.
    first: Option<usize>,
}

/// With `until_first`, reading ends at the first argument.
fn read_flags(words: &[String], flags: &[Flag], until_first: bool) -> Read {
    let mut out = Read::default();
    for (at, word) in words.iter().enumerate() {
        if let Some(flag) = out.open.take() {
            out.set.push((flag, word.clone()));
        } else if out.ended || !word.starts_with('-') || word == "-" {
            out.first.get_or_insert(at);
            out.arguments.push(word.clone());
            if until_first {
                out.ended = true;
            }
        } else if word == "--" {
            out.ended = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            let has_value =
                flags.iter().any(|one| one.long.as_deref() == Some(name) && one.has_value);
            match value {
                None if has_value => out.open = Some(name.to_owned()),
                value => out.set.push((name.to_owned(), value.unwrap_or_default().to_owned())),
            }
        } else {
            read_letters(&word[1..], flags, &mut out);
        }
    }
    out
}

/// `-it`, `-p80:80`: the letters after a dash.
fn read_letters(letters: &str, flags: &[Flag], out: &mut Read) {
    for (at, letter) in letters.char_indices() {
        let Some(flag) = flags.iter().find(|one| one.short == Some(letter)) else { return };
        if flag.has_value {
            let value = &letters[at + letter.len_utf8()..];
            match value {
                "" => out.open = Some(flag.name()),
                value => out.set.push((flag.name(), value.to_owned())),
            }
            return;
        }
        out.set.push((flag.name(), String::new()));
    }
}

/// What the last of `words` may be.
pub(super) fn read(table: &Table, words: &[String]) -> Typed {
    let (last, before) = words.split_last().map_or(("", words), |(last, before)| (last, before));
    let mut typed = Typed {
        wanted: Wanted::Nothing,
        prefix: last.to_owned(),
        set: Vec::new(),
        compose: Vec::new(),
    };
    let root = global_flags();
    let given = read_flags(before, &flags_of(&root), true);
    let Some(first) = given.first else {
        typed.before_a_command("", &root, given, || top(table));
        return typed;
    };
    let rest = &before[first..];
    if rest[0] == "compose" {
        let command = table.compose.shown("compose");
        let given = read_flags(&rest[1..], &flags_of(&command), true);
        let Some(first) = given.first else {
            // A flag without its value cannot be read.
            typed.compose = rest[1..rest.len() - usize::from(given.open.is_some())].to_vec();
            typed.before_a_command("compose", &command, given, || below(table, "compose"));
            return typed;
        };
        typed.compose = rest[1..=first].to_vec();
        let rest = &rest[1 + first..];
        if let Some(spec) = table.by_name(&format!("compose {}", rest[0])) {
            typed.of_command(spec, &rest[1..]);
        }
        return typed;
    }
    let two = rest.get(..2).and_then(|two| table.by_name(&two.join(" ")));
    let one = || table.by_name(&rest[0]);
    match (two, rest) {
        (Some(spec), rest) => typed.of_command(spec, &rest[2..]),
        (None, [section]) if one().is_none() => typed.wanted = Wanted::Words(below(table, section)),
        (None, rest) => {
            if let Some(spec) = one() {
                typed.of_command(spec, &rest[1..]);
            }
        }
    }
    typed
}

/// The commands of the first word, and the words that group others.
fn top(table: &Table) -> Vec<Candidate> {
    let listed = table.commands().filter(|spec| spec.is_listed());
    let own = listed.flat_map(|spec| spec.names.iter().map(move |name| (*name, spec)));
    let own = own.filter(|(name, _)| !name.contains(' '));
    let own = own.map(|(name, spec)| Candidate::new(name, about(spec)));
    let sections = table.sections.iter().map(|one| Candidate::new(one.name, one.about));
    own.chain(sections).collect()
}

fn below(table: &Table, section: &str) -> Vec<Candidate> {
    commands_below(table, section).map(|(word, spec)| Candidate::new(word, about(spec))).collect()
}

fn about(spec: &Spec) -> String {
    spec.shown("command").get_about().map(ToString::to_string).unwrap_or_default()
}

impl Typed {
    /// Flags stand before a command, or the command itself.
    fn before_a_command(
        &mut self,
        command: &'static str,
        flags: &Command,
        given: Read,
        commands: impl FnOnce() -> Vec<Candidate>,
    ) {
        if !self.of_flags(command, &flags_of(flags), given) {
            self.wanted = Wanted::Words(commands());
        }
    }

    fn of_command(&mut self, spec: &'static Spec, words: &[String]) {
        let flags = flags_of(&spec.shown("command"));
        let given = read_flags(words, &flags, spec.trailing);
        let arguments = given.arguments.clone();
        if self.of_flags(spec.names[0], &flags, given) {
            return;
        }
        if spec.arity.takes(arguments.len() + 1) {
            self.wanted = Wanted::Argument { command: spec.names[0], given: arguments };
        }
    }

    /// Whether a flag or its value is being typed.
    fn of_flags(&mut self, command: &'static str, flags: &[Flag], given: Read) -> bool {
        self.set = given.set;
        if let Some(flag) = given.open {
            self.wanted = Wanted::Value { command, flag };
            return true;
        }
        if given.ended || !self.prefix.starts_with('-') {
            return false;
        }
        if let Some((name, value)) = self.prefix.strip_prefix("--").and_then(|p| p.split_once('='))
        {
            self.wanted = Wanted::Value { command, flag: name.to_owned() };
            self.prefix = value.to_owned();
            return true;
        }
        let is_free = |flag: &&Flag| {
            flag.is_repeatable || !self.set.iter().any(|(name, _)| *name == flag.name())
        };
        let mut words = vec![Candidate::new("--help", "Print usage")];
        for flag in flags.iter().filter(|flag| !flag.is_hidden).filter(is_free) {
            let long = flag.long.iter().map(|long| format!("--{long}"));
            let short = flag.short.iter().map(|short| format!("-{short}"));
            words.extend(long.chain(short).map(|word| Candidate::new(word, flag.about.as_str())));
        }
        self.wanted = Wanted::Words(words);
        true
    }

    /// Whether a flag of the command was given.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.set.iter().any(|(name, value)| name == flag && value != "false")
    }

    /// The arguments before.
    pub(super) fn given(&self) -> &[String] {
        match &self.wanted {
            Wanted::Argument { given, .. } => given,
            _ => &[],
        }
    }

    /// The value of a flag that was given.
    pub(super) fn value(&self, flag: &str) -> Option<&str> {
        self.set.iter().rev().find(|(name, _)| name == flag).map(|(_, value)| value.as_str())
    }
}
