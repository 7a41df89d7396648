//! Shows on standard error what a build tells.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use coracle_builder::check::Finding;
use coracle_builder::progress::{Event, Progress, Source, TICK};

use super::colours::Colours;
use super::ending;
use super::mode::Mode;
use super::plain::Plain;
use super::rawjson::RawJson;
use super::redrawn::Redrawn;
use super::trace::{Keep, Trace, Warned, since};
use super::tree::{self, LOG_LINES, Look};
use crate::commands::build::builders::{DRIVER, NAME};
use crate::settings::Environment;
use crate::terminal;

/// Where nobody knows how large the terminal is.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// Lines of output that are shown again of a step that failed: with plain progress all of them stand above.
const PLAIN_TAIL: usize = 10;
const TREE_TAIL: usize = 1000;

#[derive(Debug)]
pub(crate) struct Display {
    trace: Trace,
    form: Form,
    /// When something was shown last.
    shown: Option<SystemTime>,
    /// What stands at the head of the warnings: how to have them in full.
    more_warnings: Option<String>,
    warning_colour: String,
}

#[derive(Debug)]
enum Form {
    Plain(Plain),
    Tree { look: Box<Look>, redrawn: Redrawn },
    RawJson(RawJson),
    Nothing,
}

impl Display {
    /// With `debug`, the warnings at the end are in full; `program` is who can be told so.
    pub(crate) fn new(mode: Mode, environment: &Environment, program: &str, debug: bool) -> Self {
        let no_colour = environment.get("NO_COLOR").is_some();
        let (colours, wrong) = Colours::new(no_colour, environment.get("BUILDKIT_COLORS"));
        let is_terminal = std::io::stderr().is_terminal();
        let warning_colour = if is_terminal { colours.warning.clone() } else { String::new() };
        let form = match mode {
            Mode::Plain => {
                let title = format!("building with {NAME:?} instance using {DRIVER} driver");
                Form::Plain(Plain::new(title))
            }
            Mode::Tree => {
                let wrong: String = wrong.iter().map(|why| format!("WARNING: {why}\n")).collect();
                write(wrong.as_bytes());
                let lines = environment.get("BUILDKIT_TTY_LOG_LINES");
                let log_lines = lines.and_then(|lines| lines.parse().ok()).unwrap_or(LOG_LINES);
                let title = format!("{DRIVER}:{NAME}");
                let look = Look { columns: 0, rows: 0, log_lines, colours, title };
                Form::Tree { look: Box::new(look), redrawn: Redrawn::default() }
            }
            Mode::RawJson => Form::RawJson(RawJson::default()),
            Mode::Quiet | Mode::Nothing => Form::Nothing,
        };
        let keep = match form {
            Form::Plain(_) => Keep { tail: PLAIN_TAIL, output: true },
            _ => Keep { tail: TREE_TAIL, output: false },
        };
        let more_warnings = (!debug).then(|| format!("use {program} build --debug to expand"));
        Self { trace: Trace::new(keep), form, shown: None, more_warnings, warning_colour }
    }

    /// Tells what was found in a Dockerfile of which nothing is built.
    pub(crate) fn warn(&self, findings: Vec<Finding>, source: Source) {
        let source = Arc::new(source);
        let warned = |finding| Warned { finding, source: Arc::clone(&source) };
        let warnings: Vec<Warned> = findings.into_iter().map(warned).collect();
        let more = self.more_warnings.as_deref();
        write(ending::warnings(&warnings, more, &self.warning_colour).as_bytes());
    }

    fn show(&mut self, now: SystemTime, whole: bool) {
        self.shown = Some(now);
        let mut out = Vec::new();
        match &mut self.form {
            Form::Plain(plain) if whole => plain.finish(&mut self.trace, now, &mut out),
            Form::Plain(plain) => plain.print(&mut self.trace, now, &mut out),
            Form::Tree { look, redrawn } => {
                let (columns, rows) = terminal::size_of_stderr().unwrap_or(USUAL_SIZE);
                (look.columns, look.rows) = (columns.into(), rows.into());
                self.trace.updated.clear();
                if self.trace.began.is_some() {
                    let rows = tree::rows(&self.trace, look, now, whole);
                    out = redrawn.draw(&rows, look.columns).into_bytes();
                }
            }
            Form::RawJson(_) | Form::Nothing => {}
        }
        write(&out);
    }

    /// The build is over: what is left to show, what failed, the warnings.
    pub(crate) fn finish(mut self) {
        if matches!(self.form, Form::RawJson(_) | Form::Nothing) {
            return;
        }
        self.show(SystemTime::now(), true);
        let mut out = self.trace.failures();
        let (warnings, more) = (&self.trace.warnings, self.more_warnings.as_deref());
        out.extend(ending::warnings(warnings, more, &self.warning_colour).bytes());
        write(&out);
    }
}

impl Progress for Display {
    fn tell(&mut self, event: Event) {
        let now = SystemTime::now();
        match &mut self.form {
            Form::Nothing => return,
            Form::RawJson(raw) => return write(raw.write(&event, now).as_bytes()),
            Form::Plain(_) | Form::Tree { .. } => self.trace.take(event, now),
        }
        // What happens in one moment is shown as one.
        if self.shown.is_none_or(|shown| since(shown, now) >= TICK) {
            self.show(now, false);
        }
    }

    fn tick(&mut self) {
        self.show(SystemTime::now(), false);
    }
}

/// Who does not see the progress does not miss it.
fn write(bytes: &[u8]) {
    std::io::stderr().write_all(bytes).unwrap_or_default();
}
