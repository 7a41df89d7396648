//! The way out: TCP, datagrams and `ping`, over IPv4 and IPv6, with the truth about failures.

use std::io::Write;
use std::time::Instant;

use coracle_integration::{TestEnv, skip};

use super::kit::{PERL, datagram, far, idle, inside, need_perl, talk, within};

#[test]
fn connections_tell_the_truth() {
    let [far, _] = far!();
    let env = TestEnv::new();
    idle(&env, "c1", &[]);
    let out = |script: &str| within(&env, "c1", script);
    let peer = out(&format!("nc {} 7000 < /dev/null", far.v4)).success().stdout();
    assert!(peer.starts_with(&format!("{}:", far.near4)), "{peer}");
    let begun = Instant::now();
    let refused = out(&format!("nc -w 10 {} 9 < /dev/null", far.v4)).code(1);
    assert!(refused.stderr().contains("Connection refused"), "{refused}");
    assert!(begun.elapsed().as_secs() < 5, "refused, but not at once");
    let silent = out(&format!("nc -w 2 {} 7000 < /dev/null", far.silent)).code(1);
    assert!(silent.stderr().contains("timed out"), "{silent}");
    // Told by the kernel that it asked in vain for who has the address.
    let nobody = out(&format!("nc -w 15 {} 7000 < /dev/null", far.nobody)).code(1);
    assert!(nobody.stderr().contains("No route to host"), "{nobody}");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn every_byte_arrives_and_ends_are_passed_on() {
    need_perl!();
    let [far, _] = far!();
    let env = TestEnv::new();
    idle(&env, "c1", &PERL);
    let out = |script: &str| within(&env, "c1", script);
    // The answer comes after our end: half-close.
    out(&format!("head -c 30000000 /dev/zero | nc {} 7001", far.v4))
        .success()
        .stdout_is("30000000\n");
    out(&format!(
        "seq 200000 | nc {} 7000 | sed 1d | cmp - /dev/fd/3 3<<EOF\n$(seq 200000)\nEOF",
        far.v4
    ))
    .success();
    let reset = talk(&env, "c1", "tcp", (&far.v4, 7002), b"x");
    assert_eq!(reset.stderr(), "receive: Connection reset by peer\n");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn datagrams_and_pings_are_answered() {
    need_perl!();
    let [one, two] = far!();
    let env = TestEnv::new();
    idle(&env, "c1", &PERL);
    let out = |script: &str| within(&env, "c1", script);
    for far in [one, two] {
        let peer = datagram(&env, "c1", (&far.v4, 7000));
        assert!(peer.starts_with(&format!("{}:", far.near4)), "{peer}");
    }
    let closed = talk(&env, "c1", "udp", (&one.v4, 9), b"x");
    assert_eq!(closed.stderr(), "receive: Connection refused\n");
    if pings_are_allowed() {
        let answered = out(&format!("ping -c 2 -W 5 {}", one.v4)).success().stdout();
        assert!(answered.contains("2 packets received"), "{answered}");
        out(&format!("ping -c 1 -W 1 {}", one.silent)).code(1);
    }
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

/// Without that setting nobody but root can ask for an echo, and the product says so.
fn pings_are_allowed() -> bool {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default();
    let mut numbers = range.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
    let group = rustix::process::getegid().as_raw();
    matches!((numbers.next(), numbers.next()), (Some(a), Some(b)) if (a..=b).contains(&group))
}

#[test]
fn ipv6_leads_out_where_the_host_has_it() {
    need_perl!();
    let [far, _] = far!();
    if !std::path::Path::new("/proc/sys/net/ipv6").exists() {
        skip!("no IPv6 here");
    }
    let env = TestEnv::new();
    env.run(["network", "create", "--ipv6", "n6"]).success();
    idle(&env, "c1", &[&["--network", "n6"], &PERL[..]].concat());
    let out = |script: &str| within(&env, "c1", script);
    let peer = out(&format!("nc {} 7000 < /dev/null", far.v6)).success().stdout();
    assert!(peer.starts_with(&format!("[{}]:", far.near6)), "{peer}");
    out(&format!("head -c 3000000 /dev/zero | nc {} 7001", far.v6))
        .success()
        .stdout_is("3000000\n");
    let refused = out(&format!("nc -w 10 {} 9 < /dev/null", far.v6)).code(1);
    assert!(refused.stderr().contains("Connection refused"), "{refused}");
    let peer = datagram(&env, "c1", (&far.v6, 7000));
    assert!(peer.starts_with(&format!("[{}]:", far.near6)), "{peer}");
    env.run(["rm", "-f", "c1"]).success();
    env.run(["network", "rm", "n6"]).success();
    env.assert_nothing_left();
}

#[test]
fn the_hosts_loopback_is_opt_in() {
    let env = TestEnv::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.write_all(b"hello\n").expect("room");
    });
    inside(&env, "bridge", &format!("nc -w 3 169.254.1.2 {port} < /dev/null")).code(1);
    inside(&env, "bridge", &format!("nc -w 3 127.0.0.1 {port} < /dev/null")).code(1);
    let host = "host.docker.internal:host-gateway";
    let script = format!("nc -w 10 host.docker.internal {port} < /dev/null");
    env.run(["run", "--rm", "--add-host", host, "alpine", "sh", "-c", &script])
        .success()
        .stdout_is("hello\n");
    server.join().expect("no panic");
    env.assert_nothing_left();
}
