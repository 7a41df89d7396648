//! What a build has told of itself so far: what plain lines and the redrawn tree are made of.
//!
//! # Limits
//!
//! Of the output of a step the last lines are kept, for the case that it fails; a line that does not end is broken.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use coracle_builder::check::Finding;
use coracle_builder::progress::{CANCELED, Event, Source, Status, Vertex};

use super::window::Window;

/// Bytes of a line of output; what is longer goes on in the next.
const LINE_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Trace {
    /// By number.
    pub(super) lines: Vec<Line>,
    /// Those that have begun, in that order.
    pub(super) order: Vec<Vertex>,
    /// Those with something new to say.
    pub(super) updated: BTreeSet<Vertex>,
    pub(super) began: Option<SystemTime>,
    pub(super) warnings: Vec<Warned>,
    keep: Keep,
}

/// What is kept of the output of each vertex.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Keep {
    /// Lines, for the case that it fails.
    pub(super) tail: usize,
    /// All of it, until it is taken.
    pub(super) output: bool,
}

/// A finding, and what it is about.
#[derive(Debug, Clone)]
pub(super) struct Warned {
    pub(super) finding: Finding,
    pub(super) source: Arc<Source>,
}

impl Warned {
    /// `Rule: what it found (line 2)`.
    pub(super) fn short(&self) -> String {
        let Finding { rule, detail, at, .. } = &self.finding;
        let line = at.first().map(|span| format!(" (line {})", span.first)).unwrap_or_default();
        format!("{rule}: {detail}{line}")
    }
}

/// A vertex.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) name: String,
    /// When it was worked on; the last may go on.
    pub(super) spans: Vec<(SystemTime, Option<SystemTime>)>,
    pub(super) cached: bool,
    pub(super) error: Option<String>,
    pub(super) statuses: Vec<Status>,
    /// Those, by index, that have changed.
    pub(super) changed: BTreeSet<usize>,
    /// Indexes in [`Trace::warnings`].
    pub(super) warnings: Vec<usize>,
    /// Output that was not shown yet, each line with its time before it.
    pub(super) output: VecDeque<Vec<u8>>,
    /// Bytes of the first of them that were shown.
    pub(super) shown: usize,
    /// The last of them has no end yet.
    pub(super) is_open: bool,
    pub(super) tail: VecDeque<Vec<u8>>,
    pub(super) window: Window,
    /// What happened since it was shown, and since when.
    pub(super) events: usize,
    pub(super) waits_since: Option<SystemTime>,
}

impl Line {
    pub(super) fn has_begun(&self) -> bool {
        !self.spans.is_empty()
    }

    pub(super) fn is_done(&self) -> bool {
        self.spans.last().is_some_and(|span| span.1.is_some())
    }

    pub(super) fn done_at(&self) -> Option<SystemTime> {
        self.spans.last().and_then(|span| span.1)
    }

    pub(super) fn is_canceled(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.ends_with(CANCELED))
    }

    /// All that was spent on it.
    pub(super) fn took(&self, now: SystemTime) -> Duration {
        self.spans.iter().map(|(from, to)| since(*from, to.unwrap_or(now))).sum()
    }

    fn happened(&mut self, now: SystemTime) {
        if self.events == 0 {
            self.waits_since = Some(now);
        }
        self.events += 1;
    }

    /// Takes what a command wrote.
    fn wrote(&mut self, bytes: &[u8], at: SystemTime, keep: Keep) {
        self.window.write(bytes);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if self.is_open {
                let last = self.tail.back_mut().into_iter().chain(self.output.back_mut());
                last.for_each(|line| line.extend_from_slice(text));
            } else {
                let began = self.spans.last().map_or(at, |span| span.0);
                let line = [stamp(since(began, at)).as_bytes(), text].concat();
                if keep.output {
                    self.output.push_back(line.clone());
                }
                self.tail.push_back(line);
            }
            let is_long = self.tail.back().is_some_and(|line| line.len() > LINE_BYTES_MAX);
            self.is_open = !ends && !is_long;
            if self.tail.len() > keep.tail {
                self.tail.pop_front();
            }
        }
    }
}

impl Trace {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, ..Self::default() }
    }

    pub(super) fn take(&mut self, event: Event, now: SystemTime) {
        match event {
            Event::Known { vertex, name, .. } => self.line(vertex).name = name,
            Event::Started { vertex, at } => self.begin(vertex, at, now),
            Event::Cached { vertex, at } => {
                self.begin(vertex, at, now);
                self.line(vertex).cached = true;
                self.end(vertex, at, None, now);
            }
            Event::Completed { vertex, at, error } => self.end(vertex, at, error, now),
            Event::Status(status) => self.status(status, now),
            Event::Warning { vertex, finding, source } => {
                let number = self.warnings.len();
                self.warnings.push(Warned { finding, source });
                self.update(vertex, now).warnings.push(number);
            }
            Event::Log { vertex, bytes, at, .. } => {
                let keep = self.keep;
                self.update(vertex, now).wrote(&bytes, at, keep);
            }
        }
    }

    fn line(&mut self, vertex: Vertex) -> &mut Line {
        if self.lines.len() <= vertex {
            self.lines.resize_with(vertex + 1, Line::default);
        }
        &mut self.lines[vertex]
    }

    fn update(&mut self, vertex: Vertex, now: SystemTime) -> &mut Line {
        self.updated.insert(vertex);
        let line = self.line(vertex);
        line.happened(now);
        line
    }

    fn begin(&mut self, vertex: Vertex, at: SystemTime, now: SystemTime) {
        self.began.get_or_insert(at);
        let line = self.update(vertex, now);
        let is_first = line.spans.is_empty();
        line.spans.push((at, None));
        if is_first {
            self.order.push(vertex);
        }
    }

    fn end(&mut self, vertex: Vertex, at: SystemTime, error: Option<String>, now: SystemTime) {
        if !self.line(vertex).has_begun() {
            self.begin(vertex, at, now);
        }
        let line = self.update(vertex, now);
        line.error = error;
        if let Some(span) = line.spans.last_mut() {
            span.1 = Some(at);
        }
    }

    fn status(&mut self, status: Status, now: SystemTime) {
        let line = self.update(status.vertex, now);
        let place = line.statuses.iter().position(|known| known.id == status.id);
        let index = place.unwrap_or(line.statuses.len());
        match place {
            Some(index) => line.statuses[index] = status,
            None => line.statuses.push(status),
        }
        line.changed.insert(index);
    }

    /// What failed, with the last lines of its output.
    pub(super) fn failures(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for line in self.order.iter().map(|vertex| &self.lines[*vertex]) {
            if line.error.is_none() || line.is_canceled() {
                continue;
            }
            out.extend_from_slice(format!("------\n > {}:\n", line.name).as_bytes());
            for text in &line.tail {
                out.extend_from_slice(text);
                out.push(b'\n');
            }
            out.extend_from_slice(b"------\n");
        }
        out
    }
}

pub(super) fn since(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

/// `1.234 `, in four digits or more.
fn stamp(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let digits = match seconds {
        seconds if seconds < 10.0 => 3,
        seconds if seconds < 100.0 => 2,
        _ => 1,
    };
    format!("{seconds:.digits$} ")
}

/// ` 1.05MB / 3.49MB`, or nothing.
pub(super) fn amount(status: &Status) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    match (status.current, status.total) {
        (0, 0) => Ok(()),
        (current, 0) => write!(out, " {}", bytes(current)),
        (current, total) => write!(out, " {} / {}", bytes(current), bytes(total)),
    }
    .unwrap_or_default();
    out
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count}B");
    }
    let mut value = count as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while value >= 1000.0 && units.len() > 0 {
        value /= 1000.0;
        unit = units.next();
    }
    format!("{value:.2}{}", unit.unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_amounts() {
        let stamp = |ms| stamp(Duration::from_millis(ms));
        assert_eq!([stamp(1321), stamp(12_345), stamp(123_456)], ["1.321 ", "12.35 ", "123.5 "]);
        assert_eq!([bytes(0), bytes(999), bytes(3_491_000)], ["0B", "999B", "3.49MB"]);
        assert_eq!(bytes(u64::MAX), "18446.74PB");
    }

    #[test]
    fn lines_without_an_end_are_broken() {
        let mut trace = Trace::new(Keep { tail: 3, output: true });
        let at = SystemTime::UNIX_EPOCH;
        for _ in 0..3 {
            let bytes = vec![b'x'; LINE_BYTES_MAX];
            trace.take(Event::Log { vertex: 0, stream: 1, bytes, at }, at);
        }
        assert_eq!(trace.lines[0].output.len(), 3);
        let bytes = b"\n1\n2\n".repeat(1000);
        trace.take(Event::Log { vertex: 0, stream: 1, bytes, at }, at);
        assert_eq!(trace.lines[0].tail.len(), 3);
    }
}
