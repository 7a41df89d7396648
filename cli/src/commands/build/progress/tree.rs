//! Progress as a tree that is drawn over: a line that counts, one for each vertex, those of its counters below it, and
//! the last output of what runs.
//!
//! ```text
//! [+] Building 1.2s (5/7)                        coracle:default
//!  => CACHED [1/3] FROM docker.io/library/alpine:latest     0.0s
//!  => [2/3] RUN make                                        1.1s
//!  => => # cc -o main main.c
//! ```
//!
//! # Limits
//!
//! What does not fit goes, what is done before what is not. Below 24 columns or so a line is a name without a time.

use std::time::{Duration, SystemTime};

use coracle_builder::progress::Vertex;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::colours::{Colours, paint};
use super::trace::{Trace, amount, since};

/// Lines of output below what runs, unless `BUILDKIT_TTY_LOG_LINES` says otherwise.
pub(super) const LOG_LINES: usize = 6;
/// The line that counts, and the one that the cursor is on.
const ROWS_BESIDE: usize = 2;
/// Rows that output leaves to what is done.
const SPARED_ROWS: usize = 2;
/// What is shorter took no time.
const NO_TIME: Duration = Duration::from_millis(50);
/// Columns of a name with less than which a line has no time.
const NAME_COLUMNS_MIN: usize = 12;
/// Columns of a name and its amount with less than which the amount is left out.
const AMOUNT_COLUMNS_MIN: usize = 20;

/// What everything is fitted to.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) log_lines: usize,
    pub(super) colours: Colours,
    /// Stands at the right of the first line.
    pub(super) title: String,
}

/// A row, and how many columns it takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) columns: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Going,
    Done,
    Canceled,
    Failed,
}

#[derive(Debug, Clone)]
struct Job {
    name: String,
    amount: String,
    took: Duration,
    state: State,
    /// It is one, and no counter.
    vertex: Option<Vertex>,
    /// Rows of its output that are shown.
    output: usize,
}

/// The rows of now; `whole`, at the end: all, whether they fit or not.
pub(super) fn rows(trace: &Trace, look: &Look, now: SystemTime, whole: bool) -> Vec<Row> {
    let mut jobs = jobs(trace, now);
    let hidden = choose_output(trace, look, &mut jobs);
    if !whole {
        jobs = fitting(jobs, look.rows.saturating_sub(ROWS_BESIDE + hidden));
    }
    let mut out = vec![title(trace, look, now, whole)];
    for job in &jobs {
        out.push(row(job, look));
        if let Some(vertex) = job.vertex {
            for line in trace.lines[vertex].window.last(job.output) {
                let text = cut(&format!(" => => # {line}"), look.columns.saturating_sub(1));
                out.push(Row { columns: text.width(), text: paint(&text, &look.colours.faint) });
            }
        }
    }
    out
}

fn jobs(trace: &Trace, now: SystemTime) -> Vec<Job> {
    let mut out = Vec::new();
    for vertex in &trace.order {
        let line = &trace.lines[*vertex];
        let (state, mark) = match &line.error {
            Some(_) if line.is_canceled() => (State::Canceled, "CANCELED "),
            Some(_) => (State::Failed, "ERROR "),
            None if line.cached => (State::Done, "CACHED "),
            None if line.is_done() => (State::Done, ""),
            None => (State::Going, ""),
        };
        let name = format!("{mark}{}", line.name);
        let (took, vertex) = (line.took(now), Some(*vertex));
        out.push(Job { name, amount: String::new(), took, state, vertex, output: 0 });
        for status in &line.statuses {
            out.push(Job {
                name: format!("=> {}", status.id),
                amount: amount(status).trim_start().to_owned(),
                took: since(status.started, status.completed.unwrap_or(now)),
                state: if status.completed.is_some() { State::Done } else { State::Going },
                vertex: None,
                output: 0,
            });
        }
    }
    out
}

/// Whose output is shown: of those that run, as many as there is room for, those first that write most. Returns how many
/// rows that takes.
fn choose_output(trace: &Trace, look: &Look, jobs: &mut [Job]) -> usize {
    let going = jobs.iter().filter(|job| job.state == State::Going).count();
    let mut room = look.rows.saturating_sub(ROWS_BESIDE + going);
    let bytes = |job: &Job| job.vertex.map_or(0, |vertex| trace.lines[vertex].window.bytes);
    let mut writing: Vec<&mut Job> =
        jobs.iter_mut().filter(|job| job.state == State::Going && bytes(job) > 0).collect();
    writing.sort_by_key(|job| std::cmp::Reverse(bytes(job)));
    let mut taken = 0;
    for job in writing {
        // Some of what is done stays in view.
        let most = look.log_lines.min(room.saturating_sub(SPARED_ROWS));
        job.output = job.vertex.map_or(0, |v| trace.lines[v].window.last(most).len());
        taken += job.output;
        room -= job.output;
    }
    taken
}

/// The last `most` of them, and before these what goes on and would be cut off.
fn fitting(mut jobs: Vec<Job>, most: usize) -> Vec<Job> {
    let mut excess = jobs.len().saturating_sub(most);
    // From the top, what is done goes first.
    jobs.retain(|job| {
        let goes = excess > 0 && job.state != State::Going;
        excess -= usize::from(goes);
        !goes
    });
    jobs.split_off(jobs.len().saturating_sub(most))
}

fn title(trace: &Trace, look: &Look, now: SystemTime, whole: bool) -> Row {
    let done = trace.lines.iter().filter(|line| line.is_done()).count();
    let all = trace.lines.len();
    let seconds = trace.began.map(|began| since(began, now)).unwrap_or_default().as_secs_f64();
    let end = if whole && done > 0 && done == all { " FINISHED" } else { "" };
    let left = format!("[+] Building {seconds:.1}s ({done}/{all}){end}");
    let text = aligned(&left, &look.title, look.columns.saturating_sub(1));
    Row { columns: text.width(), text }
}

fn row(job: &Job, look: &Look) -> Row {
    let columns = look.columns.saturating_sub(1);
    let took = if job.took < NO_TIME { Duration::ZERO } else { job.took };
    let time = format!("{:.1}s", took.as_secs_f64());
    let mut room = columns.saturating_sub(" => ".len() + time.len() + 1);
    let mut amount = String::new();
    if !job.amount.is_empty() && room > AMOUNT_COLUMNS_MIN {
        amount = format!(" {}", job.amount);
        room = room.saturating_sub(amount.len());
    }
    let name: String = job.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = match room {
        0..NAME_COLUMNS_MIN => cut(&format!(" => {name}"), columns),
        room => aligned(&format!(" => {}{amount}", cut(&name, room)), &time, columns),
    };
    let colour = match job.state {
        State::Going => "",
        State::Done => &look.colours.run,
        State::Canceled => &look.colours.cancel,
        State::Failed => &look.colours.error,
    };
    Row { columns: text.width(), text: paint(&text, colour) }
}

/// Both, at their sides; the right one goes where there is no room.
fn aligned(left: &str, right: &str, columns: usize) -> String {
    let left = cut(left, columns);
    let gap = columns.saturating_sub(left.width() + right.width());
    if gap == 0 { left } else { format!("{left}{}{right}", " ".repeat(gap)) }
}

/// As much of it as `columns` have room for.
fn cut(text: &str, columns: usize) -> String {
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken <= columns
    };
    text.chars().take_while(fits).collect()
}
