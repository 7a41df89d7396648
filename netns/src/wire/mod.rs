//! Packets as bytes: views that never panic, and the few kinds that we write ourselves.

mod build;
mod checksum;
mod ether;
mod fragment;
mod packet;

pub(crate) use build::{
    Unreachable, echo_packet, reset_for, udp_packet, unreachable_for, unreachable_message,
};
pub(crate) use ether::{FRAME_BYTES_MAX, Frame, frame, is_for_us};
pub(crate) use fragment::{Reassembly, split};
pub(crate) use packet::{Echo, Packet, Tcp, Udp, protocol};
