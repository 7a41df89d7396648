//! `compose`: its options, its commands (one file each), and the border with `coracle-compose`.
//!
//! A command asks [`project::load`] for the project. What it prints to people goes to standard
//! error, as everywhere; log lines look as Docker Compose's (`time="…" level=warning msg="…"`).

mod doing;
pub(crate) mod globals;
mod images;
pub(crate) mod project;
mod screen;
pub(crate) mod verbs;

pub(crate) use globals::ComposeGlobals;

/// Leaves the progress on a terminal as it is: something else comes, or the end.
pub(crate) fn settle() {
    screen::board::settle();
}
