//! What goes wrong: a helper, a container or a command killed, addresses used up, many at once.

use std::path::PathBuf;

use coracle_integration::{TestEnv, monitor, port::free_port, skip, wait};
use rustix::process::{Pid, Signal, kill_process};

use super::kit::{
    PERL, TELL_WHO, address, far, field, get, helper, idle, need_perl, whoami, within,
};

fn kill(pid: Pid) {
    kill_process(pid, Signal::KILL).expect("ours");
}

#[test]
fn a_killed_helper_is_replaced_under_load() {
    let [far, _] = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    let port = free_port();
    whoami(&env, "s1", &["--network", "n1", "-p", &format!("{port}:80")]);
    idle(&env, "c1", &["--network", "n1"]);
    let server = address(&env, "s1", "n1");
    // Load: between containers, and out.
    let ask = format!(
        "i=0; while [ $i -lt 300 ]; do wget -qO- http://{server}/health || exit 1; i=$((i+1)); done | wc -l"
    );
    for _ in 0..2 {
        let inner = env.coracle().args(["exec", "c1", "sh", "-c", &ask]).start();
        let script = format!("head -c 300000000 /dev/zero | nc {} 7001; true", far.v4);
        let outer = env.coracle().args(["exec", "c1", "sh", "-c", &script]).start();
        get(&format!("127.0.0.1:{port}"));
        kill(helper(&env));
        // Whoever talks to a neighbour notices nothing.
        inner.finish().success().stdout_is("300\n");
        wait::until("names are answered again", || {
            within(&env, "c1", "nslookup -type=a s1").stdout().contains(&server)
        });
        get(&format!("127.0.0.1:{port}"));
        wait::until("the way out is there again", || {
            within(&env, "c1", &format!("nc -w 5 {} 7000 < /dev/null", far.v4)).status() == 0
        });
        assert_eq!(address(&env, "s1", "n1"), server);
        outer.finish().success();
    }
    // The next container takes an address that is nobody's.
    idle(&env, "c2", &["--network", "n1"]);
    let new = address(&env, "c2", "n1");
    assert!(new != server && new != address(&env, "c1", "n1"), "{new}");
    env.run(["rm", "-f", "s1", "c1", "c2"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

/// Asks over one and the same UDP socket: until it is answered, then writes `/work/asked`; and with `/work/killed`
/// until it is answered again.
const KEEP_ASKING: &str = r#"
use strict; use Socket;
my ($ip, $port) = @ARGV;
socket(S, PF_INET, SOCK_DGRAM, 0) or die $!;
connect(S, sockaddr_in($port, inet_aton($ip))) or die $!;
sub heard {
    my $data; my $ready = ""; vec($ready, fileno(S), 1) = 1;
    # With nobody between, sending fails, which is told here.
    select($ready, undef, undef, $_[0]) > 0 && defined recv(S, $data, 999, 0) && length $data;
}
sub ask { for (1 .. 300) { send(S, "x", 0); return if heard(0.2) } die "$_[0]\n" }
ask("no answer");
1 while heard(1);
open ASKED, "> /work/asked" or die $!; close ASKED;
for (1 .. 600) { last if -e "/work/killed"; select undef, undef, undef, 0.05 }
ask("no answer any more");
print "answered again\n";
"#;

#[test]
fn datagrams_find_their_way_again_after_the_helper_was_killed() {
    need_perl!();
    let [far, _] = far!();
    let env = TestEnv::new();
    let port = free_port();
    let publish = format!("{port}:5000/udp");
    let start = ["run", "-d", "--init", "--name", "s1", "-p", &publish];
    let program = ["alpine", "/usr/bin/perl", "-e", TELL_WHO, "0"];
    env.run([&start[..], &PERL, &program].concat()).success();
    env.write("asking.pl", KEEP_ASKING);
    let work = format!("{}:/work", env.work().display());
    idle(&env, "c1", &[&["-v", &work], &PERL[..]].concat());
    let script = format!("perl /work/asking.pl {} 7000", far.v4);
    let outward = env.coracle().args(["exec", "c1", "sh", "-c", &script]).start();
    // The answer tells how much was asked, so that none is taken for a later one.
    let client = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    client.set_read_timeout(Some(std::time::Duration::from_millis(200))).expect("a timeout");
    let answered = |length: usize| {
        client.send_to(&vec![b'x'; length], ("127.0.0.1", port)).ok();
        let mut answer = [0; 99];
        let length_heard = client.recv(&mut answer).unwrap_or_default();
        answer[..length_heard].ends_with(format!(" {length}\n").as_bytes())
    };
    wait::until("a datagram is answered", || answered(10));
    wait::until("the container is answered", || env.work().join("asked").exists());
    kill(helper(&env));
    env.write("killed", "");
    wait::until("a datagram is answered again", || answered(20));
    outward.finish().success().stdout_is("answered again\n");
    env.run(["rm", "-f", "s1", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn what_a_killed_container_had_is_free_at_once() {
    let [far, _] = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "--subnet", "10.99.1.0/24", "n1"]).success();
    let port = free_port();
    let publish = format!("{port}:80");
    let flags = ["--network", "n1", "--ip", "10.99.1.77", "-p", &publish];
    for victim in ["monitor", "init"] {
        whoami(&env, "s1", &flags);
        idle(&env, "c1", &["--network", "container:s1"]);
        let script = format!("head -c 300000000 /dev/zero | nc {} 7001; true", far.v4);
        let load = env.coracle().args(["exec", "c1", "sh", "-c", &script]).start();
        get(&format!("127.0.0.1:{port}"));
        match victim {
            "monitor" => monitor::kill(&env, "s1"),
            _ => {
                let pid = field(&env, "s1", "{{.State.Pid}}").parse().expect("a number");
                kill(Pid::from_raw(pid).expect("not zero"));
            }
        }
        env.wait_status("s1", "exited");
        env.run(["rename", "s1", &format!("dead-{victim}")]).success();
        // The same address and the same port.
        whoami(&env, "s1", &flags);
        get(&format!("127.0.0.1:{port}"));
        env.run(["rm", "-f", "s1", "c1", &format!("dead-{victim}")]).success();
        // However it ended.
        drop(load.finish());
    }
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_command_killed_while_it_connects_leaves_all_or_nothing() {
    let Some(strace) = skip::program("strace") else { skip!("strace is not installed") };
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    env.run(["network", "create", "n2"]).success();
    idle(&env, "c1", &["--network", "n1"]);
    idle(&env, "c2", &["--network", "n2"]);
    // At each of the first calls by which it tells others anything.
    for nth in 1..=4 {
        for call in ["connect", "sendmsg", "write"] {
            let flags = [
                "-f".to_owned(),
                "-o".to_owned(),
                "/dev/null".to_owned(),
                format!("--inject={call}:signal=KILL:when={nth}"),
            ];
            let command = env.root().join("bin/coracle").display().to_string();
            let words = [command.as_str(), "network", "connect", "n2", "c1"];
            let cut = env.program(&strace).args(flags).args(words).run();
            // Killed, or done before that call came.
            assert!([0, 137].contains(&cut.status()), "{cut}");
            let listed = "{{range .Containers}}{{.Name}} {{end}}";
            let connected = || {
                let members = env.run(["network", "inspect", "-f", listed, "n2"]).success().line();
                members.contains("c1")
            };
            let devices = || {
                let shown = within(&env, "c1", "ls /sys/class/net").success().stdout();
                shown.contains("eth1")
            };
            let shown = || {
                let format = "{{json .NetworkSettings.Networks}}";
                field(&env, "c1", format).contains("\"n2\"")
            };
            // The monitor may still be at it.
            wait::until("all say the same", || {
                let all = (connected(), devices(), shown());
                all == (true, true, true) || all == (false, false, false)
            });
            if connected() {
                let other = address(&env, "c2", "n2");
                within(&env, "c1", &format!("ping -c 1 -W 5 {other}")).success();
                env.run(["network", "disconnect", "n2", "c1"]).success();
            }
        }
    }
    env.run(["network", "connect", "n2", "c1"]).success();
    env.run(["rm", "-f", "c1", "c2"]).success();
    env.run(["network", "rm", "n1", "n2"]).success();
    env.assert_nothing_left();
}

#[test]
fn used_up_addresses_are_an_error_and_come_back() {
    let env = TestEnv::new();
    env.run(["network", "create", "--subnet", "10.99.2.0/29", "small"]).success();
    let names: Vec<String> = (0..5).map(|number| format!("c{number}")).collect();
    for name in &names {
        idle(&env, name, &["--network", "small"]);
    }
    let id = field(&env, "small", "{{.Id}}");
    let words = format!(
        "docker: Error response from daemon: failed to set up container networking: \
         no available IPv4 addresses on this network's address pools: small ({id})"
    );
    let run = ["run", "--rm", "--network", "small", "alpine", "true"];
    let full = env.run(run).code(125);
    assert!(
        full.stderr().starts_with(&words.replace("docker: ", "coracle: "))
            || full.stderr().starts_with(&words),
        "{full}"
    );
    idle(&env, "late", &[]);
    let refused = env.run(["network", "connect", "small", "late"]).code(1);
    assert!(refused.stderr().contains("no available IPv4 addresses"), "{refused}");
    env.run(["rm", "-f", "c2"]).success();
    env.run(["network", "connect", "small", "late"]).success();
    env.run(["rm", "-f", "late", "c0", "c1", "c3", "c4"]).success();
    env.run(["network", "rm", "small"]).success();
    env.assert_nothing_left();
}

#[test]
fn two_hundred_come_and_go_and_nothing_stays() {
    let env = TestEnv::new();
    env.run(["network", "create", "--subnet", "10.99.3.0/24", "n1"]).success();
    idle(&env, "witness", &["--network", "n1", "--ip", "10.99.3.254"]);
    let pid = helper(&env);
    let open = || {
        std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())).map_or(0, Iterator::count)
    };
    let ports = || env.run(["exec", "witness", "cat", "/proc/net/dev"]).success().lines().len();
    env.run(["run", "--rm", "--network", "n1", "alpine", "true"]).success();
    let before = (open(), ports());
    let script = "set -e
        for round in 1 2 3 4 5 6 7 8 9 10; do
            for i in 1 2 3 4 5 6 7 8 9 10; do
                docker run -d --name a$i --network n1 --network-alias both -p 8080 alpine sleep 1000 > /dev/null &
                docker run --rm --network n1 alpine true &
            done
            wait
            docker rm -f a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 > /dev/null
        done";
    let run = env.program(&PathBuf::from("/bin/bash")).args(["-c", script]);
    run.deadline(std::time::Duration::from_secs(240)).run().success().stderr_is("");
    assert_eq!(helper(&env), pid, "it was the same helper all the time");
    let mut after = before;
    let closed = wait::poll(wait::DEADLINE, || {
        after = (open(), ports());
        (after.0 <= before.0 && after.1 == before.1).then_some(())
    });
    assert!(closed.is_some(), "descriptors and lines of devices: {after:?}, before {before:?}");
    let members = "{{range .Containers}}{{.Name}} {{end}}";
    env.run(["network", "inspect", "-f", members, "n1"]).success().stdout_is("witness \n");
    // The lowest address is free again, and no bridge has a port too many.
    idle(&env, "next", &["--network", "n1"]);
    assert_eq!(address(&env, "next", "n1"), "10.99.3.2");
    let left = hub_devices(&env);
    assert_eq!(left.iter().filter(|name| name.starts_with('v')).count(), 2, "{left:?}");
    env.run(["rm", "-f", "witness", "next"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

/// The devices in the namespace of the helper's second thread, the hub.
fn hub_devices(env: &TestEnv) -> Vec<String> {
    let pid = helper(env).as_raw_nonzero();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it is ours");
    let mut names = Vec::new();
    // The first thread is on the host, whose devices are not ours.
    for task in tasks.flatten().filter(|task| *task.file_name() != *pid.to_string()) {
        let text = std::fs::read_to_string(task.path().join("net/dev")).unwrap_or_default();
        let device = |line: &str| Some(line.split_once(':')?.0.trim().to_owned());
        names.extend(text.lines().filter_map(device));
    }
    names
}

/// Opens so many connections as its first argument says, and keeps them; writes how many there are and what was
/// said to the others to `/work/told`. With `/work/enough` it closes all, and prints whether there is room again.
const MANY: &str = r#"
use strict; use IO::Socket::INET;
my ($wanted, $host) = @ARGV;
my ($open, %said) = ([]);
sub try { IO::Socket::INET->new(PeerAddr => "$host:7001", Timeout => 10) }
for (1 .. $wanted) {
    my $socket = try();
    if ($socket) { push @$open, $socket } else { $said{$! + 0}++ }
}
open TOLD, "> /work/told.new" or die $!;
printf TOLD "open %d, errors %s\n", scalar @$open, join " ", sort keys %said;
close TOLD; rename "/work/told.new", "/work/told";
for (1 .. 600) { last if -e "/work/enough"; select undef, undef, undef, 0.1 }
$open = undef;
for (1 .. 50) { last if $said{again} = try(); select undef, undef, undef, 0.1 }
print $said{again} ? "room again\n" : "no room\n";
"#;

#[test]
fn who_takes_all_connections_it_can_get_leaves_some_to_others() {
    need_perl!();
    let [far, _] = far!();
    let env = TestEnv::new();
    // The helper starts with this container, and has its limit.
    let start = "docker run -d --name first -p 127.0.0.1::80 coracle.local/whoami";
    env.sh(&format!("ulimit -n 256; {start}")).success();
    let published = env.run(["port", "first", "80"]).success().line();
    env.write("many.pl", MANY);
    let work = format!("{}:/work", env.work().display());
    idle(&env, "c1", &[&["-v", &work], &PERL[..]].concat());
    idle(&env, "c2", &[]);
    let script = format!("perl /work/many.pl 300 {}", far.v4);
    let greedy = env.coracle().args(["exec", "c1", "sh", "-c", &script]).start();
    let mut told = String::new();
    wait::until("one has all connections that it gets", || {
        told = std::fs::read_to_string(env.work().join("told")).unwrap_or_default();
        !told.is_empty()
    });
    let open = told.split([' ', ',']).nth(1).and_then(|count| count.parse::<usize>().ok());
    // Two descriptors each, something is kept back for all the rest, and a quarter for others.
    assert!(open.is_some_and(|open| (50..96).contains(&open)), "{told}");
    // EHOSTUNREACH, EACCES or ECONNREFUSED: an answer, not a time-out (ETIMEDOUT is 110).
    assert!(!told.contains("110") && !told.ends_with("errors \n"), "{told}");
    within(&env, "c2", &format!("nc -w 10 {} 7000 < /dev/null", far.v4)).success();
    get(&published);
    env.write("enough", "");
    greedy.finish().success().stdout_is("room again\n");
    env.run(["rm", "-f", "first", "c1", "c2"]).success();
    env.assert_nothing_left();
}
