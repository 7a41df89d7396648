//! Progress as lines that stay: `#8 [4/4] RUN make`, `#8 1.321 text`, `#8 DONE 1.4s`.
//!
//! # How it works
//!
//! One vertex has the word. It keeps it until it is done, or until it has had its share: then `#8 ...` stands where
//! it stopped, and its name comes again when it goes on. Whatever is done is told before what goes on. The rules and
//! the times are BuildKit's, so that its readers find what they look for.
//!
//! # Limits
//!
//! A vertex with much to say gets the word though another one has it, so that little is held back.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use coracle_builder::progress::Vertex;

use super::trace::{Line, Trace, amount, since};

/// How long a vertex has the word at least.
const SHARE: Duration = Duration::from_secs(5);
/// How long one waits for the word at most.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Bytes of output that are held back at most.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// A counter is told of again after so much of its whole, or after so long.
const COUNT_STEP: f64 = 0.05;
const COUNT_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Plain {
    /// The first line.
    title: String,
    current: Option<Vertex>,
    /// In the order in which they were first shown, from 1.
    numbers: HashMap<Vertex, usize>,
    /// How far a counter was, and when, as told last.
    told: HashMap<(Vertex, usize), (u64, SystemTime)>,
    /// Something stands above: a vertex begins after an empty line.
    began: bool,
}

/// How urgent a vertex is.
struct Claim {
    vertex: Vertex,
    waited: Duration,
    /// Events a second.
    rate: f64,
    is_over: bool,
}

impl Plain {
    pub(super) fn new(title: String) -> Self {
        let (numbers, told) = (HashMap::new(), HashMap::new());
        Self { title, current: None, numbers, told, began: false }
    }

    /// What there is to say now.
    pub(super) fn print(&mut self, trace: &mut Trace, now: SystemTime, out: &mut Vec<u8>) {
        let (mut done, going): (Vec<Vertex>, Vec<Vertex>) =
            trace.updated.iter().partition(|vertex| trace.lines[**vertex].is_done());
        let current = self.current;
        // What has the word ends first.
        done.sort_by_key(|vertex| (Some(*vertex) != current, trace.lines[*vertex].done_at()));
        let made_room = current.is_none() || done.first().copied() == current;
        for vertex in &done {
            self.show(trace, *vertex, now, out);
        }
        let is_open =
            |vertex: Vertex| trace.lines[vertex].has_begun() && !trace.lines[vertex].is_done();
        if going.is_empty() {
            if current.is_some_and(is_open) {
                return;
            }
            if let Some(vertex) = trace.order.iter().copied().find(|vertex| is_open(*vertex)) {
                self.show(trace, vertex, now, out);
            }
            return;
        }
        let mut claims: Vec<Claim> =
            going.iter().map(|vertex| self.claim(trace, *vertex, now)).collect();
        if let Some(current) = current {
            if going.contains(&current) {
                self.show(trace, current, now, out);
            } else if is_open(current) {
                claims.push(self.claim(trace, current, now));
            }
        }
        if let Some(next) = self.next(&claims, made_room) {
            self.show(trace, next, now, out);
        }
    }

    /// Everything that was held back.
    pub(super) fn finish(&mut self, trace: &mut Trace, now: SystemTime, out: &mut Vec<u8>) {
        self.print(trace, now, out);
        while let Some(vertex) = trace.updated.first().copied() {
            self.show(trace, vertex, now, out);
        }
        if let Some(current) = self.current.take()
            && trace.lines[current].is_open
        {
            out.push(b'\n');
        }
    }

    fn claim(&self, trace: &Trace, vertex: Vertex, now: SystemTime) -> Claim {
        let line = &trace.lines[vertex];
        let waited = since(line.waits_since.unwrap_or(now), now);
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = line.events as f64 / waited.as_secs_f64().max(0.001);
        let held: usize = line.output.iter().map(Vec::len).sum();
        let is_over = Some(vertex) != self.current && (waited > WAIT_MAX || held > HELD_BYTES_MAX);
        Claim { vertex, waited, rate, is_over }
    }

    /// Who gets the word now.
    fn next(&self, claims: &[Claim], made_room: bool) -> Option<Vertex> {
        let mut claims_in_turn = claims.iter();
        let first = claims_in_turn.next()?;
        let busiest = claims_in_turn.fold(first, |most, claim| {
            if (claim.is_over, claim.rate) > (most.is_over, most.rate) { claim } else { most }
        });
        if made_room || busiest.is_over {
            return Some(busiest.vertex);
        }
        let current = claims.iter().find(|claim| Some(claim.vertex) == self.current)?;
        let whole: f64 = claims.iter().map(|claim| claim.rate).sum();
        let share = if whole > 0.0 { current.rate / whole } else { 0.0 };
        let has_had_its_share = SHARE.as_secs_f64() / (1.0 - share) < current.waited.as_secs_f64();
        has_had_its_share.then_some(busiest.vertex)
    }

    fn show(&mut self, trace: &mut Trace, vertex: Vertex, now: SystemTime, out: &mut Vec<u8>) {
        trace.updated.remove(&vertex);
        if !trace.lines[vertex].has_begun() {
            return;
        }
        let number = self.give_word(trace, vertex, out);
        let line = &mut trace.lines[vertex];
        if !line.changed.is_empty() || !line.warnings.is_empty() {
            close(line, out);
        }
        let counts = self.counters(vertex, line, now);
        counts.iter().for_each(|text| say(number, text, out));
        for warning in line.warnings.drain(..) {
            say(number, &format!("WARN: {}", trace.warnings[warning].short()), out);
        }
        output(line, number, out);
        self.current = Some(vertex);
        if line.is_done() {
            self.current = None;
            line.events = 0;
            if line.is_open {
                out.push(b'\n');
                line.is_open = false;
                line.output.clear();
            }
            say(number, &end(line), out);
        }
    }

    /// Tells whose lines come next, where it was another's turn.
    fn give_word(&mut self, trace: &mut Trace, vertex: Vertex, out: &mut Vec<u8>) -> usize {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(vertex).or_insert(next);
        if self.current == Some(vertex) {
            return number;
        }
        if let Some(before) = self.current {
            let line = &mut trace.lines[before];
            close(line, out);
            line.events = 0;
            say(self.numbers[&before], "...", out);
        }
        if !self.began {
            say(0, &self.title, out);
            self.began = true;
        }
        out.push(b'\n');
        say(number, &trace.lines[vertex].name, out);
        number
    }

    fn counters(&mut self, vertex: Vertex, line: &mut Line, now: SystemTime) -> Vec<String> {
        let mut out = Vec::new();
        for index in std::mem::take(&mut line.changed) {
            let status = &line.statuses[index];
            if let (Some((current, at)), None) = (self.told.get(&(vertex, index)), status.completed)
            {
                #[expect(clippy::cast_precision_loss, reason = "a share")]
                let share = match status.total {
                    0 => 0.0,
                    total => status.current.saturating_sub(*current) as f64 / total as f64,
                };
                if share < COUNT_STEP && since(*at, now) < COUNT_EVERY {
                    continue;
                }
            }
            self.told.insert((vertex, index), (status.current, now));
            let took = since(status.started, status.completed.unwrap_or(now)).as_secs_f64();
            let time = if took > 0.01 { format!(" {took:.1}s") } else { String::new() };
            let end = if status.completed.is_some() { " done" } else { "" };
            out.push(format!("{}{}{time}{end}", status.id, amount(status)));
        }
        out
    }
}

fn say(number: usize, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("#{number} {text}\n").as_bytes());
}

/// Ends a line of output whose end has not come. It is shown whole when it goes on.
fn close(line: &mut Line, out: &mut Vec<u8>) {
    if line.is_open && line.shown > 0 {
        out.push(b'\n');
    }
    line.shown = 0;
}

fn output(line: &mut Line, number: usize, out: &mut Vec<u8>) {
    let count = line.output.len();
    for (index, text) in line.output.iter().enumerate() {
        let shown = if index == 0 { std::mem::take(&mut line.shown) } else { 0 };
        if shown == 0 {
            out.extend_from_slice(format!("#{number} ").as_bytes());
        }
        out.extend_from_slice(&text[shown..]);
        if index + 1 < count || !line.is_open {
            out.push(b'\n');
        } else {
            line.shown = text.len();
        }
    }
    line.output.drain(..count - usize::from(line.is_open && count > 0));
}

fn end(line: &Line) -> String {
    match &line.error {
        Some(_) if line.is_canceled() => "CANCELED".to_owned(),
        Some(error) => format!("ERROR: {error}"),
        None if line.cached => "CACHED".to_owned(),
        None => {
            let took = line.spans.last().and_then(|(from, to)| Some(since(*from, (*to)?)));
            format!("DONE {:.1}s", took.unwrap_or_default().as_secs_f64())
        }
    }
}
