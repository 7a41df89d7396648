//! What a build takes from elsewhere: files and archives of web servers, git repositories, secrets and agents of the
//! caller.
//!
//! # How it works
//!
//! Addresses are read by pure code with BuildKit's rules and words: [`git_url::GitUrl`], [`http::file_name`].
//! [`http::fetch`] and [`git::resolve`] with [`git::checkout`] do the work. They wait for the network, and HTTP needs
//! threads (names are looked up by one), so they belong into a child: [`apart`] forks one and brings back the result.
//! What was fetched stays in a [`Cache`] with a bound.
//!
//! # Not here
//!
//! Nothing is unpacked, and nobody's environment is read.

mod apart;
mod cache;
mod error;
pub mod git;
pub mod git_url;
pub mod http;
pub mod secrets;
pub mod ssh;
mod url;

pub use apart::apart;
pub use cache::Cache;
pub use error::SourceError;
