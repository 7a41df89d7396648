//! Connections between containers and the world: what each needs to know, and its next step.

mod echo;
mod kit;
mod splice;
mod tcp;
mod udp;

pub(crate) use echo::Echoes;
pub(crate) use kit::{
    Kind, Kit, Token, Verdict, Wire, family, host_socket, loopback, oldest, unmapped,
};
pub(crate) use splice::Pipes;
pub(crate) use tcp::{Ends, TcpFlows};
pub(crate) use udp::UdpFlows;
