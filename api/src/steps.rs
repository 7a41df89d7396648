//! What happens in a build, as the classic builder's lines: `Step 2/3 : RUN make`.
//!
//! # How it works
//!
//! The instructions of the stages that are built are gone through in the order of the file, whatever the order in
//! which their work is done: what a step wrote waits until those before it are over. The builder's lines of work are
//! found by their place in their stage (`[build 2/3]`).
//!
//! # Limits
//!
//! There are neither containers nor images between the steps, so none is told of. A stage that is only passed through
//! (`FROM build AS other`, and nothing in it) is not counted.

use std::collections::{BTreeMap, VecDeque};

use coracle_builder::dockerfile::{self, Arguments, Line};
use coracle_builder::exec::BuildError;
use coracle_builder::progress::{Event, Progress, Vertex};

/// Instructions that are lines of work.
const WORKS: [&str; 4] = ["RUN", "COPY", "ADD", "WORKDIR"];

/// Hears a build, and says it in lines.
pub(crate) struct Steps<'a> {
    dockerfile: &'a str,
    target: Option<&'a str>,
    say: &'a mut dyn FnMut(&str),
    work: BTreeMap<Vertex, Work>,
    /// Known when work begins.
    steps: Option<Vec<Step>>,
    /// The first that is not over.
    next: usize,
    /// Its name was told.
    is_told: bool,
}

/// A line of work.
#[derive(Debug, Default)]
struct Work {
    name: String,
    was_cached: bool,
    is_over: bool,
    /// What it wrote and was not told yet, in the order in which it came.
    output: VecDeque<Piece>,
}

/// What was written to one stream at once.
#[derive(Debug)]
struct Piece {
    is_error: bool,
    bytes: Vec<u8>,
}

impl Work {
    fn wrote(&mut self, is_error: bool, bytes: &[u8]) {
        match self.output.back_mut().filter(|last| last.is_error == is_error) {
            Some(last) => last.bytes.extend_from_slice(bytes),
            None => self.output.push_back(Piece { is_error, bytes: bytes.to_vec() }),
        }
    }

    /// What can be told of it: whole characters, and at its end all.
    fn next_text(&mut self) -> Option<String> {
        let is_last = self.output.len() == 1;
        let piece = self.output.front_mut()?;
        let text = whole_characters(&mut piece.bytes, self.is_over || !is_last);
        let is_error = piece.is_error;
        if piece.bytes.is_empty() {
            self.output.pop_front();
        }
        match (text.is_empty(), is_error) {
            (true, _) => None,
            // As the classic builder marks it, for a terminal.
            (false, true) => Some(format!("\x1b[91m{text}\x1b[0m")),
            (false, false) => Some(text),
        }
    }
}

/// An instruction.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    text: String,
    is_base: bool,
    work: Vec<Vertex>,
}

/// `[build 2/3] RUN make`, taken apart.
#[derive(Debug)]
struct Label<'a> {
    stage: &'a str,
    number: usize,
    is_base: bool,
}

impl<'a> Label<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let (label, what) = name.strip_prefix('[')?.split_once("] ")?;
        let mut words = label.split_whitespace().rev();
        let last = words.next()?;
        // `[ 1/10]` has a blank before the number.
        let (number, _) = last.split_once('/')?;
        let number = number.parse().ok()?;
        let stage = words.next().unwrap_or_default();
        Some(Self { stage, number, is_base: number == 1 && what.starts_with("FROM ") })
    }
}

/// A stage: its title, and where its instructions begin and end.
struct Stage {
    title: String,
    lines: std::ops::Range<usize>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(
        dockerfile: &'a str,
        target: Option<&'a str>,
        say: &'a mut dyn FnMut(&str),
    ) -> Self {
        Self {
            dockerfile,
            target,
            say,
            work: BTreeMap::new(),
            steps: None,
            next: 0,
            is_told: false,
        }
    }

    /// Tells what was not told when the build is over. Before work begins, nothing is told of a build that fails.
    pub(crate) fn finish(&mut self, error: Option<&BuildError>) {
        if error.is_none() || self.has_begun() {
            self.end(error.and_then(|error| error.step.as_ref()).map(|step| step.vertex));
        }
    }

    fn has_begun(&self) -> bool {
        self.work.values().any(|work| Label::of(&work.name).is_some())
    }

    /// `failed`: the line of work that did.
    fn end(&mut self, failed: Option<Vertex>) {
        self.advance();
        let steps = self.laid_out();
        let at =
            failed.and_then(|failed| steps.iter().position(|step| step.work.contains(&failed)));
        if let Some(at) = at.filter(|at| *at > self.next) {
            (self.next, self.is_told) = (at, false);
            self.advance();
        }
    }

    fn laid_out(&mut self) -> &[Step] {
        if self.steps.is_none() {
            let labels: Vec<(Vertex, Label<'_>)> = self
                .work
                .iter()
                .filter_map(|(vertex, work)| Some((*vertex, Label::of(&work.name)?)))
                .collect();
            self.steps = Some(lay_out(self.dockerfile, self.target, &labels));
        }
        self.steps.as_deref().unwrap_or_default()
    }

    /// Tells as much as there is.
    fn advance(&mut self) {
        let count = self.laid_out().len();
        while let Some(step) = self.steps.as_ref().and_then(|steps| steps.get(self.next)) {
            if !std::mem::replace(&mut self.is_told, true) {
                (self.say)(&format!("Step {}/{count} : {}", self.next + 1, step.text));
                (self.say)("\n");
            }
            let mut was_cached = !step.work.is_empty() && !step.is_base;
            for vertex in &step.work {
                let Some(work) = self.work.get_mut(vertex) else { continue };
                while let Some(text) = work.next_text() {
                    (self.say)(&text);
                }
                if !work.is_over {
                    return;
                }
                was_cached &= work.was_cached;
            }
            if was_cached {
                (self.say)(" ---> Using cache\n");
            }
            self.next += 1;
            self.is_told = false;
        }
    }
}

impl Progress for Steps<'_> {
    fn tell(&mut self, event: Event) {
        match event {
            Event::Known { vertex, name, .. } => {
                self.work.entry(vertex).or_default().name = name;
                return;
            }
            Event::Cached { vertex, .. } => {
                let work = self.work.entry(vertex).or_default();
                (work.was_cached, work.is_over) = (true, true);
            }
            Event::Completed { vertex, error, .. } => {
                // One that failed stays the last that is told of.
                self.work.entry(vertex).or_default().is_over = error.is_none();
            }
            Event::Started { vertex, .. } => self.work.entry(vertex).or_default().is_over = false,
            Event::Log { vertex, stream, bytes, .. } => {
                self.work.entry(vertex).or_default().wrote(stream == 2, &bytes);
            }
            Event::Status(_) | Event::Warning { .. } => return,
        }
        if self.has_begun() {
            self.advance();
        }
    }
}

/// Takes what is whole characters; at the end all of it.
fn whole_characters(bytes: &mut Vec<u8>, is_end: bool) -> String {
    let whole = match std::str::from_utf8(bytes) {
        // More of the last character may come.
        Err(error) if error.error_len().is_none() && !is_end => error.valid_up_to(),
        _ => bytes.len(),
    };
    let rest = bytes.split_off(whole);
    String::from_utf8_lossy(&std::mem::replace(bytes, rest)).into_owned()
}

/// The instructions that are built, each with its work.
fn lay_out(text: &str, target: Option<&str>, labels: &[(Vertex, Label<'_>)]) -> Vec<Step> {
    let Ok(document) = dockerfile::parse(text) else { return Vec::new() };
    let lines = &document.lines;
    let stages = stages(lines);
    let is_target = |at: usize, stage: &Stage| match target {
        Some(name) => stage.title.eq_ignore_ascii_case(name) || name.parse() == Ok(at),
        None => at + 1 == stages.len(),
    };
    let plain = |line: &Line| Step { text: line.text.clone(), is_base: false, work: Vec::new() };
    let before = stages.first().map_or(lines.len(), |stage| stage.lines.start);
    let mut steps: Vec<Step> = lines[..before].iter().map(plain).collect();
    for (at, stage) in stages.iter().enumerate() {
        let is_target = is_target(at, stage);
        let of_stage = |label: &Label<'_>| match label.stage {
            "" => is_target,
            title => title.eq_ignore_ascii_case(&stage.title),
        };
        let mut work: Vec<_> = labels.iter().filter(|(_, label)| of_stage(label)).collect();
        work.sort_by_key(|(_, label)| label.number);
        if work.is_empty() && !is_target {
            continue;
        }
        let own = &lines[stage.lines.clone()];
        let working = own.iter().filter(|line| works(line)).count();
        // What the base image wants to be done comes with it.
        let with_base = work.len().saturating_sub(working);
        let mut vertices = work.iter().map(|(vertex, _)| *vertex);
        for (number, line) in own.iter().enumerate() {
            let mut step = plain(line);
            if number == 0 {
                step.is_base = work.first().is_some_and(|(_, label)| label.is_base);
                step.work = vertices.by_ref().take(with_base).collect();
            } else if works(line) {
                step.work = vertices.by_ref().take(1).collect();
            }
            steps.push(step);
        }
        if is_target {
            break;
        }
    }
    steps
}

fn works(line: &Line) -> bool {
    WORKS.iter().any(|name| line.name.eq_ignore_ascii_case(name))
}

fn stages(lines: &[Line]) -> Vec<Stage> {
    let begins = |line: &Line| line.name.eq_ignore_ascii_case("FROM");
    let starts: Vec<usize> = (0..lines.len()).filter(|at| begins(&lines[*at])).collect();
    let stage = |(number, start): (usize, &usize)| {
        let end = starts.get(number + 1).copied().unwrap_or(lines.len());
        let words = match &lines[*start].arguments {
            Arguments::Words(words) => words.as_slice(),
            _ => &[],
        };
        let title = match words {
            [_, word, name] if word.eq_ignore_ascii_case("AS") => name.clone(),
            _ => format!("stage-{number}"),
        };
        Stage { title, lines: *start..end }
    };
    starts.iter().enumerate().map(stage).collect()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn told(
        file: &str,
        target: Option<&str>,
        names: &[&str],
        what: &[(char, Vertex, &str)],
    ) -> String {
        let mut out = String::new();
        let mut say = |text: &str| out.push_str(text);
        let mut steps = Steps::new(file, target, &mut say);
        for (vertex, name) in names.iter().enumerate() {
            steps.tell(Event::Known { vertex, name: (*name).to_owned(), inputs: Vec::new() });
        }
        let at = SystemTime::UNIX_EPOCH;
        for &(kind, vertex, text) in what {
            steps.tell(match kind {
                's' => Event::Started { vertex, at },
                'c' => Event::Cached { vertex, at },
                'l' => Event::Log { vertex, stream: 1, bytes: text.into(), at },
                'e' => Event::Log { vertex, stream: 2, bytes: text.into(), at },
                'f' => Event::Completed { vertex, at, error: Some(text.to_owned()) },
                _ => Event::Completed { vertex, at, error: None },
            });
        }
        let failed = what.iter().find(|(kind, ..)| *kind == 'f').map(|(_, vertex, _)| *vertex);
        steps.end(failed);
        out
    }

    #[test]
    fn instructions_come_in_their_order_with_what_they_wrote() {
        let file = "ARG A=1\nFROM alpine AS one\nENV X=1\nRUN a \\\n  b\nFROM one\nCOPY --from=one /a /\nCMD [\"x\"]\n";
        let names = [
            "[internal] load build definition from Dockerfile",
            "[one 1/2] FROM docker.io/library/alpine",
            "[one 2/2] RUN a b",
            "[stage-1 1/1] COPY --from=one /a /",
        ];
        let happened = [
            ('c', 0, ""),
            ('s', 1, ""),
            ('d', 1, ""),
            ('s', 2, ""),
            ('l', 2, "out\n"),
            ('d', 2, ""),
            ('c', 3, ""),
        ];
        assert_eq!(
            told(file, None, &names, &happened),
            "Step 1/7 : ARG A=1\nStep 2/7 : FROM alpine AS one\nStep 3/7 : ENV X=1\nStep 4/7 : RUN a   b\nout\nStep 5/7 : \
             FROM one\nStep 6/7 : COPY --from=one /a /\n ---> Using cache\nStep 7/7 : CMD [\"x\"]\n"
        );
    }

    #[test]
    fn what_fails_is_the_last_that_is_told() {
        let file = "FROM a AS x\nRUN slow\nFROM a\nRUN no\nRUN never\nCOPY --from=x / /\n";
        let names = [
            "[x 1/2] FROM a",
            "[x 2/2] RUN slow",
            "[stage-1 2/4] RUN no",
            "[stage-1 3/4] RUN never",
        ];
        let happened = [
            ('d', 0, ""),
            ('s', 1, ""),
            ('l', 2, "why"),
            ('f', 2, "exit code: 1"),
            ('f', 1, "context canceled"),
        ];
        let out = told(file, None, &names, &happened);
        assert!(out.ends_with("Step 4/6 : RUN no\nwhy"), "{out}");
    }

    #[test]
    fn errors_are_red() {
        let names = ["[1/2] FROM a", "[2/2] RUN y"];
        let happened = [
            ('d', 0, ""),
            ('s', 1, ""),
            ('l', 1, "one\n"),
            ('e', 1, "two\n"),
            ('l', 1, "three\n"),
            ('d', 1, ""),
        ];
        assert_eq!(
            told("FROM a\nRUN y\n", None, &names, &happened),
            "Step 1/2 : FROM a\nStep 2/2 : RUN y\none\n\x1b[91mtwo\n\x1b[0mthree\n"
        );
    }

    #[test]
    fn a_target_ends_it_and_characters_are_whole() {
        let file = "FROM a AS x\nRUN y\nFROM a\nRUN no\n";
        let names = ["[1/2] FROM a", "[2/2] RUN y"];
        let happened = [('d', 0, ""), ('s', 1, ""), ('d', 1, "")];
        assert_eq!(
            told(file, Some("X"), &names, &happened),
            "Step 1/2 : FROM a AS x\nStep 2/2 : RUN y\n"
        );
        let mut bytes = "ä".as_bytes()[..1].to_vec();
        assert_eq!(whole_characters(&mut bytes, false), "");
        bytes.push("ä".as_bytes()[1]);
        assert_eq!(whole_characters(&mut bytes, false), "ä");
    }
}
