//! The packets that we write: datagrams, echo replies, resets, "unreachable".

use std::net::{IpAddr, SocketAddr};

use super::checksum::Sum;
use super::packet::{IPV4_HEADER, IPV6_HEADER, Packet, Tcp, TcpFlags, protocol};

const HOPS: u8 = 64;
const UDP_HEADER: usize = 8;
const TCP_HEADER: usize = 20;
const ICMP_HEADER: usize = 8;

/// Why a destination cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    Network,
    Host,
    Port,
    /// Somebody decided so.
    Prohibited,
}

/// An IP header and `payload`. The addresses are of one family.
fn ip_packet(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let mut out = Vec::with_capacity(IPV6_HEADER + length);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let total = u16::try_from(IPV4_HEADER + length).unwrap_or(u16::MAX);
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&total.to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 0, HOPS, protocol, 0, 0]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&destination.octets());
            let sum = Sum::default().add(&out).finish();
            out[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (source, destination) => {
            let octets = |address| match address {
                IpAddr::V6(address) => address.octets(),
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            };
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(&[protocol, HOPS]);
            out.extend_from_slice(&octets(source));
            out.extend_from_slice(&octets(destination));
        }
    }
    out.extend_from_slice(payload);
    out
}

/// A datagram. One that is larger than the device takes is split by [`super::split`].
pub(crate) fn udp_packet(source: SocketAddr, destination: SocketAddr, data: &[u8]) -> Vec<u8> {
    let length = UDP_HEADER + data.len();
    let mut datagram = Vec::with_capacity(length);
    datagram.extend_from_slice(&source.port().to_be_bytes());
    datagram.extend_from_slice(&destination.port().to_be_bytes());
    datagram.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(data);
    let sum = Sum::pseudo(source.ip(), destination.ip(), protocol::UDP, length).add(&datagram);
    // Zero would mean "not computed" (RFC 768).
    let sum = match sum.finish() {
        0 => 0xffff,
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    ip_packet(source.ip(), destination.ip(), protocol::UDP, &datagram)
}

/// The reset that answers a segment nobody wants (RFC 9293 3.5.2).
pub(crate) fn reset_for(tcp: &Tcp<'_>) -> Option<Vec<u8>> {
    if tcp.flags.resets() {
        return None;
    }
    let length = u32::try_from(tcp.data.len()).ok()?.wrapping_add(tcp.flags.length());
    let (sequence, acknowledgement, flags) = if tcp.flags.acknowledges() {
        (tcp.acknowledgement, 0, TcpFlags::RST)
    } else {
        (0, tcp.sequence.wrapping_add(length), TcpFlags::RST | TcpFlags::ACK)
    };
    let mut segment = Vec::with_capacity(TCP_HEADER);
    segment.extend_from_slice(&tcp.destination.port().to_be_bytes());
    segment.extend_from_slice(&tcp.source.port().to_be_bytes());
    segment.extend_from_slice(&sequence.to_be_bytes());
    segment.extend_from_slice(&acknowledgement.to_be_bytes());
    segment.extend_from_slice(&[0x50, flags, 0, 0, 0, 0, 0, 0]);
    let (from, to) = (tcp.destination.ip(), tcp.source.ip());
    let sum = Sum::pseudo(from, to, protocol::TCP, TCP_HEADER).add(&segment).finish();
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    Some(ip_packet(from, to, protocol::TCP, &segment))
}

/// "Destination unreachable" about `packet`, as if from its destination (RFC 792, RFC 4443).
pub(crate) fn unreachable_for(packet: &Packet<'_>, why: Unreachable) -> Vec<u8> {
    icmp(packet.destination, packet.source, &unreachable_message(packet, why))
}

/// The same without its IP header.
pub(crate) fn unreachable_message(packet: &Packet<'_>, why: Unreachable) -> Vec<u8> {
    let v6 = packet.source.is_ipv6();
    let (kind, code, quoted_max) = match (v6, why) {
        (false, Unreachable::Network) => (3, 0, 576),
        (false, Unreachable::Host) => (3, 1, 576),
        (false, Unreachable::Port) => (3, 3, 576),
        (false, Unreachable::Prohibited) => (3, 13, 576),
        (true, Unreachable::Network) => (1, 0, 1280),
        (true, Unreachable::Host) => (1, 3, 1280),
        (true, Unreachable::Port) => (1, 4, 1280),
        (true, Unreachable::Prohibited) => (1, 1, 1280),
    };
    let room = quoted_max - ICMP_HEADER - if v6 { IPV6_HEADER } else { IPV4_HEADER };
    let quoted = &packet.bytes[..packet.bytes.len().min(room)];
    let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(quoted);
    summed(packet.destination, packet.source, message)
}

/// The answer to an echo request.
pub(crate) fn echo_packet(
    source: IpAddr,
    destination: IpAddr,
    (id, sequence): (u16, u16),
    data: &[u8],
) -> Vec<u8> {
    let mut message = vec![if source.is_ipv6() { 129 } else { 0 }, 0, 0, 0];
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(data);
    icmp(source, destination, &summed(source, destination, message))
}

fn icmp(source: IpAddr, destination: IpAddr, message: &[u8]) -> Vec<u8> {
    let protocol = if source.is_ipv6() { protocol::ICMP_V6 } else { protocol::ICMP };
    ip_packet(source, destination, protocol, message)
}

/// An ICMP message with its checksum.
fn summed(source: IpAddr, destination: IpAddr, mut message: Vec<u8>) -> Vec<u8> {
    let start = if source.is_ipv6() {
        Sum::pseudo(source, destination, protocol::ICMP_V6, message.len())
    } else {
        Sum::default()
    };
    let sum = start.add(&message).finish();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    /// A packet whose checksums are right sums to all ones.
    fn checksum_is_right(bytes: &[u8]) {
        let packet = Packet::parse(bytes).expect("a packet");
        let pseudo = match packet.protocol {
            protocol::ICMP => Sum::default(),
            other => Sum::pseudo(packet.source, packet.destination, other, packet.payload.len()),
        };
        assert_eq!(pseudo.add(packet.payload).finish(), 0);
        if packet.source.is_ipv4() {
            assert_eq!(Sum::default().add(&bytes[..IPV4_HEADER]).finish(), 0);
        }
    }

    #[test]
    fn a_datagram_is_read_as_it_was_written() {
        for (from, to) in [("10.0.0.1:53", "172.18.0.2:4000"), ("[fd00::1]:53", "[fd00::2]:4000")] {
            let bytes = udp_packet(at(from), at(to), b"hello");
            checksum_is_right(&bytes);
            let packet = Packet::parse(&bytes).expect("a packet");
            let udp = packet.udp().expect("UDP");
            assert_eq!((udp.source, udp.destination, udp.data), (at(from), at(to), &b"hello"[..]));
        }
    }

    #[test]
    fn a_refused_connection_is_reset_with_the_number_it_waits_for() {
        let mut segment = vec![0x9c, 0x40, 0, 80];
        segment.extend_from_slice(&7u32.to_be_bytes());
        segment.extend_from_slice(&[0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
        let bytes = ip_packet(at("172.18.0.2:0").ip(), at("10.9.8.7:0").ip(), 6, &segment);
        let syn = Packet::parse(&bytes).expect("a packet");
        let syn = syn.tcp().expect("TCP");
        assert!(syn.flags.opens());
        let reset = reset_for(&syn).expect("an answer");
        checksum_is_right(&reset);
        let reset = Packet::parse(&reset).expect("a packet");
        let reset = reset.tcp().expect("TCP");
        assert_eq!((reset.source, reset.destination), (at("10.9.8.7:80"), at("172.18.0.2:40000")));
        assert_eq!((reset.acknowledgement, reset.flags.0), (8, TcpFlags::RST | TcpFlags::ACK));
        assert!(reset_for(&reset).is_none(), "resets are not answered");
    }

    #[test]
    fn unreachable_quotes_the_packet() {
        for (from, to) in [("10.0.0.1:53", "172.18.0.2:4000"), ("[fd00::1]:53", "[fd00::2]:4000")] {
            let bytes = udp_packet(at(from), at(to), &[7; 3000]);
            let packet = Packet::parse(&bytes).expect("a packet");
            let answer = unreachable_for(&packet, Unreachable::Port);
            checksum_is_right(&answer);
            let answer = Packet::parse(&answer).expect("a packet");
            assert_eq!((answer.source, answer.destination), (at(to).ip(), at(from).ip()));
            assert_eq!(answer.payload[8..40], bytes[..32]);
        }
    }

    #[test]
    fn nothing_that_is_cut_short_is_read() {
        let whole = udp_packet(at("10.0.0.1:53"), at("172.18.0.2:4000"), b"hello");
        for length in 0..whole.len() {
            assert!(Packet::parse(&whole[..length]).is_none(), "{length} bytes");
        }
    }
}
