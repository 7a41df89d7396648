//! What goes wrong: a helper, a container or a command killed, addresses used up, many at once.

use std::path::PathBuf;

use coracle_integration::{TestEnv, leak, port::free_port, skip, wait};
use rustix::process::{Pid, Signal, kill_process};

use super::kit::{PERL, address, far, field, get, idle, monitor_of, need_perl, whoami, within};

fn netd(env: &TestEnv) -> Pid {
    let found = leak::processes_named(env.root(), "coracle-netd");
    assert_eq!(found.len(), 1, "one helper per user");
    found[0]
}

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
        kill(netd(&env));
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
        kill(match victim {
            "monitor" => monitor_of(&env, "s1"),
            _ => {
                let pid = field(&env, "s1", "{{.State.Pid}}").parse().expect("a number");
                Pid::from_raw(pid).expect("not zero")
            }
        });
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
    let helper = netd(&env);
    let open = || {
        std::fs::read_dir(format!("/proc/{}/fd", helper.as_raw_nonzero()))
            .map_or(0, Iterator::count)
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
    assert_eq!(netd(&env), helper, "it was the same helper all the time");
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
    let helper = netd(env).as_raw_nonzero();
    let tasks = std::fs::read_dir(format!("/proc/{helper}/task")).expect("it is ours");
    let mut names = Vec::new();
    for task in tasks.flatten() {
        let text = std::fs::read_to_string(task.path().join("net/dev")).unwrap_or_default();
        let device = |line: &str| Some(line.split_once(':')?.0.trim().to_owned());
        names.extend(text.lines().filter_map(device));
    }
    names
}

/// Opens so many connections as its first argument says, and keeps them; prints how many there are, what was
/// said to the others, and whether there is room again once all are closed.
const MANY: &str = r#"
use strict; use IO::Socket::INET;
my ($wanted, $host) = @ARGV;
my ($open, %said) = ([]);
sub try { IO::Socket::INET->new(PeerAddr => "$host:7001", Timeout => 10) }
for (1 .. $wanted) {
    my $socket = try();
    if ($socket) { push @$open, $socket } else { $said{$! + 0}++ }
}
printf "open %d, errors %s\n", scalar @$open, join " ", sort keys %said;
$open = undef;
for (1 .. 50) { last if $said{again} = try(); select undef, undef, undef, 0.1 }
print $said{again} ? "room again\n" : "no room\n";
"#;

#[test]
fn who_asks_for_more_connections_than_descriptors_allow_gets_an_error() {
    need_perl!();
    let [far, _] = far!();
    let env = TestEnv::new();
    // The helper starts with this container, and has its limit.
    env.sh("ulimit -n 256; docker run -d --name first alpine sleep 100000").success();
    env.write("many.pl", MANY);
    let work = format!("{}:/work:ro", env.work().display());
    idle(&env, "c1", &[&["-v", &work], &PERL[..]].concat());
    let output = within(&env, "c1", &format!("perl /work/many.pl 300 {}", far.v4)).success();
    let lines = output.lines();
    let open = lines[0].split([' ', ',']).nth(1).and_then(|count| count.parse::<usize>().ok());
    // Two descriptors each, and something is kept back for all the rest.
    assert!(open.is_some_and(|open| (50..128).contains(&open)), "{output}");
    // EHOSTUNREACH, EACCES or ECONNREFUSED: an answer, not a time-out (ETIMEDOUT is 110).
    assert!(!lines[0].contains("110") && !lines[0].ends_with("errors "), "{output}");
    assert_eq!(lines[1], "room again", "{output}");
    env.run(["rm", "-f", "first", "c1"]).success();
    env.assert_nothing_left();
}
