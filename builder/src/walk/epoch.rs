//! `SOURCE_DATE_EPOCH`: seconds, `context`, or a stage that does nothing but fetch one thing.

use super::copy;
use super::env::Env;
use crate::check::Request;
use crate::expand::Expander;
use crate::instruction::{Copy, Kind, Stage, Stages};
use crate::source::Fault;

const NAME: &str = "SOURCE_DATE_EPOCH";

/// Looks whether it can be one. What is not a number is known only when something was fetched: it
/// is not set then.
pub(super) fn resolve(
    globals: &mut Env,
    read: &Stages,
    request: &Request,
    expander: &Expander,
) -> Result<(), Fault> {
    let given = request.build_args.get(NAME).cloned();
    let Some(value) = given.or_else(|| globals.get(NAME).filter(|value| !value.is_empty())) else {
        return Ok(());
    };
    if value.parse::<i64>().is_ok() {
        return Ok(());
    }
    globals.remove(NAME);
    if value.is_empty() || value == "context" || request.contexts.contains(&value) {
        return Ok(());
    }
    let mut stages = read.stages.iter();
    let named = stages
        .find(|stage| stage.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&value)));
    match named {
        Some(stage) => {
            source(stage, globals.clone(), request, expander).map_err(|fault| fault.at(stage.span))
        }
        None => Err(Fault::new(format!("invalid {NAME}: {value}"))),
    }
}

fn source(
    stage: &Stage,
    mut env: Env,
    request: &Request,
    expander: &Expander,
) -> Result<(), Fault> {
    let expand = |text: &str, env: &Env| {
        let (expanded, result) = expander.text(text, &|name| env.get(name));
        result.map(|()| expanded.text).map_err(Fault::new)
    };
    if expand(&stage.base, &env)? != "scratch" {
        return Err(Fault::new(format!("{NAME} stage must use FROM scratch")));
    }
    let one = || Fault::new(format!("{NAME} stage must contain exactly one remote ADD"));
    let mut has_source = false;
    for instruction in &stage.instructions {
        match &instruction.kind {
            Kind::Arg(args) => {
                for arg in args {
                    let value = match (request.build_args.get(&arg.name), &arg.default) {
                        (Some(given), _) => given.clone(),
                        (None, Some(default)) => expand(default, &env)?,
                        (None, None) => continue,
                    };
                    env.set(&arg.name, value);
                }
            }
            Kind::Add(_) if has_source => return Err(one()),
            Kind::Add(add) => {
                let source = expand(single(add)?, &env)?;
                if !copy::is_http(&source) && !copy::is_git(&source) {
                    let why = format!("{NAME} stage source must be a single HTTP(S) or Git ADD");
                    return Err(Fault::new(why));
                }
                has_source = true;
            }
            _ => {
                return Err(Fault::new(format!(
                    "{NAME} stage does not meet source-only requirements: unsupported {} instruction",
                    instruction.name
                )));
            }
        }
    }
    if has_source { Ok(()) } else { Err(one()) }
}

fn single(add: &Copy) -> Result<&str, Fault> {
    match (&add.paths.sources[..], &add.paths.contents[..]) {
        ([source], []) => Ok(source),
        _ => Err(Fault::new(format!("{NAME} stage must contain exactly one remote ADD source"))),
    }
}
