//! Networks: their records, what containers ask of them and got, and the way to the helper
//! that makes them (`netd`).
//!
//! # Limits
//!
//! A network is a bridge of the helper's; `overlay` is one too, because there is one machine. One
//! that is a swarm's has an id as swarms make them, a block of the swarm's pool, and lets in tasks.
//! Nothing here touches devices: that is done by the helper, asked through [`helper`].

mod endpoint;
mod error;
mod filter;
mod hand_over;
mod helper;
mod links;
mod low_ports;
mod options;
mod pools;
mod ports;
mod record;
mod request;
mod state;
mod store;

pub use coracle_netns::balance;
pub use coracle_netns::prefix::Prefix;
pub use endpoint::dns_names;
pub(crate) use endpoint::{check_endpoint, for_connect};
pub use error::{NetworkError, User};
pub use filter::Filter;
pub(crate) use hand_over::{Handed, Waiting, hand_over};
pub(crate) use helper::{Helper, HelperError};
pub use helper::{NETD_ARGV0, main as helper_main};
pub use links::names_by_links;
pub(crate) use links::{Link, check as check_links, resolve as resolve_links};
pub use low_ports::first_free_port;
pub(crate) use low_ports::{hint_for_host, notes as low_port_notes, raise as raise_low_ports};
pub(crate) use options::host_binding;
pub(crate) use ports::{as_map, wanted};
pub use record::{BRIDGE, Ipam, IpamConfig, Member, Network, NetworkInspect};
pub use request::{CreateNetwork, OVERLAY, SwarmNetwork};
pub use store::{Networks, NetworksLock};

#[cfg(test)]
pub(crate) use helper::tests::scripted;
