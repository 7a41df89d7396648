//! The hub: a network namespace with the bridges of a user's networks.
//!
//! # How it works
//!
//! ```text
//!   container        container             the helper
//!    eth0 |           eth0 |                 ^
//!  - - - -|- - - - - - - - |- - - - - - - - -|- - namespaces
//!   v1f.. |          v9c.. |                 |
//!      [br-a1b2, gateway address] --- "wire" + (void)
//! ```
//!
//! A container's device is one end of a pair whose other end is a port of its network's
//! bridge. The bridge has the gateway's address. Rules decide where a packet goes:
//!
//! | rule | packets | go to |
//! | --- | --- | --- |
//! | 0 | for an address of the hub's own | the hub |
//! | 10 | marked: of a connection that is ours already | the hub |
//! | 20 | from the wire, to a member | its bridge (`main`) |
//! | 21 | from the wire, to anyone else | the hub |
//! | 100 | from a bridge, with a source in its network | the wire, or refused if internal |
//! | 101 | from a bridge, with another source | lost |
//! | 32766 | of the hub itself | the bridges (`main`), or the wire |
//!
//! No packet of one network is ever routed to another. Settings of devices travel by netlink,
//! so that `/proc` may be missing or read-only; forwarding of IPv6 alone needs it.
//!
//! # Adoption
//!
//! The hub outlives the helper. What is there is found again: a bridge by its name, a
//! container's device by being one end of a pair, the endpoint's id in the label of the other.
//! Every function here can be called again when its work is done already or half done.

mod attach;
mod bridge;
mod container;
mod endpoint;
mod error;
mod existing;
mod introduce;
mod set_up;
mod vip;

pub use bridge::{bridge_mac, bridge_name};
pub use container::{WayOut, lead_out};
pub use endpoint::Endpoint;
pub use error::HubError;
pub use existing::{Found, free_interface};
pub use introduce::{
    Acquaintance, forget_others, introduce, introduce_through, part, tell_of_vips,
};
pub use set_up::{FAR_MAC, Hub, NEAR_MAC, WIRE, WIRE_MTU};

#[cfg(test)]
mod tests;
