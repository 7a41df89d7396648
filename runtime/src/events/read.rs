//! Reads events: what happened, and what happens from now on.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::write::older;
use super::{Event, Events, Filter, Kind};
use crate::identity::{identity, identity_at, open_for_read};
use crate::model::Timestamp;
use crate::watch::Watch;

/// Longest wait without looking, as a guard against a lost notification.
const IDLE_WAIT: Duration = Duration::from_secs(5);

/// Why events cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the events in {path}")]
pub struct ReadError {
    path: PathBuf,
    source: io::Error,
}

/// From when to when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// `None`: only what happens from now on.
    pub since: Option<Timestamp>,
    /// `None`: without an end. A time to come is waited for.
    pub until: Option<Timestamp>,
}

impl Events {
    /// Gives the events in `span` that pass `filter` to `sink`, until it breaks.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(
        &self,
        span: Span,
        filter: &Filter,
        sink: &mut dyn FnMut(&Event) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let owner = self.owner.as_deref();
        let mut reader = Reader { span, filter, owner, sink, partial: Vec::new() };
        let result = reader.read_all(&self.path).map(drop);
        result.map_err(|source| ReadError { path: self.path.clone(), source })
    }
}

struct Reader<'a> {
    span: Span,
    filter: &'a Filter,
    owner: Option<&'a str>,
    sink: &'a mut dyn FnMut(&Event) -> ControlFlow<()>,
    /// Start of a line whose end was not there yet.
    partial: Vec<u8>,
}

impl Reader<'_> {
    fn read_all(&mut self, path: &Path) -> io::Result<ControlFlow<()>> {
        // Before the first look, or a change between the two would be missed.
        let watch = Watch::new(path.parent().unwrap_or(Path::new(".")));
        let mut current = self.start(path)?;
        loop {
            if let Some(file) = &mut current
                && self.drain(file)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            if let Some(next) = replaced(path, current.as_ref())? {
                if let Some(file) = &mut current {
                    // The rest of what was written before the file was replaced.
                    if self.drain(file)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                self.partial.clear();
                current = Some(BufReader::new(next));
                continue;
            }
            let longest = match self.span.until {
                Some(until) => {
                    let left = (until.datetime() - crate::clock::now().datetime()).to_std();
                    left.unwrap_or(Duration::ZERO).min(IDLE_WAIT)
                }
                None => IDLE_WAIT,
            };
            if longest.is_zero() {
                return Ok(ControlFlow::Break(()));
            }
            watch.wait(longest)?;
        }
    }

    /// The file to begin with.
    fn start(&mut self, path: &Path) -> io::Result<Option<BufReader<File>>> {
        if self.span.since.is_some() {
            // The older file leads to the present one, unless there is none.
            let first = match open_for_read(&older(path))? {
                Some(file) => Some(file),
                None => open_for_read(path)?,
            };
            return Ok(first.map(BufReader::new));
        }
        let Some(mut file) = open_for_read(path)? else { return Ok(None) };
        file.seek(SeekFrom::End(0))?;
        Ok(Some(BufReader::new(file)))
    }

    /// Reads to the present end of `file`.
    fn drain(&mut self, file: &mut BufReader<File>) -> io::Result<ControlFlow<()>> {
        while file.read_until(b'\n', &mut self.partial)? > 0 {
            if self.partial.last() != Some(&b'\n') {
                break;
            }
            let event = event_of(&self.partial);
            self.partial.clear();
            // A damaged line tells nothing.
            let Some(mut event) = event else { continue };
            let of = event.owner.take();
            if self.owner.is_some() && of.as_deref() != self.owner && event.kind != Kind::Image {
                continue;
            }
            let moment = event.moment();
            let early = self.span.since.is_some_and(|since| moment < since);
            let late = self.span.until.is_some_and(|until| moment > until);
            if !early && !late && self.filter.matches(&event) && (self.sink)(&event).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The event of a line. One that was cut off has no end of line, so that what was appended
/// next stands behind it.
fn event_of(line: &[u8]) -> Option<Event> {
    let begins = |at: &usize| line[*at..].starts_with(b"{\"");
    let starts = (0..line.len()).filter(begins);
    starts.into_iter().find_map(|at| serde_json::from_slice(&line[at..]).ok())
}

/// The file at `path` if it is not `current`.
fn replaced(path: &Path, current: Option<&BufReader<File>>) -> io::Result<Option<File>> {
    let Some(current) = current else { return open_for_read(path) };
    if identity_at(path)? == Some(identity(current.get_ref())?) {
        return Ok(None);
    }
    open_for_read(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;

    use super::super::{Event, Events, Filter, Kind};
    use super::{Span, Timestamp};

    fn event(name: &str, second: u32) -> Event {
        let time = format!("2001-01-01T00:00:{second:02}Z").parse().unwrap();
        Event::new(Kind::Volume, "create", name, Default::default(), time)
    }

    fn moment(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn history_of_both_files() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("events.jsonl");
        let events = Events::new(path.clone());
        for (name, second) in [("a", 1), ("b", 2)] {
            events.record(&event(name, second));
        }
        fs::rename(&path, temp.path().join("events.jsonl.1")).unwrap();
        fs::write(&path, "damaged\n").unwrap();
        for (name, second) in [("c", 3), ("d", 4)] {
            events.record(&event(name, second));
        }
        let names = |since, until| {
            let mut found = String::new();
            let span = Span { since: moment(since), until: moment(until) };
            events
                .read(span, &Filter::default(), &mut |event| {
                    found.push_str(&event.actor.id);
                    ControlFlow::Continue(())
                })
                .unwrap();
            found
        };
        assert_eq!(names("2001-01-01T00:00:02Z", "2001-01-01T00:00:03Z"), "bc");
        assert_eq!(names("2001-01-01T00:00:05Z", "2001-01-01T00:00:09Z"), "");
    }

    #[test]
    fn following_sees_what_happens_across_a_rotation() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("events.jsonl");
        let events = Events::new(path.clone());
        events.record(&event("before", 1));
        let mut found = Vec::new();
        std::thread::scope(|scope| {
            let (begun, has_begun) = std::sync::mpsc::channel();
            let (events, path, old) = (&events, &path, temp.path().join("events.jsonl.1"));
            scope.spawn(move || {
                has_begun.recv().unwrap();
                events.record(&event("one", 2));
                fs::rename(path, old).unwrap();
                events.record(&event("two", 3));
            });
            let span = Span { since: moment("2000-01-01T00:00:00Z"), until: None };
            let filter = Filter::new([("type", "volume")]).unwrap();
            events
                .read(span, &filter, &mut |event| {
                    found.push(event.actor.id.clone());
                    begun.send(()).ok();
                    if event.actor.id == "two" {
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue(())
                })
                .unwrap();
        });
        assert_eq!(found, ["before", "one", "two"]);
    }

    #[test]
    fn without_a_start_there_is_no_history() {
        let temp = tempfile::tempdir().unwrap();
        let events = Events::new(temp.path().join("events.jsonl"));
        events.record(&event("before", 1));
        let span = Span { since: None, until: moment("2001-01-01T00:00:00Z") };
        let mut count = 0;
        events
            .read(span, &Filter::default(), &mut |_| {
                count += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(count, 0);
    }
}
