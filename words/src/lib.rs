//! Words: the text forms that users and files have for things, each parsed once and printed once.
//!
//! Templates, sizes, ages, durations, moments, ports. Pure: no file, no environment, no clock, nothing
//! of ours below it.

pub mod age;
mod detach_keys;
pub mod duration;
mod kind;
mod label;
mod layout;
pub mod moment;
mod natural;
mod pairs;
pub mod port;
mod shorten;
pub mod size;
pub mod strconv;
pub mod template;
mod time;

pub use detach_keys::{BadKeys, DetachKeys};
pub use kind::ErrorKind;
pub use label::has_label;
pub use natural::natural;
pub use pairs::{pair, pairs};
pub use shorten::shorten;
pub use time::{ParseTimestampError, Timestamp};
