//! The project that a command is about: its files read, its containers found, its services chosen.

pub(crate) mod load;
pub(crate) mod place;
pub(crate) mod scale;
pub(crate) mod target;
