//! A whole document as stages.

use super::{Arg, Instruction, Kind, NAMES, Stage, from, read};
use crate::check::{Findings, Rule};
use crate::dockerfile::{Document, Line};
use crate::similar::{did_you_mean, similar_in_any_case};
use crate::source::{Fault, Span};

/// What a Dockerfile says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// `ARG` before the first stage.
    pub globals: Vec<(Vec<Arg>, Span)>,
    pub stages: Vec<Stage>,
}

/// Reads every instruction, and notes what can be said of each by itself.
///
/// # Errors
/// At the first one that is wrong.
pub fn stages(document: &Document, findings: &mut Findings) -> Result<Stages, Fault> {
    let mut read = Stages::default();
    for line in &document.lines {
        let here = |fault: Fault| {
            let message =
                format!("dockerfile parse error on line {}: {}", line.span.first, fault.message);
            Fault { message, at: vec![line.span] }
        };
        findings.of_instruction(&line.comments);
        if line.name.eq_ignore_ascii_case("from") {
            from_findings(line, findings);
            let stage = from::read(line).map_err(here)?;
            if let Some(name) = &stage.name {
                described("FROM", std::slice::from_ref(name), line, findings);
            }
            read.stages.push(stage);
            continue;
        }
        if line.name.eq_ignore_ascii_case("maintainer") {
            findings.add(Rule::MaintainerDeprecated, &[line.span]);
        }
        let instruction = read_line(line).map_err(here)?;
        if let Kind::Arg(args) = &instruction.kind {
            let names: Vec<String> = args.iter().map(|arg| arg.name.clone()).collect();
            described("ARG", &names, line, findings);
            if read.stages.is_empty() {
                read.globals.push((args.clone(), line.span));
                continue;
            }
        }
        match read.stages.last_mut() {
            Some(stage) => stage.instructions.push(instruction),
            None => return Err(Fault::new("no build stage in current context").at(line.span)),
        }
    }
    findings.of_file();
    Ok(read)
}

fn read_line(line: &Line) -> Result<Instruction, Fault> {
    read::read(line)?.ok_or_else(|| {
        let near = similar_in_any_case(&line.name, &NAMES);
        let message = format!("unknown instruction: {}", line.name);
        Fault::new(did_you_mean(message, near.as_deref()))
    })
}

/// How the words of `FROM` are written.
fn from_findings(line: &Line, findings: &mut Findings) {
    let words = line.arguments.words();
    if let [_, _, name] = words
        && *name != name.to_lowercase()
    {
        findings.add(Rule::StageNameCasing { name }, &[line.span]);
    }
    let Some(word) = words.get(1).filter(|_| words.len() >= 3) else { return };
    let (lower, upper) = (line.name.to_lowercase(), line.name.to_uppercase());
    // A name of mixed case has a finding of its own.
    let differs = if line.name == lower {
        *word != word.to_lowercase()
    } else {
        line.name == upper && *word != word.to_uppercase()
    };
    if differs {
        findings.add(Rule::FromAsCasing { from: &line.name, word }, &[line.span]);
    }
}

/// The comment above a name is its description, and begins with it.
fn described(instruction: &str, names: &[String], line: &Line, findings: &mut Findings) {
    let Some(comment) = line.comments.last() else { return };
    let first = comment.split(' ').next().unwrap_or_default();
    if names.is_empty() || names.iter().any(|name| name == first) {
        return;
    }
    let name = if let [name] = names { name } else { "<arg_key>" };
    findings.add(Rule::InvalidDefinitionDescription { instruction, name }, &[line.span]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;

    fn read(text: &str) -> Result<Stages, Fault> {
        stages(&parse(text)?, &mut Findings::default())
    }

    #[test]
    fn instructions_belong_to_the_stage_above() {
        let read = read("ARG A=1\nFROM a AS One\nRUN x\nENV a=b\nFROM one\nCMD y\n").unwrap();
        assert_eq!(read.globals[0].0[0].default.as_deref(), Some("1"));
        let counts: Vec<_> =
            read.stages.iter().map(|s| (s.name.as_deref(), s.instructions.len())).collect();
        assert_eq!(counts, [(Some("one"), 2), (None, 1)]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, why) in [
            ("RUN x\n", "no build stage in current context"),
            ("FROM\n", "1: FROM requires either one or three arguments"),
            ("FROM a bad words\n", "1: FROM requires either one or three arguments"),
            (
                "FROM a AS 1x\n",
                "1: invalid name for build stage: \"1x\", name can't start with a number or contain symbols",
            ),
            ("FROM a\nRUNN x\n", "2: unknown instruction: RUNN (did you mean RUN?)"),
            ("FROM a\nBOGUS x\n", "2: unknown instruction: BOGUS"),
            ("vm\n", "1: unknown instruction: vm (did you mean cmd?)"),
            (
                "FROM a\nCOPY x\n",
                "2: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
            ),
            ("FROM a\nCOPY --bogus=1 /x /\n", "2: unknown flag: --bogus"),
            ("FROM a\nCOPY a <<E\nE\n", "2: COPY cannot accept a heredoc as a destination"),
            ("FROM a\nUSER\n", "2: USER requires exactly one argument"),
            ("FROM a\nVOLUME []\n", "2: VOLUME requires at least one argument"),
            ("FROM a\nVOLUME [\" \"]\n", "2: VOLUME specified can not be an empty string"),
            ("FROM a\nHEALTHCHECK BOGUS\n", "2: Unknown type \"BOGUS\" in HEALTHCHECK (try CMD)"),
            ("FROM a\nHEALTHCHECK CMD\n", "2: Missing command after HEALTHCHECK CMD"),
            (
                "FROM a\nHEALTHCHECK --interval=1us CMD x\n",
                "2: Interval \"interval\" cannot be less than 1ms",
            ),
            ("FROM a\nSHELL sh\n", "2: SHELL requires the arguments to be in JSON form"),
            ("FROM a\nONBUILD FROM x\n", "2: FROM isn't allowed as an ONBUILD trigger"),
            (
                "FROM a\nONBUILD ONBUILD x\n",
                "2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            ),
            ("FROM a\nMAINTAINER\n", "2: MAINTAINER requires exactly one argument"),
            ("FROM a\nARG\n", "2: ARG requires at least one argument"),
            ("FROM a\nARG a = b\n", "2: ARG names can not be blank"),
            ("FROM a\nRUN --security=none true\n", "2: security \"none\" is not valid"),
            ("FROM a\nRUN --network=x true\n", "2: invalid network mode \"x\""),
        ] {
            let fault = read(text).unwrap_err();
            let wanted = if why.starts_with("no ") {
                why.into()
            } else {
                format!("dockerfile parse error on line {why}")
            };
            assert_eq!(fault.message, wanted, "{text}");
            assert_eq!(fault.at.len(), 1, "{text}");
        }
        assert_eq!(read("FROM a\nENV A\n").unwrap_err().message, "ENV must have two arguments");
    }

    #[test]
    fn a_trigger_is_kept_as_text() {
        let read = read("FROM a\n onbuild  RUN <<E cat\nx\nE\n").unwrap();
        let Kind::Onbuild(text) = &read.stages[0].instructions[0].kind else {
            panic!("no trigger")
        };
        assert_eq!(text, "RUN <<E cat\nx\nE");
    }
}
