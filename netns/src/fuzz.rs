//! Feeds mutated packets and DNS messages to everything that reads what a container wrote.
//!
//! # How it works
//!
//! Literal packets are changed at random (bits, lengths, cuts, copies of parts, two spliced
//! together) and read. Nothing may panic, and what waits stays within its bounds. The numbers
//! come from a seed that is printed, so that a failure can be had again.
//!
//! # Limits
//!
//! A test takes [`ROUNDS`] rounds; `scripts/bench fuzz SECONDS` goes on for so long with a new
//! seed.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::dns::{Action, Endpoint, Network, Resolvers, Server, Transport};
use crate::wire::{
    Frame, Packet, Reassembly, Unreachable, echo_packet, frame, reset_for, split, udp_packet,
    unreachable_for,
};

const ROUNDS: u64 = 20_000;

/// A small generator (xorshift64*): repeatable, and good enough to choose bytes.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `end`; 0 when that is 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

fn mutate(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len());
        match dice.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
            1 if !bytes.is_empty() => bytes[at] = dice.byte(),
            2 if !bytes.is_empty() => bytes[at] = [0, 1, 0x3f, 0x7f, 0xc0, 0xff][dice.below(6)],
            3 => bytes.truncate(at),
            4 => {
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len());
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            5 => {
                let part = bytes[at..].to_vec();
                let to = dice.below(bytes.len());
                bytes.splice(to..to, part);
                bytes.truncate(70_000);
            }
            _ => bytes.extend((0..dice.below(40)).map(|_| 0xc0)),
        }
    }
    bytes
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Packets of each kind and family, fragments included.
fn packets() -> Vec<Vec<u8>> {
    let (v4, far4) = (at("172.18.0.2:40000"), at("198.51.100.7:53"));
    let (v6, far6) = (at("[fd00::2]:40000"), at("[2001:db8::7]:53"));
    let mut all = vec![
        udp_packet(v4, far4, b"question"),
        udp_packet(v6, far6, b"question"),
        echo_packet(v4.ip(), far4.ip(), (7, 1), b"ping"),
        echo_packet(v6.ip(), far6.ip(), (7, 1), b"ping"),
    ];
    for (number, large) in
        [udp_packet(v4, far4, &[1; 4000]), udp_packet(v6, far6, &[2; 4000])].into_iter().enumerate()
    {
        all.extend(split(large, 1500, u32::try_from(number).expect("two")));
    }
    // SYN with options from 172.18.0.2:40000 to 198.51.100.7:80.
    let mut syn = vec![0x45, 0, 0, 48, 0, 1, 0x40, 0, 64, 6, 0, 0, 172, 18, 0, 2, 198, 51, 100, 7];
    syn.extend([0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x70, 2, 0xff, 0xff, 0, 0, 0, 0]);
    syn.extend([2, 4, 5, 0xb4, 1, 1, 4, 2]);
    all.push(syn);
    all
}

fn read_packet(parts: &mut Reassembly, bytes: &[u8], now: Instant) {
    let mut bytes = frame([2; 6], [4; 6], bytes);
    let Some(framed) = Frame::parse(&mut bytes) else { return };
    if let Some(packet) = Packet::parse(framed.packet()) {
        if let Some(reset) = packet.tcp().and_then(|tcp| reset_for(&tcp)) {
            assert!(Packet::parse(&reset).is_some_and(|it| it.tcp().is_some()), "{reset:?}");
        }
        let told = unreachable_for(&packet, Unreachable::Prohibited);
        assert!(told.len() <= 1280, "as large as IPv6 allows: {}", told.len());
        if packet.fragment.is_some()
            && let Some(payload) = parts.add(now, &packet)
        {
            let whole = Packet { payload: &payload, fragment: None, ..packet };
            read_payload(&whole, payload.len());
        }
        read_payload(&packet, packet.payload.len());
    }
    assert!(parts.bytes() <= Reassembly::BYTES_MAX, "{}", parts.bytes());
    framed.turned();
}

fn read_payload(packet: &Packet<'_>, room: usize) {
    assert!(packet.udp().is_none_or(|udp| udp.data.len() <= room));
    assert!(packet.echo().is_none_or(|echo| echo.data.len() <= room));
}

fn names() -> Server<u32> {
    let mut next: u16 = 0;
    let mut server = Server::new(Resolvers::parse(b"nameserver 192.0.2.1\n"), move || {
        next = next.wrapping_add(1);
        next
    });
    let (id, name) = ("n".to_owned(), "n".to_owned());
    server.add(Endpoint {
        id: "e".into(),
        member: "m".into(),
        network: Network { id, name, internal: false, names: true },
        addresses: vec![ip("172.18.0.2")],
        names: vec!["web".into()],
        ..Endpoint::default()
    });
    server
}

/// Questions, one with EDNS, and answers of other servers.
fn messages() -> Vec<Vec<u8>> {
    let question = |name: &[u8], kind: u8| {
        let mut bytes = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend(name);
        bytes.extend([0, 0, kind, 0, 1]);
        bytes
    };
    let mut edns = question(b"\x03web", 28);
    edns[11] = 1;
    edns.extend([0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0]);
    let mut answer = question(b"\x07example\x03org", 1);
    (answer[2], answer[3], answer[7]) = (0x81, 0x80, 1);
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    vec![
        question(b"\x03web", 1),
        question(b"\x07example\x03org", 1),
        question(b"\x012\x010\x0218\x03172\x07in-addr\x04arpa", 12),
        question(&[1, b'a'].repeat(1000), 1),
        edns,
        answer,
    ]
}

fn read_message(server: &mut Server<u32>, dice: &mut Dice, bytes: &[u8], now: Instant) {
    let mut actions = Vec::new();
    let transport = if dice.below(2) == 0 { Transport::Udp } else { Transport::Tcp };
    server.on_query(now, ip("172.18.0.2"), transport, bytes, 1, &mut actions);
    server.on_upstream(now, at("192.0.2.1:53"), bytes, &mut actions);
    for action in actions {
        let (Action::Reply { bytes, .. }
        | Action::SendUdp { bytes, .. }
        | Action::SendTcp { bytes, .. }) = action;
        assert!(bytes.len() <= 65_535);
    }
    if server.deadline().is_some_and(|deadline| deadline <= now) {
        server.on_timeout(now, &mut Vec::new());
    }
}

/// Goes on while `more` says so; how many rounds that were.
fn fuzz(seed: u64, mut more: impl FnMut(u64) -> bool) -> u64 {
    let mut dice = Dice(seed | 1);
    let (packets, messages) = (packets(), messages());
    let (mut parts, mut server) = (Reassembly::default(), names());
    let mut now = Instant::now();
    let mut rounds = 0;
    while more(rounds) {
        read_packet(&mut parts, &mutate(&mut dice, &packets), now);
        let message = mutate(&mut dice, &messages);
        read_message(&mut server, &mut dice, &message, now);
        now += Duration::from_millis(1);
        rounds += 1;
    }
    rounds
}

#[test]
fn mutated_packets_and_messages_are_read_without_harm() {
    assert_eq!(fuzz(20_261_126, |rounds| rounds < ROUNDS), ROUNDS);
}

#[test]
#[ignore = "takes as long as scripts/bench fuzz says"]
fn for_as_long_as_asked() {
    #[expect(clippy::disallowed_methods, reason = "how scripts/bench tells a test something")]
    let seconds = std::env::var("CORACLE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).expect("random bytes");
    let (seed, end) = (u64::from_ne_bytes(seed), Duration::from_secs(seconds.unwrap_or(1)));
    println!("seed {seed}");
    let start = Instant::now();
    let rounds = fuzz(seed, |_| start.elapsed() < end);
    println!("{rounds} packets and {rounds} DNS messages read, no panic, all bounds held");
}
