//! What a network helper (`netd`) and its clients say to each other.
//!
//! # How it works
//!
//! One `SOCK_SEQPACKET` connection per container: each message is one JSON value, each request
//! has one reply, in order. The first message is [`Request::Join`]; with it travel two
//! descriptors: the container's network namespace, and a route-netlink socket opened in it, so
//! that the helper needs no right to enter namespaces. What a connection got (addresses, names,
//! ports) lasts as long as the connection: when it closes, whatever the reason, all of it is
//! taken back. The helper keeps nothing on disk; after it died its clients join again and name
//! the addresses they had.
//!
//! A connection that never joins may ask for [`Request::Status`] and send a [`Request::Balance`].
//!
//! # Limits
//!
//! A message has at most [`MESSAGE_BYTES_MAX`] bytes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::prefix::Prefix;

/// More than a container with a hundred names and a thousand ports needs; less than the
/// kernel's default socket buffer.
pub const MESSAGE_BYTES_MAX: usize = 128 * 1024;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// First of all: who this is. Answered by [`Reply::Done`].
    Join(Join),
    /// Attach the namespace to a network. Answered by [`Reply::Connected`].
    Connect(Box<Connect>),
    /// Detach it from the network with this id. Answered by [`Reply::Done`].
    Disconnect { network: String },
    /// The container has other names on the network with this id from now on, as after
    /// `rename`. Answered by [`Reply::Done`].
    Names { network: String, names: Vec<String> },
    /// Publish these ports, all or none. Answered by [`Reply::Published`].
    Publish { ports: Vec<Port> },
    /// Take everything back: addresses, names and ports are others' when the answer comes.
    /// Answered by [`Reply::Done`].
    Leave,
    /// Somebody removed the folder: take other clients at this door from now on. With it travel
    /// a listening socket and the lock. Answered by [`Reply::Done`].
    Door,
    /// What a swarm wants from now on, all of it. With it travels a descriptor of a file that
    /// holds a [`crate::balance::Balance`] as JSON. Answered by [`Reply::Balanced`].
    Balance,
    /// What is in use now. Answered by [`Reply::Status`].
    Status,
}

/// Who joins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The container's id; opaque here.
    pub id: String,
    /// Whether it may reach the host's own loopback through [`HOST_GATEWAY`].
    pub host_gateway: bool,
    /// Search domains and options for names are the client's business; this is where its
    /// questions about the outside go, instead of the host's resolvers, when not empty.
    pub dns: Vec<IpAddr>,
    /// Names that are answered to it alone, wherever it is.
    #[serde(default)]
    pub hosts: Vec<(String, IpAddr)>,
    /// It asked for `ndots:` above 0: names without a dot are then not for the outside.
    #[serde(default)]
    pub keeps_bare_names: bool,
}

/// The address that stands for the host, for those who may reach it: link-local, so that it is
/// in nobody's subnet.
pub const HOST_GATEWAY: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 2);

/// A network, as whoever keeps its record describes it. All that connect must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// 64 hex digits.
    pub id: String,
    pub name: String,
    pub subnets: Vec<Subnet>,
    /// No way out.
    pub internal: bool,
    /// Whether names of its members are answered (not on the default bridge).
    pub names: bool,
    /// Whether members may talk to each other (`com.docker.network.bridge.enable_icc`).
    pub talk: bool,
    /// Bytes; 0: the usual 1500.
    pub mtu: u32,
    /// Members reach each other through the hub, which so sees both directions of what goes to a
    /// virtual address; a swarm's network.
    #[serde(default)]
    pub routed: bool,
}

impl Network {
    /// The gateway of the subnet that an address is in.
    #[must_use]
    pub fn gateway_for(&self, address: IpAddr) -> Option<IpAddr> {
        let holds = |subnet: &&Subnet| {
            Prefix::new(subnet.address, subnet.prefix).is_some_and(|it| it.contains(address))
        };
        self.subnets.iter().find(holds).map(|subnet| subnet.gateway)
    }
}

/// An address range of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    pub address: IpAddr,
    pub prefix: u8,
    pub gateway: IpAddr,
    /// Where addresses are taken from, when not from all of it.
    pub range: Option<(IpAddr, u8)>,
    /// Addresses that are never given out (`--aux-address`).
    pub reserved: Vec<IpAddr>,
}

/// An endpoint to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    pub network: Network,
    /// Container name, short id, aliases: what DNS answers to other members.
    pub names: Vec<String>,
    /// What this container alone calls others of the network: `(alias, name)`.
    #[serde(default)]
    pub links: Vec<(String, String)>,
    /// Asked for by the user: this one or an error.
    pub ip: Option<Ipv4Addr>,
    pub ip6: Option<Ipv6Addr>,
    /// Had before: this one if it is free.
    pub last_ip: Option<Ipv4Addr>,
    pub last_ip6: Option<Ipv6Addr>,
    /// `02:42:…`; chosen when empty.
    pub mac: Option<[u8; 6]>,
    /// Name of the device in the container; the first free `ethN` when empty.
    pub interface: Option<String>,
    /// The network with the highest number has the default route; first by name among equals.
    pub gateway_priority: i32,
    /// The device is there already: this client joins again after the helper died.
    pub again: bool,
}

/// A port to be published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub protocol: Protocol,
    /// In the container.
    pub inner: u16,
    /// On the host; `None`: all addresses, of both families.
    pub host_ip: Option<IpAddr>,
    /// First and last port on the host to try; `(0, 0)`: any free one.
    pub host_ports: (u16, u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// What the helper answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    Done,
    Connected(Connected),
    Published {
        ports: Vec<Published>,
    },
    /// For each entry of the balance's `ingress` why it is not bound, Docker's words where Docker
    /// has some; an entry that fails is tried again with the next balance.
    Balanced {
        ingress: Vec<Option<String>>,
    },
    Status(Status),
    /// The message is for the user, Docker's words where Docker has some.
    Failed {
        message: String,
    },
}

/// What an endpoint got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// 64 hex digits.
    pub endpoint: String,
    pub interface: String,
    pub mac: [u8; 6],
    pub ip: Option<Ipv4Addr>,
    pub prefix: u8,
    pub gateway: Option<Ipv4Addr>,
    pub ip6: Option<Ipv6Addr>,
    pub prefix6: u8,
    pub gateway6: Option<Ipv6Addr>,
}

/// A port as it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub protocol: Protocol,
    pub inner: u16,
    pub host_ip: IpAddr,
    pub host_port: u16,
}

/// What the helper does now, for `network inspect` and `info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How packets of the containers' connections find us: `nf_tables` or `packets`.
    pub path: String,
    pub members: Vec<Member>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// As in [`Join::id`].
    pub id: String,
    /// Network id and what the member has there.
    pub endpoints: Vec<(String, Connected)>,
    pub ports: Vec<Published>,
}
