//! Datagrams larger than the device: split on the way in, put together on the way out.
//!
//! # Limits
//!
//! At most [`DATAGRAMS_MAX`] datagrams wait for their missing parts, each for [`PATIENCE`];
//! the oldest gives way. More than [`PARTS_MAX`] fragments, empty or overlapping ones end the datagram (RFC 5722).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::packet::{IPV4_HEADER, IPV6_HEADER, Packet, protocol};

const DATAGRAMS_MAX: usize = 64;
/// Fragments of a datagram; one of the largest size has 52 when each fits IPv6's least MTU.
const PARTS_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// What all fragments of one datagram share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    id: u32,
}

#[derive(Debug)]
struct Parts {
    since: Instant,
    /// By offset; no two overlap.
    parts: Vec<(usize, Vec<u8>)>,
    /// Known once the last one is here.
    length: Option<usize>,
}

/// Datagrams whose parts are under way.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    waiting: HashMap<Key, Parts>,
}

impl Reassembly {
    /// What waits has no more bytes.
    #[cfg(test)]
    pub(crate) const BYTES_MAX: usize = DATAGRAMS_MAX * DATAGRAM_BYTES_MAX;

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        assert!(self.waiting.values().all(|it| it.parts.len() <= PARTS_MAX));
        self.waiting.values().flat_map(|it| &it.parts).map(|(_, part)| part.len()).sum()
    }

    /// Takes a fragment; gives the payload of the datagram when it was the last that missed.
    pub(crate) fn add(&mut self, now: Instant, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let piece = packet.fragment?;
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            id: piece.id,
        };
        self.make_room(now, &key);
        let entry = self.waiting.entry(key).or_insert_with(|| Parts {
            since: now,
            parts: Vec::new(),
            length: None,
        });
        let end = piece.offset + packet.payload.len();
        let overlaps =
            |(offset, part): &(usize, Vec<u8>)| *offset < end && piece.offset < offset + part.len();
        // Without bytes it would overlap nothing, and there could be any number of them.
        let strange = packet.payload.is_empty() || entry.parts.len() >= PARTS_MAX;
        if strange || end > DATAGRAM_BYTES_MAX || entry.parts.iter().any(overlaps) {
            self.waiting.remove(&key);
            return None;
        }
        if !piece.more {
            entry.length = Some(end);
        }
        entry.parts.push((piece.offset, packet.payload.to_vec()));
        let have: usize = entry.parts.iter().map(|(_, part)| part.len()).sum();
        if entry.length != Some(have) {
            return None;
        }
        let mut parts = self.waiting.remove(&key)?.parts;
        parts.sort_unstable_by_key(|(offset, _)| *offset);
        Some(parts.into_iter().flat_map(|(_, part)| part).collect())
    }

    fn make_room(&mut self, now: Instant, key: &Key) {
        self.waiting.retain(|_, parts| now.duration_since(parts.since) < PATIENCE);
        if self.waiting.len() >= DATAGRAMS_MAX && !self.waiting.contains_key(key) {
            let oldest = self.waiting.iter().min_by_key(|(_, parts)| parts.since);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.waiting.remove(&key);
            }
        }
    }
}

/// Splits a packet of ours into ones of at most `mtu` bytes. `id` tells its fragments from
/// those of other packets.
pub(crate) fn split(packet: Vec<u8>, mtu: usize, id: u32) -> Vec<Vec<u8>> {
    if packet.len() <= mtu {
        return vec![packet];
    }
    let v6 = packet[0] >> 4 == 6;
    let header = if v6 { IPV6_HEADER } else { IPV4_HEADER };
    let extra = if v6 { 8 } else { 0 };
    // All but the last carry a multiple of eight bytes.
    let room = (mtu - header - extra) / 8 * 8;
    let (head, payload) = packet.split_at(header);
    let count = payload.len().div_ceil(room);
    let piece = |(index, part): (usize, &[u8])| {
        let more = index + 1 < count;
        let offset = u16::try_from(index * room).unwrap_or(u16::MAX);
        let mut out = head.to_vec();
        if v6 {
            let length = u16::try_from(part.len() + extra).unwrap_or(u16::MAX);
            out[4..6].copy_from_slice(&length.to_be_bytes());
            let next = std::mem::replace(&mut out[6], protocol::FRAGMENT_V6);
            out.extend_from_slice(&[next, 0]);
            out.extend_from_slice(&(offset | u16::from(more)).to_be_bytes());
            out.extend_from_slice(&id.to_be_bytes());
        } else {
            let length = u16::try_from(header + part.len()).unwrap_or(u16::MAX);
            let flags = (offset / 8) | if more { 0x2000 } else { 0 };
            out[2..4].copy_from_slice(&length.to_be_bytes());
            out[4..6].copy_from_slice(&id.to_be_bytes()[2..]);
            out[6..8].copy_from_slice(&flags.to_be_bytes());
            out[10..12].copy_from_slice(&[0, 0]);
            let sum = super::checksum::Sum::default().add(&out).finish();
            out[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        out.extend_from_slice(part);
        out
    };
    payload.chunks(room).enumerate().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::udp_packet;

    fn round_trip(from: &str, to: &str, backwards: bool) {
        let at = |text: &str| text.parse().expect("an address");
        let data: Vec<u8> = (0..9000u32).map(|n| n.to_le_bytes()[0]).collect();
        let whole = udp_packet(at(from), at(to), &data);
        let header = whole.len() - data.len() - 8;
        let mut pieces = split(whole.clone(), 1500, 77);
        assert_eq!(pieces.len(), 7);
        if backwards {
            pieces.reverse();
        }
        let mut reassembly = Reassembly::default();
        let now = Instant::now();
        let mut results: Vec<_> = pieces
            .iter()
            .map(|piece| {
                assert!(piece.len() <= 1500);
                reassembly.add(now, &Packet::parse(piece).expect("a packet"))
            })
            .collect();
        assert_eq!(results.pop().flatten().as_deref(), Some(&whole[header..]));
        assert!(results.iter().all(Option::is_none));
    }

    #[test]
    fn what_was_split_is_put_together() {
        for backwards in [false, true] {
            round_trip("10.0.0.1:53", "172.18.0.2:4000", backwards);
            round_trip("[fd00::1]:53", "[fd00::2]:4000", backwards);
        }
    }

    #[test]
    fn an_overlap_ends_the_datagram_and_old_parts_are_forgotten() {
        let at = |text: &str| text.parse().expect("an address");
        let whole = udp_packet(at("10.0.0.1:53"), at("172.18.0.2:4000"), &[1; 3000]);
        let pieces = split(whole, 1500, 7);
        let mut reassembly = Reassembly::default();
        let now = Instant::now();
        let parsed = |n: usize| Packet::parse(&pieces[n]).expect("a packet");
        assert!(reassembly.add(now, &parsed(0)).is_none());
        assert!(reassembly.add(now, &parsed(0)).is_none());
        assert!(reassembly.waiting.is_empty());
        assert!(reassembly.add(now, &parsed(1)).is_none());
        assert!(reassembly.add(now + PATIENCE, &parsed(0)).is_none());
        assert!(reassembly.add(now + PATIENCE, &parsed(2)).is_none());
    }
}
