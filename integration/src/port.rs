//! Ports for servers of tests, of which several run at once.

use std::io;
use std::net::{TcpListener, UdpSocket};

/// Below those that the kernel gives to clients (`ip_local_port_range`), so that no connection
/// takes one between the choice and its use, and below those that recorded cases name.
const FIRST: u16 = 12_000;
const COUNT: u16 = 16_000;

/// A port that is free at all addresses, for TCP and for UDP. It is a random one: those that
/// two tests get are different but for one pair in sixteen thousand.
///
/// # Panics
/// When a hundred are taken one after the other.
#[must_use]
pub fn free_port() -> u16 {
    // Another error than this one: a host without IPv6.
    let taken = |error: io::Error| error.kind() == io::ErrorKind::AddrInUse;
    let is_free = |port: &u16| {
        !["0.0.0.0", "[::]"].iter().any(|ip| {
            let at = format!("{ip}:{port}");
            TcpListener::bind(&at).is_err_and(taken) || UdpSocket::bind(&at).is_err_and(taken)
        })
    };
    let random = || {
        let mut bytes = [0; 2];
        rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
            .expect("random bytes");
        FIRST + u16::from_ne_bytes(bytes) % COUNT
    };
    (0..100).map(|_| random()).find(is_free).expect("a free port")
}
