//! What objects look like to their user: found, filtered, listed, inspected, measured.
//!
//! The command line prints it, the Engine API sends it: neither asks engine and store by itself.
//! Everything here only reads. It takes a [`Home`](coracle_runtime::Home), never a terminal or an
//! environment, and the moment it is asked at as [`Now`]: there is no clock.

mod any;
mod api;
pub mod build_cache;
pub mod container;
mod document;
mod error;
pub mod event;
pub mod filter;
pub mod image;
mod named;
pub mod network;
pub mod node;
mod now;
pub mod secret;
pub mod service;
mod swarm;
pub mod system;
pub mod task;
pub mod volume;

pub use any::{Found, find_any};
pub use api::{Api, FOLLOWED, InvalidApi, NEWEST, OLDEST, spoken};
pub use document::value_of;
pub use error::{Object, ViewError};
pub use named::{names_of, without_tag};
pub use now::Now;
