//! The end of what a hook wrote, for the error that tells of it.

/// Bytes that are kept while it runs.
const KEPT_BYTES_MAX: usize = 16 * 1024;
/// Lines and bytes of an error.
const LINES_MAX: usize = 10;
const BYTES_MAX: usize = 2048;

/// The end of one stream, however much is written.
#[derive(Debug, Default)]
pub(super) struct Tail(String);

impl Tail {
    pub(super) fn add(&mut self, text: &str) {
        self.0.push_str(text);
        if self.0.len() > KEPT_BYTES_MAX {
            let from = boundary(&self.0, self.0.len() - KEPT_BYTES_MAX);
            self.0.drain(..from);
        }
    }
}

/// What an error says: the end of the errors, or else of the output.
pub(super) fn last_words(errors: &Tail, output: &Tail) -> String {
    match end_of(&errors.0) {
        words if words.is_empty() => end_of(&output.0),
        words => words,
    }
}

/// The last lines that say something, as a terminal shows them.
fn end_of(text: &str) -> String {
    // Progress is written over by what follows a carriage return.
    let lines = text.lines().map(|line| line.trim_end_matches('\r'));
    let lines = lines.map(|line| line.rsplit('\r').next().unwrap_or(line));
    let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES_MAX)..].join("\n");
    let last = last.trim();
    let from = boundary(last, last.len().saturating_sub(BYTES_MAX));
    last[from..].to_owned()
}

/// The first place from `at` on where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(text: &str) -> Tail {
        let mut tail = Tail::default();
        tail.add(text);
        tail
    }

    #[test]
    fn errors_count_more_than_output() {
        assert_eq!(last_words(&tail("bad\n"), &tail("step 1\n")), "bad");
        assert_eq!(last_words(&tail(" \n"), &tail("step 1\nstep 2")), "step 1\nstep 2");
        assert_eq!(last_words(&tail(""), &tail("")), "");
    }

    #[test]
    fn only_the_end_is_kept() {
        let many: String = (0..50).map(|number| format!("line {number}\r\n\n")).collect();
        let words = last_words(&tail(&many), &Tail::default());
        assert_eq!(words.lines().count(), 10);
        assert!(words.starts_with("line 40\n") && words.ends_with("line 49"));
        assert_eq!(end_of("10%\r50%\r100%\ndone"), "100%\ndone");
        let long = "ä".repeat(40_000);
        assert_eq!(last_words(&tail(&long), &Tail::default()), "ä".repeat(1024));
    }
}
