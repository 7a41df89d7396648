//! What happened: a line of JSON for each event, appended to one file.
//!
//! # How it works
//!
//! There is no daemon to tell, so whoever does something appends one line with a single
//! `write(2)`, which the kernel does not mix with others'. A reader sees history and, if it
//! follows, what is appended later. Lines have the form of Docker's API.
//!
//! # Limits
//!
//! Past [`EVENTS_BYTES_MAX`] the file becomes `events.jsonl.1` and a new one begins, so at
//! least that much history is kept. An event that cannot be written is lost: nothing that a
//! user asked for should fail because of it.

mod event;
mod filter;
mod read;
mod write;

pub use event::{Actor, Event, Kind};
pub use filter::{Filter, InvalidFilter};
pub use read::{ReadError, Span};
pub use write::{EVENTS_BYTES_MAX, Events};
