//! The output of several containers on our own streams, each line with a name before it.

use std::io::Write as _;

use coracle_runtime::engine::Summary;
use coracle_runtime::logs::{LogError, ReadOptions, Show, Steps, Stream};
use coracle_runtime::paths::Paths;

use crate::error::CliError;

/// Colours of names, in turn, as Compose has them.
const COLOURS: [&str; 10] = ["36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1"];

/// How lines look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    pub(crate) colour: bool,
    pub(crate) no_prefix: bool,
    pub(crate) timestamps: bool,
    /// Everything goes to standard output, as `logs` has it.
    pub(crate) one_stream: bool,
}

/// The logs of several containers.
#[derive(Debug, Default)]
pub(crate) struct Output {
    look: Look,
    width: usize,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    id: String,
    label: String,
    steps: Steps,
    shows: [Show; 2],
    /// Text of each stream that has no end of line yet.
    open: [Vec<u8>; 2],
    colour: &'static str,
}

impl Output {
    pub(crate) fn new(look: Look) -> Self {
        Self { look, ..Self::default() }
    }

    /// The room that names have.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Makes room for a name, so that all lines line up.
    pub(crate) fn reserve(&mut self, label: &str) {
        self.width = self.width.max(label.len() + 1);
    }

    /// Adds a container. One whose output is not kept has none to show; true: it has.
    pub(crate) fn add(
        &mut self,
        paths: &Paths,
        summary: &Summary,
        label: &str,
        options: ReadOptions,
    ) -> Result<bool, CliError> {
        let id = &summary.container.id;
        if self.sources.iter().any(|source| source.id == *id) {
            return Ok(true);
        }
        let steps = match Steps::of(paths, &summary.container, options) {
            Err(LogError::NotReadable) => return Ok(false),
            steps => steps.map_err(|error| library(&error))?,
        };
        self.reserve(label);
        let show = Show::new(self.look.timestamps, false);
        self.sources.push(Source {
            id: id.clone(),
            label: label.to_owned(),
            steps,
            shows: [show.clone(), show],
            open: [Vec::new(), Vec::new()],
            colour: COLOURS[self.sources.len() % COLOURS.len()],
        });
        Ok(true)
    }

    /// Shows what was written since the last call.
    pub(crate) fn pump(&mut self) -> Result<(), CliError> {
        for at in 0..self.sources.len() {
            self.pump_one(at)?;
        }
        Ok(())
    }

    fn pump_one(&mut self, at: usize) -> Result<(), CliError> {
        let (look, width) = (self.look, self.width);
        let source = &mut self.sources[at];
        let mark = prefix(look, width, &source.label, source.colour);
        let Source { steps, shows, open, .. } = source;
        let mut written = Ok(());
        steps
            .next(&mut |entry| {
                let stream = usize::from(entry.stream == Stream::Stderr && !look.one_stream);
                shows[stream].append(&mut open[stream], entry);
                if written.is_ok() {
                    written = print_lines(stream, &mut open[stream], &mark, false);
                }
            })
            .map_err(|error| library(&error))?;
        Ok(written?)
    }

    /// Shows lines that will have no end any more.
    pub(crate) fn close(&mut self, id: &str) -> Result<(), CliError> {
        let Some(at) = self.sources.iter().position(|source| source.id == id) else {
            return Ok(());
        };
        self.pump_one(at)?;
        let (look, width) = (self.look, self.width);
        let source = &mut self.sources[at];
        let mark = prefix(look, width, &source.label, source.colour);
        for stream in 0..2 {
            print_lines(stream, &mut source.open[stream], &mark, true)?;
        }
        Ok(())
    }

    pub(crate) fn close_all(&mut self) -> Result<(), CliError> {
        let ids: Vec<String> = self.sources.iter().map(|source| source.id.clone()).collect();
        ids.iter().try_for_each(|id| self.close(id))
    }

    /// Shows what a hook has written beside a container.
    pub(crate) fn hook(&mut self, label: &str, text: &str) -> Result<(), CliError> {
        let source = self.sources.iter().find(|source| source.label == label);
        let colour = source.map_or(COLOURS[0], |source| source.colour);
        let label = format!("{label} ->");
        self.reserve(&label);
        let mark = prefix(self.look, self.width, &label, colour);
        Ok(print_lines(0, &mut text.as_bytes().to_vec(), &mark, true)?)
    }

    /// Says how a container ended, in its colour.
    pub(crate) fn ended(&mut self, id: &str, label: &str, text: &str) -> Result<(), CliError> {
        self.close(id)?;
        let colour = self.sources.iter().find(|source| source.id == id).map(|s| s.colour);
        let mut out = std::io::stdout().lock();
        match colour.filter(|_| self.look.colour) {
            Some(colour) => write!(out, "\x1b[{colour}m\r\x1b[K{label} {text}\n\x1b[0m")?,
            None => writeln!(out, "\r\x1b[K{label} {text}")?,
        }
        Ok(out.flush()?)
    }
}

fn prefix(look: Look, width: usize, label: &str, colour: &str) -> String {
    match look {
        Look { no_prefix: true, .. } => String::new(),
        Look { colour: true, .. } => format!("\x1b[{colour}m{label:<width$} | \x1b[0m"),
        _ => format!("{label:<width$} | "),
    }
}

/// Prints the whole lines of `open`, and with `all` its rest as well.
fn print_lines(stream: usize, open: &mut Vec<u8>, mark: &str, all: bool) -> std::io::Result<()> {
    let mut text = Vec::new();
    while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
        text.extend_from_slice(mark.as_bytes());
        text.extend(open.drain(..=end));
    }
    if all && !open.is_empty() {
        text.extend_from_slice(mark.as_bytes());
        text.append(open);
        text.push(b'\n');
    }
    if text.is_empty() {
        return Ok(());
    }
    if stream == 0 {
        let mut out = std::io::stdout().lock();
        out.write_all(&text)?;
        out.flush()
    } else {
        std::io::stderr().write_all(&text)
    }
}

fn library(error: &LogError) -> CliError {
    let hint = error.hint();
    CliError::library(error, hint)
}

/// How a container is called before its lines: without the project's name.
pub(crate) fn label(project: &str, name: &str) -> String {
    let rest = name.strip_prefix(project).and_then(|rest| rest.strip_prefix(['-', '_']));
    rest.unwrap_or(name).to_owned()
}

/// Whether names are coloured, as `--ansi`, the terminal and the flag have it.
pub(crate) fn colour(app: &crate::app::App, off: bool) -> bool {
    let given = app.compose.ansi.as_deref();
    let ansi = given.or_else(|| app.settings.environment.get("COMPOSE_ANSI")).unwrap_or("auto");
    !off && match ansi {
        "always" => true,
        "never" => false,
        _ => {
            crate::ui::Ui::stdout_is_terminal()
                && app.settings.environment.get("NO_COLOR").is_none()
        }
    }
}
