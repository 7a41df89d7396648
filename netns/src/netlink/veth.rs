//! Pairs of devices: what goes in at one end comes out at the other.

use std::os::fd::{AsRawFd, BorrowedFd};

use super::link::{
    IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER,
    IFLA_MTU, flags, header,
};
use super::message::{NLM_F_CREATE, NLM_F_EXCL, Request};
use super::{Mac, link};

const IFLA_NET_NS_FD: u16 = 28;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
/// Since Linux 6.3; others take no note of it.
const IFLA_GSO_IPV4_MAX_SIZE: u16 = 63;
const VETH_INFO_PEER: u16 = 1;

/// One end of a pair to be made.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub name: &'a str,
    /// The kernel chooses when there is none.
    pub mac: Option<Mac>,
    pub mtu: u32,
    /// The bridge that the end becomes a port of; for the near end only.
    pub master: Option<u32>,
    pub up: bool,
    /// Whether the end asks nobody for hardware addresses.
    pub no_arp: bool,
    /// The largest IPv4 packet, in bytes, that is handed over in one piece to be cut later, where
    /// the kernel knows larger ones than 64 kB.
    pub largest_piece: Option<u32>,
    /// Where the end is made, when not where the socket is; for the far end only.
    pub namespace: Option<BorrowedFd<'a>>,
}

impl<'a> End<'a> {
    /// An end that is down, with nothing set but what every end has.
    #[must_use]
    pub fn new(name: &'a str, mtu: u32) -> Self {
        Self {
            name,
            mac: None,
            mtu,
            master: None,
            up: false,
            no_arp: false,
            largest_piece: None,
            namespace: None,
        }
    }

    fn header(&self) -> [u8; 16] {
        let (flags, changed) = flags(self.up, self.no_arp);
        header(0, flags, changed)
    }

    fn attributes(&self, request: Request) -> Request {
        request
            .text(IFLA_IFNAME, self.name)
            .number(IFLA_MTU, self.mtu)
            // More queues cost memory and time to make, and nothing here fills them.
            .number(IFLA_NUM_TX_QUEUES, 1)
            .number(IFLA_NUM_RX_QUEUES, 1)
            .maybe(self.mac, |request, mac| request.bytes(IFLA_ADDRESS, &mac))
            .maybe(self.master, |request, index| request.number(IFLA_MASTER, index))
            .maybe(self.largest_piece, |request, bytes| {
                request.number(IFLA_GSO_IPV4_MAX_SIZE, bytes)
            })
            .maybe(self.namespace, |request, fd| {
                request.bytes(IFLA_NET_NS_FD, &fd.as_raw_fd().to_ne_bytes())
            })
    }
}

/// Makes a pair, the far end in its namespace at once.
///
/// `EEXIST` when one of the names is taken where it is to be.
#[must_use]
pub fn add(near: &End<'_>, far: &End<'_>) -> Request {
    let what = format!("create the devices {} and {}", near.name, far.name);
    let request =
        Request::new(link::RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, what).fixed(&near.header());
    near.attributes(request).nest(IFLA_LINKINFO, |info| {
        info.text(IFLA_INFO_KIND, "veth").nest(IFLA_INFO_DATA, |data| {
            data.nest(VETH_INFO_PEER, |peer| far.attributes(peer.fixed(&far.header())))
        })
    })
}
