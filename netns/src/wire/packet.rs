//! Views of IP packets: every accessor works on checked lengths, nothing panics.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Protocol numbers (IANA).
pub(crate) mod protocol {
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const FRAGMENT_V6: u8 = 44;
    pub(crate) const ICMP_V6: u8 = 58;
}

pub(crate) const IPV4_HEADER: usize = 20;
pub(crate) const IPV6_HEADER: usize = 40;
const FRAGMENT_HEADER: usize = 8;

/// An IP packet of either family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    /// From the first byte of the IP header on, without padding after it.
    pub(crate) bytes: &'a [u8],
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    /// What follows the IP headers.
    pub(crate) payload: &'a [u8],
    /// Set when this is not the whole datagram.
    pub(crate) fragment: Option<Piece>,
}

/// Which part of a datagram a fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) id: u32,
    /// Bytes.
    pub(crate) offset: usize,
    pub(crate) more: bool,
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> Packet<'a> {
    /// `None` for what is no well-formed IP packet.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::parse_v4(bytes),
            6 => Self::parse_v6(bytes),
            _ => None,
        }
    }

    fn parse_v4(bytes: &'a [u8]) -> Option<Self> {
        let header = usize::from(bytes.first()? & 0xf) * 4;
        let total = usize::from(be16(bytes, 2)?);
        if header < IPV4_HEADER || total < header {
            return None;
        }
        let bytes = bytes.get(..total)?;
        let flags = be16(bytes, 6)?;
        let (more, offset) = (flags & 0x2000 != 0, usize::from(flags & 0x1fff) * 8);
        let id = u32::from(be16(bytes, 4)?);
        Some(Self {
            bytes,
            source: Ipv4Addr::from(be32(bytes, 12)?).into(),
            destination: Ipv4Addr::from(be32(bytes, 16)?).into(),
            protocol: *bytes.get(9)?,
            payload: &bytes[header..],
            fragment: (more || offset > 0).then_some(Piece { id, offset, more }),
        })
    }

    fn parse_v6(bytes: &'a [u8]) -> Option<Self> {
        let total = IPV6_HEADER + usize::from(be16(bytes, 4)?);
        let bytes = bytes.get(..total)?;
        let address = |at: usize| -> Option<IpAddr> {
            let octets: [u8; 16] = bytes.get(at..at + 16)?.try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        };
        let (mut protocol, mut payload, mut fragment) = (bytes[6], &bytes[IPV6_HEADER..], None);
        if protocol == protocol::FRAGMENT_V6 {
            let offset = be16(payload, 2)?;
            fragment = Some(Piece {
                id: be32(payload, 4)?,
                offset: usize::from(offset & 0xfff8),
                more: offset & 1 != 0,
            });
            protocol = payload[0];
            payload = payload.get(FRAGMENT_HEADER..)?;
        }
        Some(Self {
            bytes,
            source: address(8)?,
            destination: address(24)?,
            protocol,
            payload,
            fragment,
        })
    }

    pub(crate) fn tcp(&self) -> Option<Tcp<'a>> {
        (self.protocol == protocol::TCP && self.fragment.is_none()).then_some(())?;
        let (head, header) = (self.payload, usize::from(self.payload.get(12)? >> 4) * 4);
        Some(Tcp {
            source: SocketAddr::new(self.source, be16(head, 0)?),
            destination: SocketAddr::new(self.destination, be16(head, 2)?),
            sequence: be32(head, 4)?,
            acknowledgement: be32(head, 8)?,
            flags: TcpFlags(*head.get(13)?),
            data: head.get(header..)?,
        })
    }

    pub(crate) fn udp(&self) -> Option<Udp<'a>> {
        (self.protocol == protocol::UDP).then_some(())?;
        let length = usize::from(be16(self.payload, 4)?);
        Some(Udp {
            source: SocketAddr::new(self.source, be16(self.payload, 0)?),
            destination: SocketAddr::new(self.destination, be16(self.payload, 2)?),
            data: self.payload.get(8..length)?,
        })
    }

    /// An echo request or reply of ICMP or ICMPv6.
    pub(crate) fn echo(&self) -> Option<Echo<'a>> {
        let request = match self.protocol {
            protocol::ICMP => 8,
            protocol::ICMP_V6 => 128,
            _ => return None,
        };
        (*self.payload.first()? == request).then_some(())?;
        Some(Echo {
            id: be16(self.payload, 4)?,
            sequence: be16(self.payload, 6)?,
            data: &self.payload[8..],
        })
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: TcpFlags,
    pub(crate) data: &'a [u8],
}

/// The flags of a segment (RFC 9293 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TcpFlags(pub(crate) u8);

impl TcpFlags {
    const FIN: u8 = 0x01;
    const SYN: u8 = 0x02;
    pub(crate) const RST: u8 = 0x04;
    pub(crate) const ACK: u8 = 0x10;

    /// The first segment of a connection.
    pub(crate) fn opens(self) -> bool {
        self.0 & (Self::SYN | Self::ACK | Self::RST | Self::FIN) == Self::SYN
    }

    pub(crate) fn resets(self) -> bool {
        self.0 & Self::RST != 0
    }

    pub(crate) fn acknowledges(self) -> bool {
        self.0 & Self::ACK != 0
    }

    /// How many numbers the flags take in the sequence.
    pub(crate) fn length(self) -> u32 {
        u32::from(self.0 & Self::SYN != 0) + u32::from(self.0 & Self::FIN != 0)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Udp<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) data: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo<'a> {
    pub(crate) id: u16,
    pub(crate) sequence: u16,
    pub(crate) data: &'a [u8],
}
