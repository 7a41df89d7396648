//! What the tests of networks share: servers in containers, and hosts outside that ask them.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use coracle_integration::{Output, TestEnv, settings::Far, wait};

/// The two hosts beyond this one, or a skip.
macro_rules! far {
    () => {
        match &coracle_integration::settings::settings().far {
            Some(far) => far,
            None => coracle_integration::skip!("no host beyond this one: run scripts/test as root"),
        }
    };
}
pub(crate) use far;

/// Starts the web server that tells who asks.
#[track_caller]
pub(crate) fn whoami(env: &TestEnv, name: &str, more: &[&str]) {
    env.run([&["run", "-d", "--name", name], more, &["coracle.local/whoami"]].concat()).success();
}

/// Starts a container that does nothing.
#[track_caller]
pub(crate) fn idle(env: &TestEnv, name: &str, more: &[&str]) {
    let start = ["run", "-d", "--name", name];
    env.run([&start, more, &["alpine", "sleep", "100000"]].concat()).success();
}

/// What a shell in a new container of a network prints.
pub(crate) fn inside(env: &TestEnv, network: &str, script: &str) -> Output {
    env.run(["run", "--rm", "--network", network, "alpine", "sh", "-c", script])
}

/// What a shell in a running container prints.
pub(crate) fn within(env: &TestEnv, container: &str, script: &str) -> Output {
    env.run(["exec", container, "sh", "-c", script])
}

/// A field of `inspect`.
#[track_caller]
pub(crate) fn field(env: &TestEnv, container: &str, format: &str) -> String {
    env.run(["inspect", "--format", format, container]).success().line()
}

/// The address of a container in a network.
#[track_caller]
pub(crate) fn address(env: &TestEnv, container: &str, network: &str) -> String {
    let format = format!("{{{{(index .NetworkSettings.Networks {network:?}).IPAddress}}}}");
    field(env, container, &format)
}

/// What an HTTP server answers; asked until it does.
#[track_caller]
pub(crate) fn get(address: &str) -> String {
    let mut answer = String::new();
    wait::until(&format!("{address} answers"), || {
        answer.clear();
        let Ok(mut stream) = TcpStream::connect(address) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
        asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && !answer.is_empty()
    });
    answer
}

/// The same, asked by a host beyond this one.
#[track_caller]
pub(crate) fn get_from(far: &Far, address: &str) -> String {
    let mut answer = String::new();
    wait::until(&format!("{address} answers"), || {
        answer = get_once_from(far, address);
        !answer.is_empty()
    });
    answer
}

/// What it gets at once; nothing where it cannot connect.
pub(crate) fn get_once_from(far: &Far, address: &str) -> String {
    let mut stream = TcpStream::connect((far.v4.as_str(), 7003)).expect("the far host is there");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    stream.write_all(format!("{address}\nGET / HTTP/1.0\r\n\r\n").as_bytes()).expect("room");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok();
    answer
}

/// The address that the server saw, without its port.
#[track_caller]
pub(crate) fn seen(answer: &str) -> &str {
    let line = answer.lines().find_map(|line| line.strip_prefix("RemoteAddr: "));
    let (address, _) = line.and_then(|line| line.rsplit_once(':')).expect(answer);
    address.trim_matches(['[', ']'])
}

/// Sends a datagram and gives the answer, or nothing.
pub(crate) fn ask(server: &str, text: &str) -> String {
    let any = if server.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(any).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(6))).expect("a timeout");
    socket.send_to(text.as_bytes(), server).expect("sent");
    let mut buffer = [0; 9000];
    let length = socket.recv(&mut buffer).unwrap_or_default();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// The host's Perl in a container; part of every Debian.
pub(crate) const PERL: [&str; 6] =
    ["-v", "/usr:/usr:ro", "-v", "/usr/lib:/lib:ro", "-v", "/usr/lib64:/lib64:ro"];

/// Skips where the host has no such Perl.
macro_rules! need_perl {
    () => {
        let merged = std::path::Path::new("/lib64").is_symlink();
        if !merged || coracle_integration::skip::program("perl").is_none() {
            coracle_integration::skip!("no Perl, or none that containers can have");
        }
    };
}
pub(crate) use need_perl;

/// Sends bytes and prints those that come back, both as hexadecimal digits.
const TALK: &str = "use Socket qw(:all); ($how,$ip,$port,$out)=@ARGV; $six=$ip=~/:/; $tcp=$how eq 'tcp'; \
    socket(S,$six?PF_INET6:PF_INET,$tcp?SOCK_STREAM:SOCK_DGRAM,0) or die $!; alarm 20; \
    connect(S,$six?sockaddr_in6($port,inet_pton(AF_INET6,$ip)):sockaddr_in($port,inet_aton($ip))) \
    or die \"connect: $!\\n\"; defined send(S,pack('H*',$out),0) or die \"send: $!\\n\"; \
    do { defined recv(S,$d,65535,0) or die \"receive: $!\\n\"; $in.=$d } \
    while $tcp && length $d && (length $in<2 || length $in<2+unpack('n',$in)); print unpack('H*',$in)";

/// Has a container with [`PERL`] send bytes somewhere, and gives what came back.
pub(crate) fn talk(
    env: &TestEnv,
    container: &str,
    how: &str,
    to: (&str, u16),
    bytes: &[u8],
) -> Output {
    let (port, hex) = (to.1.to_string(), hex::encode(bytes));
    env.run(["exec", container, "/usr/bin/perl", "-e", TALK, how, to.0, &port, &hex])
}

/// The text that a server answers a datagram with.
#[track_caller]
pub(crate) fn datagram(env: &TestEnv, container: &str, to: (&str, u16)) -> String {
    let answer = talk(env, container, "udp", to, b"x").success().stdout();
    String::from_utf8(hex::decode(answer).expect("hex digits")).expect("text")
}

/// A server for datagrams: answers who sent how many bytes.
pub(crate) const TELL_WHO: &str = "use Socket; $v6=$ARGV[0]; \
    socket(S,$v6?PF_INET6:PF_INET,SOCK_DGRAM,0); \
    bind(S,$v6?sockaddr_in6(5000,Socket::inet_pton(AF_INET6,'::')):sockaddr_in(5000,INADDR_ANY)); \
    while($p=recv(S,$d,9000,0)){ \
    $a=$v6?Socket::inet_ntop(AF_INET6,(sockaddr_in6($p))[1]):inet_ntoa((sockaddr_in($p))[1]); \
    send(S,$a.' '.length($d).\"\\n\",0,$p)}";

/// The network helper; there is one.
#[track_caller]
pub(crate) fn helper(env: &TestEnv) -> rustix::process::Pid {
    let found = coracle_integration::leak::processes_named(env.root(), "coracle-netd");
    assert_eq!(found.len(), 1, "one helper per user");
    found[0]
}
