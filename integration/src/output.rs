//! What a finished command said, and the ways a test looks at it.

use std::fmt;

use crate::redact::Redactor;

/// Exit status, standard output and standard error of one command.
#[derive(Debug, Clone)]
pub struct Output {
    pub(crate) command: String,
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) redactor: Redactor,
}

impl Output {
    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// Fails the test unless the command ended with `expected` (128 + n for signal n).
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "exit status of `{}`\n{self}", self.command);
        self
    }

    /// Fails the test unless standard output is exactly `expected`, ids and paths rewritten.
    #[track_caller]
    pub fn stdout_is(self, expected: &str) -> Self {
        assert_eq!(
            self.redactor.apply(&self.stdout()),
            expected,
            "stdout of `{}`\n{self}",
            self.command
        );
        self
    }

    /// Fails the test unless standard error is exactly `expected`, ids and paths rewritten.
    #[track_caller]
    pub fn stderr_is(self, expected: &str) -> Self {
        assert_eq!(
            self.redactor.apply(&self.stderr()),
            expected,
            "stderr of `{}`\n{self}",
            self.command
        );
        self
    }

    /// Fails the test unless standard output contains `part`.
    #[track_caller]
    pub fn stdout_has(self, part: &str) -> Self {
        assert!(
            self.stdout().contains(part),
            "`{part}` is not in stdout of `{}`\n{self}",
            self.command
        );
        self
    }

    /// Fails the test unless standard error contains `part`.
    #[track_caller]
    pub fn stderr_has(self, part: &str) -> Self {
        assert!(
            self.stderr().contains(part),
            "`{part}` is not in stderr of `{}`\n{self}",
            self.command
        );
        self
    }

    /// The exit status.
    pub fn status(&self) -> i32 {
        self.code
    }

    /// Standard output as text.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output without the final newline: an id, a name, a number.
    #[track_caller]
    pub fn line(&self) -> String {
        let text = self.stdout();
        let line = text.trim_end_matches('\n');
        assert!(!line.contains('\n'), "one line expected from `{}`\n{self}", self.command);
        line.to_owned()
    }

    /// Standard output as lines.
    pub fn lines(&self) -> Vec<String> {
        self.stdout().lines().map(str::to_owned).collect()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error} in\n{self}"))
    }
}

impl fmt::Display for Output {
    /// The form for snapshots: ids, times and paths rewritten.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit: {}", self.code)?;
        writeln!(f, "----- stdout -----")?;
        f.write_str(&self.redactor.apply(&self.stdout()))?;
        writeln!(f, "----- stderr -----")?;
        f.write_str(&self.redactor.apply(&self.stderr()))
    }
}
