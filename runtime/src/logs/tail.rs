//! Where the last lines of a log begin, found from the end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::entry::ends_line;

/// Bytes read at once.
const BLOCK_BYTES: u64 = 64 * 1024;
/// A line longer than this is damage; it is taken as it is.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// File and offset at which the last `wanted` lines begin. `files` go from the oldest to
/// the newest. Pieces of one long line count once.
pub(super) fn find(files: &[File], wanted: u64) -> io::Result<(usize, u64)> {
    let mut found = 0;
    let mut newest = true;
    for (index, file) in files.iter().enumerate().rev() {
        let mut lines = Backward::new(file)?;
        while let Some((line, end)) = lines.next()? {
            // The very last entry counts even if its line goes on.
            if newest || ends_line(&line) {
                found += 1;
            }
            newest = false;
            if found > wanted {
                return Ok((index, end));
            }
        }
    }
    Ok((0, 0))
}

/// The lines of a file, the last one first.
struct Backward<'a> {
    file: &'a File,
    /// Offset of `buffer` in the file.
    start: u64,
    /// What was read and not yet given.
    buffer: Vec<u8>,
}

impl<'a> Backward<'a> {
    fn new(file: &'a File) -> io::Result<Self> {
        let mut lines = Self { file, start: file.metadata()?.len(), buffer: Vec::new() };
        // A line still being written is not there yet.
        loop {
            if let Some(newline) = lines.buffer.iter().rposition(|byte| *byte == b'\n') {
                lines.buffer.truncate(newline + 1);
                return Ok(lines);
            }
            if !lines.read_more()? {
                lines.buffer.clear();
                return Ok(lines);
            }
        }
    }

    /// The line before the last one given, and the offset of its end.
    fn next(&mut self) -> io::Result<Option<(Vec<u8>, u64)>> {
        loop {
            let Some(last) = self.buffer.len().checked_sub(1) else {
                if self.read_more()? {
                    continue;
                }
                return Ok(None);
            };
            let newline = self.buffer[..last].iter().rposition(|byte| *byte == b'\n');
            let line_start = match newline {
                Some(newline) => newline + 1,
                None if self.buffer.len() < LINE_BYTES_MAX && self.read_more()? => continue,
                None => 0,
            };
            let end = self.start + u64::try_from(self.buffer.len()).unwrap_or(0);
            return Ok(Some((self.buffer.split_off(line_start), end)));
        }
    }

    /// Puts the block before the buffer in front of it; false at the start of the file.
    fn read_more(&mut self) -> io::Result<bool> {
        let length = self.start.min(BLOCK_BYTES);
        if length == 0 {
            return Ok(false);
        }
        let mut block = vec![0; usize::try_from(length).unwrap_or(0)];
        self.start -= length;
        self.file.read_exact_at(&mut block, self.start)?;
        block.append(&mut self.buffer);
        self.buffer = block;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::find;

    fn entry(text: &str) -> String {
        format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:54:10Z\"}}\n")
    }

    fn file(lines: &[&str]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for line in lines {
            file.write_all(entry(line).as_bytes()).unwrap();
        }
        file
    }

    #[test]
    fn counts_lines_across_files() {
        let files = [file(&["a\\n", "b\\n"]), file(&[]), file(&["c\\n", "d\\n"])];
        let length = u64::try_from(entry("a\\n").len()).unwrap();
        assert_eq!(find(&files, 0).unwrap(), (2, 2 * length));
        assert_eq!(find(&files, 1).unwrap(), (2, length));
        assert_eq!(find(&files, 2).unwrap(), (0, 2 * length));
        assert_eq!(find(&files, 3).unwrap(), (0, length));
        assert_eq!(find(&files, 4).unwrap(), (0, 0));
        assert_eq!(find(&files, 99).unwrap(), (0, 0));
        assert_eq!(find(&[], 3).unwrap(), (0, 0));
    }

    #[test]
    fn pieces_of_a_line_count_once() {
        let files = [file(&["a\\n", "b", "b", "b\\n", "c"])];
        let offset = |lines: &[&str]| -> u64 {
            lines.iter().map(|line| u64::try_from(entry(line).len()).unwrap()).sum()
        };
        assert_eq!(find(&files, 1).unwrap(), (0, offset(&["a\\n", "b", "b", "b\\n"])));
        assert_eq!(find(&files, 2).unwrap(), (0, offset(&["a\\n"])));
    }

    #[test]
    fn long_lines_span_blocks_and_half_a_line_is_not_there() {
        let long = "x".repeat(150_000) + "\\n";
        let mut half = file(&["a\\n", &long, "b\\n"]);
        half.write_all(b"{\"log\":\"not yet").unwrap();
        let first = u64::try_from(entry("a\\n").len()).unwrap();
        let second = first + u64::try_from(entry(&long).len()).unwrap();
        let files = [half];
        assert_eq!(find(&files, 0).unwrap(), (0, second + first));
        assert_eq!(find(&files, 1).unwrap(), (0, second));
        assert_eq!(find(&files, 2).unwrap(), (0, first));
        assert_eq!(find(&files, 3).unwrap(), (0, 0));
    }
}
