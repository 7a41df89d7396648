//! What containers of one network cannot do to others: reach them, or pass for them.

use coracle_integration::TestEnv;

use super::kit::{PERL, address, far, field, idle, need_perl, whoami, within};

#[test]
fn networks_are_apart() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    env.run(["network", "create", "n2"]).success();
    whoami(&env, "s1", &["--network", "n1"]);
    idle(&env, "c1", &["--network", "n1"]);
    idle(&env, "c2", &["--network", "n2"]);
    idle(&env, "c3", &[]);
    let server = address(&env, "s1", "n1");
    let ask = format!("timeout 5 wget -qO- http://{server}/health");
    within(&env, "c1", &ask).success().stdout_is("ok\n");
    for other in ["c2", "c3"] {
        within(&env, other, &ask).code(1);
        // Nor by pretending to be one of them.
        within(&env, other, &format!("ping -c 1 -W 1 {server}")).code(1);
    }
    // Whoever is on both reaches both.
    env.run(["network", "connect", "n1", "c2"]).success();
    within(&env, "c2", &ask).success();
    env.run(["network", "disconnect", "n1", "c2"]).success();
    within(&env, "c2", &ask).code(1);
    env.run(["rm", "-f", "s1", "c1", "c2", "c3"]).success();
    env.run(["network", "rm", "n1", "n2"]).success();
    env.assert_nothing_left();
}

#[test]
fn members_that_may_not_talk_do_not() {
    let [far, _] = far!();
    let env = TestEnv::new();
    let option = "com.docker.network.bridge.enable_icc=false";
    env.run(["network", "create", "-o", option, "quiet"]).success();
    whoami(&env, "s1", &["--network", "quiet"]);
    idle(&env, "c1", &["--network", "quiet"]);
    let server = address(&env, "s1", "quiet");
    let asked = within(&env, "c1", &format!("timeout 3 wget -qO- http://{server}/health"));
    assert_ne!(asked.status(), 0);
    // Only each other: names and the outside are there.
    let named = within(&env, "c1", "nslookup -type=a s1").success().stdout();
    assert!(named.contains(&server), "{named}");
    within(&env, "c1", &format!("nc {} 7000 < /dev/null", far.v4)).success();
    env.run(["rm", "-f", "s1", "c1"]).success();
    env.run(["network", "rm", "quiet"]).success();
    env.assert_nothing_left();
}

#[test]
fn an_internal_network_has_no_way_out() {
    let [far, _] = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "--internal", "in"]).success();
    whoami(&env, "s1", &["--network", "in"]);
    idle(&env, "c1", &["--network", "in"]);
    let out = within(&env, "c1", &format!("nc -w 3 {} 7000 < /dev/null", far.v4)).code(1);
    assert!(out.stderr().contains("unreachable"), "{out}");
    // Not by a route of its own either.
    idle(&env, "c2", &["--network", "in", "--cap-add", "NET_ADMIN"]);
    let gateway = field(&env, "in", "{{(index .IPAM.Config 0).Gateway}}");
    within(&env, "c2", &format!("ip route add default via {gateway}")).success();
    within(&env, "c2", &format!("nc -w 3 {} 7000 < /dev/null", far.v4)).code(1);
    within(&env, "c1", "wget -qO- http://s1/health").success().stdout_is("ok\n");
    let asked = within(&env, "c1", "nslookup far.test").code(1).stdout();
    assert!(asked.contains("SERVFAIL"), "{asked}");
    env.run(["rm", "-f", "s1", "c1", "c2"]).success();
    env.run(["network", "rm", "in"]).success();
    env.assert_nothing_left();
}

/// Claims an address for its own device, by ARP, a thousand times a second.
const CLAIM: &str = r#"use Socket; ($ip, $seconds) = @ARGV; $end = time + $seconds;
    socket(S, 17, SOCK_RAW, unpack('n', pack('S', 0x0806))) or die "socket: $!";
    sub read_device { open F, "/sys/class/net/eth0/$_[0]"; $_ = <F>; tr/\n://d; $_ }
    $index = read_device('ifindex'); $own = pack('H12', read_device('address'));
    $all = "\xff" x 6; $ip = inet_aton($ip);
    $to = pack('SnlSCCa8', 17, 0x0806, $index, 0, 0, 6, $all);
    while (time < $end) {
        for $op (1, 2) {
            $arp = pack('nnCCn', 1, 0x0800, 6, 4, $op) . $own . $ip . $all . $ip;
            defined send(S, $all . $own . pack('n', 0x0806) . $arp, 0, $to) or die "send: $!";
        }
        select undef, undef, undef, 0.001;
    }
    print "done\n""#;

#[test]
fn another_members_address_cannot_be_taken() {
    need_perl!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    whoami(&env, "victim", &["--network", "n1"]);
    idle(&env, "c1", &["--network", "n1"]);
    let victim = address(&env, "victim", "n1");
    let gateway = field(&env, "c1", "{{.NetworkSettings.Networks.n1.Gateway}}");
    let script = format!("{}:/claim:ro", env.write("claim", CLAIM).display());
    let claims = |address: &str| {
        let start = ["run", "--rm", "--network", "n1", "-v", &script];
        let program = ["alpine", "/usr/bin/perl", "/claim", address, "4"];
        env.coracle().args([&start[..], &PERL, &program].concat()).start()
    };
    let (one, other) = (claims(&victim), claims(&gateway));
    let script = format!(
        "for i in $(seq 30); do timeout 3 wget -qO- http://{victim}/health && nslookup -type=a victim > /dev/null \
         || echo lost $i; usleep 100000; done"
    );
    within(&env, "c1", &script).success().stdout_is(&"ok\n".repeat(30));
    for attacker in [one, other] {
        attacker.finish().success().stdout_is("done\n");
    }
    env.run(["rm", "-f", "victim", "c1"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_false_source_leads_nowhere() {
    let [far, _] = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    env.run(["network", "create", "n2"]).success();
    idle(&env, "victim", &["--network", "n2"]);
    idle(&env, "c1", &["--network", "n1", "--cap-add", "NET_ADMIN"]);
    let other = address(&env, "victim", "n2");
    let foreign = "198.51.100.9".to_owned();
    for source in [&other, &foreign, &far.v4] {
        within(&env, "c1", &format!("ip addr add {source}/32 dev lo")).success();
        let script = format!("nc -s {source} -w 2 {} 7000 < /dev/null", far.v4);
        within(&env, "c1", &script).code(1);
        within(&env, "c1", &format!("ip addr del {source}/32 dev lo")).success();
    }
    within(&env, "c1", &format!("nc -w 5 {} 7000 < /dev/null", far.v4)).success();
    env.run(["rm", "-f", "victim", "c1"]).success();
    env.run(["network", "rm", "n1", "n2"]).success();
    env.assert_nothing_left();
}
