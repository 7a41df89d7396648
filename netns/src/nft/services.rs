//! Leads connections to virtual addresses to tasks, by nf_tables.
//!
//! # How it works
//!
//! Members of a swarm's network reach each other through the hub ([`crate::protocol::Network`],
//! `routed`), so that it sees both directions of each connection: the destination is changed on
//! the way there and back again on the way back, and the client's address stays. As `nft(8)`
//! would write it, for one network with one virtual address and two tasks:
//!
//! ```text
//! table ip coracle-services {
//!     chain raw {
//!         type filter hook prerouting priority raw; policy accept;
//!         iifname "br-812f2kxwdnfj" ip daddr 10.0.1.0/24 accept
//!         notrack
//!     }
//!     chain out {
//!         type filter hook output priority raw; policy accept;
//!         notrack
//!     }
//!     chain unmark {
//!         type filter hook prerouting priority mangle + 1; policy accept;
//!         ct status & dnat == dnat meta mark set 0
//!     }
//!     chain services {
//!         type nat hook prerouting priority dstnat; policy accept;
//!         iifname "wire" accept
//!         ip saddr 10.0.1.3 ip daddr 10.0.1.2 accept
//!         ip saddr 10.0.1.4 ip daddr 10.0.1.2 accept
//!         meta l4proto tcp ip daddr 10.0.1.2 numgen inc mod 2 0 dnat to 10.0.1.3
//!         meta l4proto tcp ip daddr 10.0.1.2 dnat to 10.0.1.4
//!     }
//! }
//! ```
//!
//! The chain `unmark` keeps a listener that the helper has at a virtual address for a while, for a
//! connection that came over the wire, from taking what belongs to others.
//!
//! The rules of a virtual address take turns: the first has every second connection, the second
//! all that come to it. Rules are replaced at once and chains stay, so connections that are there
//! go on to the task they have.
//!
//! # Limits
//!
//! Only TCP over IPv4. A task that asks its own service, datagrams, and all else go over the wire,
//! where the helper does the same ([`crate::netd`]). Without a virtual address there are no chains, so that
//! nothing is tracked in hubs that know no swarm. With more rules than a message takes there are
//! none.

use std::net::Ipv4Addr;

use super::{IPPROTO_TCP, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFTA_DATA_VALUE};
use super::{
    NFPROTO_IPV4, NFT_META_IIFNAME, NFT_META_L4PROTO, NFT_MSG_NEWTABLE, NFT_REG_1, NfChain, accept,
    batch_edge, compare, expression, message, meta, padded, table_of,
};
use super::{NFTA_IMMEDIATE_DATA, NFTA_IMMEDIATE_DREG, NFTA_RULE_TABLE};
use crate::netlink::message::NLM_F_CREATE;
use crate::netlink::{Netlink, NetlinkError, Request};
use rustix::io::Errno;

const NFT_MSG_DELRULE: u16 = 8;
const NF_INET_LOCAL_OUT: u32 = 3;
/// Where `nft` puts `priority raw` and `priority dstnat`: before and after the kernel looks which
/// connection a packet belongs to.
const NF_IP_PRI_RAW: i32 = -300;
const NF_IP_PRI_NAT_DST: i32 = -100;
const NFT_PAYLOAD_NETWORK_HEADER: u32 = 1;
const SOURCE_OFFSET: u32 = 12;
const DESTINATION_OFFSET: u32 = 16;

const TABLE: &str = "coracle-services";
const RAW: NfChain<'_> = NfChain {
    table: TABLE,
    name: "raw",
    kind: "filter",
    hook: super::NF_INET_PRE_ROUTING,
    priority: NF_IP_PRI_RAW,
};
const OUT: NfChain<'_> = NfChain { name: "out", hook: NF_INET_LOCAL_OUT, ..RAW };
const SERVICES: NfChain<'_> =
    NfChain { name: "services", kind: "nat", priority: NF_IP_PRI_NAT_DST, ..RAW };

/// After the chain that marks, which looks at sockets alone.
const UNMARK: NfChain<'_> =
    NfChain { name: "unmark", priority: super::NF_IP_PRI_MANGLE + 1, ..RAW };

/// A network and its virtual addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutedNetwork {
    pub bridge: String,
    /// Each with the length of its prefix.
    pub subnets: Vec<(Ipv4Addr, u8)>,
    /// Each with the tasks that take turns.
    pub vips: Vec<(Ipv4Addr, Vec<Ipv4Addr>)>,
}

/// Has the hub of `netlink`, which [`super::mark_transparent`] gave, do this and nothing else.
///
/// # Errors
/// What the kernel refuses; nothing is changed then.
pub fn lead(netlink: &Netlink, wire: &str, networks: &[RoutedNetwork]) -> Result<(), NetlinkError> {
    let mut batch = vec![batch_edge(NFNL_MSG_BATCH_BEGIN)];
    batch.push(table_of(TABLE, NFPROTO_IPV4, NFT_MSG_NEWTABLE, NLM_F_CREATE));
    batch.extend([RAW, OUT, UNMARK, SERVICES].map(|chain| chain.make(NFPROTO_IPV4)));
    batch.push(no_rules());
    for network in networks {
        for (address, length) in &network.subnets {
            batch.push(rule(RAW, |list| {
                let inside = from_device(list, &network.bridge);
                accept(destination_in(inside, *address, *length))
            }));
        }
    }
    batch.extend([RAW, OUT].map(|chain| rule(chain, notrack)));
    batch.push(rule(UNMARK, |list| super::set_mark(is_translated(list), 0)));
    batch.push(rule(SERVICES, |list| accept(from_device(list, wire))));
    for (vip, tasks) in networks.iter().flat_map(|network| &network.vips) {
        batch.extend(of_vip(*vip, tasks));
    }
    batch.push(batch_edge(NFNL_MSG_BATCH_END));
    // The end of a batch is not answered by every kernel; the rule before it is.
    netlink.exchange(&batch, batch.len() - 2)
}

/// The rules of virtual addresses are gone, if there are any; the others stay, for connections that
/// are there.
///
/// # Errors
/// What the kernel refuses.
pub fn forget(netlink: &Netlink) -> Result<(), NetlinkError> {
    let flush = no_rules().text(super::NFTA_RULE_CHAIN, SERVICES.name).or(&[Errno::NOENT]);
    let batch = [batch_edge(NFNL_MSG_BATCH_BEGIN), flush, batch_edge(NFNL_MSG_BATCH_END)];
    netlink.exchange(&batch, 1)
}

fn of_vip(vip: Ipv4Addr, tasks: &[Ipv4Addr]) -> Vec<Request> {
    let own = tasks.iter().map(|task| {
        rule(SERVICES, |list| accept(is_to(address_is(list, SOURCE_OFFSET, *task), vip)))
    });
    let turns = tasks.iter().enumerate().map(|(index, task)| {
        rule(SERVICES, |list| {
            let tcp = compare(meta(list, NFT_META_L4PROTO), &[IPPROTO_TCP]);
            let ours = is_to(tcp, vip);
            let rest = u32::try_from(tasks.len() - index).unwrap_or(u32::MAX);
            translate(if rest > 1 { every(ours, rest) } else { ours }, *task)
        })
    });
    own.chain(turns).collect()
}

/// Deletes all rules of the table, or of a chain that is to be named.
fn no_rules() -> Request {
    message(NFPROTO_IPV4, NFT_MSG_DELRULE, 0, "delete the rules of services")
        .text(NFTA_RULE_TABLE, TABLE)
}

fn rule(chain: NfChain<'_>, expressions: impl FnOnce(Request) -> Request) -> Request {
    chain.rule(NFPROTO_IPV4, expressions)
}

fn from_device(list: Request, device: &str) -> Request {
    compare(meta(list, NFT_META_IIFNAME), &padded(device))
}

/// Loads an address of the packet's header.
fn load(list: Request, offset: u32) -> Request {
    super::payload(list, NFT_PAYLOAD_NETWORK_HEADER, offset, 4)
}

fn address_is(list: Request, offset: u32, address: Ipv4Addr) -> Request {
    compare(load(list, offset), &address.octets())
}

fn is_to(list: Request, address: Ipv4Addr) -> Request {
    address_is(list, DESTINATION_OFFSET, address)
}

fn destination_in(list: Request, address: Ipv4Addr, length: u8) -> Request {
    let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
    let network = (u32::from(address) & mask).to_be_bytes();
    compare(super::mask(load(list, DESTINATION_OFFSET), &mask.to_be_bytes()), &network)
}

/// Goes on with packets of connections whose destination was changed.
fn is_translated(list: Request) -> Request {
    const NFTA_CT_DREG: u16 = 1;
    const NFTA_CT_KEY: u16 = 2;
    const NFT_CT_STATUS: u32 = 2;
    const IPS_DST_NAT: [u8; 4] = 0x20_u32.to_ne_bytes();
    let status = expression(list, "ct", |data| {
        data.number_be(NFTA_CT_KEY, NFT_CT_STATUS).number_be(NFTA_CT_DREG, NFT_REG_1)
    });
    compare(super::mask(status, &IPS_DST_NAT), &IPS_DST_NAT)
}

/// Goes on with one of so many packets.
fn every(list: Request, count: u32) -> Request {
    const NFTA_NG_DREG: u16 = 1;
    const NFTA_NG_MODULUS: u16 = 2;
    const NFTA_NG_TYPE: u16 = 3;
    const NFT_NG_INCREMENTAL: u32 = 0;
    let number = expression(list, "numgen", |data| {
        data.number_be(NFTA_NG_DREG, NFT_REG_1)
            .number_be(NFTA_NG_MODULUS, count)
            .number_be(NFTA_NG_TYPE, NFT_NG_INCREMENTAL)
    });
    compare(number, &0_u32.to_ne_bytes())
}

fn translate(list: Request, to: Ipv4Addr) -> Request {
    const NFTA_NAT_TYPE: u16 = 1;
    const NFTA_NAT_FAMILY: u16 = 2;
    const NFTA_NAT_REG_ADDR_MIN: u16 = 3;
    const NFTA_NAT_REG_ADDR_MAX: u16 = 4;
    const NFT_NAT_DNAT: u32 = 1;
    let loaded = expression(list, "immediate", |data| {
        data.number_be(NFTA_IMMEDIATE_DREG, NFT_REG_1)
            .nest(NFTA_IMMEDIATE_DATA, |data| data.bytes(NFTA_DATA_VALUE, &to.octets()))
    });
    expression(loaded, "nat", |data| {
        data.number_be(NFTA_NAT_TYPE, NFT_NAT_DNAT)
            .number_be(NFTA_NAT_FAMILY, u32::from(NFPROTO_IPV4))
            .number_be(NFTA_NAT_REG_ADDR_MIN, NFT_REG_1)
            .number_be(NFTA_NAT_REG_ADDR_MAX, NFT_REG_1)
    })
}

fn notrack(list: Request) -> Request {
    expression(list, "notrack", |data| data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nft::{NftError, mark_transparent};
    use crate::world::{alone, tool};

    #[test]
    fn the_rules_are_as_written_and_replaced() {
        alone("nft::services::tests::the_rules_are_as_written_and_replaced", || {
            let socket = coracle_sys::netlink::netfilter_socket().unwrap();
            let netlink = match mark_transparent(socket, "wire", 1) {
                Err(error @ (NftError::Unavailable(_) | NftError::NoSocket(_))) => {
                    println!("skipped: no nf_tables: {error:?}");
                    return;
                }
                result => result.unwrap(),
            };
            forget(&netlink).unwrap();
            let ip = |last: u8| Ipv4Addr::new(10, 0, 1, last);
            let network = |tasks: &[u8]| RoutedNetwork {
                bridge: "br-812f2kxwdnfj".to_owned(),
                subnets: vec![(ip(0), 24)],
                vips: vec![(ip(2), tasks.iter().map(|last| ip(*last)).collect())],
            };
            lead(&netlink, "wire", &[network(&[9])]).unwrap();
            lead(&netlink, "wire", &[network(&[3, 4])]).unwrap();
            let listed = tool("nft list table ip coracle-services");
            let lines: Vec<_> = listed.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
            assert_eq!(
                lines,
                [
                    "table ip coracle-services {",
                    "chain raw {",
                    "type filter hook prerouting priority raw; policy accept;",
                    "iifname \"br-812f2kxwdnfj\" ip daddr 10.0.1.0/24 accept",
                    "notrack",
                    "}",
                    "chain out {",
                    "type filter hook output priority raw; policy accept;",
                    "notrack",
                    "}",
                    "chain unmark {",
                    "type filter hook prerouting priority mangle + 1; policy accept;",
                    "ct status & dnat == dnat meta mark set 0x00000000",
                    "}",
                    "chain services {",
                    "type nat hook prerouting priority dstnat; policy accept;",
                    "iifname \"wire\" accept",
                    "ip saddr 10.0.1.3 ip daddr 10.0.1.2 accept",
                    "ip saddr 10.0.1.4 ip daddr 10.0.1.2 accept",
                    "meta l4proto tcp ip daddr 10.0.1.2 numgen inc mod 2 0 dnat to 10.0.1.3",
                    "meta l4proto tcp ip daddr 10.0.1.2 dnat to 10.0.1.4",
                    "}",
                    "}",
                ]
            );
            forget(&netlink).unwrap();
            let listed = tool("nft list table ip coracle-services");
            assert!(!listed.contains("dnat to") && listed.contains("notrack"), "{listed}");
        });
    }
}
