//! `build`.

mod builder;
mod contexts;
mod corpus;
mod flags;
mod hostile;
mod progress;
mod secrets;
mod sources;
mod steps;
