//! `build`.

mod builder;
mod caches;
mod changing;
mod contexts;
mod corpus;
mod flags;
mod hostile;
mod lasting;
mod outputs;
mod progress;
mod recorded;
mod secrets;
mod sources;
mod steps;
