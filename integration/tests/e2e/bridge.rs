//! Bridge networks: names, the way out, published ports; over each of the two paths for packets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use coracle_integration::{TestEnv, registry::free_port, settings::settings, skip, wait};

/// How packets of a container's connections may find their sockets.
const PATHS: [&str; 2] = ["nf_tables", "packets"];

/// A world for each path.
fn worlds() -> impl Iterator<Item = TestEnv> {
    PATHS.into_iter().map(|path| TestEnv::new().with("CORACLE_NETWORK_PATH", path))
}

macro_rules! far {
    () => {
        match &settings().far {
            Some(far) => far.as_str(),
            None => skip!("no host beyond this one: run scripts/test as root"),
        }
    };
}

fn whoami(env: &TestEnv, name: &str, more: &[&str]) {
    env.run([&["run", "-d", "--name", name], more, &["coracle.local/whoami"]].concat()).success();
}

/// What a shell in a container of a network prints.
fn inside(env: &TestEnv, network: &str, script: &str) -> coracle_integration::Output {
    env.run(["run", "--rm", "--network", network, "alpine", "sh", "-c", script])
}

/// What an HTTP server answers.
fn get(address: &str) -> String {
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

/// The same, asked by the host beyond this one.
fn get_from(far: &str, address: &str) -> String {
    let mut stream = TcpStream::connect((far, 7003)).expect("the far host is there");
    stream.write_all(format!("{address}\nGET / HTTP/1.0\r\n\r\n").as_bytes()).expect("room");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The address that the server saw, without its port.
fn seen(answer: &str) -> &str {
    let line = answer.lines().find_map(|line| line.strip_prefix("RemoteAddr: "));
    let (address, _) = line.and_then(|line| line.rsplit_once(':')).expect(answer);
    address
}

#[test]
fn members_find_each_other_by_name() {
    for env in worlds() {
        env.run(["network", "create", "n1"]).success();
        whoami(&env, "s1", &["--network", "n1", "--network-alias", "web"]);
        for name in ["s1", "web", "S1", "s1.n1"] {
            inside(&env, "n1", &format!("wget -qO- http://{name}/health"))
                .success()
                .stdout_is("ok\n");
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
}

#[test]
fn connections_out_tell_the_truth() {
    let far = far!();
    for env in worlds() {
        let out = |script: &str| inside(&env, "bridge", script);
        let peer = out(&format!("nc {far} 7000 < /dev/null")).success().stdout();
        assert!(peer.starts_with("10.231.77.1:"), "{peer}");
        out(&format!("head -c 30000000 /dev/zero | nc {far} 7001"))
            .success()
            .stdout_is("30000000\n");
        out(&format!(
            "seq 200000 | nc {far} 7000 | sed 1d | cmp - /dev/fd/3 3<<EOF\n$(seq 200000)\nEOF"
        ))
        .success();
        let refused = out(&format!("nc -w 10 {far} 9 < /dev/null")).code(1);
        assert!(refused.stderr().contains("Connection refused"), "{refused}");
        let named = out(&format!("nslookup far.test {far}")).success().stdout();
        assert!(named.contains("203.0.113.7"), "{named}");
        env.assert_nothing_left();
    }
}

#[test]
fn the_hosts_loopback_is_opt_in() {
    for env in worlds() {
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
}

#[test]
fn published_ports_show_who_calls() {
    let far = far!();
    for env in worlds() {
        let port = free_port();
        whoami(&env, "s1", &["-p", &format!("{port}:80")]);
        let gateway =
            env.run(["inspect", "--format", "{{.NetworkSettings.Gateway}}", "s1"]).success().line();
        // At once: there is nothing to wait for when `run -d` has returned.
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert_eq!(seen(&get(&format!("127.0.0.1:{port}"))), gateway);
        assert_eq!(seen(&get(&format!("[::1]:{port}"))), gateway);
        assert_eq!(seen(&get(&format!("10.231.77.1:{port}"))), "10.231.77.1");
        assert_eq!(seen(&get_from(far, &format!("10.231.77.1:{port}"))), far);
        inside(&env, "bridge", &format!("wget -qO- http://{gateway}:{port}/health"))
            .success()
            .stdout_is("ok\n");
        let taken = env.run(["run", "--rm", "-p", &format!("{port}:80"), "alpine"]).code(125);
        assert!(taken.stderr().contains("port is already allocated"), "{taken}");
        env.run(["rm", "-f", "s1"]).success();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        env.assert_nothing_left();
    }
}

#[test]
fn datagrams_pass_both_ways() {
    let far = far!();
    let Some(debian) = settings().debian.as_ref().map(|path| path.display().to_string()) else {
        skip!("no Debian root: run scripts/test");
    };
    for env in worlds() {
        env.run(["import", &debian, "debian"]).success();
        let port = free_port();
        let perl = "use Socket; socket(S,PF_INET,SOCK_DGRAM,0); bind(S,sockaddr_in(5000,INADDR_ANY)); \
                    while($p=recv(S,$d,9000,0)){($n,$a)=sockaddr_in($p); \
                    send(S,inet_ntoa($a).\" \".length($d).\"\\n\",0,$p)}";
        let publish = format!("{port}:5000/udp");
        env.run([
            "run", "-d", "--init", "--name", "u1", "-p", &publish, "debian", "perl", "-e", perl,
        ])
        .success();
        let order = format!("10.231.77.1:{port} {}", "x".repeat(4000));
        let mut answer = String::new();
        wait::until("a datagram is answered", || {
            answer = ask(&format!("{far}:7004"), &order);
            !answer.is_empty()
        });
        assert_eq!(answer, format!("{far} 4000\n"));
        env.run(["rm", "-f", "u1"]).success();
        env.assert_nothing_left();
    }
}

fn ask(server: &str, text: &str) -> String {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(6))).expect("a timeout");
    socket.send_to(text.as_bytes(), server).expect("sent");
    let mut buffer = [0; 9000];
    let length = socket.recv(&mut buffer).unwrap_or_default();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[test]
fn a_killed_helper_is_replaced() {
    for env in worlds() {
        env.run(["network", "create", "n1"]).success();
        let port = free_port();
        whoami(&env, "s1", &["--network", "n1", "-p", &format!("{port}:80")]);
        env.run(["run", "-d", "--name", "c1", "--network", "n1", "alpine", "sleep", "1000"])
            .success();
        let before = env.run(["inspect", "-f", "{{.NetworkSettings.Networks.n1.IPAddress}}", "s1"]);
        let before = before.success().line();
        let netd = coracle_integration::leak::processes_named(env.root(), "coracle-netd");
        assert_eq!(netd.len(), 1, "one helper per user");
        rustix::process::kill_process(netd[0], rustix::process::Signal::KILL).expect("ours");
        env.run(["exec", "c1", "wget", "-qO-", &format!("http://{before}/health")]).success();
        let mut last = String::new();
        let again = wait::poll(wait::DEADLINE, || {
            let output = env.run(["exec", "c1", "nslookup", "s1"]);
            last = output.to_string();
            output.stdout().contains(&format!("Address: {before}")).then_some(())
        });
        assert!(again.is_some(), "names are not answered again: {last}");
        get(&format!("127.0.0.1:{port}"));
        env.run(["rm", "-f", "s1", "c1"]).success();
        env.run(["network", "rm", "n1"]).success();
        env.assert_nothing_left();
    }
}
