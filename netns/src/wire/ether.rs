//! Frames on the wire: a `virtio_net_hdr`, an Ethernet header, an IP packet.

/// `struct virtio_net_hdr` (linux/virtio_net.h).
const VNET_BYTES: usize = 10;
const ETHER_BYTES: usize = 14;
const HEADER_BYTES: usize = VNET_BYTES + ETHER_BYTES;

/// The largest IP packet, and its headers.
pub(crate) const FRAME_BYTES_MAX: usize = HEADER_BYTES + 65_535;

const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];

/// A received frame with an IP packet in it.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Frame<'a> {
    /// `None` when it is not an IP packet for us.
    pub(crate) fn parse(bytes: &'a mut [u8]) -> Option<Self> {
        let ethertype = bytes.get(HEADER_BYTES - 2..HEADER_BYTES)?;
        (ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6).then_some(Self { bytes })
    }

    pub(crate) fn packet(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// The same frame, addressed back to where it came from; its packet is untouched.
    pub(crate) fn turned(self) -> &'a [u8] {
        let (_, ether) = self.bytes.split_at_mut(VNET_BYTES);
        let (destination, rest) = ether.split_at_mut(6);
        destination.swap_with_slice(&mut rest[..6]);
        self.bytes
    }
}

/// A frame of ours around an IP packet whose checksums are complete.
pub(crate) fn frame(from: [u8; 6], to: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let is_v6 = packet.first().is_some_and(|first| first >> 4 == 6);
    let mut out = Vec::with_capacity(HEADER_BYTES + packet.len());
    out.extend_from_slice(&[0; VNET_BYTES]);
    out.extend_from_slice(&to);
    out.extend_from_slice(&from);
    out.extend_from_slice(if is_v6 { &ETHERTYPE_IPV6 } else { &ETHERTYPE_IPV4 });
    out.extend_from_slice(packet);
    out
}

/// Whether a frame is addressed to this device: the kernel floods others.
pub(crate) fn is_for_us(bytes: &[u8], us: [u8; 6]) -> bool {
    bytes.get(VNET_BYTES..VNET_BYTES + 6) == Some(&us[..])
}
