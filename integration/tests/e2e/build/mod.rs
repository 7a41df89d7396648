//! `build`.

mod contexts;
mod corpus;
mod flags;
mod hostile;
mod secrets;
mod sources;
mod steps;
