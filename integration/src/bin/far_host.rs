//! A host beyond this one, for the network tests: small servers that tell who called.
//!
//! `far_host ADDRESS...` serves at each address until its standard input ends:
//!
//! | port | what |
//! | --- | --- |
//! | 7000/tcp, 7000/udp | answers `PEER-IP:PORT` and a newline, then (tcp) echoes what comes |
//! | 7001/tcp | reads to the end, then answers the number of bytes: needs half-close |
//! | 7002/tcp | resets the connection at its first byte |
//! | 7003/tcp | reads a line `HOST:PORT`, connects there and passes bytes both ways |
//! | 7004/udp | takes `HOST:PORT TEXT`, sends the text there and answers with what comes back |
//! | 53/udp | DNS: `far.test` is 203.0.113.7, every other name does not exist |

use std::io::{Read, Write, copy, stdin};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

fn main() {
    for address in std::env::args().skip(1) {
        let address: IpAddr = address.parse().expect("usage: far_host ADDRESS...");
        serve_at(|port| SocketAddr::new(address, port));
    }
    copy(&mut stdin(), &mut std::io::sink()).ok();
}

fn serve_at(at: impl Fn(u16) -> SocketAddr) {
    serve(at(7000), |mut stream, peer| {
        writeln!(stream, "{peer}").ok();
        let mut back = stream.try_clone().expect("a descriptor");
        copy(&mut stream, &mut back).ok();
        back.shutdown(std::net::Shutdown::Write).ok();
    });
    serve(at(7001), |mut stream, _| {
        let count = copy(&mut stream, &mut std::io::sink()).unwrap_or_default();
        writeln!(stream, "{count}").ok();
    });
    serve(at(7002), |mut stream, _| {
        stream.read_exact(&mut [0]).ok();
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).ok();
    });
    serve(at(7003), |stream, _| {
        relay(stream).ok();
    });
    answer(at(7004), |order, _| ask(order).unwrap_or_default());
    answer(at(7000), |_, peer| format!("{peer}\n").into_bytes());
    answer(at(53), |question, _| dns(question));
}

fn serve(at: SocketAddr, each: impl Fn(TcpStream, SocketAddr) + Copy + Send + 'static) {
    let listener = TcpListener::bind(at).expect("an address to listen at");
    thread::spawn(move || {
        while let Ok((stream, peer)) = listener.accept() {
            thread::spawn(move || each(stream, peer));
        }
    });
}

fn answer(at: SocketAddr, each: impl Fn(&[u8], SocketAddr) -> Vec<u8> + Send + 'static) {
    let socket = UdpSocket::bind(at).expect("an address to listen at");
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            socket.send_to(&each(&buffer[..length], peer), peer).ok();
        }
    });
}

/// Continues a connection to the place named in its first line.
fn relay(near: TcpStream) -> std::io::Result<()> {
    let mut line = String::new();
    while !line.ends_with('\n') {
        let mut byte = [0];
        (&near).read_exact(&mut byte)?;
        line.push(char::from(byte[0]));
    }
    let far = TcpStream::connect(line.trim())?;
    let (mut from, mut to) = (near.try_clone()?, far.try_clone()?);
    let forth = thread::spawn(move || {
        copy(&mut from, &mut to).ok();
        to.shutdown(std::net::Shutdown::Write).ok();
    });
    copy(&mut &far, &mut &near)?;
    near.shutdown(std::net::Shutdown::Write)?;
    forth.join().ok();
    Ok(())
}

/// Sends a datagram where the order says, and gives the answer.
fn ask(order: &[u8]) -> std::io::Result<Vec<u8>> {
    let order = String::from_utf8_lossy(order);
    let (place, text) = order.split_once(' ').unwrap_or((&order, ""));
    let to: SocketAddr = place.parse().map_err(std::io::Error::other)?;
    let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(from)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    socket.send_to(text.as_bytes(), to)?;
    let mut buffer = vec![0; 65_536];
    let (length, _) = socket.recv_from(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

/// The answer to a question about an address.
fn dns(question: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"\x03far\x04test\x00";
    const A: [u8; 2] = [0, 1];
    let Some(body) = question.get(12..) else { return Vec::new() };
    let end = body.iter().position(|byte| *byte == 0).map_or(body.len(), |end| end + 5);
    let body = &body[..end.min(body.len())];
    let known = body.to_ascii_lowercase().starts_with(NAME);
    let has = known && body.get(NAME.len()..NAME.len() + 2) == Some(&A[..]);
    let mut out = question[..2].to_vec();
    out.extend_from_slice(&[0x81, if known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(has)]);
    out.extend_from_slice(&[0, 0, 0, 0]);
    out.extend_from_slice(body);
    if has {
        out.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 7]);
    }
    out
}
