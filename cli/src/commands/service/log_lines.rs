//! Lines of the logs of several tasks, by the time they were written.

use std::collections::HashSet;

use coracle_runtime::Engine;
use coracle_runtime::engine::Summary;
use coracle_runtime::logs::{LogError, ReadOptions, Show, Steps, Stream};
use coracle_runtime::model::Timestamp;

use crate::error::CliError;

/// A line, ready to be printed.
#[derive(Debug)]
pub(super) struct LogLine {
    time: Timestamp,
    pub(super) stream: Stream,
    pub(super) text: Vec<u8>,
}

/// The logs of tasks' containers.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: HashSet<String>,
    sources: Vec<Source>,
    timestamps: bool,
    details: bool,
}

#[derive(Debug)]
struct Source {
    steps: Steps,
    mark: String,
    /// Of what is written to standard output, and to standard error.
    open: [Open; 2],
}

/// A line that has no end yet.
#[derive(Debug, Default)]
struct Open {
    show: Show,
    text: Vec<u8>,
}

impl Sources {
    pub(super) fn new(timestamps: bool, details: bool) -> Self {
        Self { timestamps, details, ..Self::default() }
    }

    /// Adds a container, unless it is known; `mark` stands before its lines.
    pub(super) fn add(
        &mut self,
        engine: &Engine,
        summary: &Summary,
        mark: &str,
        options: ReadOptions,
    ) -> Result<(), CliError> {
        if !self.known.insert(summary.container.id.clone()) {
            return Ok(());
        }
        let steps =
            engine.log_steps(&summary.container, options).map_err(|error| failed(&error))?;
        // The time stands before a name.
        let show = Show::new(self.timestamps && mark.is_empty(), self.details);
        let open = || Open { show: show.clone(), text: Vec::new() };
        self.sources.push(Source { steps, mark: mark.to_owned(), open: [open(), open()] });
        Ok(())
    }

    /// What was written since the last time.
    pub(super) fn lines(&mut self) -> Result<Vec<LogLine>, CliError> {
        let mut lines = Vec::new();
        for Source { steps, mark, open } in &mut self.sources {
            let read = steps.next(&mut |entry| {
                let Open { show, text } = &mut open[usize::from(entry.stream == Stream::Stderr)];
                if text.is_empty() && !mark.is_empty() {
                    if self.timestamps {
                        let time = coracle_words::moment::nine_digits(entry.time);
                        text.extend_from_slice(format!("{time} ").as_bytes());
                    }
                    text.extend_from_slice(mark.as_bytes());
                }
                show.append(text, entry);
                // A terminal's text has no lines to wait for.
                if mark.is_empty() || text.ends_with(b"\n") {
                    let text = std::mem::take(text);
                    lines.push(LogLine { time: entry.time, stream: entry.stream, text });
                }
            });
            read.map_err(|error| failed(&error))?;
        }
        lines.sort_by_key(|line| line.time);
        Ok(lines)
    }

    /// What has no end of line and gets none any more.
    pub(super) fn rest(&mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for source in &mut self.sources {
            for (stream, open) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut source.open)
            {
                if !open.text.is_empty() {
                    let text = std::mem::take(&mut open.text);
                    lines.push(LogLine { time: Timestamp::default(), stream, text });
                }
            }
        }
        lines
    }
}

fn failed(error: &LogError) -> CliError {
    CliError::library(error, error.hint())
}
