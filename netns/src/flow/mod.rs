//! Connections between containers and the world: what each needs to know, and its next step.

mod echo;
mod kit;
mod shares;
mod sockets;
mod splice;
mod tcp;
mod udp;

pub(crate) use echo::Echoes;
pub(crate) use kit::{Goal, Kind, Kit, Token, Verdict, Wire, oldest};
pub(crate) use sockets::{family, host_socket, loopback, reset, tune, unmapped};
pub(crate) use splice::{PIPES_MAX, Pipes, Side};
pub(crate) use tcp::{Ends, TcpFlows};
pub(crate) use udp::{Caller, FLOWS_MAX as DATAGRAM_FLOWS_MAX, Passage, UdpFlows};
