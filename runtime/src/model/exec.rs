//! What is asked of a process that starts in a container: a further one, and its streams.

use serde::{Deserialize, Serialize};

/// Which streams the command that starts a process wants from its first byte on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Columns and rows of the terminal there; `None` for what the container was made with.
    pub size: Option<(u16, u16)>,
}

impl Attach {
    /// Whether it wants any.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.stdin || self.stdout || self.stderr
    }
}

/// A further process of a running container.
#[derive(Clone, Debug, Default)]
pub struct ExecRequest {
    pub argv: Vec<String>,
    /// Added to the container's environment.
    pub env: Vec<String>,
    /// Empty means the container's.
    pub user: String,
    /// Empty means the container's.
    pub working_dir: String,
    pub tty: bool,
    pub privileged: bool,
    pub attach: Attach,
}
