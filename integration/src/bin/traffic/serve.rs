//! A server that sends back what comes: one thread, any number of connections.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Result, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use rustix::event::epoll;

/// Token of the listener; descriptors are smaller.
const LISTENER: u64 = u64::MAX;

pub(crate) fn serve(port: u16) -> Result<()> {
    let listener = listen(port)?;
    let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let input = epoll::EventFlags::IN;
    epoll::add(&poller, &listener, epoll::EventData::new_u64(LISTENER), input)?;
    let mut streams: HashMap<u64, TcpStream> = HashMap::new();
    let mut events = Vec::with_capacity(256);
    loop {
        events.clear();
        epoll::wait(&poller, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            let token = event.data.u64();
            if token == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let token = stream.as_raw_fd().unsigned_abs().into();
                    epoll::add(&poller, &stream, epoll::EventData::new_u64(token), input)?;
                    streams.insert(token, stream);
                }
            } else if streams.get_mut(&token).is_some_and(|stream| !echo(stream)) {
                streams.remove(&token);
            }
        }
    }
}

/// With room for those that come while we are busy with others.
fn listen(port: u16) -> Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &std::net::SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))?;
    listen(&socket, 4096)?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// False at the end of the connection.
fn echo(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) => false,
        Ok(length) => stream.write_all(&buffer[..length]).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}
