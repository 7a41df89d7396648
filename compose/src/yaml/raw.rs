//! What is written in a file: scalars as text, tags, anchors shared by their aliases.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::repair::repaired;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::limits::{DEPTH_MAX, FILE_BYTES_MAX};
use crate::tree::{At, Fault, Result};

#[derive(Debug)]
pub(super) struct Raw {
    pub(super) at: At,
    /// `!!str` for tags of YAML, as written for others; none when none is written.
    pub(super) tag: Option<String>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, plain: bool },
    List(Vec<Rc<Raw>>),
    Map(Vec<(Rc<Raw>, Rc<Raw>)>),
}

/// Reads all documents of a file.
pub(super) fn documents(file: u16, bytes: &[u8]) -> Result<Vec<Rc<Raw>>> {
    let start = At { file, line: 0, column: 0 };
    if bytes.len() > FILE_BYTES_MAX {
        let text = format!("larger than {} MB: not a Compose file", FILE_BYTES_MAX >> 20);
        return Err(Fault::in_file(start, text));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Fault::in_file(At { file, line: short(line), column: 1 }, "not UTF-8 text")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    no_control_characters(file, text)?;
    let mut text = Cow::Borrowed(text);
    let mut places = Places { file, shifts: HashMap::new() };
    let mut read = 0;
    loop {
        let error = match parse(&text, &places)? {
            Ok(documents) => return Ok(documents),
            Err(error) => error,
        };
        // Each repair reads the file once more: there is an end to it.
        read += text.len();
        match repaired(&text, &error).filter(|_| read < FILE_BYTES_MAX) {
            None => return Err(scan_fault(&places, &text, &error)),
            Some(repaired) => {
                for line in repaired.lines {
                    *places.shifts.entry(line).or_insert(0) += repaired.spaces;
                }
                text = Cow::Owned(repaired.text);
            }
        }
    }
}

/// The documents of a text, or where it is not YAML.
fn parse(text: &str, places: &Places) -> Result<std::result::Result<Vec<Rc<Raw>>, ScanError>> {
    let anchors = HashMap::new();
    let mut builder = Builder { places, anchors, open: Vec::new(), done: Vec::new() };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => builder.event(event, span)?,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(builder.done))
}

/// Go's parser refuses them wherever they are.
fn no_control_characters(file: u16, text: &str) -> Result<()> {
    let allowed = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' => true,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    let Some(at) = text.find(|c| !allowed(c)) else { return Ok(()) };
    let before = &text[..at];
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
    let at = At { file, line: short(line), column: short(column) };
    Err(Fault::in_file(at, "yaml: control characters are not allowed")
        .hint("in double quotes they can be written as \\x1b or \\u001b"))
}

/// From marks of the parser to places in the file.
struct Places {
    file: u16,
    /// Spaces that a repair put before lines.
    shifts: HashMap<usize, usize>,
}

impl Places {
    fn at(&self, marker: &Marker) -> At {
        let shift = self.shifts.get(&marker.line()).copied().unwrap_or(0);
        let column = (marker.col() + 1).saturating_sub(shift).max(1);
        At { file: self.file, line: short(marker.line()), column: short(column) }
    }
}

/// A syntax error with its place; an unknown anchor with its name.
fn scan_fault(places: &Places, text: &str, error: &ScanError) -> Fault {
    let marker = error.marker();
    let at = places.at(marker);
    let info = error.info();
    if info.contains("unknown anchor") {
        let line = text.lines().nth(marker.line().saturating_sub(1)).unwrap_or_default();
        let rest: String = line.chars().skip(marker.col()).collect();
        let rest = rest.split_once('*').map_or("", |(_, rest)| rest);
        let end = rest.find(|c: char| c.is_whitespace() || ",[]{}:".contains(c));
        let name = &rest[..end.unwrap_or(rest.len())];
        return Fault::in_file(at, format!("yaml: unknown anchor '{name}' referenced"))
            .hint("an anchor is known in its own file and document only, after its place");
    }
    if let Some(fault) = missing_colon(&at, text, info) {
        return fault;
    }
    match info {
        // The parser looks ahead, and gives up by itself.
        "recursion limit exceeded" => too_deep(at),
        info => Fault::in_file(at, format!("yaml: {info}")),
    }
}

/// A key without its colon: the parser goes on with the line after it as if it were one text, and
/// stumbles over that line's colon.
fn missing_colon(at: &At, text: &str, info: &str) -> Option<Fault> {
    if !info.contains("mapping values are not allowed") && !info.contains("expected ':'") {
        return None;
    }
    let last = usize::try_from(at.line).ok()?;
    let lines = text.lines().enumerate().take(last).collect::<Vec<_>>();
    let is_bare = |line: &str| {
        let words = line.trim_start_matches([' ', '-']).split(" #").next().unwrap_or_default();
        !words.trim().is_empty() && !words.starts_with('#') && !words.contains([':', '\'', '"'])
    };
    let said = |line: &&(usize, &str)| !line.1.trim().is_empty() && !line.1.trim().starts_with('#');
    let &(index, line) = lines.iter().rev().filter(said).take(2).find(|(_, line)| is_bare(line))?;
    let key = line.trim().trim_start_matches("- ").split(' ').next().unwrap_or_default();
    let column = line.chars().take_while(|c| [' ', '-'].contains(c)).count() + 1;
    let at = At { line: short(index + 1), column: short(column), ..*at };
    let message = format!("yaml: a colon is missing after {key:?}: {info}");
    Some(Fault::in_file(at, message).hint(format!("write `{key}: …`")))
}

fn too_deep(at: At) -> Fault {
    Fault::in_file(at, format!("yaml: nested more than {DEPTH_MAX} levels deep"))
}

/// A list or mapping whose end has not come yet.
struct Open {
    at: At,
    tag: Option<String>,
    anchor: usize,
    map: bool,
    /// Of a mapping, keys and values in turn.
    children: Vec<Rc<Raw>>,
}

struct Builder<'a> {
    places: &'a Places,
    anchors: HashMap<usize, Rc<Raw>>,
    open: Vec<Open>,
    done: Vec<Rc<Raw>>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<()> {
        let at = self.places.at(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let kind = Kind::Scalar { text: text.into_owned(), plain };
                self.finish(anchor, Raw { at, tag: tag.as_deref().map(tag_name), kind });
            }
            Event::SequenceStart(anchor, tag) => self.start(at, anchor, tag.as_deref(), false)?,
            Event::MappingStart(anchor, tag) => self.start(at, anchor, tag.as_deref(), true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let Some(raw) = self.anchors.get(&anchor) else {
                    return Err(Fault::in_file(at, "yaml: the value of an anchor contains itself"));
                };
                let raw = Rc::clone(raw);
                self.push(raw);
            }
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn start(&mut self, at: At, anchor: usize, tag: Option<&Tag>, map: bool) -> Result<()> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(at));
        }
        let tag = tag.map(tag_name);
        self.open.push(Open { at, tag, anchor, map, children: Vec::new() });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let kind = if open.map {
            let mut children = open.children.into_iter();
            let mut pairs = Vec::new();
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                pairs.push((key, value));
            }
            Kind::Map(pairs)
        } else {
            Kind::List(open.children)
        };
        self.finish(open.anchor, Raw { at: open.at, tag: open.tag, kind });
    }

    fn finish(&mut self, anchor: usize, raw: Raw) {
        let raw = Rc::new(raw);
        // Nothing has the anchor 0.
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&raw));
        }
        self.push(raw);
    }

    fn push(&mut self, raw: Rc<Raw>) {
        match self.open.last_mut() {
            Some(open) => open.children.push(raw),
            None => self.done.push(raw),
        }
    }
}

/// Lines and columns of files that are read fit.
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn tag_name(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    }
}
