//! Packets of a hostile container: as many as go out, none of which leads anywhere.

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::net::{
    AddressFamily, SendFlags, SocketType, sendto, socket, sockopt::set_socket_send_buffer_size,
};

const TCP: u8 = 6;
const UDP: u8 = 17;
const HEADER: usize = 20;
/// More fragments follow.
const MORE: u16 = 0x2000;

/// Sends `count` packets to `to`, from the address that leads there.
pub(crate) fn flood(kind: &str, to: IpAddr, count: u32) -> Result<String> {
    let IpAddr::V4(to) = to else { return Err(Error::other("an IPv4 address")) };
    let IpAddr::V4(from) = source(to)? else { return Err(Error::other("no IPv4 address here")) };
    if kind == "names" {
        return names(to, count);
    }
    // The header is ours (raw(7)).
    let raw = rustix::net::Protocol::from_raw(255.try_into().expect("not zero"));
    let socket = socket(AddressFamily::INET, SocketType::RAW, Some(raw))?;
    set_socket_send_buffer_size(&socket, 1 << 20)?;
    let mut sent = 0;
    for number in 0..count {
        let packet = match kind {
            "syn" => syn(from, to, number),
            "udp" => udp(from, to, number),
            "fragments" => fragment(from, to, number),
            _ => return Err(Error::new(ErrorKind::InvalidInput, "syn, udp, fragments or names")),
        };
        // What finds no room is lost; the next may find some.
        if sendto(&socket, &packet, SendFlags::empty(), &SocketAddr::from((to, 0))).is_ok() {
            sent += 1;
        }
    }
    Ok(sent.to_string())
}

fn source(to: Ipv4Addr) -> Result<IpAddr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((to, 9))?;
    Ok(socket.local_addr()?.ip())
}

/// Low and high half of a number, as ports that are not 0.
fn ports(number: u32) -> [u16; 2] {
    let [a, b, c, d] = number.wrapping_mul(2_654_435_761).to_be_bytes();
    [u16::from_be_bytes([a, b]) | 1, u16::from_be_bytes([c, d]) | 1]
}

fn syn(from: Ipv4Addr, to: Ipv4Addr, number: u32) -> Vec<u8> {
    let [source, destination] = ports(number);
    let mut tcp = Vec::with_capacity(HEADER);
    tcp.extend(source.to_be_bytes());
    tcp.extend(destination.to_be_bytes());
    tcp.extend(number.to_be_bytes());
    // No acknowledgement; five words of header, SYN; a window; checksum and urgent pointer.
    tcp.extend([0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
    let mut summed = pseudo(from, to, TCP, tcp.len());
    summed.extend(&tcp);
    tcp[16..18].copy_from_slice(&checksum(&summed).to_be_bytes());
    packet(from, to, TCP, (number, 0), &tcp)
}

fn udp(from: Ipv4Addr, to: Ipv4Addr, number: u32) -> Vec<u8> {
    packet(from, to, UDP, (number, 0), &datagram(ports(number), 8))
}

/// The first fragment of a datagram whose others never come.
fn fragment(from: Ipv4Addr, to: Ipv4Addr, number: u32) -> Vec<u8> {
    packet(from, to, UDP, (number, MORE), &datagram(ports(number), 1472))
}

/// Without a checksum, which is allowed.
fn datagram([source, destination]: [u16; 2], data: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in [source, destination, 8 + data, 0] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.resize(usize::from(8 + data), 0x55);
    bytes
}

fn packet(
    from: Ipv4Addr,
    to: Ipv4Addr,
    protocol: u8,
    (id, flags): (u32, u16),
    data: &[u8],
) -> Vec<u8> {
    let length = u16::try_from(HEADER + data.len()).expect("ours are small");
    let [_, _, high, low] = id.to_be_bytes();
    let [more, offset] = flags.to_be_bytes();
    let mut bytes = vec![0x45, 0];
    bytes.extend(length.to_be_bytes());
    // The kernel sums the header.
    bytes.extend([high, low, more, offset, 64, protocol, 0, 0]);
    bytes.extend(from.octets());
    bytes.extend(to.octets());
    bytes.extend(data);
    bytes
}

fn pseudo(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, length: usize) -> Vec<u8> {
    let length = u16::try_from(length).expect("ours are small").to_be_bytes();
    [&from.octets()[..], &to.octets(), &[0, protocol], &length].concat()
}

fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        _ => u32::from(pair[0]) << 8,
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("carried")
}

/// Questions whose name has a thousand labels; no server need read it to the end.
fn names(to: Ipv4Addr, count: u32) -> Result<String> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let mut sent = 0;
    for number in 0..count {
        let [_, _, high, low] = number.to_be_bytes();
        let mut question = vec![high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        question.extend([1, b'a'].repeat(1000));
        question.extend([0, 0, 1, 0, 1]);
        if socket.send_to(&question, (to, 53)).is_ok() {
            sent += 1;
        }
    }
    Ok(sent.to_string())
}
