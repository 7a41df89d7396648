//! The server against literal packets, recorded behaviour of Docker, and nonsense.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::limits::{PENDING_MAX, PENDING_PER_ASKER_MAX, QUERY_BYTES_MAX};
use super::terms::{TYPE_A, TYPE_AAAA, TYPE_HTTPS, TYPE_MX, TYPE_PTR};
use super::{Action, Endpoint, Member, Network, Resolvers, Server, Services, Transport};
use crate::balance::Service;

const TYPE_TXT: u16 = 16;
const U1: &str = "172.18.0.2";
const UPSTREAM: &str = "192.168.90.2:53";

/// `u2`, A, "recursion desired", id 7: as sent when Docker's answers were recorded.
const QUERY_U2: &[u8] =
    b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02u2\x00\x00\x01\x00\x01";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn upstream() -> SocketAddr {
    UPSTREAM.parse().unwrap()
}

fn network(name: &str) -> Network {
    Network { id: format!("id-{name}"), name: name.to_owned(), internal: false, names: true }
}

fn endpoint(member: &str, network: Network, addresses: &[&str], names: &[&str]) -> Endpoint {
    Endpoint {
        id: format!("{member}@{}", network.name),
        member: member.to_owned(),
        network,
        addresses: addresses.iter().map(|address| ip(address)).collect(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        ..Endpoint::default()
    }
}

/// The containers of the recording: two on `n1` share the alias `both`.
fn recorded(resolvers: &str) -> Server<u32> {
    let mut next: u16 = 0x1000;
    let mut server = Server::new(Resolvers::parse(resolvers.as_bytes()), move || {
        next = next.wrapping_add(1);
        next
    });
    server.add(endpoint("u1", network("n1"), &[U1], &["u1", "3e6e0bc21337"]));
    let names = ["u2", "ea67bc9b9cb0", "al", "both", "hosty"];
    server.add(endpoint("u2", network("n1"), &["172.18.0.3"], &names));
    server.add(endpoint("u3", network("n1"), &["172.18.0.4"], &["u3", "both"]));
    server
}

fn docker() -> Server<u32> {
    recorded("nameserver 192.168.90.2\n")
}

fn query(name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    bytes
}

/// The same with an EDNS record: version, size 4096, "DNSSEC OK".
fn with_edns(mut bytes: Vec<u8>, version: u8) -> Vec<u8> {
    bytes[11] += 1;
    bytes.extend([0, 0, 41, 0x10, 0, 0, version, 0x80, 0, 0, 0]);
    bytes
}

fn ask_as(server: &mut Server<u32>, asker: &str, bytes: &[u8]) -> Vec<Action<u32>> {
    let mut actions = Vec::new();
    server.on_query(Instant::now(), ip(asker), Transport::Udp, bytes, 1, &mut actions);
    actions
}

fn reply(actions: &[Action<u32>]) -> &[u8] {
    match actions {
        [Action::Reply { client: 1, bytes }] => bytes,
        other => panic!("not one reply: {other:?}"),
    }
}

/// An answer as the recording prints it: `forwarded`, or flags, and data of records.
fn told(server: &mut Server<u32>, asker: &str, name: &str, kind: u16) -> String {
    let question = query(name, kind);
    let actions = ask_as(server, asker, &question);
    if let [Action::SendUdp { .. }] = actions.as_slice() {
        return "forwarded".to_owned();
    }
    describe(reply(&actions), question.len())
}

fn describe(bytes: &[u8], mut at: usize) -> String {
    let mut text = format!("{:02x}{:02x}", bytes[2], bytes[3]);
    for _ in 0..u16::from_be_bytes([bytes[6], bytes[7]]) {
        assert_eq!(bytes[at..at + 2], [0xc0, 0x0c]);
        let ttl = u32::from_be_bytes(bytes[at + 6..at + 10].try_into().unwrap());
        let length = usize::from(u16::from_be_bytes([bytes[at + 10], bytes[at + 11]]));
        let data = &bytes[at + 12..at + 12 + length];
        let data = match <[u8; 4]>::try_from(data) {
            Ok(octets) if bytes[at + 3] == 1 => IpAddr::from(octets).to_string(),
            _ => data.escape_ascii().to_string(),
        };
        text.push_str(&format!(" ttl{ttl} {data}"));
        at += 12 + length;
    }
    text
}

#[test]
fn an_answer_to_the_byte() {
    let actions = ask_as(&mut docker(), U1, QUERY_U2);
    assert_eq!(
        reply(&actions),
        b"\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x02u2\x00\x00\x01\x00\x01\
          \xc0\x0c\x00\x01\x00\x01\x00\x00\x02\x58\x00\x04\xac\x12\x00\x03"
    );
}

#[test]
fn answers_as_recorded() {
    let server = &mut docker();
    let u2 = "8180 ttl600 172.18.0.3";
    for (name, kind, expected) in [
        ("u2", TYPE_A, u2),
        ("u2", TYPE_AAAA, "8180"),
        ("u2", TYPE_MX, "8180"),
        ("u2", TYPE_TXT, "forwarded"),
        ("al", TYPE_A, u2),
        ("hosty", TYPE_A, u2),
        ("ea67bc9b9cb0", TYPE_A, u2),
        ("u2.n1", TYPE_A, u2),
        ("U2", TYPE_A, u2),
        ("nosuch", TYPE_A, "forwarded"),
        ("u2.n2", TYPE_A, "forwarded"),
        ("www.example.test", TYPE_A, "forwarded"),
        ("3.0.18.172.in-addr.arpa", TYPE_PTR, "8180 ttl600 \\x02u2\\x02n1\\x00"),
        ("9.9.9.9.in-addr.arpa", TYPE_PTR, "forwarded"),
        ("", 2, "forwarded"),
        ("localhost", TYPE_A, "forwarded"),
        ("host.docker.internal", TYPE_A, "forwarded"),
    ] {
        assert_eq!(told(server, U1, name, kind), expected, "{name} {kind}");
    }
}

#[test]
fn the_outside_is_not_asked_about_services_of_a_name_that_is_here() {
    assert_eq!(told(&mut docker(), U1, "u2", TYPE_HTTPS), "8180");
}

#[test]
fn owners_of_an_alias_take_turns() {
    let server = &mut docker();
    let (one, other) =
        ("8180 ttl600 172.18.0.3 ttl600 172.18.0.4", "8180 ttl600 172.18.0.4 ttl600 172.18.0.3");
    // Those for the other kind in between must not make it the same one each time.
    for expected in [other, one, other, one] {
        assert_eq!(told(server, U1, "both", TYPE_A), expected);
        assert_eq!(told(server, U1, "both", TYPE_AAAA), "8180");
    }
}

#[test]
fn the_case_of_the_question_stays() {
    let mut question = QUERY_U2.to_vec();
    question[13] = b'U';
    assert_eq!(reply(&ask_as(&mut docker(), U1, &question))[12..15], *b"\x02U2");
}

#[test]
fn other_networks_know_nothing() {
    let server = &mut docker();
    server.add(endpoint("x", network("n9"), &["172.19.0.2"], &["x"]));
    let bridge = Network { names: false, ..network("bridge") };
    server.add(endpoint("y", bridge.clone(), &["172.17.0.2"], &["y"]));
    server.add(endpoint("z", bridge, &["172.17.0.3"], &["z"]));
    assert_eq!(told(server, "172.19.0.2", "u2", TYPE_A), "forwarded");
    assert_eq!(told(server, "172.19.0.2", "3.0.18.172.in-addr.arpa", TYPE_PTR), "forwarded");
    assert_eq!(told(server, U1, "x", TYPE_A), "forwarded");
    assert_eq!(told(server, "172.17.0.2", "z", TYPE_A), "forwarded");
    assert_eq!(told(server, "172.17.0.2", "3.0.17.172.in-addr.arpa", TYPE_PTR), "forwarded");
    assert_eq!(told(server, "10.9.9.9", "u2", TYPE_A), "8185");
    assert_eq!(told(server, "::ffff:172.18.0.2", "u2", TYPE_A), "8180 ttl600 172.18.0.3");
}

#[test]
fn a_second_network_is_asked_too() {
    let server = &mut docker();
    server.add(endpoint("u1", network("n9"), &["172.19.0.3"], &["u1"]));
    server.add(endpoint("u2", network("n9"), &["172.19.0.2"], &["u2", "q"]));
    for asker in [U1, "172.19.0.3"] {
        assert_eq!(told(server, asker, "q", TYPE_A), "8180 ttl600 172.19.0.2");
        assert_eq!(told(server, asker, "u2", TYPE_A), "8180 ttl600 172.18.0.3");
        assert_eq!(told(server, asker, "u2.n9", TYPE_A), "8180 ttl600 172.19.0.2");
    }
    let mut first = endpoint("u1", network("n9"), &["172.19.0.3"], &["u1"]);
    first.priority = 5;
    server.add(first);
    assert_eq!(told(server, U1, "u2", TYPE_A), "8180 ttl600 172.19.0.2");
    server.remove("u1@n9");
    assert_eq!(told(server, U1, "q", TYPE_A), "forwarded");
    assert_eq!(told(server, "172.19.0.3", "q", TYPE_A), "8185");
}

#[test]
fn removal_and_renaming_are_exact() {
    let server = &mut docker();
    server.remove("u3@n1");
    assert_eq!(told(server, U1, "both", TYPE_A), "8180 ttl600 172.18.0.3");
    assert_eq!(told(server, U1, "u3", TYPE_A), "forwarded");
    server.rename("u2@n1", vec!["u2b".to_owned(), "both".to_owned()]);
    assert_eq!(told(server, U1, "u2", TYPE_A), "forwarded");
    assert_eq!(told(server, U1, "u2b", TYPE_A), "8180 ttl600 172.18.0.3");
    let reverse = "3.0.18.172.in-addr.arpa";
    assert_eq!(told(server, U1, reverse, TYPE_PTR), "8180 ttl600 \\x03u2b\\x02n1\\x00");
    // Its successor has the address before its own end is noticed.
    server.add(endpoint("new", network("n1"), &["172.18.0.3"], &["both"]));
    server.remove("u2@n1");
    server.forget_member("u2");
    assert_eq!(told(server, U1, "both", TYPE_A), "8180 ttl600 172.18.0.3");
    assert_eq!(told(server, "172.18.0.3", "u1", TYPE_A), "8180 ttl600 172.18.0.2");
    server.remove("new@n1");
    server.forget_member("new");
    assert_eq!(told(server, U1, "both", TYPE_A), "forwarded");
}

#[test]
fn a_member_that_is_back_before_its_end_is_noticed_keeps_its_names() {
    let server = &mut docker();
    let again = Endpoint {
        id: "again".to_owned(),
        ..endpoint("u2", network("n1"), &["172.18.0.9"], &["u2"])
    };
    server.add(again);
    server.remove("u2@n1");
    server.forget_member("u2");
    assert_eq!(told(server, U1, "u2", TYPE_A), "8180 ttl600 172.18.0.9");
    assert_eq!(told(server, "172.18.0.9", "u1", TYPE_A), "8180 ttl600 172.18.0.2");
}

#[test]
fn both_families_have_names_and_addresses() {
    let server = &mut docker();
    server.add(endpoint("u6", network("n1"), &["fd00::6"], &["u6"]));
    let sixteen = "8180 ttl600 \\xfd\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x06";
    assert_eq!(told(server, U1, "u6", TYPE_AAAA), sixteen);
    assert_eq!(told(server, U1, "u6", TYPE_A), "8180");
    let reverse = format!("6.{}0.0.d.f.ip6.arpa", "0.".repeat(27));
    assert_eq!(told(server, U1, &reverse, TYPE_PTR), "8180 ttl600 \\x02u6\\x02n1\\x00");
    for bad in ["6.ip6.arpa", "256.0.18.172.in-addr.arpa", "0.18.172.in-addr.arpa"] {
        assert_eq!(told(server, U1, bad, TYPE_PTR), "forwarded");
    }
}

#[test]
fn links_and_extra_names_are_the_members_own() {
    let server = &mut docker();
    let mut linked = endpoint("u4", network("n1"), &["172.18.0.5"], &["u4"]);
    linked.links = vec![("lk".to_owned(), "u2".to_owned()), ("u3".to_owned(), "u2".to_owned())];
    server.add(linked);
    let extra = vec![("host.docker.internal".to_owned(), ip("169.254.1.2"))];
    server.set_member("u4", Member { extra, keeps_bare_names: true, ..Member::default() });
    let u4 = "172.18.0.5";
    for name in ["lk", "u3", "LK.n1"] {
        assert_eq!(told(server, u4, name, TYPE_A), "8180 ttl600 172.18.0.3", "{name}");
    }
    assert_eq!(told(server, u4, "host.docker.internal", TYPE_A), "8180 ttl600 169.254.1.2");
    assert_eq!(told(server, u4, "host.docker.internal", TYPE_AAAA), "8180");
    assert_eq!(told(server, u4, "nosuch", TYPE_A), "8180");
    assert_eq!(told(server, U1, "lk", TYPE_A), "forwarded");
}

/// What members of the recorded network `n1` hear of a service with a virtual address, `v1`, and
/// of one without, `d1`, of which these are ready.
fn with_services(server: &mut Server<u32>, ready: &[&str]) {
    let ready: Vec<IpAddr> = ready.iter().map(|text| ip(text)).collect();
    let service = |names: &[&str], tasks: &[&str], vip: Option<&str>| Service {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        task_names: tasks.iter().map(|&name| name.to_owned()).collect(),
        vip: vip.map(ip),
        ready: ready.clone(),
    };
    let v1 = service(&["v1", "web"], &["tasks.v1", "tasks.web"], Some("172.18.9.1"));
    let d1 = service(&["d1", "dal"], &["tasks.d1", "tasks.dal"], None);
    let mut services = Services::default();
    services.add("id-n1", &[v1, d1]);
    server.set_services(services);
}

#[test]
fn services_are_their_virtual_address_or_those_who_are_ready() {
    let server = &mut docker();
    with_services(server, &["172.18.0.8", "172.18.0.9"]);
    let vip = "8180 ttl600 172.18.9.1";
    let (one, other) =
        ("8180 ttl600 172.18.0.8 ttl600 172.18.0.9", "8180 ttl600 172.18.0.9 ttl600 172.18.0.8");
    for (name, kind, expected) in [
        ("v1", TYPE_A, vip),
        ("WEB", TYPE_A, vip),
        ("v1.n1", TYPE_A, vip),
        ("v1", TYPE_AAAA, "8180"),
        ("v1", TYPE_MX, "8180"),
        ("tasks.v1", TYPE_A, other),
        ("tasks.v1", TYPE_A, one),
        ("d1", TYPE_A, other),
        ("dal", TYPE_A, one),
        ("tasks.dal", TYPE_A, other),
        ("tasks.nosuch", TYPE_A, "forwarded"),
        ("1.9.18.172.in-addr.arpa", TYPE_PTR, "8180 ttl600 \\x02v1\\x02n1\\x00"),
    ] {
        assert_eq!(told(server, U1, name, kind), expected, "{name}");
    }
    let elsewhere = "172.21.0.2";
    server.add(endpoint("e", network("n3"), &[elsewhere], &["e"]));
    for name in ["v1", "tasks.v1", "1.9.18.172.in-addr.arpa"] {
        assert_eq!(told(server, elsewhere, name, TYPE_A), "forwarded", "{name}");
    }
}

#[test]
fn nobody_ready_is_no_such_name_but_a_virtual_address_stays() {
    let server = &mut docker();
    with_services(server, &[]);
    assert_eq!(told(server, U1, "v1", TYPE_A), "8180 ttl600 172.18.9.1");
    for kind in [TYPE_A, TYPE_AAAA, TYPE_MX] {
        assert_eq!(told(server, U1, "tasks.v1", kind), "8183");
        assert_eq!(told(server, U1, "d1", kind), "8183");
    }
    server.set_services(Services::default());
    assert_eq!(told(server, U1, "v1", TYPE_A), "forwarded");
}

#[test]
fn internal_networks_do_not_ask_outside() {
    let server = &mut docker();
    let internal = Network { internal: true, ..network("ni") };
    server.add(endpoint("i", internal.clone(), &["172.20.0.2"], &["i"]));
    assert_eq!(told(server, "172.20.0.2", "www.example.test", TYPE_A), "8182");
    assert_eq!(told(server, "172.20.0.2", "i", TYPE_A), "8180 ttl600 172.20.0.2");
    server.add(endpoint("u1", internal, &["172.20.0.3"], &["u1"]));
    assert_eq!(told(server, "172.20.0.3", "www.example.test", TYPE_A), "forwarded");
}

#[test]
fn edns_is_answered_in_kind() {
    let server = &mut docker();
    let question = with_edns(QUERY_U2.to_vec(), 0);
    let actions = ask_as(server, U1, &question);
    let bytes = reply(&actions);
    assert_eq!(bytes[4..12], [0, 1, 0, 1, 0, 0, 0, 1]);
    assert_eq!(bytes[bytes.len() - 11..], [0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0]);
    let actions = ask_as(server, U1, &with_edns(QUERY_U2.to_vec(), 1));
    let bytes = reply(&actions);
    assert_eq!((bytes[3], bytes[7]), (0x80, 0));
    assert_eq!(bytes[bytes.len() - 11..], [0, 0, 41, 0x04, 0xd0, 1, 0, 0x80, 0, 0, 0]);
    let twice = with_edns(with_edns(QUERY_U2.to_vec(), 0), 0);
    assert_eq!(reply(&ask_as(server, U1, &twice))[3], 0x81);
}

#[test]
fn long_answers_are_cut_for_datagrams_only() {
    let server = &mut docker();
    for number in 0..100 {
        let address = format!("172.18.1.{number}");
        server.add(endpoint(&address, network("n1"), &[&address], &["many"]));
    }
    let question = query("many", TYPE_A);
    let counts = |bytes: &[u8]| (bytes[2] & 2, bytes[7], bytes.len());
    assert_eq!(counts(reply(&ask_as(server, U1, &question))), (2, 30, 502));
    let edns = with_edns(question.clone(), 0);
    assert_eq!(counts(reply(&ask_as(server, U1, &edns))), (2, 74, 1217));
    let mut actions = Vec::new();
    let now = Instant::now();
    server.on_query(now, ip(U1), Transport::Tcp, &question, 1, &mut actions);
    assert_eq!(counts(reply(&actions)), (0, 100, 1622));
}

#[test]
fn bad_questions_are_told_so_or_ignored() {
    let server = &mut docker();
    let edit = |at: usize, byte: u8| {
        let mut bytes = QUERY_U2.to_vec();
        bytes[at] = byte;
        bytes
    };
    let mut long = QUERY_U2.to_vec();
    long.resize(QUERY_BYTES_MAX + 1, 0);
    let labels = query(&vec!["a"; 1000].join("."), TYPE_A);
    for (what, bytes, expected) in [
        ("a pointer in the question", edit(12, 0xc0), 0x81),
        ("an unknown kind of label", edit(12, 0x40), 0x81),
        ("a label past the end", edit(12, 63), 0x81),
        ("two questions", edit(5, 2), 0x81),
        ("no question", edit(5, 0), 0x81),
        ("a record that is not there", edit(11, 1), 0x81),
        ("another opcode", edit(2, 0x21), 0x84),
        ("too many bytes", long, 0x81),
        ("a thousand labels", labels, 0x81),
        ("cut short", QUERY_U2[..18].to_vec(), 0x81),
    ] {
        let actions = ask_as(server, U1, &bytes);
        assert_eq!(reply(&actions)[3], expected, "{what}");
        assert_eq!(reply(&actions)[..2], [0, 7]);
        assert_eq!(reply(&actions).len(), 12, "{what}");
    }
    assert_eq!(ask_as(server, U1, &edit(2, 0x81)), [], "an answer is no question");
    assert_eq!(ask_as(server, U1, &QUERY_U2[..11]), []);
}

/// A server with two others to ask, a question under way, and the time it was asked.
struct Asked {
    server: Server<u32>,
    now: Instant,
    actions: Vec<Action<u32>>,
}

impl Asked {
    fn new(resolvers: &str, transport: Transport) -> Self {
        let (server, now) = (recorded(resolvers), Instant::now());
        let mut asked = Self { server, now, actions: Vec::new() };
        asked.again(transport);
        asked
    }

    fn again(&mut self, transport: Transport) {
        let question = query("Www.example.test", TYPE_A);
        let (now, actions) = (self.now, &mut self.actions);
        self.server.on_query(now, ip(U1), transport, &question, 1, actions);
    }

    /// The one datagram or connection that is due, and its bytes.
    fn sent(&mut self) -> (String, Vec<u8>) {
        match self.actions.split_off(0).as_slice() {
            [Action::SendUdp { upstream, bytes } | Action::SendTcp { upstream, bytes, .. }] => {
                (upstream.ip().to_string(), bytes.clone())
            }
            other => panic!("not one question: {other:?}"),
        }
    }

    fn pass(&mut self) {
        self.now = self.server.deadline().expect("something to wait for");
        self.server.on_timeout(self.now, &mut self.actions);
    }

    fn hear(&mut self, from: &str, bytes: &[u8]) {
        let from = SocketAddr::new(ip(from), 53);
        self.server.on_upstream(self.now, from, bytes, &mut self.actions);
    }
}

/// An answer with this code to a question as it was sent.
fn answer_to(sent: &[u8], rcode: u8) -> Vec<u8> {
    let mut bytes = sent.to_vec();
    bytes[2..4].copy_from_slice(&[0x81, 0x80 | rcode]);
    bytes
}

#[test]
fn forwards_and_passes_the_answer_back() {
    let mut asked = Asked::new("nameserver 192.168.90.2\n", Transport::Udp);
    let (to, sent) = asked.sent();
    assert_eq!(to, upstream().ip().to_string());
    assert_eq!(sent[..2], [0x10, 0x01]);
    assert_eq!(sent[2..], query("Www.example.test", TYPE_A)[2..]);
    let mut answer = answer_to(&sent, 3);
    answer[13] = b'w';
    answer.extend(b"more");
    asked.hear("192.168.90.2", &answer);
    answer[13] = b'W';
    answer[..2].copy_from_slice(&[0, 7]);
    assert_eq!(reply(&asked.actions), answer);
    assert_eq!(asked.server.deadline(), None);
    asked.actions.clear();
    asked.hear("192.168.90.2", &answer_to(&sent, 0));
    assert_eq!(asked.actions, []);
}

#[test]
fn forged_answers_are_not_heard() {
    let mut asked = Asked::new("nameserver 192.168.90.2\n", Transport::Udp);
    let (_, sent) = asked.sent();
    let good = answer_to(&sent, 0);
    asked.hear("192.168.90.3", &good);
    for (at, byte) in [(1, 0xff), (2, 0x01), (2, 0x89), (5, 2), (13, b'v'), (12, 0xc0)] {
        let mut forged = good.clone();
        forged[at] = byte;
        asked.hear("192.168.90.2", &forged);
    }
    let kind = good.len() - 3;
    let mut forged = good.clone();
    forged[kind] ^= 0x20;
    asked.hear("192.168.90.2", &forged);
    asked.hear("192.168.90.2", &good[..good.len() - 1]);
    asked.hear("192.168.90.2", &[]);
    assert_eq!(asked.actions, []);
    asked.hear("192.168.90.2", &good);
    assert_eq!(reply(&asked.actions)[..2], [0, 7]);
}

#[test]
fn silent_servers_are_asked_again_and_then_last() {
    let conf = "nameserver 10.0.0.1\nnameserver 10.0.0.2\noptions timeout:2\n";
    let mut asked = Asked::new(conf, Transport::Udp);
    let start = asked.now;
    let mut ids = Vec::new();
    for (server, seconds) in [("10.0.0.1", 2), ("10.0.0.2", 4), ("10.0.0.1", 6), ("10.0.0.2", 8)] {
        let (to, sent) = asked.sent();
        assert_eq!(to, server);
        ids.push(sent[..2].to_vec());
        asked.server.on_timeout(asked.now, &mut asked.actions);
        assert_eq!(asked.actions, [], "nothing is due yet");
        asked.pass();
        assert_eq!(asked.now - start, Duration::from_secs(seconds));
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(reply(&asked.actions)[3], 0x82);
    asked.actions.clear();

    // The second comes back to life: it is first, until the first had its time of silence.
    asked.again(Transport::Udp);
    assert_eq!(asked.sent().0, "10.0.0.1");
    asked.pass();
    let (to, sent) = asked.sent();
    assert_eq!(to, "10.0.0.2");
    asked.hear("10.0.0.2", &answer_to(&sent, 0));
    asked.actions.clear();
    asked.again(Transport::Udp);
    assert_eq!(asked.sent().0, "10.0.0.2");
    asked.now += super::limits::SILENT_FOR;
    asked.again(Transport::Udp);
    assert_eq!(asked.sent().0, "10.0.0.1");
}

#[test]
fn failing_servers_are_not_asked_twice() {
    let conf = "nameserver 10.0.0.1\nnameserver 10.0.0.2\n";
    let mut asked = Asked::new(conf, Transport::Udp);
    let (_, sent) = asked.sent();
    asked.hear("10.0.0.1", &answer_to(&sent, 2));
    let (to, sent) = asked.sent();
    assert_eq!(to, "10.0.0.2");
    asked.hear("10.0.0.2", &answer_to(&sent, 5));
    assert_eq!(reply(&asked.actions)[3], 0x85);
    asked.actions.clear();

    asked.again(Transport::Udp);
    asked.sent();
    asked.server.on_udp_refused(asked.now, "10.0.0.1:53".parse().unwrap(), &mut asked.actions);
    assert_eq!(asked.sent().0, "10.0.0.2");
    asked.server.on_udp_refused(asked.now, "10.0.0.2:53".parse().unwrap(), &mut asked.actions);
    assert_eq!(reply(&asked.actions)[3], 0x82);
}

#[test]
fn streams_stay_streams() {
    let conf = "nameserver 10.0.0.1\nnameserver 10.0.0.2\n";
    let mut asked = Asked::new(conf, Transport::Tcp);
    let [Action::SendTcp { id, .. }] = asked.actions.split_off(0)[..] else {
        panic!("not over TCP");
    };
    asked.server.on_udp_refused(asked.now, "10.0.0.1:53".parse().unwrap(), &mut asked.actions);
    assert_eq!(asked.actions, []);
    asked.server.on_tcp_failed(asked.now, id, &mut asked.actions);
    let (to, sent) = asked.sent();
    assert_eq!(to, "10.0.0.2");
    let mut answer = answer_to(&sent, 0);
    answer.resize(4000, 1);
    asked.hear("10.0.0.2", &answer);
    assert_eq!(reply(&asked.actions).len(), 4000);

    let mut asked = Asked::new(conf, Transport::Udp);
    let (_, sent) = asked.sent();
    answer[..2].copy_from_slice(&sent[..2]);
    asked.hear("10.0.0.1", &answer);
    assert_eq!(reply(&asked.actions).len(), sent.len());
    assert_eq!(reply(&asked.actions)[2..8], [0x83, 0x80, 0, 1, 0, 0], "cut, come again");
}

#[test]
fn servers_are_rotated_or_the_members_own_or_none() {
    let conf = "nameserver 10.0.0.1\nnameserver 10.0.0.2\noptions rotate\n";
    let mut asked = Asked::new(conf, Transport::Udp);
    assert_eq!(asked.sent().0, "10.0.0.1");
    asked.again(Transport::Udp);
    assert_eq!(asked.sent().0, "10.0.0.2");
    let own = Resolvers::default().with_servers(&[ip("9.9.9.9")]);
    asked.server.set_member("u1", Member { resolvers: Some(own), ..Member::default() });
    asked.again(Transport::Udp);
    assert_eq!(asked.sent().0, "9.9.9.9");
    let asked = Asked::new("", Transport::Udp);
    assert_eq!(reply(&asked.actions)[3], 0x82);
}

#[test]
fn a_flood_pushes_out_its_own_questions() {
    let mut server = docker();
    let mut sent = 0;
    let mut ended = Vec::new();
    let now = Instant::now();
    let mut ask = |asker: &str, client: usize| {
        let mut actions = Vec::new();
        let client = u32::try_from(client).unwrap();
        let question = query("www.example.test", TYPE_A);
        server.on_query(now, ip(asker), Transport::Udp, &question, client, &mut actions);
        for action in actions {
            match action {
                Action::Reply { client, bytes } => ended.push((client, bytes[3])),
                Action::SendUdp { .. } | Action::SendTcp { .. } => sent += 1,
            }
        }
        ended.len()
    };
    assert_eq!(ask("172.18.0.3", 0), 0);
    for client in 1..=PENDING_PER_ASKER_MAX {
        assert_eq!(ask(U1, client), 0);
    }
    assert_eq!(ask(U1, 9999), 1);
    assert_eq!(ask(U1, 9999), 2);
    assert_eq!(ended, [(1, 0x82), (2, 0x82)]);
    assert_eq!(sent, PENDING_PER_ASKER_MAX + 3);
    server.remove("u1@n1");
    server.forget_member("u1");
    let mut actions = Vec::new();
    server.on_timeout(server.deadline().unwrap(), &mut actions);
    assert_eq!(actions.len(), 1, "only the other's question is left");
}

#[test]
fn the_table_is_bounded_and_needs_no_luck() {
    // Numbers that are always the same are the worst that `random` can do.
    let mut server = Server::new(Resolvers::parse(b"nameserver 10.0.0.1\n"), || u16::MAX);
    let mut actions: Vec<Action<u32>> = Vec::new();
    let now = Instant::now();
    for number in 0..5 {
        let address = format!("172.18.0.{number}");
        server.add(endpoint(&address, network("n1"), &[&address], &[]));
        for _ in 0..PENDING_PER_ASKER_MAX {
            let question = query("www.example.test", TYPE_A);
            server.on_query(now, ip(&address), Transport::Udp, &question, number, &mut actions);
        }
    }
    let replies = actions.iter().filter_map(|action| match action {
        Action::Reply { client, .. } => Some(*client),
        _ => None,
    });
    let replies: Vec<u32> = replies.collect();
    assert_eq!(replies, vec![0; 5 * PENDING_PER_ASKER_MAX - PENDING_MAX]);
}

#[test]
fn nonsense_never_panics_and_answers_stay_small() {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut server = docker();
    let seeds = [
        QUERY_U2.to_vec(),
        with_edns(query("both.n1", TYPE_A), 0),
        query("3.0.18.172.in-addr.arpa", TYPE_PTR),
        with_edns(query("www.example.test", TYPE_AAAA), 0),
    ];
    let mut replies = 0;
    for round in 0..40_000_usize {
        let mut bytes = seeds[round % seeds.len()].clone();
        let [edits, grow, how, rest @ ..] = random();
        for _ in 0..edits % 4 {
            let [at, byte, ..] = random();
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        match how % 8 {
            0 => bytes.truncate(usize::from(grow) % bytes.len()),
            1 => bytes.extend((0..grow % 32).flat_map(|_| random())),
            2 => bytes = rest.to_vec(),
            _ => {}
        }
        let mut actions = Vec::new();
        server.on_query(Instant::now(), ip(U1), Transport::Udp, &bytes, 1, &mut actions);
        for action in actions.split_off(0) {
            match action {
                Action::SendUdp { upstream, mut bytes } => {
                    let [at, byte, how, ..] = random();
                    bytes[2] |= 0x80;
                    let at = usize::from(at) % bytes.len();
                    bytes[at] = byte;
                    bytes.resize(bytes.len() + usize::from(how) * 8, byte);
                    server.on_upstream(Instant::now(), upstream, &bytes, &mut actions);
                }
                other => actions.push(other),
            }
        }
        for action in &actions {
            if let Action::Reply { bytes, .. } = action {
                replies += 1;
                assert!((12..=1232).contains(&bytes.len()) && bytes[2] & 0x80 != 0);
            }
        }
        server.on_upstream(Instant::now(), upstream(), &bytes, &mut Vec::new());
    }
    assert!(replies > 10_000, "the edits must leave most questions whole: {replies}");
}
