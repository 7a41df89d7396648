//! Services of a swarm at the network helper: virtual addresses, names, ports. What the swarm's agent would say
//! is said here.

use std::io::{IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use coracle_integration::{TestEnv, leak, port::free_port, settings::settings, skip, wait};
use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create};
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};
use serde_json::{Value, json};

use super::kit::{
    PERL, TELL_WHO, address, ask, field, get, helper, idle, need_perl, seen, whoami, within,
};

/// The agent's connection.
struct Agent(OwnedFd);

impl Agent {
    fn new(env: &TestEnv) -> Self {
        let mut runs = std::fs::read_dir(env.data().join("run")).expect("a runtime folder");
        let run = runs.next().expect("one per boot").expect("its name");
        let folder = run.path().join("net");
        // A path may be too long for an address.
        let folder = rustix::fs::open(&folder, OFlags::PATH, Mode::empty()).expect("its folder");
        let path = format!("/proc/self/fd/{}/netd.sock", folder.as_raw_fd());
        let kind = SocketType::SEQPACKET;
        let flags = SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None)
            .expect("a call of ours");
        rustix::net::connect(&socket, &SocketAddrUnix::new(path).expect("a call of ours"))
            .expect("it listens");
        Self(socket)
    }

    /// Says what is wanted; gives what was said of each port.
    #[track_caller]
    fn set(&self, balance: &Value) -> Value {
        let file = memfd_create("balance", MemfdFlags::CLOEXEC).expect("a call of ours");
        std::fs::File::from(file.try_clone().expect("a call of ours"))
            .write_all(balance.to_string().as_bytes())
            .expect("a call of ours");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds = [file.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
        let message = [IoSlice::new(b"\"Balance\"")];
        rustix::net::sendmsg(&self.0, &message, &mut control, SendFlags::NOSIGNAL)
            .expect("a call of ours");
        let mut answer = vec![0; 128 * 1024];
        let (length, _) =
            rustix::net::recv(&self.0, &mut answer[..], RecvFlags::empty()).expect("an answer");
        let answer: Value = serde_json::from_slice(&answer[..length]).expect("JSON");
        let ports = answer.pointer("/Balanced/ingress");
        ports.unwrap_or_else(|| panic!("{answer}")).clone()
    }
}

/// A service `web` with a virtual address and one without, `rr`, in a network; these are ready.
struct Web<'a> {
    network: &'a str,
    vip: &'a str,
    ready: Vec<&'a str>,
    reserved: Vec<&'a str>,
    /// Protocol, address, port, port in the container.
    ports: Vec<(&'a str, Option<&'a str>, u16, u16)>,
}

impl Web<'_> {
    fn balance(&self) -> Value {
        let ready = &self.ready;
        let ingress =
            |&(protocol, host_ip, host_port, target_port): &(_, Option<&str>, u16, u16)| {
                let ready: Vec<_> = ready.iter().map(|ip| json!([self.network, ip])).collect();
                json!({"protocol": protocol, "host_ip": host_ip, "host_port": host_port,
                   "target_port": target_port, "ready": ready})
            };
        let web = json!({"names": ["web", "shop_web"], "task_names": ["tasks.web"], "vip": self.vip, "ready": ready});
        let rr = json!({"names": ["rr"], "ready": ready});
        json!({
            "networks": {self.network: {"reserved": self.reserved, "services": [web, rr]}},
            "ingress": self.ports.iter().map(ingress).collect::<Vec<_>>(),
        })
    }
}

const VIP: &str = "172.30.7.200";

/// A network: a swarm's, where nf_tables leads connections, or one where the helper does.
fn make_network(env: &TestEnv, of_swarm: bool) {
    env.run(["network", "create", "--attachable", "--subnet", "172.30.7.0/24", "n1"]).success();
    if of_swarm {
        make_a_swarms(env, "n1");
    }
}

/// A network, three servers, and one who asks.
fn world(of_swarm: bool) -> (TestEnv, String, [String; 3]) {
    let env = TestEnv::new();
    make_network(&env, of_swarm);
    for name in ["w1", "w2", "w3"] {
        whoami(&env, name, &["--network", "n1"]);
    }
    idle(&env, "c1", &["--network", "n1"]);
    let id = field(&env, "n1", "{{.Id}}");
    let addresses = ["w1", "w2", "w3"].map(|name| address(&env, name, "n1"));
    (env, id, addresses)
}

fn web<'a>(id: &'a str, ready: &[&'a str]) -> Web<'a> {
    Web { network: id, vip: VIP, ready: ready.to_vec(), reserved: Vec::new(), ports: Vec::new() }
}

fn end(env: TestEnv, more: &[&str]) {
    env.run([&["rm", "-f", "w1", "w2", "w3", "c1"], more].concat()).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

/// Which servers answered, by the address they say is theirs.
#[track_caller]
fn answers(env: &TestEnv, container: &str, to: &str, count: usize) -> Vec<String> {
    let script = format!(
        "for i in $(seq {count}); do timeout 5 wget -qO- http://{to}/ | grep ^IP: | grep -o '172[.].*' || echo lost; done"
    );
    within(env, container, &script).success().lines()
}

#[test]
fn connections_go_round_over_those_who_are_ready() {
    connections_go_round(false);
}

#[test]
fn connections_go_round_in_a_swarms_network() {
    connections_go_round(true);
}

fn connections_go_round(of_swarm: bool) {
    let (env, id, [w1, w2, w3]) = world(of_swarm);
    let agent = Agent::new(&env);
    let set = |ready: &[&str]| agent.set(&web(&id, ready).balance());
    set(&[&w1, &w2]);
    assert_eq!(answers(&env, "c1", VIP, 4), [&w1, &w2, &w1, &w2].map(String::as_str));
    // A name, and a task that asks its own service.
    idle(&env, "own", &["--network", "container:w1"]);
    let mut own = answers(&env, "own", "web", 4);
    own.sort();
    assert_eq!(own, [&w1, &w1, &w2, &w2].map(String::as_str));
    within(&env, "c1", &format!("ping -c 1 -W 2 {VIP}")).success();
    // Where nf_tables leads, a task sees who asks.
    let answer = within(&env, "c1", &format!("wget -qO- http://{VIP}/")).success().stdout();
    let info = env.run(["info"]).success().stdout();
    let leads = of_swarm && info.contains("Network Path: nf_tables");
    let client = if leads { address(&env, "c1", "n1") } else { "172.30.7.1".to_owned() };
    assert_eq!(seen(&answer), client);
    // Members find each other past the address too.
    let answer = within(&env, "c1", &format!("wget -qO- http://{w3}/")).success().stdout();
    assert_eq!(seen(&answer), address(&env, "c1", "n1"));
    within(&env, "c1", &format!("ping -c 1 -W 2 {w3}")).success();
    set(&[&w3]);
    assert_eq!(answers(&env, "c1", "shop_web", 2), [&w3, &w3].map(String::as_str));
    // Nobody is ready: refused, and the name stays.
    set(&[]);
    let refused = within(&env, "c1", "nc -w 5 web 80 < /dev/null").code(1);
    assert!(refused.stderr().contains("refused"), "{refused}");
    within(&env, "c1", "ping -c 1 -W 2 web").success();
    let asked = within(&env, "c1", "nslookup -type=a tasks.web").code(1).stdout();
    assert!(asked.contains("NXDOMAIN"), "{asked}");
    // A member of another network knows neither.
    set(&[&w1]);
    idle(&env, "c2", &[]);
    assert_ne!(within(&env, "c2", &format!("nc -w 5 {VIP} 80 < /dev/null")).status(), 0);
    assert_ne!(within(&env, "c2", "nslookup -type=a web").status(), 0);
    drop(agent);
    end(env, &["c2", "own"]);
}

#[test]
fn a_task_that_is_gone_is_left_out_before_anybody_says_so() {
    a_task_that_is_gone(false);
}

#[test]
fn a_task_that_is_gone_is_left_out_of_a_swarms_network() {
    a_task_that_is_gone(true);
}

fn a_task_that_is_gone(of_swarm: bool) {
    let (env, id, [w1, w2, _]) = world(of_swarm);
    let agent = Agent::new(&env);
    agent.set(&web(&id, &[&w1, &w2]).balance());
    // What was said stays when the agent is gone.
    drop(agent);
    env.run(["rm", "-f", "w1"]).success();
    assert_eq!(answers(&env, "c1", "web", 3), [&w2, &w2, &w2].map(String::as_str));
    let asked = within(&env, "c1", "nslookup -type=a rr").success().stdout();
    assert!(asked.contains(&w2) && !asked.contains(&w1), "{asked}");
    // Addresses of tasks are kept for them; that of the virtual one is nobody's.
    let agent = Agent::new(&env);
    let mut wanted = web(&id, &[&w2]);
    wanted.reserved = vec![&w1];
    agent.set(&wanted.balance());
    idle(&env, "c2", &["--network", "n1"]);
    assert_ne!(address(&env, "c2", "n1"), w1);
    idle(&env, "c3", &["--network", "n1", "--ip", &w1]);
    let used = env.run(["run", "--rm", "--network", "n1", "--ip", VIP, "alpine", "true"]).code(125);
    assert!(used.stderr().contains("Address already in use"), "{used}");
    // The helper is killed: the next one is told again.
    rustix::process::kill_process(helper(&env), rustix::process::Signal::KILL).expect("it runs");
    let mut byte = [0; 1];
    let ended = rustix::net::recv(&agent.0, &mut byte[..], RecvFlags::empty());
    assert!(matches!(ended, Ok((0, _)) | Err(_)), "the agent sees its end");
    wait::until("there is another helper", || {
        leak::processes_named(env.root(), "coracle-netd").len() == 1
            && within(&env, "c1", "nslookup -type=a w2").status() == 0
    });
    let agent = Agent::new(&env);
    wait::until("its members are there again", || {
        agent.set(&web(&id, &[&w2]).balance());
        answers(&env, "c1", VIP, 1) == [w2.as_str()]
    });
    drop(agent);
    end(env, &["c2", "c3"]);
}

#[test]
fn a_port_of_a_service_is_every_tasks() {
    let (env, id, [w1, w2, w3]) = world(true);
    let agent = Agent::new(&env);
    let (port, other) = (free_port(), free_port());
    let mut wanted = web(&id, &[&w1, &w2]);
    wanted.ports = vec![("tcp", Some("127.77.0.2"), port, 80), ("tcp", None, other, 80)];
    assert_eq!(agent.set(&wanted.balance()), json!([null, null]));
    let ask_at = |at: &str| {
        let answer = get(at);
        let line = answer.lines().find(|line| line.starts_with("IP: 172."));
        line.unwrap_or(&answer).trim_start_matches("IP: ").to_owned()
    };
    let at = format!("127.77.0.2:{port}");
    assert_eq!([ask_at(&at), ask_at(&at), ask_at(&at)], [&w1, &w2, &w1].map(String::as_str));
    // From the loopback the client is the gateway, as with ports of containers.
    assert_eq!(seen(&get(&format!("127.0.0.1:{other}"))), "172.30.7.1");
    get(&format!("[::1]:{other}"));
    TcpStream::connect(format!("127.0.0.1:{port}")).expect_err("another address");
    // One that is held by somebody else.
    let held = free_port();
    let holder = std::net::TcpListener::bind(("127.0.0.1", held)).unwrap();
    wanted.ready = vec![&w3];
    wanted.ports.push(("tcp", Some("127.0.0.1"), held, 80));
    let words =
        format!("failed to bind host port for 127.0.0.1:{held}/tcp: address already in use");
    assert_eq!(agent.set(&wanted.balance()), json!([null, null, words]));
    assert_eq!(ask_at(&at), w3);
    drop(holder);
    assert_eq!(agent.set(&wanted.balance()), json!([null, null, null]), "tried again");
    // Nobody is ready: the connection ends at once.
    wanted.ready = Vec::new();
    agent.set(&wanted.balance());
    let mut lost = TcpStream::connect(&at).expect("it listens");
    lost.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let ended = std::io::Read::read(&mut lost, &mut [0; 1]);
    assert!(
        !matches!(&ended, Ok(1..))
            && !matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
        "{ended:?}"
    );
    wanted.ports.clear();
    agent.set(&wanted.balance());
    TcpStream::connect(&at).expect_err("it does not listen");
    drop(agent);
    end(env, &[]);
}

#[test]
fn datagrams_stay_with_a_task() {
    need_perl!();
    let env = TestEnv::new();
    make_network(&env, true);
    let port = free_port();
    for name in ["w1", "w2"] {
        let start = ["run", "-d", "--name", name, "--network", "n1"];
        let program =
            ["alpine", "/usr/bin/perl", "-e", &TELL_WHO.replace("$a.", "$ENV{HOSTNAME}.' '.$a.")];
        env.run([&start[..], &PERL, &program].concat()).success();
    }
    idle(&env, "c1", &[&["--network", "n1"][..], &PERL].concat());
    let id = field(&env, "n1", "{{.Id}}");
    let addresses = ["w1", "w2"].map(|name| address(&env, name, "n1"));
    let agent = Agent::new(&env);
    let ready: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut wanted = web(&id, &ready);
    wanted.ports = vec![("udp", Some("127.77.0.3"), port, 5000)];
    assert_eq!(agent.set(&wanted.balance()), json!([null]));
    let at = format!("127.77.0.3:{port}");
    let name = |answer: &str| answer.split(' ').next().unwrap_or_default().to_owned();
    let mut names: Vec<String> = Vec::new();
    wait::until("both tasks answer", || {
        names.extend([name(&ask(&at, "x"))].into_iter().filter(|name| !name.is_empty()));
        names.sort();
        names.dedup();
        names.len() == 2
    });
    // One client stays with its task until that is not ready any more.
    let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let ask_again = || {
        client.send_to(b"x", &at).unwrap();
        let mut buffer = [0; 100];
        let length = client.recv(&mut buffer).expect("an answer");
        name(&String::from_utf8_lossy(&buffer[..length]))
    };
    let mine = ask_again();
    assert_eq!([ask_again(), ask_again()], [mine.as_str(), mine.as_str()]);
    let hosts = ["w1", "w2"].map(|name| field(&env, name, "{{.Config.Hostname}}"));
    let other = usize::from(hosts[0] == mine);
    wanted.ready = vec![&addresses[other]];
    agent.set(&wanted.balance());
    assert_eq!(ask_again(), hosts[other]);
    // At the virtual address.
    let answer = super::kit::datagram(&env, "c1", (VIP, 5000));
    assert!(answer.starts_with(&hosts[other]), "{answer}");
    drop(agent);
    env.run(["rm", "-f", "w1", "w2", "c1"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

/// As a swarm has made it.
fn make_a_swarms(env: &TestEnv, name: &str) {
    let id = field(env, name, "{{.Id}}");
    let path = env.data().join(format!("networks/{id}.json"));
    let text = std::fs::read_to_string(&path).expect("its record");
    let mut record: Value = serde_json::from_str(&text).expect("JSON");
    record["network"]["Swarm"] = true.into();
    std::fs::write(&path, record.to_string()).expect("a file of ours");
}

#[test]
fn a_network_of_the_swarm_is_for_its_tasks() {
    let env = TestEnv::new();
    let before = env.run(["network", "create", "-d", "overlay", "early"]).success();
    assert_eq!(before.stderr(), "note: there is no swarm, so this overlay network is a bridge\n");
    env.run(["network", "create", "--scope", "swarm", "x"]).code(1).stderr_has(
        "This node is not a swarm manager. Use \"coracle swarm init\" or \"coracle swarm join\" to",
    );
    make_a_swarms(&env, "early");
    let made = env.run(["network", "create", "-d", "overlay", "ov1"]).success();
    assert_eq!((made.line().len(), made.stderr()), (25, String::new()));
    let open = ["network", "create", "-d", "overlay", "--attachable", "--opt", "encrypted", "ov2"];
    let open = env.run(open).success();
    assert_eq!(
        open.stderr(),
        "note: nothing in it leaves this machine, and nothing is encrypted\n"
    );
    env.run(["network", "create", "-d", "overlay", "ov1"])
        .code(1)
        .stderr_is("Error response from daemon: network with name ov1 already exists\n");
    let listed =
        ["network", "ls", "-f", "scope=swarm", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"];
    env.run(listed)
        .success()
        .stdout_is("early overlay swarm\nov1 overlay swarm\nov2 overlay swarm\n");
    let facts = "{{.Scope}} {{json .IPAM.Options}} {{json .Containers}} {{json .Labels}}";
    assert_eq!(field(&env, "ov1", facts), "swarm null {} null");
    let refused = "Could not attach to network ov1: rpc error: code = PermissionDenied desc = network \
                   ov1 not manually attachable";
    let words =
        format!("Error response from daemon: failed to set up container networking: {refused}");
    env.run(["run", "--rm", "--net", "ov1", "alpine", "true"]).code(125).stderr_has(&words);
    idle(&env, "c1", &["--network", "ov2"]);
    env.run(["network", "connect", "ov1", "c1"])
        .code(1)
        .stderr_has(&format!("Error response from daemon: {refused}"));
    within(&env, "c1", "nslookup -type=a c1").success();
    env.run(["rm", "-f", "c1"]).success();
    env.run(["network", "prune", "-f"]).success().stdout_is("");
    env.run(["network", "rm", "ov1", "ov2", "early"]).success();
    env.assert_nothing_left();
}

#[test]
fn nothing_is_lost_while_tasks_are_replaced() {
    nothing_is_lost(false);
}

#[test]
fn nothing_is_lost_in_a_swarms_network() {
    nothing_is_lost(true);
}

/// New connections at 200 a second to the virtual address and to a port, while tasks come and go: each leaves the
/// set before it is stopped.
fn nothing_is_lost(of_swarm: bool) {
    let Some(traffic) = &settings().traffic else {
        skip!("no program that makes traffic beside the binary")
    };
    let env = TestEnv::new();
    let tool = format!("{}:/traffic:ro", traffic.display());
    make_network(&env, of_swarm);
    let start = |name: &str| {
        let start = ["run", "-d", "--name", name, "--network", "n1", "-v", &tool];
        env.run([&start[..], &["alpine", "/traffic", "serve", "7"]].concat()).success();
        let ip = address(&env, name, "n1");
        wait::until("it serves", || {
            within(&env, "c1", &format!("/traffic connect {ip}:7 1")).status() == 0
        });
        ip
    };
    idle(&env, "c1", &["--network", "n1", "-v", &tool]);
    let id = field(&env, "n1", "{{.Id}}");
    let port = free_port();
    let agent = Agent::new(&env);
    let set = |ready: &[&str]| {
        let mut wanted = web(&id, ready);
        wanted.ports = vec![("tcp", Some("127.77.0.4"), port, 7)];
        assert_eq!(agent.set(&wanted.balance()), json!([null]));
    };
    let mut tasks = [("w1".to_owned(), start("w1")), ("w2".to_owned(), start("w2"))];
    set(&[&tasks[0].1, &tasks[1].1]);
    let inner = format!("{VIP}:7");
    let inside = env.coracle().args(["exec", "c1", "/traffic", "hold", &inner, "4", "200", "10"]);
    let outer = format!("127.77.0.4:{port}");
    let outside = env.program(traffic).args(["hold", &outer, "0", "200", "10"]);
    let (inside, outside) = (inside.start(), outside.start());
    for round in 0..4 {
        let name = format!("t{round}");
        let ip = start(&name);
        // Start first and stop first by turns. The first two have idle connections, which drain.
        let (old, _) = tasks[round % 2].clone();
        if round % 2 == 0 {
            tasks[round % 2] = (name, ip);
            set(&[&tasks[0].1, &tasks[1].1]);
        } else {
            set(&[&tasks[1 - round % 2].1]);
            tasks[round % 2] = (name, ip);
        }
        if round >= 2 {
            env.run(["stop", "-t", "1", &old]).success();
            env.run(["rm", &old]).success();
        }
        set(&[&tasks[0].1, &tasks[1].1]);
    }
    for load in [inside, outside] {
        let output = load.finish().success().stdout();
        assert!(output.starts_with("0 "), "lost connections: {output}");
    }
    drop(agent);
    env.run(["rm", "-f", "c1", "w1", "w2", "t0", "t1", "t2", "t3"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}
