//! Tests of the store, of unpacking and of archives through the public interface.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "this is test code")]

mod adopt;
mod archives;
mod artifact;
mod fixtures;
mod store;
mod support;
mod unpack;
