//! The Docker Engine API on a unix socket, without a daemon behind it.
//!
//! # How it works
//!
//! [`serve`] is the service: it speaks HTTP, knows the routes, and decides nothing. For each request it executes
//! this program again ([`work`]): a process with one thread, which may enter the user's namespaces and fork, does
//! what was asked and ends. What it answers is what `view` says and what the engine did. So the service itself holds
//! no namespace, blocks on nothing, and outlives whatever goes wrong in a request.
//!
//! ```text
//! client ── HTTP ── service ──┬─ control (socket) ── worker ── engine, store, monitors
//!    └──────── hijacked ──────┼── the connection itself, handed over ──┘
//!                             └─ body of the answer (pipe) ◄──┘
//! ```
//!
//! # Limits
//!
//! No TCP listener, no TLS: whoever is elsewhere comes by ssh. No BuildKit protocol (`/session`, `/grpc`), no plugins.

mod answer;
mod body;
mod channel;
mod client;
mod error;
mod frames;
mod host;
mod json;
mod line;
mod relay;
mod request;
mod router;
mod routes;
mod serve;
mod steps;
mod version;
mod websocket;
mod worker;

pub use error::ApiError;
pub use host::{Host, Located};
pub use routes::exec::forget_execs;
pub use serve::{Service, serve};
pub use worker::work;

/// The name under which the executable does what one request asks for.
pub const WORKER_ARGV0: &str = "coracle-api";

/// The folder, below that of what runs, of the programs that were asked for with `exec`.
pub const EXEC_FOLDER: &str = "api-exec";
