//! `SOURCE_DATE_EPOCH`: seconds, `context`, or a stage that does nothing but fetch one thing.

use std::collections::BTreeMap;

use super::copy;
use super::env::Env;
use super::images::{Dated, Images, NoPlan};
use super::request::Request;
use crate::expand::Expander;
use crate::instruction::{Copy, Kind, Stage, Stages};
use crate::source::Fault;

const NAME: &str = "SOURCE_DATE_EPOCH";

/// What it comes to; wherever it is set, that is its value from here on. Where there is none it is not set.
pub(super) fn resolve(
    globals: &mut Env,
    given: &mut BTreeMap<String, String>,
    read: &Stages,
    request: &Request,
    expander: &Expander,
    images: &mut dyn Images,
) -> Result<Option<i64>, NoPlan> {
    let written = given.get(NAME).cloned();
    let Some(value) = written.or_else(|| globals.get(NAME).filter(|value| !value.is_empty()))
    else {
        return Ok(None);
    };
    let epoch = match value.parse::<i64>() {
        Ok(seconds) => Some(seconds),
        Err(_) if value.is_empty() => None,
        Err(_) => {
            let of = dated(&value, globals.clone(), read, request, expander)?;
            images.epoch(&of).map_err(|why| NoPlan::Unavailable {
                what: format!("{NAME}={value}"),
                at: Vec::new(),
                why,
            })?
        }
    };
    let text = epoch.map(|epoch| epoch.to_string());
    if given.remove(NAME).is_some()
        && let Some(text) = &text
    {
        given.insert(NAME.to_owned(), text.clone());
    }
    if globals.get(NAME).is_some() {
        globals.remove(NAME);
        if let Some(text) = text {
            globals.set(NAME, text);
        }
    }
    Ok(epoch)
}

/// What a name means.
fn dated(
    value: &str,
    mut globals: Env,
    read: &Stages,
    request: &Request,
    expander: &Expander,
) -> Result<Dated, Fault> {
    globals.remove(NAME);
    if value == "context" {
        return Ok(Dated::Context(None));
    }
    if let Some((name, _)) = request.context(value) {
        return Ok(Dated::Context(Some(name.to_owned())));
    }
    let mut stages = read.stages.iter();
    let named = stages
        .find(|stage| stage.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(value)));
    match named {
        Some(stage) => {
            source(stage, globals, request, expander).map_err(|fault| fault.at(stage.span))
        }
        None => Err(Fault::new(format!("invalid {NAME}: {value}"))),
    }
}

fn source(
    stage: &Stage,
    mut env: Env,
    request: &Request,
    expander: &Expander,
) -> Result<Dated, Fault> {
    let expand = |text: &str, env: &Env| {
        let (expanded, result) = expander.text(text, &|name| env.get(name));
        result.map(|()| expanded.text).map_err(Fault::new)
    };
    if expand(&stage.base, &env)? != "scratch" {
        return Err(Fault::new(format!("{NAME} stage must use FROM scratch")));
    }
    let one = || Fault::new(format!("{NAME} stage must contain exactly one remote ADD"));
    let mut found = None;
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
            Kind::Add(_) if found.is_some() => return Err(one()),
            Kind::Add(add) => {
                let source = expand(single(add)?, &env)?;
                let checksum = expand(&add.checksum, &env)?;
                let checksum = Some(checksum).filter(|checksum| !checksum.is_empty());
                found = Some(if copy::is_git(&source) {
                    Dated::Git { url: source, checksum }
                } else if copy::is_http(&source) {
                    Dated::Http { url: source, checksum }
                } else {
                    let why = format!("{NAME} stage source must be a single HTTP(S) or Git ADD");
                    return Err(Fault::new(why));
                });
            }
            _ => {
                return Err(Fault::new(format!(
                    "{NAME} stage does not meet source-only requirements: unsupported {} instruction",
                    instruction.name
                )));
            }
        }
    }
    found.ok_or_else(one)
}

fn single(add: &Copy) -> Result<&str, Fault> {
    match (&add.paths.sources[..], &add.paths.contents[..]) {
        ([source], []) => Ok(source),
        _ => Err(Fault::new(format!("{NAME} stage must contain exactly one remote ADD source"))),
    }
}
