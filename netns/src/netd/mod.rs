//! The network helper: one process per user, for as long as a container is on a network.
//!
//! # How it works
//!
//! It has two threads. The first stays in the host's network namespace and does everything in
//! one loop ([`run`]); the second ([`crate::maker`]) lives in the *hub*, the namespace where
//! the bridges are, and makes sockets there. What a container sends to the outside leaves the
//! hub by one device, whose far end (the *wire*) is a packet socket of ours in a third
//! namespace where nothing else is. No TUN device is needed.
//!
//! The hub is pinned by a mount in the helper's folder: if the helper is killed, containers go
//! on talking to each other, and the next helper takes it over.
//!
//! # Not here
//!
//! Nothing is written to disk, and nothing of the host's network is changed.

mod attach;
mod balance;
mod clients;
mod end;
mod isolate;
mod members;
mod names;
mod ports;
mod requests;
mod run;
mod services;
mod setup;
mod stream;

pub use setup::{Settings, main};
