//! From the words of the command line to a command and its flags.

use std::ffi::OsString;

use clap::ArgMatches;

use super::globals::{self, Globals};
use super::spec::Spec;
use super::table::Table;
use super::{compose, help, messages};
use crate::compose::ComposeGlobals;
use crate::error::CliError;

/// What the scripts of shells call, with the words of a line that is not finished.
pub(crate) const COMPLETE: &str = "__complete";

/// A command with its flags, not yet run.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) spec: &'static Spec,
    pub(crate) matches: ArgMatches,
    /// The command as it was called, such as `container run`.
    pub(crate) path: String,
    pub(crate) globals: Globals,
    /// What stood between `compose` and its subcommand.
    pub(crate) compose: ComposeGlobals,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Parsed {
    Run(Box<Invocation>),
    /// Help or the version, for standard output.
    Print(String),
    /// Help for standard output, and then a failure.
    Misused(String, CliError),
}

/// Parses everything after the program's name.
pub(crate) fn parse(
    program: &'static str,
    table: &'static Table,
    words: Vec<OsString>,
) -> Result<Parsed, CliError> {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| {
            word.into_string().map_err(|word| {
                let shown = word.to_string_lossy();
                CliError::plain(format!("argument {shown:?} is not valid UTF-8"))
            })
        })
        .collect::<Result<_, _>>()?;
    let (globals, rest) = globals::split(&words)?;
    if globals.version {
        return Ok(Parsed::Print(version_line(program)));
    }
    let rest = match rest.first().map(String::as_str) {
        None => return Ok(Parsed::Print(help::overview(program, table))),
        Some("help") => return help_for(program, table, &rest[1..]),
        // The words of another command: none is a flag of this one.
        Some(word @ COMPLETE) => {
            let words: Vec<String> =
                std::iter::once("--").map(str::to_owned).chain(rest[1..].iter().cloned()).collect();
            let spec = table.by_name(word);
            let spec = spec.ok_or_else(|| messages::unknown_command(program, table, &rest[..1]))?;
            return invoke(program, word.to_owned(), spec, &words, globals);
        }
        Some(_) => rest,
    };
    if rest[0] == "compose" {
        return compose::parse(program, table, globals, &rest[1..]);
    }
    if globals.help {
        return help_for(program, table, rest);
    }
    let Some((spec, depth)) = find(table, rest) else {
        return management(program, table, rest);
    };
    invoke(program, rest[..depth].join(" "), spec, &rest[depth..], globals)
}

/// The flags of a command that is known.
pub(super) fn invoke(
    program: &'static str,
    path: String,
    spec: &'static Spec,
    arguments: &[String],
    globals: Globals,
) -> Result<Parsed, CliError> {
    let matches = flags(program, &path, spec, arguments)?;
    if matches.get_flag("help") {
        return Ok(Parsed::Print(help::command(program, &path, spec)));
    }
    let count =
        matches.try_get_many::<String>("args").ok().flatten().map_or(0, |values| values.len());
    if let Some(error) = messages::arity(program, &path, spec, count) {
        return Err(error);
    }
    let compose = ComposeGlobals::default();
    Ok(Parsed::Run(Box::new(Invocation { spec, matches, path, globals, compose })))
}

pub(super) fn flags(
    program: &str,
    path: &str,
    spec: &Spec,
    arguments: &[String],
) -> Result<ArgMatches, CliError> {
    spec.parser().try_get_matches_from(arguments).map_err(|e| {
        let surplus = e.kind() == clap::error::ErrorKind::UnknownArgument
            && matches!(e.get(clap::error::ContextKind::InvalidArg),
                    Some(clap::error::ContextValue::String(word)) if !word.starts_with('-'));
        let by_count = messages::arity(program, path, spec, usize::MAX).filter(|_| surplus);
        by_count.unwrap_or_else(|| messages::flag(program, path, spec, arguments, &e))
    })
}

/// Our own version and name. Who calls us `docker` compares the number with Docker's, and gets that
/// of the release that is followed: `Docker version 29.7.2, build coracle-0.1.0`.
fn version_line(program: &str) -> String {
    let own = crate::VERSION;
    match program {
        "docker" => format!("Docker version {}, build coracle-{own}\n", coracle_view::FOLLOWED),
        _ => format!("Coracle version {own}, build {}\n", crate::BUILD),
    }
}

/// The command at the start of `words` and how many words name it.
fn find(table: &Table, words: &[String]) -> Option<(&'static Spec, usize)> {
    let two = words.get(..2).map(|pair| pair.join(" "));
    if let Some(spec) = two.as_deref().and_then(|pair| table.by_name(pair)) {
        return Some((spec, 2));
    }
    words.first().and_then(|word| table.by_name(word)).map(|spec| (spec, 1))
}

/// `docker container`, `docker container --help`, or a word nobody knows.
fn management(program: &'static str, table: &Table, words: &[String]) -> Result<Parsed, CliError> {
    let first = words.first().map_or("", String::as_str);
    let second = words.get(1).map(String::as_str);
    match second {
        None | Some("--help" | "-h" | "help") if table.is_section(first) => {
            Ok(Parsed::Print(help::management(program, table, first)))
        }
        Some(word) if table.is_section(first) && !word.starts_with('-') => {
            Err(messages::unknown_command(program, table, &words[..2]))
        }
        Some(flag) if table.is_section(first) => {
            let text = format!("unknown flag: {flag}");
            Err(CliError::plain(text).status(crate::error::ExitStatus::Ours))
        }
        _ => Err(messages::unknown_command(program, table, &words[..1])),
    }
}

fn help_for(
    program: &'static str,
    table: &'static Table,
    words: &[String],
) -> Result<Parsed, CliError> {
    if words.first().is_some_and(|word| word == "compose") {
        let globals = Globals { help: true, ..Globals::default() };
        return compose::parse(program, table, globals, &words[1..]);
    }
    let text = match (words.first(), find(table, words)) {
        (None, _) => help::overview(program, table),
        (_, Some((spec, depth))) => help::command(program, &words[..depth].join(" "), spec),
        (Some(word), None) if table.is_section(word) => help::management(program, table, word),
        (Some(_), None) => return Err(messages::unknown_command(program, table, &words[..1])),
    };
    Ok(Parsed::Print(text))
}
