//! Writes a container's output to its log.
//!
//! # How it works
//!
//! Runs in the monitor. One call of [`LogWriter::write`] ends in one `write(2)`, unless the
//! file is rotated in between. Times of entries strictly increase, so that a reader that
//! lost its place during a rotation finds it again.
//!
//! # Limits
//!
//! Holds at most a line of 16 KiB per stream and some 100 KiB of entries for a moment. When
//! the disk is full, entries are dropped and counted, and the file never ends in half an
//! entry; the container goes on. Once there is room again, an entry of ours says how much is
//! missing at that place. With compression, rotating a file holds up the container
//! until it is compressed: about 10 ms per megabyte.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::entry::{Encoder, Stream};
use super::split::Splitter;
use super::{Driver, LogError, Plan, files};
use crate::model::Timestamp;

/// Encoded entries are written out beyond this size.
const OUT_BYTES_MAX: usize = 32 * 1024;

/// Takes the output of one container.
#[derive(Debug)]
pub struct LogWriter {
    stdout: Splitter,
    stderr: Splitter,
    /// Not with the driver that keeps nothing.
    sink: Option<Sink>,
}

impl LogWriter {
    /// Opens the log at `path` and continues it if it exists.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, plan: &Plan) -> Result<Self, LogError> {
        let sink = match plan.driver {
            Driver::None => None,
            Driver::JsonFile | Driver::Local => Some(
                Sink::open(path, plan)
                    .map_err(|source| LogError::Open { path: path.to_owned(), source })?,
            ),
        };
        Ok(Self { stdout: Splitter::default(), stderr: Splitter::default(), sink })
    }

    /// Takes a piece of output that arrived at `now`.
    ///
    /// # Errors
    /// When output is lost. Only the first loss is reported, until one write succeeded; the
    /// writer can be used on.
    pub fn write(&mut self, stream: Stream, bytes: &[u8], now: Timestamp) -> Result<(), LogError> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let splitter = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        splitter.push(bytes, |text, ends| sink.append(text, ends, stream, now));
        sink.settle()
    }

    /// The output ended: writes what has no newline yet.
    ///
    /// # Errors
    /// As [`LogWriter::write`].
    pub fn finish(&mut self, now: Timestamp) -> Result<(), LogError> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        self.stdout.finish(|text, ends| sink.append(text, ends, Stream::Stdout, now));
        self.stderr.finish(|text, ends| sink.append(text, ends, Stream::Stderr, now));
        let settled = sink.settle();
        // There may be room again, and nothing comes any more that would tell of the loss.
        sink.tell_loss(now);
        sink.flush();
        settled
    }
}

/// The log file.
#[derive(Debug)]
struct Sink {
    path: PathBuf,
    file: File,
    /// Of the file, in bytes.
    size: u64,
    bytes_max: Option<u64>,
    files_max: u32,
    compress: bool,
    encoder: Encoder,
    /// Encoded and not yet written.
    out: Vec<u8>,
    /// Bytes of the container's output that `out` stands for.
    pending: u64,
    /// Time of the last entry.
    last: Timestamp,
    /// Output that could not be written and of which the log does not tell yet.
    loss: Option<Loss>,
    /// Nothing could be written since the last complaint.
    failing: bool,
    complaint: Option<LogError>,
}

/// Output that is missing in the log.
#[derive(Debug)]
struct Loss {
    bytes: u64,
    why: String,
}

impl Sink {
    fn open(path: &Path, plan: &Plan) -> io::Result<Self> {
        let mut file = files::open_for_append(path)?;
        let size = close_last_line(&mut file)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            size,
            bytes_max: plan.max_bytes,
            files_max: plan.max_files,
            compress: plan.compress,
            encoder: Encoder::new(&plan.attributes),
            out: Vec::new(),
            pending: 0,
            last: Timestamp::ZERO,
            loss: None,
            failing: false,
            complaint: None,
        })
    }

    fn append(&mut self, text: &[u8], ends_line: bool, stream: Stream, now: Timestamp) {
        if self.out.is_empty() {
            self.tell_loss(now);
        }
        self.encode(text, ends_line, stream, now);
        let bytes = text.len() + usize::from(ends_line);
        self.pending += u64::try_from(bytes).unwrap_or(0);
        let pending = u64::try_from(self.out.len()).unwrap_or(u64::MAX);
        if self.bytes_max.is_some_and(|max| self.size + pending >= max) {
            self.flush();
            self.rotate();
        } else if self.out.len() >= OUT_BYTES_MAX {
            self.flush();
        }
    }

    fn encode(&mut self, text: &[u8], ends_line: bool, stream: Stream, now: Timestamp) {
        let next = self.last.datetime() + chrono::Duration::nanoseconds(1);
        self.last = now.max(next.into());
        self.encoder.encode(&mut self.out, (text, ends_line), stream, self.last);
    }

    /// Says what is missing before what comes next. If that cannot be written either, the loss
    /// is told later.
    fn tell_loss(&mut self, now: Timestamp) {
        if let Some(Loss { bytes, why }) = &self.loss {
            let text = format!("coracle: {bytes} bytes of output are missing here: {why}");
            self.encode(text.as_bytes(), true, Stream::Stderr, now);
        }
    }

    fn settle(&mut self) -> Result<(), LogError> {
        self.flush();
        // One long line should not cost memory for the rest of the container's life.
        self.out.shrink_to(OUT_BYTES_MAX);
        self.complaint.take().map_or(Ok(()), Err)
    }

    fn flush(&mut self) {
        if self.out.is_empty() {
            return;
        }
        match self.file.write_all(&self.out) {
            Ok(()) => {
                self.size += u64::try_from(self.out.len()).unwrap_or(0);
                self.failing = false;
                self.loss = None;
            }
            Err(source) => {
                // Half an entry would spoil the next one. If this fails too, readers
                // skip the damaged line.
                self.file.set_len(self.size).ok();
                let text = source.to_string();
                let why = text.split(" (os error").next().unwrap_or_default().to_owned();
                let before = self.loss.take().map_or(0, |loss| loss.bytes);
                self.loss = Some(Loss { bytes: before + self.pending, why });
                let path = self.path.clone();
                self.complain(LogError::Write { path, source });
            }
        }
        self.out.clear();
        self.pending = 0;
    }

    fn rotate(&mut self) {
        if self.bytes_max.is_none_or(|max| self.size < max) {
            return;
        }
        let shifted = files::shift(&self.path, self.files_max)
            .and_then(|()| files::open_for_append(&self.path));
        match shifted {
            Ok(file) => {
                self.file = file;
                self.size = 0;
            }
            Err(source) => return self.complain_rotation(source),
        }
        if self.compress
            && let Err(source) = files::compress_newest(&self.path)
        {
            self.complain_rotation(source);
        }
    }

    fn complain_rotation(&mut self, source: io::Error) {
        let path = self.path.clone();
        self.complain(LogError::Rotate { path, source });
    }

    fn complain(&mut self, complaint: LogError) {
        if !self.failing {
            self.complaint = Some(complaint);
        }
        self.failing = true;
    }
}

/// Ends a line that a killed writer left unfinished; returns the size of the file.
fn close_last_line(file: &mut File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let Some(last) = size.checked_sub(1) else { return Ok(0) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    if byte == *b"\n" {
        return Ok(size);
    }
    // On a full disk the next entry joins the damaged line and is lost with it.
    Ok(if file.write_all(b"\n").is_ok() { size + 1 } else { size })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::Read;

    use super::{Driver, LogWriter, Plan, Stream};
    use crate::model::Timestamp;

    fn plan(max_bytes: Option<u64>, max_files: u32, compress: bool) -> Plan {
        let attributes = BTreeMap::new();
        Plan { driver: Driver::JsonFile, max_bytes, max_files, compress, attributes }
    }

    fn time() -> Timestamp {
        "2026-11-20T23:54:10.812431705Z".parse().unwrap()
    }

    #[test]
    fn streams_are_split_apart_and_a_log_is_continued() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        let mut writer = LogWriter::open(&path, &plan(None, 1, false)).unwrap();
        writer.write(Stream::Stdout, b"no ", time()).unwrap();
        writer.write(Stream::Stderr, b"two\n", time()).unwrap();
        writer.write(Stream::Stdout, b"newline\npart", time()).unwrap();
        writer.finish(time()).unwrap();
        drop(writer);
        let mut writer = LogWriter::open(&path, &plan(None, 1, false)).unwrap();
        writer.write(Stream::Stdout, b"again\n", time()).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            r#"{"log":"two\n","stream":"stderr","time":"2026-11-20T23:54:10.812431705Z"}
{"log":"no newline\n","stream":"stdout","time":"2026-11-20T23:54:10.812431706Z"}
{"log":"part","stream":"stdout","time":"2026-11-20T23:54:10.812431707Z"}
{"log":"again\n","stream":"stdout","time":"2026-11-20T23:54:10.812431705Z"}
"#
        );
    }

    /// Sizes of the files in a directory, by name.
    fn sizes(dir: &std::path::Path) -> Vec<(String, u64)> {
        let mut found: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn rotates_like_docker() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        let mut plan = plan(Some(1000), 2, false);
        plan.attributes = [("E1", "v"), ("tag", "l3/7ee1041ab64c"), ("team", "x")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        let mut writer = LogWriter::open(&path, &plan).unwrap();
        let lines: String = (1..=60).map(|number| format!("line {number}\n")).collect();
        writer.write(Stream::Stdout, lines.as_bytes(), time()).unwrap();
        // Eight entries of 131 or 132 bytes pass 1000 bytes; 60 is seven times eight and four.
        assert_eq!(sizes(temp.path()), [("log".to_owned(), 528), ("log.1".to_owned(), 1055)]);
    }

    #[test]
    fn a_single_file_starts_anew() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        let mut writer = LogWriter::open(&path, &plan(Some(100), 1, false)).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            writer.write(Stream::Stdout, line.as_bytes(), time()).unwrap();
        }
        assert_eq!(sizes(temp.path()).len(), 1);
        assert!(fs::read_to_string(&path).unwrap().starts_with(r#"{"log":"three\n""#));
    }

    #[test]
    fn rotated_files_are_compressed() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("log");
        let mut writer = LogWriter::open(&path, &plan(Some(70), 3, true)).unwrap();
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            writer.write(Stream::Stdout, line.as_bytes(), time()).unwrap();
        }
        let names: Vec<_> = sizes(temp.path()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["log", "log.1.gz", "log.2.gz"]);
        let file = fs::File::open(temp.path().join("log.2.gz")).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        assert!(text.starts_with(r#"{"log":"three\n""#), "{text}");
    }

    #[test]
    fn a_full_disk_is_said_once_and_what_is_missing_is_told_when_there_is_room() {
        let temp = tempfile::tempdir().unwrap();
        let plan = plan(None, 1, false);
        let mut writer = LogWriter::open(std::path::Path::new("/dev/full"), &plan).unwrap();
        let error = writer.write(Stream::Stdout, b"a\nb\n", time()).unwrap_err();
        assert_eq!(error.to_string(), "cannot write the log /dev/full; output is lost");
        writer.write(Stream::Stdout, b"c\n", time()).unwrap();
        let path = temp.path().join("log");
        writer.sink.as_mut().unwrap().file = super::files::open_for_append(&path).unwrap();
        writer.write(Stream::Stdout, b"d\n", time()).unwrap();
        writer.write(Stream::Stdout, b"e\n", time()).unwrap();
        let logged = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> =
            logged.lines().map(|line| line.split(",\"time").next().unwrap_or_default()).collect();
        assert_eq!(
            lines,
            [
                r#"{"log":"coracle: 6 bytes of output are missing here: No space left on device\n","stream":"stderr""#,
                r#"{"log":"d\n","stream":"stdout""#,
                r#"{"log":"e\n","stream":"stdout""#,
            ]
        );
    }

    #[test]
    fn what_is_missing_is_told_at_the_end_at_the_latest() {
        let temp = tempfile::tempdir().unwrap();
        let plan = plan(None, 1, false);
        let mut writer = LogWriter::open(std::path::Path::new("/dev/full"), &plan).unwrap();
        writer.write(Stream::Stdout, b"a\n", time()).unwrap_err();
        let path = temp.path().join("log");
        writer.sink.as_mut().unwrap().file = super::files::open_for_append(&path).unwrap();
        writer.finish(time()).unwrap();
        let logged = fs::read_to_string(&path).unwrap();
        assert!(
            logged.starts_with(r#"{"log":"coracle: 2 bytes of output are missing"#),
            "{logged}"
        );
        assert_eq!(logged.lines().count(), 1);
    }

    #[test]
    fn the_driver_none_keeps_nothing() {
        let plan = Plan { driver: Driver::None, ..plan(None, 1, false) };
        let temp = tempfile::tempdir().unwrap();
        let mut writer = LogWriter::open(&temp.path().join("log"), &plan).unwrap();
        writer.write(Stream::Stdout, b"a\n", time()).unwrap();
        writer.finish(time()).unwrap();
        assert_eq!(sizes(temp.path()), []);
    }
}
