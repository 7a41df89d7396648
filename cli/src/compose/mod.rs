//! `compose`: the border with `coracle-compose`.
//!
//! `globals` are the options before the subcommand, `verbs` the commands. A command asks `project`
//! for the project and `images` for its images, and has `doing` carry out what is to be done.
//! What `screen` prints to people goes to standard error, as everywhere; log lines look as Docker
//! Compose's (`time="…" level=warning msg="…"`).

pub(crate) mod doing;
pub(crate) mod globals;
mod images;
pub(crate) mod outside;
pub(crate) mod project;
pub(crate) mod screen;
pub(crate) mod verbs;

pub(crate) use globals::ComposeGlobals;

/// Leaves the progress on a terminal as it is: something else comes, or the end.
pub(crate) fn settle() {
    screen::board::settle();
}
