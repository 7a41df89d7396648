//! Published ports: reached from the host and from outside, with the client's own address.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use coracle_integration::{TestEnv, port::free_port, skip, wait};

use super::kit::{
    PERL, TELL_WHO, address, ask, far, field, get, get_from, get_once_from, idle, inside,
    need_perl, seen, talk, whoami,
};

#[test]
fn servers_see_who_calls() {
    let far = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "--ipv6", "n6"]).success();
    let port = free_port();
    whoami(&env, "s1", &["--network", "n6", "-p", &format!("{port}:80")]);
    let gateway = field(&env, "s1", "{{.NetworkSettings.Networks.n6.Gateway}}");
    // At once: there is nothing to wait for when `run -d` has returned.
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    // The host's loopback is the gateway, as with Docker; its other addresses are themselves.
    let from_host = |at: &str| seen(&get(&format!("{at}:{port}"))).to_owned();
    assert_eq!(from_host("127.0.0.1"), gateway);
    assert_eq!(from_host(&far[0].near4), far[0].near4);
    assert_eq!(from_host(&format!("[{}]", far[0].near6)), far[0].near6);
    for far in far {
        assert_eq!(seen(&get_from(far, &format!("{}:{port}", far.near4))), far.v4);
        assert_eq!(seen(&get_from(far, &format!("[{}]:{port}", far.near6))), far.v6);
    }
    env.run(["rm", "-f", "s1"]).success();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    env.run(["network", "rm", "n6"]).success();
    env.assert_nothing_left();
}

#[test]
fn containers_reach_published_ports_too() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    let port = free_port();
    whoami(&env, "s1", &["-p", &format!("{port}:80")]);
    let gateway = field(&env, "s1", "{{.NetworkSettings.Networks.bridge.Gateway}}");
    // On an IPv4 network, clients of the other family come from the gateway.
    assert_eq!(seen(&get(&format!("[::1]:{port}"))), gateway);
    for network in ["bridge", "n1"] {
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let gateway = env.run(["network", "inspect", "-f", format, network]).success().line();
        inside(&env, network, &format!("wget -qO- http://{gateway}:{port}/health"))
            .success()
            .stdout_is("ok\n");
    }
    env.run(["rm", "-f", "s1"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn datagrams_show_who_sent_them() {
    need_perl!();
    let far = far!();
    let env = TestEnv::new();
    env.run(["network", "create", "--ipv6", "n6"]).success();
    for (name, v6) in [("u4", "0"), ("u6", "1")] {
        let port = free_port();
        let publish = format!("{port}:5000/udp");
        let start = ["run", "-d", "--init", "--name", name, "--network", "n6", "-p", &publish];
        let program = ["alpine", "/usr/bin/perl", "-e", TELL_WHO, v6];
        env.run([&start[..], &PERL, &program].concat()).success();
        for far in far {
            let (at, near, own) = match v6 {
                "0" => (format!("{}:7004", far.v4), far.near4.clone(), &far.v4),
                _ => (format!("[{}]:7004", far.v6), format!("[{}]", far.near6), &far.v6),
            };
            let order = format!("{near}:{port} {}", "x".repeat(4000));
            let mut answer = String::new();
            wait::until("a datagram is answered", || {
                answer = ask(&at, &order);
                !answer.is_empty()
            });
            assert_eq!(answer, format!("{own} 4000\n"));
        }
        env.run(["rm", "-f", name]).success();
    }
    env.run(["network", "rm", "n6"]).success();
    env.assert_nothing_left();
}

/// A port at an address, which may name its device, as in `fe80::1%2`.
fn at(ip: &str, port: u16) -> SocketAddr {
    let text = if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
    text.parse().expect("an address")
}

/// The link-local address of the device that has another one.
fn link_local(of: &str) -> String {
    let table = std::fs::read_to_string("/proc/net/if_inet6").expect("IPv6");
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
    let digits: IpAddr = of.parse().expect("an address");
    let IpAddr::V6(digits) = digits else { panic!("{of} is not of IPv6") };
    let digits = hex::encode(digits.octets());
    let device = rows.iter().find(|row| row[0] == digits).expect(of)[1];
    let own = rows.iter().find(|row| row[1] == device && row[0].starts_with("fe80")).expect(device);
    let bytes: [u8; 16] = hex::decode(own[0]).expect("hex").try_into().expect("16 bytes");
    let number = u32::from_str_radix(device, 16).expect("hex");
    format!("{}%{number}", std::net::Ipv6Addr::from(bytes))
}

/// A socket for datagrams at an address of the host.
fn datagrams_at(ip: &str) -> UdpSocket {
    let socket = UdpSocket::bind(at(ip, 0)).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
    socket
}

/// Asks from one address of the host at another, by a socket that hears nobody else.
#[track_caller]
fn asked_and_answered(from: &str, asked: &str, port: u16) {
    let socket = datagrams_at(from);
    socket.connect(at(asked, port)).expect("connected");
    wait::until(&format!("{from} is answered by {asked}"), || {
        // Until the server is there, a datagram may be lost, and the loss be told.
        socket.send(b"x").ok();
        socket.recv(&mut [0; 99]).is_ok()
    });
}

/// `run` of the server for datagrams, at these ports.
fn tell_who(env: &TestEnv, name: &str, network: &str, publish: &[String]) {
    let start = ["run", "-d", "--init", "--name", name, "--network", network];
    let publish: Vec<&str> = publish.iter().flat_map(|port| ["-p", port]).collect();
    let v6 = if network == "n6" { "1" } else { "0" };
    let program = ["alpine", "/usr/bin/perl", "-e", TELL_WHO, v6];
    env.run([&start[..], &publish, &PERL, &program].concat()).success();
}

#[test]
fn datagrams_are_answered_from_the_address_that_was_asked() {
    need_perl!();
    let [one, two] = far!();
    let env = TestEnv::new();
    let [any, any4, any6, fixed] = [free_port(), free_port(), free_port(), free_port()];
    let publish = [
        format!("{any}:5000/udp"),
        format!("0.0.0.0:{any4}:5000/udp"),
        format!("[::]:{any6}:5000/udp"),
        format!("127.0.0.2:{fixed}:5000/udp"),
    ];
    env.run(["network", "create", "--ipv6", "n6"]).success();
    tell_who(&env, "s1", "n6", &publish);
    let v4 = ["127.0.0.1", "127.0.0.2", "127.9.8.7", &one.near4, &two.near4];
    let v6 = ["::1", &one.near6, &two.near6];
    for (addresses, ports) in [(&v4[..], [any, any4]), (&v6[..], [any, any6])] {
        for at in addresses {
            for from in addresses {
                // The loopback's addresses and the world do not meet.
                if from.starts_with("127.") == at.starts_with("127.") {
                    ports.into_iter().for_each(|port| asked_and_answered(from, at, port));
                }
            }
        }
    }
    asked_and_answered("127.0.0.1", "127.0.0.2", fixed);
    let link = link_local(&one.near6);
    asked_and_answered(&link, &link, any);
    env.run(["rm", "-f", "s1"]).success();
    // On a network of IPv4 alone clients of the other family come from the gateway.
    tell_who(&env, "s1", "bridge", &publish);
    asked_and_answered("::1", &one.near6, any6);
    env.run(["rm", "-f", "s1"]).success();
    env.run(["network", "rm", "n6"]).success();
    env.assert_nothing_left();
}

#[test]
fn one_client_may_ask_at_several_addresses() {
    need_perl!();
    let [one, two] = far!();
    let env = TestEnv::new();
    let port = free_port();
    tell_who(&env, "s1", "bridge", &[format!("{port}:5000/udp")]);
    for ours in [["127.0.0.1", "127.0.0.2"], [&one.near4, &two.near4]] {
        let socket = datagrams_at(ours[0]);
        // In turns: neither takes the other's place.
        for asked in [ours[0], ours[1], ours[0], ours[1]] {
            wait::until(&format!("{asked} answers"), || {
                socket.send_to(b"x", at(asked, port)).ok();
                matches!(socket.recv_from(&mut [0; 99]), Ok((_, from)) if from == at(asked, port))
            });
        }
    }
    env.run(["rm", "-f", "s1"]).success();
    env.assert_nothing_left();
}

#[test]
fn datagrams_that_nobody_takes_are_refused_among_containers() {
    need_perl!();
    let env = TestEnv::new();
    env.run(["network", "create", "--ipv6", "n6"]).success();
    let port = free_port();
    idle(&env, "s1", &["--network", "n6", "-p", &format!("{port}:5000/udp")]);
    idle(&env, "c1", &[&["--network", "n6"], &PERL[..]].concat());
    let refused = |at: &str, port: u16| {
        let told = talk(&env, "c1", "udp", (at, port), b"x").stderr();
        assert_eq!(told, "receive: Connection refused\n", "{at} {port}");
    };
    refused(&address(&env, "s1", "n6"), 5000);
    // By the gateway, which stands for the host.
    refused(&field(&env, "s1", "{{.NetworkSettings.Networks.n6.Gateway}}"), port);
    refused(&field(&env, "s1", "{{.NetworkSettings.Networks.n6.IPv6Gateway}}"), port);
    env.run(["rm", "-f", "s1", "c1"]).success();
    env.run(["network", "rm", "n6"]).success();
    env.assert_nothing_left();
}

#[test]
fn an_address_limits_who_gets_in() {
    let [one, two] = far!();
    let env = TestEnv::new();
    let port = free_port();
    whoami(&env, "s1", &["-p", &format!("{}:{port}:80", one.near4)]);
    assert_eq!(seen(&get_from(one, &format!("{}:{port}", one.near4))), one.v4);
    assert_eq!(get_once_from(two, &format!("{}:{port}", two.near4)), "");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    env.run(["rm", "-f", "s1"]).success();
    // Beside each other, on addresses of their own.
    whoami(&env, "s1", &["-p", &format!("{}:{port}:80", one.near4), "-e", "WHO=one"]);
    whoami(
        &env,
        "s2",
        &["-p", &format!("{}:{port}:80", two.near4), "-p", &format!("[::1]:{port}:80")],
    );
    assert!(get_from(one, &format!("{}:{port}", one.near4)).contains("RemoteAddr"));
    assert!(get_from(two, &format!("{}:{port}", two.near4)).contains("RemoteAddr"));
    get(&format!("[::1]:{port}"));
    env.run(["rm", "-f", "s1", "s2"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_network_can_bind_its_ports_elsewhere() {
    let env = TestEnv::new();
    let option = "com.docker.network.bridge.host_binding_ipv4=127.0.0.1";
    env.run(["network", "create", "-o", option, "local"]).success();
    let port = free_port();
    whoami(&env, "s1", &["--network", "local", "-p", &format!("{port}:80")]);
    env.run(["port", "s1"]).success().stdout_is(&format!("80/tcp -> 127.0.0.1:{port}\n"));
    get(&format!("127.0.0.1:{port}"));
    env.run(["rm", "-f", "s1"]).success();
    env.run(["network", "rm", "local"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_port_that_is_taken_leaves_nothing_half_made() {
    let env = TestEnv::new();
    let (free, taken) = (free_port(), TcpListener::bind("0.0.0.0:0").expect("a port"));
    let held = taken.local_addr().expect("its address").port();
    idle(&env, "other", &[]);
    let publish = [format!("{free}:80"), format!("{held}:81")];
    let start = ["run", "--name", "s1", "-d", "-p", &publish[0], "-p", &publish[1], "alpine"];
    let output = env.run([&start[..], &["sleep", "1000"]].concat()).code(125);
    let words = format!("failed to bind host port for 0.0.0.0:{held}:");
    assert!(output.stderr().contains(&words), "{output}");
    assert!(output.stderr().contains("81/tcp: address already in use"), "{output}");
    assert!(TcpStream::connect(("127.0.0.1", free)).is_err(), "the other port is given back");
    assert_eq!(
        field(&env, "s1", "{{.State.Status}} {{.NetworkSettings.Networks.bridge.IPAddress}}"),
        "created "
    );
    let members = "{{range .Containers}}{{.Name}} {{end}}";
    env.run(["network", "inspect", "-f", members, "bridge"]).success().stdout_is("other \n");
    drop(taken);
    env.run(["start", "s1"]).success();
    env.run(["rm", "-f", "s1", "other"]).success();
    env.assert_nothing_left();
}

#[test]
fn who_has_a_port_is_told() {
    let env = TestEnv::new();
    let port = free_port();
    let publish = format!("{port}:80");
    whoami(&env, "holder", &["-p", &publish]);
    let ours =
        format!("hint: the container holder has port {port}; `coracle stop holder` frees it\n");
    let run = ["run", "--rm", "-p", &publish, "alpine", "true"];
    env.run(run).code(125).stderr_has("failed: port is already allocated\n").stderr_has(&ours);
    env.run(["create", "--name", "next", "-p", &publish, "alpine", "sleep", "1000"]).success();
    env.run(["start", "next"]).code(1).stderr_has(&ours);
    let ports =
        format!("services: {{web: {{image: alpine, command: sleep 9, ports: [\"{port}:80\"]}}}}");
    env.write("compose.yaml", ports);
    env.run(["compose", "up", "-d"]).code(1).stderr_has(&ours);
    env.run(["compose", "up"]).code(1).stderr_has(&ours);
    env.run(["rm", "-f", "holder"]).success();
    let held = TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
    let name = std::fs::read_to_string("/proc/self/comm").expect("our name");
    let mine =
        format!("hint: the process {} ({}) has port {port}\n", std::process::id(), name.trim_end());
    env.run(run).code(125).stderr_has("address already in use\n").stderr_has(&mine);
    env.run(["compose", "up", "-d"]).code(1).stderr_has(&mine);
    drop(held);
    env.run(["start", "next"]).success().stderr_is("");
    env.run(["compose", "down"]).success();
    env.run(["rm", "-f", "next"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_low_port_names_the_setting() {
    if !is_kept_for_root(81) {
        skip!("everybody may listen at low ports here");
    }
    let env = TestEnv::new();
    let output = env.run(["run", "--rm", "-p", "81:80", "alpine", "true"]).code(125);
    let remedy = "sudo sysctl net.ipv4.ip_unprivileged_port_start=81";
    assert!(output.stderr().contains(remedy), "{output}");
    env.assert_nothing_left();
}

#[test]
fn a_low_port_in_the_hosts_network_has_a_hint() {
    if !is_kept_for_root(81) {
        skip!("everybody may listen at low ports here");
    }
    let env = TestEnv::new();
    let hint = "hint: a program with --network host cannot listen at port 81 here, ";
    let run = |flags: &[&str]| {
        let line = [&["run", "--rm", "--network", "host"], flags, &["alpine", "true"]].concat();
        let said = env.run(line).success().stderr();
        said.matches(hint).count()
    };
    assert_eq!(run(&["--expose", "81", "--expose", "8081"]), 1);
    assert_eq!(run(&["-p", "81:81"]), 1);
    assert_eq!(run(&["--expose", "8081"]), 0);
    let file =
        "services: {web: {image: alpine, command: 'true', network_mode: host, expose: [81]}}";
    env.write("compose.yaml", file);
    env.run(["compose", "up", "-d"]).success().stderr_has(hint);
    env.run(["compose", "down"]).success();
    env.assert_nothing_left();
}

/// Whether this host keeps a port for root.
fn is_kept_for_root(port: u16) -> bool {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    first.is_ok_and(|text| text.trim().parse::<u16>().is_ok_and(|first| first > port))
}

#[test]
fn low_ports_are_published_higher_where_the_settings_say_so() {
    if !is_kept_for_root(81) {
        skip!("everybody may listen at low ports here");
    }
    let env = TestEnv::new();
    let by = free_port();
    let (raise, raised) = (format!("+{by}"), by + 81);
    let first = env
        .coracle()
        .env("CORACLE_LOW_PORTS", &raise)
        .args(["run", "-d", "--name", "s1", "-p", "127.0.0.1:81:80", "coracle.local/whoami"])
        .run()
        .success();
    let note = format!("Port 81/tcp is published as {raised}: ");
    assert_eq!(first.stderr().matches(&note).count(), 1, "{first}");
    env.run(["port", "s1"]).success().stdout_is(&format!("80/tcp -> 127.0.0.1:{raised}\n"));
    let shown = format!("127.0.0.1:{raised}->80/tcp\n");
    env.run(["ps", "--format", "{{.Ports}}"]).success().stdout_is(&shown);
    get(&format!("127.0.0.1:{raised}"));
    env.run(["rm", "-f", "s1"]).success();
    // Without the setting the error names it.
    let refused = env.run(["run", "--rm", "-p", "81:80", "alpine", "true"]).code(125);
    assert!(refused.stderr().contains("\"low-ports\": \"+8000\""), "{refused}");
    let file = "services: {web: {image: coracle.local/whoami, ports: [\"127.0.0.1:81:80\"]}}";
    env.write("compose.yaml", file);
    let up = env
        .coracle()
        .env("CORACLE_LOW_PORTS", &raise)
        .args(["compose", "-f", &env.work().join("compose.yaml").display().to_string(), "up", "-d"])
        .run()
        .success();
    assert!(up.stderr().contains(&note), "{up}");
    get(&format!("127.0.0.1:{raised}"));
    let down = ["compose", "-f", &env.work().join("compose.yaml").display().to_string(), "down"];
    env.run(down).success();
    let wrong = env.coracle().env("CORACLE_LOW_PORTS", "8000").args(["ps"]).run();
    assert!(wrong.code(1).stderr().contains("low-ports is \"8000\""));
    let info = env.run(["info"]).success().stdout();
    assert!(info.contains("partly  low-ports"), "{info}");
    assert!(info.contains("\n Swarm: inactive\n"), "{info}");
    assert!(info.lines().any(|line| line.split_whitespace().nth(1) == Some("ping")), "{info}");
    env.assert_nothing_left();
}

#[test]
fn a_range_and_a_random_port_are_found() {
    let env = TestEnv::new();
    let first = free_port();
    let range = format!("{first}-{}", first.saturating_add(5));
    for name in ["s1", "s2"] {
        whoami(&env, name, &["-p", &format!("{range}:80"), "-p", "80"]);
        let shown = env.run(["port", name, "80"]).success().lines();
        let ports: Vec<u16> =
            shown.iter().filter_map(|line| line.strip_prefix("0.0.0.0:")?.parse().ok()).collect();
        assert_eq!(ports.len(), 2, "{shown:?}");
        assert!(ports.iter().any(|port| (first..=first + 5).contains(port)), "{shown:?}");
        for port in ports {
            get(&format!("127.0.0.1:{port}"));
        }
    }
    env.run(["rm", "-f", "s1", "s2"]).success();
    env.assert_nothing_left();
}
