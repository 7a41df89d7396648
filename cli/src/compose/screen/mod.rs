//! What a person sees: the board of progress, log lines, the documents of `config`.

pub(crate) mod board;
pub(crate) mod dry;
pub(crate) mod log;
pub(crate) mod output;
pub(crate) mod progress;
