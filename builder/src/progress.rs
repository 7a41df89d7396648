//! What happens in a build, as data: whoever shows it decides how.
//!
//! The terms are BuildKit's: a *vertex* is a line of work with a name, a *status* a counter below it.

use std::time::SystemTime;

/// Number of a vertex within a call, from 0, in the order in which they were told of.
pub type Vertex = usize;

#[derive(Debug, Clone)]
pub enum Event {
    /// A line of work is known; it has not begun.
    Known {
        vertex: Vertex,
        name: String,
    },
    Started {
        vertex: Vertex,
        at: SystemTime,
    },
    /// It was done before.
    Cached {
        vertex: Vertex,
        at: SystemTime,
    },
    /// `error`: why it failed.
    Completed {
        vertex: Vertex,
        at: SystemTime,
        error: Option<String>,
    },
    /// A counter below it: `transferring context: 36B`.
    Status(Status),
    /// What a command wrote: 1 is standard output, 2 standard error.
    Log {
        vertex: Vertex,
        stream: u8,
        bytes: Vec<u8>,
        at: SystemTime,
    },
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

/// Hears what happens.
pub trait Progress {
    fn tell(&mut self, event: Event);
}
