//! The health check: asks the server of this container whether it answers.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use super::limits::PROBE_TIME;

const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const HEALTHY: &[u8] = b"HTTP/1.1 200 ";

/// Succeeds when the server on `port` says that it is well.
pub(super) fn run(port: u16) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let failed = |error: std::io::Error| format!("no answer from {address}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PROBE_TIME).map_err(failed)?;
    stream.set_read_timeout(Some(PROBE_TIME)).map_err(failed)?;
    stream.set_write_timeout(Some(PROBE_TIME)).map_err(failed)?;
    stream.write_all(REQUEST).map_err(failed)?;
    let mut start = [0; HEALTHY.len()];
    stream.read_exact(&mut start).map_err(failed)?;
    match start == HEALTHY {
        true => Ok(()),
        false => Err(format!("{address} is not well: {}", String::from_utf8_lossy(&start))),
    }
}
