//! `compose [OPTIONS] SUBCOMMAND …`: its options stand before the subcommand.

use super::dispatch::{self, Invocation, Parsed};
use super::globals::Globals;
use super::spec::Spec;
use super::table::Table;
use super::{help, messages};
use crate::compose::ComposeGlobals;
use crate::error::CliError;

/// Parses what follows the word `compose`.
pub(super) fn parse(
    program: &'static str,
    table: &'static Table,
    globals: Globals,
    words: &[String],
) -> Result<Parsed, CliError> {
    let matches = dispatch::flags(program, "compose", table.compose, words)?;
    if matches.get_flag("help") {
        return Ok(Parsed::Print(help::compose(program, table)));
    }
    let (options, count) = ComposeGlobals::parse(&matches)?;
    let version = [String::from("version")];
    let words = if options.version { &version } else { &words[words.len() - count..] };
    let (wanted, inner_help) = match (words.first(), words.get(1)) {
        (None, _) => return Ok(Parsed::Print(help::compose(program, table))),
        (Some(word), None) if word == "help" => {
            return Ok(Parsed::Print(help::compose(program, table)));
        }
        (Some(word), Some(about)) if word == "help" => (about, true),
        (Some(word), _) => (word, false),
    };
    let path = format!("compose {wanted}");
    let Some(spec) = table.by_name(&path) else {
        let mut error = messages::unknown_subcommand(program, table, &path);
        if wanted.ends_with(".yaml") || wanted.ends_with(".yml") {
            error = error.hint(format!("a file is named by -f: `{program} compose -f {wanted} …`"));
        }
        return Ok(Parsed::Misused(help::compose(program, table), error));
    };
    if inner_help || globals.help {
        return Ok(Parsed::Print(help::command(program, &path, spec)));
    }
    let parsed = dispatch::invoke(program, path, spec, &words[1..], globals)?;
    Ok(match parsed {
        Parsed::Run(invocation) => Parsed::Run(Box::new(with_options(*invocation, spec, options))),
        other => other,
    })
}

/// `--dry-run` is accepted on both sides of the subcommand.
fn with_options(
    mut invocation: Invocation,
    spec: &'static Spec,
    mut options: ComposeGlobals,
) -> Invocation {
    options.dry_run |= invocation.matches.get_flag("dry-run");
    options.operation = match spec.names[0].trim_start_matches("compose ") {
        "cp" => "copy",
        "rm" => "remove",
        name => name,
    };
    invocation.compose = options;
    invocation
}
