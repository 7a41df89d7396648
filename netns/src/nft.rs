//! Marks the packets of connections that are ours already, by nf_tables.
//!
//! # How it works
//!
//! A packet from a container goes up the wire, where it becomes a flow or is answered. Once
//! a flow has a socket in the hub, its later packets need not make that journey: a rule
//! marks what belongs to a transparent socket, and the mark leads them to it. As `nft(8)`
//! would write it:
//!
//! ```text
//! table inet coracle {
//!     chain prerouting {
//!         type filter hook prerouting priority mangle; policy accept;
//!         iifname "wire" accept
//!         meta l4proto tcp tcp flags & (syn | ack) == syn accept
//!         socket transparent 1 meta mark set 1 accept
//!     }
//! }
//! ```
//!
//! The second rule keeps a new connection off a listener that was made for another one: each
//! begins on the wire. The last one is for every protocol, because errors (ICMP) about a
//! socket's packets belong to it too.
//!
//! # Limits
//!
//! Without nf_tables the same packets come up the wire and are written back: slower, not
//! different.

mod services;

use std::os::fd::OwnedFd;

use coracle_sys::SyscallError;
use rustix::io::Errno;

use crate::netlink::message::{NLM_F_APPEND, NLM_F_CREATE};
use crate::netlink::{Netlink, NetlinkError, Request};

// Messages and families (linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h).
const NFNL_MSG_BATCH_BEGIN: u16 = 0x10;
const NFNL_MSG_BATCH_END: u16 = 0x11;
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFPROTO_INET: u8 = 1;
const NFPROTO_IPV4: u8 = 2;
const NFT_MSG_NEWTABLE: u16 = 0;
const NFT_MSG_DELTABLE: u16 = 2;
const NFT_MSG_NEWCHAIN: u16 = 3;
const NFT_MSG_NEWRULE: u16 = 6;

// Attributes of tables, chains and rules.
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_DATA_VERDICT: u16 = 2;
const NFTA_VERDICT_CODE: u16 = 1;

const NF_INET_PRE_ROUTING: u32 = 0;
/// Where `nft` puts `priority mangle`: before routing, after defragmentation.
const NF_IP_PRI_MANGLE: i32 = -150;
const NF_ACCEPT: u32 = 1;

/// Registers that a rule computes in.
const NFT_REG_VERDICT: u32 = 0;
const NFT_REG_1: u32 = 1;

const NFT_META_MARK: u32 = 3;
const NFT_META_IIFNAME: u32 = 6;
const NFT_META_L4PROTO: u32 = 16;
const NFT_PAYLOAD_TRANSPORT_HEADER: u32 = 2;
const NFT_CMP_EQ: u32 = 0;
const NFT_SOCKET_TRANSPARENT: u32 = 0;

const IPPROTO_TCP: u8 = 6;
/// Where the flags of a TCP header are, and two of them.
const TCP_FLAGS_OFFSET: u32 = 13;
const TCP_SYN: u8 = 0x02;
const TCP_ACK: u8 = 0x10;
/// Names of devices are compared whole, with their zeros.
const IFNAMSIZ: usize = 16;

const TABLE: &str = "coracle";
const CHAIN: &str = "prerouting";

pub use services::{RoutedNetwork, forget, lead};

/// Why packets are not marked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NftError {
    /// The kernel has no nf_tables, lacks a part of it, or does not let us.
    #[error("nf_tables cannot be used here")]
    Unavailable(#[source] NetlinkError),
    #[error("nf_tables cannot be used here")]
    NoSocket(#[from] SyscallError),
    #[error(transparent)]
    Failed(NetlinkError),
}

/// Replaces our table in the network namespace of `socket`, which
/// [`coracle_sys::netlink::netfilter_socket`] made: packets of transparent sockets get `mark`
/// unless they came in by the device `wire`.
///
/// All or nothing is changed.
/// The socket comes back: to close it takes until the kernel has cleared up after the
/// table that was deleted, milliseconds later.
///
/// # Errors
/// [`NftError::Unavailable`] when this kernel cannot or may not do it.
pub fn mark_transparent(socket: OwnedFd, wire: &str, mark: u32) -> Result<Netlink, NftError> {
    let batch = [
        // A table that is not there cannot be deleted; one that is there can be added.
        batch_edge(NFNL_MSG_BATCH_BEGIN),
        table(NFT_MSG_NEWTABLE, NLM_F_CREATE),
        table(NFT_MSG_DELTABLE, 0),
        table(NFT_MSG_NEWTABLE, NLM_F_CREATE),
        MARKS.make(NFPROTO_INET),
        rule(|list| accept(compare(meta(list, NFT_META_IIFNAME), &padded(wire)))),
        rule(|list| accept(first_of_tcp(list))),
        rule(|list| accept(set_mark(compare(socket_is_transparent(list), &[1]), mark))),
        batch_edge(NFNL_MSG_BATCH_END),
    ];
    // The end of a batch is not answered by every kernel; the rule before it is.
    let netlink = Netlink::new(socket);
    netlink.exchange(&batch, batch.len() - 2).map_err(classify)?;
    Ok(netlink)
}

fn classify(error: NetlinkError) -> NftError {
    const ABSENT: [Errno; 8] = [
        Errno::OPNOTSUPP,
        Errno::PROTONOSUPPORT,
        Errno::AFNOSUPPORT,
        // No such kind of expression or chain.
        Errno::NOENT,
        Errno::NOSYS,
        Errno::INVAL,
        Errno::PERM,
        Errno::ACCESS,
    ];
    match error.errno() {
        Some(errno) if ABSENT.contains(&errno) => NftError::Unavailable(error),
        _ => NftError::Failed(error),
    }
}

fn batch_edge(kind: u16) -> Request {
    let [high, low] = NFNL_SUBSYS_NFTABLES.to_be_bytes();
    Request::new(kind, 0, "use nf_tables".into()).fixed(&[0, 0, high, low])
}

fn message(family: u8, kind: u16, flags: u16, what: &str) -> Request {
    let kind = (NFNL_SUBSYS_NFTABLES << 8) | kind;
    Request::new(kind, flags, what.into()).fixed(&[family, 0, 0, 0])
}

fn table(kind: u16, flags: u16) -> Request {
    table_of(TABLE, NFPROTO_INET, kind, flags)
}

fn table_of(name: &str, family: u8, kind: u16, flags: u16) -> Request {
    let what = format!("make the nf_tables table {name}");
    message(family, kind, flags, &what).text(NFTA_TABLE_NAME, name)
}

/// A chain that packets come to by themselves.
#[derive(Clone, Copy, Debug)]
struct NfChain<'a> {
    table: &'a str,
    name: &'a str,
    kind: &'a str,
    hook: u32,
    priority: i32,
}

const MARKS: NfChain<'_> = NfChain {
    table: TABLE,
    name: CHAIN,
    kind: "filter",
    hook: NF_INET_PRE_ROUTING,
    priority: NF_IP_PRI_MANGLE,
};

impl NfChain<'_> {
    fn make(&self, family: u8) -> Request {
        message(family, NFT_MSG_NEWCHAIN, NLM_F_CREATE, "make an nf_tables chain")
            .text(NFTA_CHAIN_TABLE, self.table)
            .text(NFTA_CHAIN_NAME, self.name)
            .nest(NFTA_CHAIN_HOOK, |hook| {
                hook.number_be(NFTA_HOOK_HOOKNUM, self.hook)
                    .number_be(NFTA_HOOK_PRIORITY, self.priority.cast_unsigned())
            })
            .text(NFTA_CHAIN_TYPE, self.kind)
    }

    fn rule(&self, family: u8, expressions: impl FnOnce(Request) -> Request) -> Request {
        let flags = NLM_F_CREATE | NLM_F_APPEND;
        message(family, NFT_MSG_NEWRULE, flags, "add an nf_tables rule")
            .text(NFTA_RULE_TABLE, self.table)
            .text(NFTA_RULE_CHAIN, self.name)
            .nest(NFTA_RULE_EXPRESSIONS, expressions)
    }
}

fn rule(expressions: impl FnOnce(Request) -> Request) -> Request {
    MARKS.rule(NFPROTO_INET, expressions)
}

/// Appends an expression to the list of a rule.
fn expression(list: Request, name: &str, data: impl FnOnce(Request) -> Request) -> Request {
    list.nest(NFTA_LIST_ELEM, |element| {
        element.text(NFTA_EXPR_NAME, name).nest(NFTA_EXPR_DATA, data)
    })
}

/// Loads something about the packet that is not in it.
fn meta(list: Request, key: u32) -> Request {
    const NFTA_META_DREG: u16 = 1;
    const NFTA_META_KEY: u16 = 2;
    expression(list, "meta", |data| {
        data.number_be(NFTA_META_KEY, key).number_be(NFTA_META_DREG, NFT_REG_1)
    })
}

/// Ends the rule unless the register holds `value`.
fn compare(list: Request, value: &[u8]) -> Request {
    const NFTA_CMP_SREG: u16 = 1;
    const NFTA_CMP_OP: u16 = 2;
    const NFTA_CMP_DATA: u16 = 3;
    expression(list, "cmp", |data| {
        data.number_be(NFTA_CMP_SREG, NFT_REG_1)
            .number_be(NFTA_CMP_OP, NFT_CMP_EQ)
            .nest(NFTA_CMP_DATA, |data| data.bytes(NFTA_DATA_VALUE, value))
    })
}

/// Goes on with the first packet of a TCP connection only.
fn first_of_tcp(list: Request) -> Request {
    let tcp = compare(meta(list, NFT_META_L4PROTO), &[IPPROTO_TCP]);
    let flags = payload(tcp, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
    compare(mask(flags, &[TCP_SYN | TCP_ACK]), &[TCP_SYN])
}

/// Loads so many bytes of a header.
fn payload(list: Request, header: u32, offset: u32, length: u32) -> Request {
    const NFTA_PAYLOAD_DREG: u16 = 1;
    const NFTA_PAYLOAD_BASE: u16 = 2;
    const NFTA_PAYLOAD_OFFSET: u16 = 3;
    const NFTA_PAYLOAD_LEN: u16 = 4;
    expression(list, "payload", |data| {
        data.number_be(NFTA_PAYLOAD_DREG, NFT_REG_1)
            .number_be(NFTA_PAYLOAD_BASE, header)
            .number_be(NFTA_PAYLOAD_OFFSET, offset)
            .number_be(NFTA_PAYLOAD_LEN, length)
    })
}

/// Keeps these bits of the register.
fn mask(list: Request, bits: &[u8]) -> Request {
    const NFTA_BITWISE_SREG: u16 = 1;
    const NFTA_BITWISE_DREG: u16 = 2;
    const NFTA_BITWISE_LEN: u16 = 3;
    const NFTA_BITWISE_MASK: u16 = 4;
    const NFTA_BITWISE_XOR: u16 = 5;
    let length = u32::try_from(bits.len()).expect("a few bytes");
    let nothing = vec![0; bits.len()];
    expression(list, "bitwise", |data| {
        data.number_be(NFTA_BITWISE_SREG, NFT_REG_1)
            .number_be(NFTA_BITWISE_DREG, NFT_REG_1)
            .number_be(NFTA_BITWISE_LEN, length)
            .nest(NFTA_BITWISE_MASK, |mask| mask.bytes(NFTA_DATA_VALUE, bits))
            .nest(NFTA_BITWISE_XOR, |xor| xor.bytes(NFTA_DATA_VALUE, &nothing))
    })
}

/// Loads whether the packet's socket is a transparent one; ends the rule when it has none.
fn socket_is_transparent(list: Request) -> Request {
    const NFTA_SOCKET_KEY: u16 = 1;
    const NFTA_SOCKET_DREG: u16 = 2;
    expression(list, "socket", |data| {
        data.number_be(NFTA_SOCKET_KEY, NFT_SOCKET_TRANSPARENT)
            .number_be(NFTA_SOCKET_DREG, NFT_REG_1)
    })
}

const NFTA_IMMEDIATE_DREG: u16 = 1;
const NFTA_IMMEDIATE_DATA: u16 = 2;

fn set_mark(list: Request, mark: u32) -> Request {
    const NFTA_META_KEY: u16 = 2;
    const NFTA_META_SREG: u16 = 3;
    let loaded = expression(list, "immediate", |data| {
        data.number_be(NFTA_IMMEDIATE_DREG, NFT_REG_1)
            .nest(NFTA_IMMEDIATE_DATA, |data| data.bytes(NFTA_DATA_VALUE, &mark.to_ne_bytes()))
    });
    expression(loaded, "meta", |data| {
        data.number_be(NFTA_META_KEY, NFT_META_MARK).number_be(NFTA_META_SREG, NFT_REG_1)
    })
}

fn accept(list: Request) -> Request {
    expression(list, "immediate", |data| {
        data.number_be(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT).nest(NFTA_IMMEDIATE_DATA, |data| {
            data.nest(NFTA_DATA_VERDICT, |verdict| verdict.number_be(NFTA_VERDICT_CODE, NF_ACCEPT))
        })
    })
}

fn padded(name: &str) -> [u8; IFNAMSIZ] {
    let mut bytes = [0; IFNAMSIZ];
    for (slot, byte) in bytes.iter_mut().zip(name.bytes()) {
        *slot = byte;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Refusal;
    use crate::world::{alone, tool};

    #[test]
    fn the_table_is_as_written_also_the_second_time() {
        alone("nft::tests::the_table_is_as_written_also_the_second_time", || {
            for _ in 0..2 {
                let socket = coracle_sys::netlink::netfilter_socket().unwrap();
                match mark_transparent(socket, "wire", 1) {
                    Err(error @ (NftError::Unavailable(_) | NftError::NoSocket(_))) => {
                        println!("skipped: no nf_tables: {error:?}");
                        return;
                    }
                    result => drop(result.unwrap()),
                }
            }
            let listed = tool("nft list ruleset");
            let lines: Vec<_> = listed.lines().map(str::trim).collect();
            assert_eq!(
                lines,
                [
                    "table inet coracle {",
                    "chain prerouting {",
                    "type filter hook prerouting priority mangle; policy accept;",
                    "iifname \"wire\" accept",
                    "tcp flags syn / syn,ack accept",
                    "socket transparent 1 meta mark set 0x00000001 accept",
                    "}",
                    "}",
                ]
            );
        });
    }

    #[test]
    fn a_network_that_is_not_ours_is_told_from_a_failure() {
        let refused = |errno| NetlinkError::Refused {
            what: "use nf_tables".into(),
            source: Refusal { errno, message: None },
        };
        for errno in [Errno::OPNOTSUPP, Errno::NOENT, Errno::PERM, Errno::PROTONOSUPPORT] {
            assert!(matches!(classify(refused(errno)), NftError::Unavailable(_)), "{errno}");
        }
        for errno in [Errno::NOMEM, Errno::BUSY] {
            assert!(matches!(classify(refused(errno)), NftError::Failed(_)), "{errno}");
        }
    }
}
