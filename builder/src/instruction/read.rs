//! One line as an instruction.

use super::flags::Flags;
use super::{Arg, Instruction, Kind, copy, health, run};
use crate::dockerfile::{Arguments, Line, Pair};
use crate::source::Fault;

/// Reads an instruction that may stand in a stage; `None` for a name that is none.
pub(crate) fn read(line: &Line) -> Result<Option<Instruction>, Fault> {
    let kind = match line.name.to_lowercase().as_str() {
        "add" => Kind::Add(copy::add(line)?),
        "arg" => Kind::Arg(args(line)?),
        "cmd" => Kind::Cmd(bare(line, run::command(line))?),
        "copy" => Kind::Copy(copy::copy(line)?),
        "entrypoint" => Kind::Entrypoint(bare(line, run::command(line))?),
        "env" => Kind::Env(pairs(line, "ENV")?),
        "expose" => Kind::Expose(expose(line)?),
        "healthcheck" => Kind::Healthcheck(health::read(line)?),
        "label" => Kind::Label(pairs(line, "LABEL")?),
        "maintainer" => Kind::Maintainer(one(line, "MAINTAINER")?),
        "onbuild" => Kind::Onbuild(onbuild(line)?),
        "run" => Kind::Run(run::read(line)?),
        "shell" => Kind::Shell(shell(line)?),
        // It has no flags, and so refuses none.
        "stopsignal" => Kind::Stopsignal(exactly_one(line, "STOPSIGNAL")?),
        "user" => Kind::User(one(line, "USER")?),
        "volume" => Kind::Volume(volume(line)?),
        "workdir" => Kind::Workdir(one(line, "WORKDIR")?),
        _ => return Ok(None),
    };
    Ok(Some(Instruction {
        kind,
        name: line.name.clone(),
        text: line.text.trim().to_owned(),
        comments: line.comments.clone(),
        span: line.span,
    }))
}

/// Refuses flags, of which there are none.
fn bare<T>(line: &Line, value: T) -> Result<T, Fault> {
    Flags::read(&line.flags, &[])?;
    Ok(value)
}

fn at_least_one(line: &Line, name: &str) -> Result<Vec<String>, Fault> {
    match line.arguments.words() {
        [] => Err(Fault::new(format!("{name} requires at least one argument"))),
        words => Ok(words.to_vec()),
    }
}

fn exactly_one(line: &Line, name: &str) -> Result<String, Fault> {
    match line.arguments.words() {
        [word] => Ok(word.clone()),
        _ => Err(Fault::new(format!("{name} requires exactly one argument"))),
    }
}

fn one(line: &Line, name: &str) -> Result<String, Fault> {
    bare(line, exactly_one(line, name)?)
}

fn pairs(line: &Line, name: &str) -> Result<Vec<Pair>, Fault> {
    Flags::read(&line.flags, &[])?;
    match &line.arguments {
        Arguments::Pairs(pairs) if pairs.iter().any(|pair| pair.key.is_empty()) => {
            Err(Fault::new(format!("{name} names can not be blank")))
        }
        Arguments::Pairs(pairs) if !pairs.is_empty() => Ok(pairs.clone()),
        _ => Err(Fault::new(format!("{name} requires at least one argument"))),
    }
}

fn args(line: &Line) -> Result<Vec<Arg>, Fault> {
    let words = at_least_one(line, "ARG")?;
    let args = words.iter().map(|word| {
        let (name, default) = match word.split_once('=') {
            Some(("", _)) => return Err(Fault::new("ARG names can not be blank")),
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (word.as_str(), None),
        };
        let about = super::about(&line.comments, name);
        Ok(Arg { name: name.to_owned(), default, about })
    });
    args.collect()
}

/// Ports in the order of their texts.
fn expose(line: &Line) -> Result<Vec<String>, Fault> {
    let mut ports = bare(line, at_least_one(line, "EXPOSE")?)?;
    ports.sort();
    Ok(ports)
}

fn volume(line: &Line) -> Result<Vec<String>, Fault> {
    let words = bare(line, at_least_one(line, "VOLUME")?)?;
    let volumes = words.iter().map(|word| match word.trim() {
        "" => Err(Fault::new(EMPTY_VOLUME)),
        word => Ok(word.to_owned()),
    });
    volumes.collect()
}

pub(crate) const EMPTY_VOLUME: &str = "VOLUME specified can not be an empty string";

fn shell(line: &Line) -> Result<Vec<String>, Fault> {
    let words = bare(line, at_least_one(line, "SHELL")?)?;
    match line.arguments.is_json() {
        true => Ok(words),
        false => Err(Fault::new("SHELL requires the arguments to be in JSON form")),
    }
}

fn onbuild(line: &Line) -> Result<String, Fault> {
    let Arguments::Trigger(inner) = &line.arguments else {
        return Err(Fault::new("ONBUILD requires at least one argument"));
    };
    Flags::read(&line.flags, &[])?;
    match inner.name.to_uppercase().as_str() {
        "ONBUILD" => {
            return Err(Fault::new("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"));
        }
        name @ ("MAINTAINER" | "FROM") => {
            return Err(Fault::new(format!("{name} isn't allowed as an ONBUILD trigger")));
        }
        _ => {}
    }
    let text = line.text.trim_start();
    let mut text = text.get("ONBUILD".len()..).unwrap_or_default().trim_start().to_owned();
    for heredoc in &line.heredocs {
        text.push('\n');
        text.push_str(&heredoc.content);
        text.push_str(&heredoc.name);
    }
    Ok(text)
}
