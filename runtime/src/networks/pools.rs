//! Which address block a network gets that asked for none.
//!
//! # How it works
//!
//! Docker's default pools, in Docker's order: the first block that meets neither another
//! network nor a route of the host. For IPv6 a /64 of a unique local prefix that is made up
//! once from random bits (RFC 4193), as Docker does from the machine's id.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use coracle_netns::prefix::Prefix;

/// Blocks that are cut, and how long the prefix of each piece is.
const POOLS: [(Prefix, u8); 5] = [
    (Prefix::v4([172, 17, 0, 0], 16), 16),
    (Prefix::v4([172, 18, 0, 0], 15), 16),
    (Prefix::v4([172, 20, 0, 0], 14), 16),
    (Prefix::v4([172, 24, 0, 0], 13), 16),
    (Prefix::v4([192, 168, 0, 0], 16), 20),
];

/// Pieces of the local IPv6 prefix that are tried.
const V6_PIECES: u16 = u16::MAX;

/// What networks of a swarm are cut from, if nothing else was chosen.
pub(super) const SWARM_POOL: (Prefix, u8) = (Prefix::v4([10, 0, 0, 0], 8), 24);

/// The first piece of these pools that is free of everything in `taken`. The very first is for the
/// network of published ports alone, as in Docker.
pub(super) fn choose_for_swarm(
    pools: &[(Prefix, u8)],
    ingress: bool,
    taken: &[Prefix],
) -> Option<Prefix> {
    let v4 =
        pools.iter().filter(|(pool, size)| pool.is_v4() && pool.length <= *size && *size <= 32);
    v4.flat_map(|(pool, size)| pieces(*pool, *size))
        .skip(usize::from(!ingress))
        .find(|piece| is_free(*piece, taken))
}

/// The first IPv4 block free of everything in `taken`.
pub(super) fn choose_v4(taken: &[Prefix]) -> Option<Prefix> {
    POOLS.iter().flat_map(|(pool, size)| pieces(*pool, *size)).find(|piece| is_free(*piece, taken))
}

/// The first free IPv4 block of that length in a pool that has such.
pub(super) fn choose_v4_of(length: u8, taken: &[Prefix]) -> Option<Prefix> {
    let large = POOLS.iter().filter(|(pool, _)| pool.length <= length && length <= 32);
    large.flat_map(|(pool, _)| pieces(*pool, length)).find(|piece| is_free(*piece, taken))
}

/// The first /64 below `prefix` (a /48) free of everything in `taken`.
pub(super) fn choose_v6(prefix: Ipv6Addr, taken: &[Prefix]) -> Option<Prefix> {
    choose_v6_of(prefix, 64, taken)
}

/// The same of another length, up to 64.
pub(super) fn choose_v6_of(prefix: Ipv6Addr, length: u8, taken: &[Prefix]) -> Option<Prefix> {
    if !(48..=64).contains(&length) {
        return None;
    }
    let step = 1 << (64 - length);
    (0..V6_PIECES)
        .step_by(step)
        .map(|number| {
            let address = Ipv6Addr::from_bits(prefix.to_bits() | u128::from(number) << 64);
            Prefix { address: IpAddr::V6(address), length }
        })
        .find(|piece| is_free(*piece, taken))
}

fn is_free(piece: Prefix, taken: &[Prefix]) -> bool {
    !taken.iter().any(|other| piece.overlaps(other))
}

fn pieces(pool: Prefix, size: u8) -> impl Iterator<Item = Prefix> {
    let IpAddr::V4(base) = pool.address else { unreachable!("the pools are IPv4") };
    let count = 1u32 << (size - pool.length);
    (0..count).map(move |number| Prefix {
        address: IpAddr::V4(Ipv4Addr::from_bits(base.to_bits() + (number << (32 - size)))),
        length: size,
    })
}

/// The blocks that the routes of the host name, from `/proc/net/route`.
pub(super) fn host_routes(table: &str) -> Vec<Prefix> {
    let parse = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        // Both are in the byte order of the machine, written as one number.
        let mut number = |skip: usize| u32::from_str_radix(fields.nth(skip)?, 16).ok();
        let address = Ipv4Addr::from(number(0)?.to_ne_bytes());
        let mask = u32::from_be_bytes(number(5)?.to_ne_bytes());
        let length = u8::try_from(mask.leading_ones()).ok()?;
        // The default route leads everywhere and is in nobody's way.
        (length > 0).then_some(Prefix { address: IpAddr::V4(address), length })
    };
    table.lines().skip(1).filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_in_dockers_order() {
        let mut taken = Vec::new();
        for _ in 0..31 {
            taken.push(choose_v4(&taken).unwrap());
        }
        let shown: Vec<String> = taken.iter().map(Prefix::to_string).collect();
        assert_eq!(shown[0], "172.17.0.0/16");
        assert_eq!(shown[1], "172.18.0.0/16");
        assert_eq!(shown[14], "172.31.0.0/16");
        assert_eq!(shown[15], "192.168.0.0/20");
        assert_eq!(shown[30], "192.168.240.0/20");
        assert_eq!(choose_v4(&taken), None);
    }

    #[test]
    fn a_swarms_blocks_begin_with_that_of_published_ports() {
        let pools = [SWARM_POOL];
        let first = choose_for_swarm(&pools, false, &[]).unwrap();
        assert_eq!(first.to_string(), "10.0.1.0/24");
        assert_eq!(choose_for_swarm(&pools, true, &[first]).unwrap().to_string(), "10.0.0.0/24");
        let next = choose_for_swarm(&pools, false, &[first]).unwrap();
        assert_eq!(next.to_string(), "10.0.2.0/24");
        let small = [(Prefix::v4([10, 9, 0, 0], 23), 24)];
        let only = choose_for_swarm(&small, false, &[]).unwrap();
        assert_eq!(only.to_string(), "10.9.1.0/24");
        assert_eq!(choose_for_swarm(&small, false, &[only]), None);
    }

    #[test]
    fn what_the_host_uses_is_left_alone() {
        // As the kernel writes it on a little-endian machine.
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n\
                     eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let routes = host_routes(table);
        assert_eq!(routes, ["172.17.0.0/16".parse().unwrap()]);
        assert_eq!(choose_v4(&routes).unwrap().to_string(), "172.18.0.0/16");
    }

    #[test]
    fn local_ipv6_blocks_follow_each_other() {
        let prefix = "fd12:3456:789a::".parse().unwrap();
        let first = choose_v6(prefix, &[]).unwrap();
        assert_eq!(first.to_string(), "fd12:3456:789a::/64");
        assert_eq!(choose_v6(prefix, &[first]).unwrap().to_string(), "fd12:3456:789a:1::/64");
    }
}
