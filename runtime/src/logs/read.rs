//! Reads a log, and follows it while the container runs.
//!
//! # How it works
//!
//! All files are opened first, so that a rotation meanwhile takes nothing away. Following,
//! the reader keeps the current file open; when another file has its name, it reads the old
//! one to its end and goes on with the next. If it was too slow and several rotations came
//! between, the times of entries say where it was.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Driver, Entry, LogError, files, tail};
use crate::identity::{identity, identity_at, open_for_read};
use crate::model::{Container, Timestamp};
use crate::paths::Paths;
use crate::watch::Watch;

/// Bytes read at once.
const CHUNK_BYTES: usize = 32 * 1024;
/// A line longer than this is damage and skipped.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Time between looks at whether the container runs, when nothing happens.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// What to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Only the last lines, counted before the times are looked at; `None`: all.
    pub tail: Option<u64>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Reads `--tail`; as in Docker, what is no number means all.
#[must_use]
pub fn parse_tail(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// How to follow a log.
pub struct Follow<'a> {
    /// Whether more output can come. Asked when there is nothing more to read; a change of
    /// a file beside the log makes it be asked at once.
    pub is_running: &'a mut dyn FnMut() -> bool,
}

impl std::fmt::Debug for Follow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Follow")
    }
}

/// Gives the entries of the log at `path` to `sink`, in order, until it breaks.
///
/// With `follow` it goes on until the container ended and everything was read. A log that
/// does not exist is empty.
///
/// # Errors
/// When the driver keeps nothing, or a file cannot be read.
pub fn read(
    path: &Path,
    driver: Driver,
    options: &ReadOptions,
    follow: Option<Follow<'_>>,
    sink: &mut dyn FnMut(&Entry) -> ControlFlow<()>,
) -> Result<(), LogError> {
    if driver == Driver::None {
        return Err(LogError::NotReadable);
    }
    // Before the first look, or a change between the two would be missed.
    let watch = follow.is_some().then(|| Watch::new(path.parent().unwrap_or(Path::new("."))));
    let mut reader =
        Reader { path, options, sink, partial: Vec::new(), last: None, catching_up: false };
    let result = match reader.read_all() {
        Ok(ControlFlow::Continue(current)) => match (follow, watch) {
            (Some(follow), Some(watch)) => reader.follow(current, follow, &watch).map(drop),
            _ => Ok(()),
        },
        Ok(ControlFlow::Break(())) => Ok(()),
        Err(error) => Err(error),
    };
    result.map_err(|source| LogError::Read { path: path.to_owned(), source })
}

/// A log that is read piece by piece, by whoever follows several at once.
#[derive(Debug)]
pub struct Steps {
    path: PathBuf,
    options: ReadOptions,
    /// `None` before the first step.
    place: Option<Place>,
}

/// Where a reader is.
#[derive(Debug, Default)]
struct Place {
    current: Option<File>,
    partial: Vec<u8>,
    last: Option<Timestamp>,
}

impl Steps {
    /// # Errors
    /// When the driver keeps nothing.
    pub fn new(path: &Path, driver: Driver, options: ReadOptions) -> Result<Self, LogError> {
        if driver == Driver::None {
            return Err(LogError::NotReadable);
        }
        Ok(Self { path: path.to_owned(), options, place: None })
    }

    /// The log of a container.
    ///
    /// # Errors
    /// When its driver keeps nothing.
    pub fn of(
        paths: &Paths,
        container: &Container,
        options: ReadOptions,
    ) -> Result<Self, LogError> {
        let driver = Driver::parse(&container.host_config.log_config.driver)?;
        Self::new(&paths.log(&container.id), driver, options)
    }

    /// Gives everything that was written since the last step.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn next(&mut self, sink: &mut dyn FnMut(&Entry)) -> Result<(), LogError> {
        let Self { path, options, place } = self;
        let failed = |source| LogError::Read { path: path.clone(), source };
        let mut sink = |entry: &Entry| {
            sink(entry);
            ControlFlow::Continue(())
        };
        let (first, Place { mut current, partial, last }) =
            (place.is_none(), place.take().unwrap_or_default());
        let mut reader =
            Reader { path, options, sink: &mut sink, partial, last, catching_up: false };
        let result = if first { reader.read_all() } else { reader.catch_up(&mut current) };
        let (partial, last) = (reader.partial, reader.last);
        if let ControlFlow::Continue(Some(file)) = result.map_err(failed)? {
            current = Some(file);
        }
        *place = Some(Place { current, partial, last });
        Ok(())
    }
}

struct Reader<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    sink: &'a mut dyn FnMut(&Entry) -> ControlFlow<()>,
    /// Start of a line whose end was not there yet.
    partial: Vec<u8>,
    /// Time of the last entry seen.
    last: Option<Timestamp>,
    /// Entries up to `last` are skipped.
    catching_up: bool,
}

/// An early end, or the current file read to its end.
type Progress<T> = io::Result<ControlFlow<(), T>>;

impl Reader<'_> {
    fn read_all(&mut self) -> Progress<Option<File>> {
        let files::Snapshot { mut files, uncertain } = files::open_all(self.path)?;
        let (first, offset) = match self.options.tail {
            Some(wanted) => tail::find(&files, wanted)?,
            None => (0, 0),
        };
        if let Some(file) = files.get_mut(first) {
            file.seek(SeekFrom::Start(offset))?;
        }
        self.catching_up = uncertain;
        let result = self.read_files(files.into_iter().skip(first));
        self.catching_up = false;
        result
    }

    /// Reads each file to its end and gives back the last one.
    fn read_files(&mut self, files: impl Iterator<Item = File>) -> Progress<Option<File>> {
        let mut current = None;
        for mut file in files {
            self.partial.clear();
            if self.drain(&mut file)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            current = Some(file);
        }
        Ok(ControlFlow::Continue(current))
    }

    fn follow(
        &mut self,
        mut current: Option<File>,
        follow: Follow<'_>,
        watch: &Watch,
    ) -> Progress<()> {
        loop {
            // Asked before reading: what was written before the end is then seen.
            let running = (follow.is_running)();
            if let Some(file) = &mut current
                && self.drain(file)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            if self.is_replaced(current.as_ref())? {
                match self.next_file(current)? {
                    ControlFlow::Continue(next) => current = next,
                    ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
                }
                continue;
            }
            let longest = match self.options.until {
                Some(until) => {
                    let left = (until.datetime() - crate::clock::now().datetime()).to_std();
                    left.unwrap_or(Duration::ZERO).min(IDLE_WAIT)
                }
                None => IDLE_WAIT,
            };
            if !running || longest.is_zero() {
                return Ok(ControlFlow::Break(()));
            }
            watch.wait(longest)?;
        }
    }

    /// Reads what came since, through rotations.
    fn catch_up(&mut self, current: &mut Option<File>) -> Progress<Option<File>> {
        loop {
            if let Some(file) = current.as_mut()
                && self.drain(file)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            if !self.is_replaced(current.as_ref())? {
                return Ok(ControlFlow::Continue(current.take()));
            }
            match self.next_file(current.take())? {
                ControlFlow::Continue(next) => *current = next,
                ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
            }
        }
    }

    /// Whether the log's name leads to another file than `current`.
    fn is_replaced(&self, current: Option<&File>) -> io::Result<bool> {
        let Some(named) = identity_at(self.path)? else { return Ok(false) };
        Ok(match current {
            Some(file) => identity(file)? != named,
            None => true,
        })
    }

    /// Reads what came after `old`; the writer has let go of it.
    fn next_file(&mut self, old: Option<File>) -> Progress<Option<File>> {
        if let Some(mut old) = old {
            if self.drain(&mut old)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let ours = Some(identity(&old)?);
            let newest_rotated = files::rotated(self.path, 1);
            if identity_at(&newest_rotated)? == ours {
                let next = open_for_read(self.path)?;
                // Unless it was rotated again meanwhile, that is the file after ours.
                if identity_at(&newest_rotated)? == ours {
                    return self.read_files(next.into_iter());
                }
            }
        }
        let files = files::open_all(self.path)?.files;
        self.catching_up = true;
        let result = self.read_files(files.into_iter());
        self.catching_up = false;
        result
    }

    /// Reads to the present end of `file`.
    fn drain(&mut self, file: &mut File) -> Progress<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = match file.read(&mut chunk) {
                Ok(0) => return Ok(ControlFlow::Continue(())),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut rest = &chunk[..length];
            while let Some(newline) = rest.iter().position(|byte| *byte == b'\n') {
                let (line, tail) = rest.split_at(newline + 1);
                rest = tail;
                let flow = if self.partial.is_empty() {
                    self.take(line)
                } else {
                    self.partial.extend_from_slice(line);
                    let whole = std::mem::take(&mut self.partial);
                    self.take(&whole)
                };
                if flow.is_break() {
                    return Ok(flow);
                }
            }
            if self.partial.len() < LINE_BYTES_MAX {
                self.partial.extend_from_slice(rest);
            }
        }
    }

    /// Passes a line on if it is wanted.
    fn take(&mut self, line: &[u8]) -> ControlFlow<()> {
        let Some(entry) = Entry::decode(line) else { return ControlFlow::Continue(()) };
        if self.catching_up && self.last.is_some_and(|last| entry.time <= last) {
            return ControlFlow::Continue(());
        }
        self.last = Some(entry.time);
        if self.options.until.is_some_and(|until| entry.time > until) {
            return ControlFlow::Break(());
        }
        if self.options.since.is_some_and(|since| entry.time < since) {
            return ControlFlow::Continue(());
        }
        (self.sink)(&entry)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::super::{LogWriter, Plan, Stream};
    use super::{Driver, Follow, ReadOptions, Steps, parse_tail, read};
    use crate::model::Timestamp;

    fn line(text: &str, second: u32) -> String {
        let text = text.replace('\n', "\\n");
        format!(
            "{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:54:{second:02}Z\"}}\n"
        )
    }

    fn texts(path: &Path, options: &ReadOptions) -> String {
        let mut found = String::new();
        read(path, Driver::JsonFile, options, None, &mut |entry| {
            found.push_str(&entry.text);
            ControlFlow::Continue(())
        })
        .unwrap();
        found
    }

    fn at(second: u32) -> Option<Timestamp> {
        Some(format!("2026-11-20T23:54:{second:02}Z").parse().unwrap())
    }

    #[test]
    fn all_files_in_order_and_damage_skipped() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        fs::write(temp.path().join("log.2"), line("a\n", 1)).unwrap();
        fs::write(temp.path().join("log.1"), line("b", 2) + "damage\n" + &line("c\n", 3)).unwrap();
        fs::write(&path, line("d\n", 4) + "{\"log\":\"not yet").unwrap();
        assert_eq!(texts(&path, &ReadOptions::default()), "a\nbc\nd\n");
        let tail = |wanted| texts(&path, &ReadOptions { tail: Some(wanted), ..Default::default() });
        assert_eq!(tail(0), "");
        assert_eq!(tail(2), "bc\nd\n");
        assert_eq!(tail(9), "a\nbc\nd\n");
    }

    #[test]
    fn both_ends_of_a_span_belong_to_it() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        fs::write(&path, line("a\n", 1) + &line("b\n", 2) + &line("c\n", 3)).unwrap();
        let span = |since, until| texts(&path, &ReadOptions { tail: None, since, until });
        assert_eq!(span(at(2), None), "b\nc\n");
        assert_eq!(span(None, at(2)), "a\nb\n");
        assert_eq!(span(at(2), at(2)), "b\n");
        assert_eq!(span(at(4), None), "");
        let tail_then_since = ReadOptions { tail: Some(1), since: at(2), until: None };
        assert_eq!(texts(&path, &tail_then_since), "c\n");
    }

    #[test]
    fn no_log_is_an_empty_log_and_none_cannot_be_read() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        assert_eq!(texts(&path, &ReadOptions::default()), "");
        let options = ReadOptions::default();
        let error = read(&path, Driver::None, &options, None, &mut |_| ControlFlow::Break(()));
        assert_eq!(
            error.unwrap_err().to_string(),
            "configured logging driver does not support reading"
        );
    }

    #[test]
    fn piece_by_piece_through_a_rotation() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        let mut steps = Steps::new(&path, Driver::JsonFile, ReadOptions::default()).unwrap();
        let mut next = || {
            let mut found = String::new();
            steps.next(&mut |entry| found.push_str(&entry.text)).unwrap();
            found
        };
        assert_eq!(next(), "");
        fs::write(&path, line("a\n", 1)).unwrap();
        assert_eq!((next(), next()), ("a\n".to_owned(), String::new()));
        fs::write(&path, line("a\n", 1) + &line("b\n", 2)).unwrap();
        fs::rename(&path, temp.path().join("log.1")).unwrap();
        fs::write(&path, line("c\n", 3)).unwrap();
        assert_eq!(next(), "b\nc\n");
    }

    #[test]
    fn tails_as_typed() {
        assert_eq!(parse_tail("all"), None);
        assert_eq!(parse_tail("bogus"), None);
        assert_eq!(parse_tail("-1"), None);
        assert_eq!(parse_tail("12"), Some(12));
    }

    /// Follows a log that a writer with `plan` fills with numbered lines.
    fn follow_numbers(plan: &Plan, count: u32) -> Vec<String> {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        let running = AtomicBool::new(true);
        let mut found = Vec::new();
        std::thread::scope(|scope| {
            let (seen_one, one_seen) = mpsc::channel();
            let (path, running, temp) = (&path, &running, &temp);
            scope.spawn(move || {
                let mut writer = LogWriter::open(path, plan).unwrap();
                for number in 0..count {
                    let text = format!("{number}\n");
                    writer.write(Stream::Stdout, text.as_bytes(), crate::clock::now()).unwrap();
                    if number == 0 {
                        one_seen.recv().unwrap();
                    }
                }
                running.store(false, Ordering::SeqCst);
                // As the monitor does it: the state changes beside the log.
                fs::write(temp.path().join("state.json"), "").unwrap();
            });
            let mut is_running = || running.load(Ordering::SeqCst);
            let follow = Follow { is_running: &mut is_running };
            let options = ReadOptions::default();
            read(path, plan.driver, &options, Some(follow), &mut |entry| {
                found.push(entry.text.clone());
                seen_one.send(()).ok();
                ControlFlow::Continue(())
            })
            .unwrap();
        });
        found
    }

    fn numbers(count: u32) -> Vec<String> {
        (0..count).map(|number| format!("{number}\n")).collect()
    }

    #[test]
    fn following_ends_with_the_container() {
        let plan = Plan {
            driver: Driver::Local,
            max_bytes: None,
            max_files: 1,
            compress: false,
            attributes: Default::default(),
        };
        assert_eq!(follow_numbers(&plan, 500), numbers(500));
    }

    #[test]
    fn following_survives_rotations() {
        for compress in [false, true] {
            let plan = Plan {
                driver: Driver::JsonFile,
                max_bytes: Some(2000),
                // So many that none is dropped before the reader was there.
                max_files: 100,
                compress,
                attributes: Default::default(),
            };
            assert_eq!(follow_numbers(&plan, 1500), numbers(1500));
        }
    }

    #[test]
    fn following_stops_when_told_to() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        fs::write(&path, line("a\n", 1) + &line("b\n", 2)).unwrap();
        let mut is_running = || true;
        let follow = Follow { is_running: &mut is_running };
        let mut found = String::new();
        read(&path, Driver::JsonFile, &ReadOptions::default(), Some(follow), &mut |entry| {
            found.push_str(&entry.text);
            if found.len() == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
        assert_eq!(found, "a\nb\n");
        // A time that has passed ends it too.
        let mut is_running = || true;
        let follow = Follow { is_running: &mut is_running };
        let until = Some("2001-01-01T00:00:00Z".parse().unwrap());
        let options = ReadOptions { until, ..ReadOptions::default() };
        let absent = temp.path().join("absent");
        read(&absent, Driver::JsonFile, &options, Some(follow), &mut |_| ControlFlow::Break(()))
            .unwrap();
    }
}
