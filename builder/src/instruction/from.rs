//! `FROM`: the begin of a stage.

use super::Instruction;
use super::flags::{Flags, Takes};
use crate::dockerfile::Line;
use crate::source::{Fault, Span};

/// A stage, with what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What it begins with, variables not replaced.
    pub base: String,
    /// In small letters.
    pub name: Option<String>,
    pub platform: Option<String>,
    /// `FROM`, as typed.
    pub word: String,
    pub comments: Vec<String>,
    pub span: Span,
    pub instructions: Vec<Instruction>,
}

pub(super) fn read(line: &Line) -> Result<Stage, Fault> {
    let words = line.arguments.words();
    let (base, name) = match words {
        [base] => (base, None),
        [base, word, name] if word.eq_ignore_ascii_case("as") => (base, Some(stage_name(name)?)),
        _ => return Err(Fault::new("FROM requires either one or three arguments")),
    };
    let flags = Flags::read(&line.flags, &[("platform", Takes::Text)])?;
    Ok(Stage {
        base: base.clone(),
        name,
        platform: flags.owned("platform").filter(|platform| !platform.is_empty()),
        word: line.name.clone(),
        comments: line.comments.clone(),
        span: line.span,
        instructions: Vec::new(),
    })
}

fn stage_name(written: &str) -> Result<String, Fault> {
    let name = written.to_lowercase();
    let letter = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(letter) {
        return Ok(name);
    }
    Err(Fault::new(format!(
        "invalid name for build stage: {written:?}, name can't start with a number or contain symbols"
    )))
}
