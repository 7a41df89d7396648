//! What happens in a build, as data: whoever shows it decides how.
//!
//! The terms are BuildKit's: a *vertex* is a line of work with a name, a *status* a counter below it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::check::Finding;

/// Number of a vertex within a call, from 0, in the order in which they were told of.
pub type Vertex = usize;

#[derive(Debug, Clone)]
pub enum Event {
    /// A line of work is known; it has not begun.
    Known {
        vertex: Vertex,
        name: String,
        /// What it needs, as far as that has been told of.
        inputs: Vec<Vertex>,
    },
    /// It may begin again after it was completed: then it is what it was, for longer.
    Started { vertex: Vertex, at: SystemTime },
    /// It was done before: begun and completed in one.
    Cached { vertex: Vertex, at: SystemTime },
    /// `error`: why it failed; [`CANCELED`] where another one failed or somebody interrupted.
    Completed { vertex: Vertex, at: SystemTime, error: Option<String> },
    /// A counter below it: `transferring context: 36B`.
    Status(Status),
    /// Something doubtful in the Dockerfile; belongs to the vertex that read it.
    Warning { vertex: Vertex, finding: Finding, source: Arc<Source> },
    /// What a command wrote: 1 is standard output, 2 standard error.
    Log { vertex: Vertex, stream: u8, bytes: Vec<u8>, at: SystemTime },
}

#[derive(Debug, Clone)]
pub struct Status {
    pub vertex: Vertex,
    /// `transferring context:`, `exporting layers`; unique below its vertex.
    pub id: String,
    pub current: u64,
    /// 0 when nobody knows.
    pub total: u64,
    pub started: SystemTime,
    pub completed: Option<SystemTime>,
}

/// A Dockerfile that was read.
#[derive(Debug)]
pub struct Source {
    /// As messages call it.
    pub path: String,
    pub text: String,
}

/// The error of a vertex that was given up.
pub const CANCELED: &str = "context canceled";

/// How often [`Progress::tick`] is called while something is waited for.
pub const TICK: Duration = Duration::from_millis(100);

/// Hears what happens.
pub trait Progress {
    fn tell(&mut self, event: Event);

    /// Time has passed: what goes on has gone on for longer.
    fn tick(&mut self) {}
}
