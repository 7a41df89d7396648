//! The name server of containers: answers from a table, the rest from elsewhere.
//!
//! No socket and no clock in here: bytes and the time come in, [`Action`]s go out, and whoever
//! owns the sockets carries them out. [`Server`] is the way in.

mod answer;
mod forward;
mod limits;
mod message;
mod names;
mod resolv_conf;
mod server;
mod services;
mod terms;
#[cfg(test)]
mod tests;

pub use forward::Action;
pub use names::{Endpoint, Member, Network};
pub use resolv_conf::Resolvers;
pub use server::Server;
pub use services::Services;
pub use terms::Transport;
