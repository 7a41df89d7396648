//! Names: who is answered what at 127.0.0.11, and what goes on to the host's resolvers.

use std::collections::BTreeSet;

use coracle_integration::{Output, TestEnv, monitor, settings::settings, skip, wait};

use super::kit::{PERL, address, far, idle, inside, need_perl, talk, whoami, within};

const A: u16 = 1;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const AAAA: u16 = 28;

/// An answer as it came.
#[derive(Debug)]
struct Answer {
    /// Answer, recursion, code and all.
    flags: u16,
    /// Type, seconds to live, data of each record.
    records: Vec<(u16, u32, Vec<u8>)>,
}

impl Answer {
    fn addresses(&self) -> Vec<String> {
        let show = |data: &[u8]| data.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
        self.records.iter().filter(|it| it.0 == A).map(|(.., data)| show(data)).collect()
    }

    /// `flags rcode count`, as the transcripts have them.
    fn shown(&self) -> String {
        format!("{:04x} {}", self.flags, self.records.len())
    }
}

fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        message.push(u8::try_from(label.len()).expect("a short label"));
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message
}

fn skip_name(message: &[u8], mut at: usize) -> usize {
    loop {
        match message[at] {
            0 => return at + 1,
            length if length >= 0xc0 => return at + 2,
            length => at += usize::from(length) + 1,
        }
    }
}

fn parse(message: &[u8]) -> Answer {
    let number = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    assert_eq!(number(0), 7, "the answer to another question");
    let mut at = skip_name(message, 12) + 4;
    let mut records = Vec::new();
    for _ in 0..number(6) {
        at = skip_name(message, at);
        let ttl = u32::from_be_bytes(message[at + 4..at + 8].try_into().expect("four bytes"));
        let end = at + 10 + usize::from(number(at + 8));
        records.push((number(at), ttl, message[at + 10..end].to_vec()));
        at = end;
    }
    Answer { flags: number(2), records }
}

/// Asks 127.0.0.11 from a container, as a program there would.
fn query(env: &TestEnv, container: &str, name: &str, kind: u16, tcp: bool) -> Answer {
    let mut message = question(name, kind);
    let mut length = 0;
    if tcp {
        let count = u16::try_from(message.len()).expect("short").to_be_bytes();
        message.splice(..0, count);
        length = count.len();
    }
    let how = if tcp { "tcp" } else { "udp" };
    let output = talk(env, container, how, ("127.0.0.11", 53), &message).success();
    let bytes = hex::decode(output.stdout()).expect("hex digits");
    assert!(bytes.len() > 12, "{name}: no answer: {output}");
    parse(&bytes[length..])
}

fn look_up(env: &TestEnv, container: &str, name: &str) -> Output {
    within(env, container, &format!("nslookup -type=a {name}"))
}

#[track_caller]
fn finds(env: &TestEnv, container: &str, name: &str, address: &str) {
    let output = look_up(env, container, name).success();
    assert!(output.stdout().contains(&format!("Address: {address}\n")), "{output}");
}

#[track_caller]
fn denies(env: &TestEnv, container: &str, name: &str) {
    // By the host's resolver, which may be none.
    let output = look_up(env, container, name).code(1);
    assert!(!output.stdout().contains("Name:"), "{output}");
}

#[test]
fn members_find_each_other_by_name() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    whoami(&env, "s1", &["--network", "n1", "--network-alias", "web", "--hostname", "hosty"]);
    let short = env.run(["ps", "-q"]).success().line();
    for name in ["s1", "web", "S1", "s1.n1", "hosty", &short] {
        inside(&env, "n1", &format!("wget -qO- http://{name}/health")).success().stdout_is("ok\n");
    }
    let lost = |network: &str| {
        let output = inside(&env, network, "nslookup s1");
        assert!(!output.stdout().contains("Name:"), "{output}");
    };
    lost("bridge");
    env.run(["rm", "-f", "s1"]).success();
    lost("n1");
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn answers_are_those_recorded_of_docker() {
    need_perl!();
    let [far, _] = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    let on = ["--network", "n1", "--dns", &far.v4];
    idle(&env, "u1", &[&on[..], &PERL].concat());
    idle(&env, "u2", &[&on[..], &["--network-alias", "both"]].concat());
    idle(&env, "u3", &[&on[..], &["--network-alias", "both"]].concat());
    let u2 = address(&env, "u2", "n1");
    let reverse = |ip: &str| {
        let parts: Vec<&str> = ip.rsplit('.').collect();
        format!("{}.in-addr.arpa", parts.join("."))
    };
    let own = reverse(&u2);
    for (name, kind, tcp, expected) in [
        ("u2", A, false, "8180 1"),
        ("u2", A, true, "8180 1"),
        ("u2", AAAA, false, "8180 0"),
        ("u2", MX, false, "8180 0"),
        ("u2", TXT, false, "8183 0"),
        ("both", A, false, "8180 2"),
        ("nosuch", A, false, "8183 0"),
        ("nosuch.corp.example", A, true, "8183 0"),
        ("far.test", A, false, "8180 1"),
        ("far.test", A, true, "8180 1"),
        ("far.test", AAAA, false, "8180 0"),
        ("7.113.0.203.in-addr.arpa", PTR, false, "8180 1"),
        (own.as_str(), PTR, false, "8180 1"),
        ("9.9.9.9.in-addr.arpa", PTR, true, "8183 0"),
        ("host.docker.internal", A, true, "8183 0"),
    ] {
        let answer = query(&env, "u1", name, kind, tcp);
        assert_eq!(answer.shown(), expected, "{name} {kind}: {answer:?}");
    }
    let answer = query(&env, "u1", "u2", A, true);
    assert_eq!(answer.records[0].1, 600, "seconds to live");
    assert_eq!(answer.addresses(), [u2]);
    assert_eq!(query(&env, "u1", &own, PTR, true).records[0].2, b"\x02u2\x02n1\x00");
    assert_eq!(query(&env, "u1", "far.test", A, true).addresses(), ["203.0.113.7"]);
    // What is too long for a datagram says so, and comes whole over TCP.
    let cut = query(&env, "u1", "big.test", TXT, false);
    assert_eq!((cut.flags & 0x0200, cut.records.len()), (0x0200, 0), "{cut:?}");
    assert_eq!(query(&env, "u1", "big.test", TXT, true).records.len(), 20);
    env.run(["rm", "-f", "u1", "u2", "u3"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

/// As a shell line does it: the question, then the end of what it has to say.
#[test]
fn who_has_asked_all_over_tcp_is_answered() {
    let [far, _] = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    idle(&env, "u1", &["--network", "n1", "--dns", &far.v4]);
    for (name, expected) in [("u1", address(&env, "u1", "n1")), ("far.test", "203.0.113.7".into())]
    {
        let message = question(name, A);
        let length = u16::try_from(message.len()).expect("short").to_be_bytes();
        let octal: String =
            length.iter().chain(&message).map(|byte| format!("\\{byte:03o}")).collect();
        let script = format!("printf '{octal}' | nc -w 10 127.0.0.11 53 | xxd -p | tr -d '\\n'");
        let output = within(&env, "u1", &script).success();
        let bytes = hex::decode(output.stdout()).expect("hex digits");
        assert!(bytes.len() > 2, "{name}: no answer");
        assert_eq!(parse(&bytes[2..]).addresses(), [expected]);
    }
    env.run(["rm", "-f", "u1"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn several_owners_of_a_name_take_turns() {
    need_perl!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    idle(&env, "c1", &[&["--network", "n1"], &PERL[..]].concat());
    let names = ["a1", "a2", "a3"];
    for name in names {
        idle(&env, name, &["--network", "name=n1,alias=shared"]);
    }
    let all: BTreeSet<String> = names.iter().map(|name| address(&env, name, "n1")).collect();
    let answers: Vec<Vec<String>> =
        (0..6).map(|_| query(&env, "c1", "shared", A, true).addresses()).collect();
    for answer in &answers {
        assert_eq!(answer.iter().cloned().collect::<BTreeSet<_>>(), all);
    }
    let first: BTreeSet<String> = answers.iter().map(|answer| answer[0].clone()).collect();
    assert_eq!(first, all, "each is the first at times: {answers:?}");
    env.run(["rm", "-f", "a2"]).success();
    assert_eq!(query(&env, "c1", "shared", A, true).addresses().len(), 2);
    env.run(["rm", "-f", "c1", "a1", "a3"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn nothing_is_answered_of_who_is_gone() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    idle(&env, "c1", &["--network", "n1"]);
    idle(&env, "old", &["--network", "n1"]);
    let old = address(&env, "old", "n1");
    finds(&env, "c1", "old", &old);
    env.run(["pause", "old"]).success();
    finds(&env, "c1", "old", &old);
    env.run(["unpause", "old"]).success();
    env.run(["stop", "-t", "0", "old"]).success();
    denies(&env, "c1", "old");
    env.run(["start", "old"]).success();
    finds(&env, "c1", "old", &old);
    env.run(["rename", "old", "new"]).success();
    denies(&env, "c1", "old");
    finds(&env, "c1", "new", &old);
    env.run(["network", "disconnect", "n1", "new"]).success();
    denies(&env, "c1", "new");
    env.run(["network", "connect", "--alias", "again", "n1", "new"]).success();
    finds(&env, "c1", "again", &address(&env, "new", "n1"));
    // With its monitor killed, nothing tells the helper but the connection that breaks.
    monitor::kill(&env, "new");
    wait::until("the name is gone", || look_up(&env, "c1", "new").status() == 1);
    env.wait_status("new", "exited");
    env.run(["rm", "-f", "c1", "new"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_server_of_the_containers_own_has_port_53() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    whoami(&env, "s1", &["--network", "n1"]);
    let script =
        "nc -l -p 53 -e echo mine & until nc -w 1 127.0.0.1 53 > got; do usleep 10000; done
        cat got; nslookup -type=a s1 | grep -c Name:; wget -qO- http://s1/health";
    inside(&env, "n1", script).success().stdout_is("mine\n1\nok\n");
    env.run(["rm", "-f", "s1"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn the_host_has_a_name_for_who_asked_for_it() {
    need_perl!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    let host = "host.docker.internal=host-gateway";
    let flags = ["--network", "n1", "--add-host", host, "--add-host", "db:192.0.2.9"];
    idle(&env, "c1", &[&flags, &PERL[..]].concat());
    idle(&env, "c2", &[&["--network", "n1"], &PERL[..]].concat());
    // In the file, and for programs that ask the server alone.
    let file = within(&env, "c1", "cat /etc/hosts").success().stdout();
    assert!(file.contains("169.254.1.2\thost.docker.internal\n"), "{file}");
    assert!(file.contains("192.0.2.9\tdb\n"), "{file}");
    let answer = query(&env, "c1", "host.docker.internal", A, true);
    assert_eq!(answer.addresses(), ["169.254.1.2"]);
    assert_eq!(query(&env, "c1", "host.docker.internal", AAAA, true).shown(), "8180 0");
    assert!(query(&env, "c2", "host.docker.internal", A, true).addresses().is_empty());
    env.run(["rm", "-f", "c1", "c2"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn links_are_names_for_one_container_alone() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    env.run(["network", "create", "n2"]).success();
    idle(&env, "u2", &["--network", "n1"]);
    idle(&env, "c1", &["--network", "n1", "--link", "u2:lk"]);
    idle(&env, "c2", &["--network", "n1"]);
    let u2 = address(&env, "u2", "n1");
    finds(&env, "c1", "lk", &u2);
    denies(&env, "c2", "lk");
    // Not in files and variables, which would not follow a restart.
    within(&env, "c1", "grep lk /etc/hosts; env | grep LK").code(1).stdout_is("");
    env.run(["network", "connect", "n2", "u2"]).success();
    env.run(["network", "connect", "--link", "u2:other", "n2", "c2"]).success();
    finds(&env, "c2", "other", &address(&env, "u2", "n2"));
    env.run(["rm", "-f", "c1", "c2", "u2"]).success();
    env.run(["network", "rm", "n1", "n2"]).success();
    env.assert_nothing_left();
}

#[test]
fn search_domains_and_options_are_the_containers() {
    need_perl!();
    let [far, _] = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    let flags = ["--network", "n1", "--dns", &far.v4, "--dns-search", "corp.test"];
    idle(&env, "c1", &flags);
    within(&env, "c1", "ping -c 1 -W 1 far").code(1).stdout_has("PING far (203.0.113.9)");
    // With dots asked for, a bare name is not for the outside: the search list's comes first.
    idle(&env, "c2", &[&flags[..], &PERL, &["--dns-opt", "ndots:2"]].concat());
    assert_eq!(query(&env, "c2", "nosuch", A, true).shown(), "8180 0");
    assert_eq!(query(&env, "c2", "far.test", A, true).addresses(), ["203.0.113.7"]);
    env.run(["rm", "-f", "c1", "c2"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn the_hosts_resolver_is_asked_though_it_is_on_loopback() {
    if !settings().stub_resolver {
        skip!("the resolver of this host is not on its loopback: it is in the second run");
    }
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    for network in ["n1", "bridge"] {
        idle(&env, "c1", &["--network", network]);
        finds(&env, "c1", "far.test", "203.0.113.7");
        denies(&env, "c1", "nosuch.far.test");
        let conf = within(&env, "c1", "cat /etc/resolv.conf").success().stdout();
        assert!(conf.contains("nameserver 127.0.0.11\noptions timeout:2"), "{conf}");
        env.run(["rm", "-f", "c1"]).success();
    }
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}
