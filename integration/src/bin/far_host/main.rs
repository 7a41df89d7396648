//! A host beyond this one, for the network tests: small servers that tell who called.
//!
//! `far_host ADDRESS...` serves at each address until its standard input ends, and
//! `far_host stub ADDRESS SERVER` is a resolver alone, as a laptop has one on its loopback:
//!
//! | port | what |
//! | --- | --- |
//! | 7000/tcp, 7000/udp | answers `PEER-IP:PORT` and a newline, then (tcp) echoes what comes |
//! | 7001/tcp | reads to the end, then answers the number of bytes: needs half-close |
//! | 7002/tcp | resets the connection at its first byte |
//! | 7003/tcp | reads a line `HOST:PORT`, connects there and passes bytes both ways |
//! | 7004/udp | takes `HOST:PORT TEXT`, sends the text there and answers with what comes back |
//! | 53/udp, 53/tcp | DNS: the names of `dns.rs`; others do not exist, or the stub asks its server |

mod dns;

use std::io::{Read, Write, copy, stdin};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

fn main() {
    const USAGE: &str = "usage: far_host ADDRESS... | far_host stub ADDRESS SERVER";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = |text: &String| -> IpAddr { text.parse().expect(USAGE) };
    match arguments.as_slice() {
        [word, own, server] if word == "stub" => {
            let server = SocketAddr::new(address(server), 53);
            serve_names(SocketAddr::new(address(own), 53), Some(server));
        }
        addresses => addresses.iter().map(address).for_each(|ip| {
            serve_at(|port| SocketAddr::new(ip, port));
        }),
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
    serve_names(at(53), None);
}

/// Both ways that DNS has; what is not known is asked of `server`.
fn serve_names(at: SocketAddr, server: Option<SocketAddr>) {
    let ask = move |question: &[u8], room| {
        dns::answer(question, room).or_else(|| dns::pass_on(question, server?).ok())
    };
    answer(at, move |question, _| {
        ask(question, dns::UDP_BYTES_MAX).unwrap_or_else(|| dns::no_such_name(question))
    });
    serve(at, move |mut stream, _| {
        let mut length = [0; 2];
        while stream.read_exact(&mut length).is_ok() {
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            if stream.read_exact(&mut question).is_err() {
                return;
            }
            let answer = ask(&question, usize::from(u16::MAX));
            let answer = answer.unwrap_or_else(|| dns::no_such_name(&question));
            let length = u16::try_from(answer.len()).expect("answers are short").to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).ok();
        }
    });
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
    // Also when it ends badly: whoever asked waits for the end.
    copy(&mut &far, &mut &near).ok();
    near.shutdown(std::net::Shutdown::Both).ok();
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
