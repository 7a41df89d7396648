//! Words for a command line that cannot be accepted.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::spec::{Arity, Spec};
use super::table::Table;
use crate::error::{CliError, ExitStatus};

/// The command as it was called: `docker container run`.
pub(super) fn called(program: &str, path: &str) -> String {
    format!("{program} {path}")
}

fn usage(called: &str, spec: &Spec) -> String {
    match spec.usage {
        "" => format!("Usage:  {called}"),
        usage => format!("Usage:  {called} {usage}"),
    }
}

/// `Run 'docker run --help' for more information`, as after failures of `run`.
pub(crate) fn run_help_note(program: &str, path: &str) -> String {
    format!("Run '{program} {path} --help' for more information")
}

/// A wrong number of arguments; exit code 1.
pub(super) fn arity(program: &str, path: &str, spec: &Spec, count: usize) -> Option<CliError> {
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let (complaint, verb) = match spec.arity {
        Arity::None if count > 0 => ("accepts no arguments".to_owned(), "Run"),
        Arity::Exactly(n) if count != n => (format!("requires {n} {}", plural(n)), "Run"),
        Arity::AtLeast(n) if count < n => (format!("requires at least {n} {}", plural(n)), "See"),
        Arity::AtMost(n) if count > n => (format!("requires at most {n} {}", plural(n)), "See"),
        Arity::Between(least, most) if count < least || count > most => {
            (format!("requires at least {least} and at most {most} {}", plural(most)), "See")
        }
        _ => return None,
    };
    if spec.is_compose() {
        return Some(CliError::plain(compose_arity(spec.arity, count)));
    }
    let called = called(program, path);
    Some(CliError::plain(format!(
        "{program}: '{called}' {complaint}\n\n{}\n\n{verb} '{called} --help' for more information",
        usage(&called, spec)
    )))
}

/// As the commands of Compose say it.
fn compose_arity(arity: Arity, count: usize) -> String {
    match arity {
        Arity::AtLeast(n) => format!("requires at least {n} arg(s), only received {count}"),
        Arity::AtMost(n) => format!("accepts at most {n} arg(s), received {count}"),
        Arity::Between(a, b) => format!("accepts between {a} and {b} arg(s), received {count}"),
        Arity::Exactly(n) => format!("accepts {n} arg(s), received {count}"),
        Arity::None | Arity::Any => "accepts no arguments".to_owned(),
    }
}

/// A flag that is unknown or has a bad value; exit code 125.
pub(super) fn flag(
    program: &str,
    path: &str,
    spec: &Spec,
    words: &[String],
    error: &clap::Error,
) -> CliError {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    let value = text(ContextKind::InvalidValue);
    let long = argument.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    let message = match error.kind() {
        ErrorKind::UnknownArgument if long.starts_with("--") => format!("unknown flag: {long}"),
        ErrorKind::UnknownArgument if long.starts_with('-') => {
            let letter = long.chars().nth(1).unwrap_or('-');
            let word = words
                .iter()
                .find(|w| w.starts_with('-') && !w.starts_with("--") && w.contains(letter))
                .unwrap_or(&long);
            format!("unknown shorthand flag: '{letter}' in {word}")
        }
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::NoEquals
            if value.is_empty() =>
        {
            format!("flag needs an argument: {}", needy(&long, words, spec))
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let why = std::error::Error::source(error)
                .map_or_else(|| "invalid value".to_owned(), ToString::to_string);
            format!("invalid argument {value:?} for {:?} flag: {why}", flag_name(&long, spec))
        }
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        _ => error.to_string(),
    };
    if spec.is_compose() {
        return CliError::plain(message);
    }
    let called = called(program, path);
    CliError::plain(format!(
        "{message}\n\n{}\n\nRun '{called} --help' for more information",
        usage(&called, spec)
    ))
    .status(ExitStatus::Ours)
}

/// `-m, --memory`, or the long form alone.
fn flag_name(long: &str, spec: &Spec) -> String {
    match short_of(long, spec) {
        Some(letter) => format!("-{letter}, {long}"),
        None => long.to_owned(),
    }
}

/// `--name`, or `'e' in -e` when the letter was used.
fn needy(long: &str, words: &[String], spec: &Spec) -> String {
    let letter = short_of(long, spec);
    let last = words.last().map_or("", String::as_str);
    match letter {
        Some(letter) if !last.starts_with("--") && last.ends_with(letter) => {
            format!("'{letter}' in {last}")
        }
        _ => long.to_owned(),
    }
}

fn short_of(long: &str, spec: &Spec) -> Option<char> {
    let name = long.trim_start_matches('-');
    spec.parser().get_arguments().find(|a| a.get_long() == Some(name)).and_then(|a| a.get_short())
}

/// A word that names no command.
pub(super) fn unknown_command(program: &str, table: &Table, words: &[String]) -> CliError {
    let wanted = words.join(" ");
    let (parent, _) = wanted.rsplit_once(' ').unwrap_or(("", ""));
    let called = if parent.is_empty() { program.into() } else { called(program, parent) };
    // As recorded, of this one alone.
    let usage = match parent {
        "stack" => format!("Usage:  {called} [OPTIONS]\n\n"),
        _ => String::new(),
    };
    let mut error = CliError::plain(format!(
        "{program}: unknown command: {program} {wanted}\n\n{usage}\
         Run '{called} --help' for more information"
    ));
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    // `image build` is `build`.
    let topic = if word(0) == "image" && words.len() > 1 { word(1) } else { word(0) };
    if let Some((_, what)) = NOT_YET.iter().find(|(names, _)| names.contains(&topic)) {
        error = error.hint(format!("{what} not part of this version"));
    } else if wanted == "deploy" {
        error = error.hint(format!("did you mean `{program} stack deploy`?"));
    } else if let Some(near) = near_command(table, &wanted) {
        error = error.hint(format!("did you mean `{program} {near}`?"));
    }
    error
}

/// A word after `compose` that names no command.
pub(super) fn unknown_subcommand(program: &str, table: &Table, path: &str) -> CliError {
    let error = CliError::plain(format!("unknown docker command: {path:?}"));
    match near_command(table, path) {
        Some(near) => error.hint(format!("did you mean `{program} {near}`?")),
        None => error,
    }
}

/// The command that is most like a path such as `container lss`, below the same parent.
fn near_command(table: &Table, wanted: &str) -> Option<String> {
    let (parent, word) = wanted.rsplit_once(' ').unwrap_or(("", wanted));
    let names =
        table.in_order().into_iter().filter(|spec| spec.is_listed()).flat_map(|spec| spec.names);
    let below = names.filter_map(|name| match name.rsplit_once(' ') {
        Some((its_parent, last)) => (its_parent == parent).then_some(last),
        None => parent.is_empty().then_some(*name),
    });
    let groups = table.sections.iter().map(|section| section.name).filter(|_| parent.is_empty());
    let near = coracle_runtime::names::nearest(word, below.chain(groups))?;
    Some(format!("{parent} {near}").trim_start().to_owned())
}

/// Docker's commands that are not there, by topic.
const NOT_YET: &[(&[&str], &str)] = &[
    (&["manifest", "trust", "search"], "this registry command is"),
    (&["plugin", "checkpoint", "context"], "this command needs a daemon and is"),
];
