//! A hub with containers, made of namespaces; packets and the kernel's own words on where
//! they would go.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::{Endpoint, Found, Hub, HubError, WayOut, bridge_name, free_interface, lead_out};
use crate::netlink::link::{self, Device};
use crate::netlink::{Netlink, address, neighbour, rule};
use crate::prefix::{Prefix, prefix};
use crate::protocol::{Network, Subnet};
use crate::world::{alone, inside, network as namespace, tool, tool_in, tool_refused};

const PATIENCE: Duration = Duration::from_secs(5);

/// A network with a subnet of each `(subnet, gateway)`, that members may talk in.
fn net(digit: char, subnets: &[(&str, &str)]) -> Network {
    let subnet = |(subnet, gateway): &(&str, &str)| {
        let Prefix { address, length } = prefix(subnet);
        let gateway = gateway.parse().unwrap();
        Subnet { address, prefix: length, gateway, range: None, reserved: Vec::new() }
    };
    Network {
        id: digit.to_string().repeat(64),
        name: format!("net-{digit}"),
        subnets: subnets.iter().map(subnet).collect(),
        names: true,
        talk: true,
        ..Network::default()
    }
}

fn net_a() -> Network {
    net('a', &[("172.18.0.0/16", "172.18.0.1")])
}

fn net_b() -> Network {
    net('b', &[("172.19.0.0/16", "172.19.0.1")])
}

/// A hub in the namespace of this thread, and its void.
struct World {
    hub: Hub,
    void: OwnedFd,
}

fn world() -> World {
    let (void, socket) = namespace();
    let (hub, _) = Hub::set_up(Netlink::here().unwrap(), &socket, void.as_fd()).unwrap();
    World { hub, void }
}

/// A container with a loopback device.
struct Container {
    namespace: OwnedFd,
    socket: Netlink,
}

fn container() -> Container {
    let (namespace, socket) = namespace();
    socket.call(link::up(Device::Name("lo"))).unwrap();
    Container { namespace, socket }
}

impl Container {
    fn endpoint<'a>(
        &'a self,
        id: &'a str,
        network: &'a Network,
        interface: &'a str,
        addresses: &'a [Prefix],
    ) -> Endpoint<'a> {
        let last = *id.as_bytes().last().unwrap();
        Endpoint {
            id,
            network,
            namespace: self.namespace.as_fd(),
            container: &self.socket,
            interface,
            mac: [2, 0x42, 0xac, 0, 0, last],
            addresses,
        }
    }

    fn lead_out(&self, interface: &str, gateways: &[&str]) {
        let gateways: Vec<_> = gateways.iter().map(|ip| ip.parse().unwrap()).collect();
        let gateways = gateways.as_slice();
        lead_out(&self.socket, Some(WayOut { interface, gateways })).unwrap();
    }
}

/// The server gets `ping` and the asker's address; the asker gets `pong`.
fn talk(server: &OwnedFd, client: &OwnedFd, bind: &str, to: &str) -> IpAddr {
    let bind: SocketAddr = bind.parse().unwrap();
    let listener = inside(server, || TcpListener::bind(bind).unwrap());
    let to = SocketAddr::new(to.parse().unwrap(), listener.local_addr().unwrap().port());
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let (mut stream, peer) = listener.accept().unwrap();
            let mut heard = [0; 4];
            stream.read_exact(&mut heard).unwrap();
            assert_eq!(&heard, b"ping");
            stream.write_all(b"pong").unwrap();
            peer.ip()
        });
        let mut stream = inside(client, || TcpStream::connect_timeout(&to, PATIENCE).unwrap());
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"ping").unwrap();
        let mut heard = [0; 4];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"pong");
        served.join().unwrap()
    })
}

/// As many bytes as make a sender use the largest packets it may.
fn pour(server: &OwnedFd, client: &OwnedFd, to: &str) {
    let listener = inside(server, || TcpListener::bind("0.0.0.0:0").unwrap());
    let to = SocketAddr::new(to.parse().unwrap(), listener.local_addr().unwrap().port());
    let sent: Vec<u8> = (0..20_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let heard = std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).unwrap();
            heard
        });
        let mut stream = inside(client, || TcpStream::connect_timeout(&to, PATIENCE).unwrap());
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&sent).unwrap();
        drop(stream);
        served.join().unwrap()
    });
    assert!(heard == sent, "what came is what went");
}

/// What the hub would do with a packet from a bridge.
fn route_of(network: &Network, from: &str, to: &str) -> String {
    let bridge = bridge_name(&network.id);
    tool(&format!("ip route get {to} from {from} iif {bridge}"))
}

fn refusal_of(network: &Network, from: &str, to: &str) -> String {
    let bridge = bridge_name(&network.id);
    tool_refused(&format!("ip route get {to} from {from} iif {bridge}"))
}

#[test]
fn large_packets_are_cut_for_who_takes_only_smaller_ones() {
    alone("hub::tests::large_packets_are_cut_for_who_takes_only_smaller_ones", || {
        let (World { mut hub, void: _void }, here) = (world(), this());
        let network = net_a();
        hub.add_bridge(&network).unwrap();
        let containers = [container(), container(), container()];
        let addresses = ["172.18.0.2", "172.18.0.3", "172.18.0.4"];
        for (number, marks) in [(0, true), (1, true), (2, false)] {
            hub.marks = marks;
            let (id, own) = (number.to_string().repeat(64), v4(addresses[number]));
            let endpoint = containers[number].endpoint(&id, &network, "eth0", &own);
            hub.add_endpoint(&endpoint).unwrap();
        }
        let namespace = |number: usize| &containers[number].namespace;
        pour(namespace(1), namespace(0), addresses[1]);
        pour(namespace(2), namespace(0), addresses[2]);
        pour(namespace(0), namespace(2), addresses[0]);
        pour(&here, namespace(0), "172.18.0.1");
    });
}

#[test]
fn what_makes_the_hub_fast_is_set_where_it_can_be() {
    alone("hub::tests::what_makes_the_hub_fast_is_set_where_it_can_be", || {
        let _world = world();
        let read = |name: &str| std::fs::read_to_string(format!("/proc/sys/net/{name}"));
        assert_eq!(read("ipv4/tcp_congestion_control").unwrap(), "reno\n");
        // Only where that part of the kernel is there.
        if let Ok(calls) = read("bridge/bridge-nf-call-iptables") {
            assert_eq!(calls, "0\n");
        }
    });
}

#[test]
fn members_of_a_network_talk_to_each_other_and_to_the_hub() {
    alone("hub::tests::members_of_a_network_talk_to_each_other_and_to_the_hub", || {
        let (World { hub, void: _void }, here) = (world(), this());
        let network = net_a();
        hub.add_bridge(&network).unwrap();
        let (one, two) = (container(), container());
        hub.add_endpoint(&one.endpoint(&"1".repeat(64), &network, "eth0", &v4("172.18.0.2")))
            .unwrap();
        hub.add_endpoint(&two.endpoint(&"2".repeat(64), &network, "eth0", &v4("172.18.0.3")))
            .unwrap();
        let asker = talk(&one.namespace, &two.namespace, "0.0.0.0:0", "172.18.0.2");
        assert_eq!(asker.to_string(), "172.18.0.3");
        // The hub as well, which reaches them from any address; here from the gateway's.
        let asker = talk(&one.namespace, &here, "0.0.0.0:0", "172.18.0.2");
        assert_eq!(asker.to_string(), "172.18.0.1");
    });
}

#[test]
fn names_are_asked_for_at_the_loopback_address_of_a_container() {
    alone("hub::tests::names_are_asked_for_at_the_loopback_address_of_a_container", || {
        let (World { hub, void: _void }, here) = (world(), this());
        let (a, b) = (net_a(), net_b());
        hub.add_bridge(&a).unwrap();
        hub.add_bridge(&b).unwrap();
        let one = container();
        let (id_a, id_b) = ("1".repeat(64), "2".repeat(64));
        let (ip_a, ip_b) = (v4("172.18.0.2"), v4("172.19.0.2"));
        let in_a = one.endpoint(&id_a, &a, "eth0", &ip_a);
        hub.add_endpoint(&in_a).unwrap();
        hub.add_endpoint(&one.endpoint(&id_b, &b, "eth1", &ip_b)).unwrap();

        let asker = talk(&here, &one.namespace, "127.0.0.11:0", "127.0.0.11");
        assert_eq!(asker.to_string(), "172.18.0.2");
        let server = UdpSocket::bind("127.0.0.11:0").unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        let client = inside(&one.namespace, || UdpSocket::bind("0.0.0.0:0").unwrap());
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(b"ask", server.local_addr().unwrap()).unwrap();
        let (length, peer) = server.recv_from(&mut [0; 9]).unwrap();
        assert_eq!((length, peer.ip().to_string().as_str()), (3, "172.18.0.2"));
        server.send_to(b"tell", peer).unwrap();
        let (length, peer) = client.recv_from(&mut [0; 9]).unwrap();
        assert_eq!((length, peer), (4, server.local_addr().unwrap()));

        // A server of its own may have the port, on all its addresses.
        inside(&one.namespace, || UdpSocket::bind("0.0.0.0:53").map(drop)).unwrap();

        // The other network serves when the first is gone.
        hub.remove_endpoint(&in_a).unwrap();
        let asker = talk(&here, &one.namespace, "127.0.0.11:0", "127.0.0.11");
        assert_eq!(asker.to_string(), "172.19.0.2");
    });
}

#[test]
fn neighbours_do_not_reach_a_containers_loopback() {
    alone("hub::tests::neighbours_do_not_reach_a_containers_loopback", || {
        let World { hub, void: _void } = world();
        let network = net_a();
        hub.add_bridge(&network).unwrap();
        let one = container();
        hub.add_endpoint(&one.endpoint(&"1".repeat(64), &network, "eth0", &v4("172.18.0.2")))
            .unwrap();
        for address in ["127.0.0.1", "127.0.0.11", "127.1.2.3"] {
            let command = format!("ip route get {address} from 172.18.0.3 iif eth0");
            inside(&one.namespace, || tool_refused(&command));
        }
        assert!(tool_in(&one.namespace, "ip route get 127.0.0.1").contains("local 127.0.0.1"));
        assert!(tool_in(&one.namespace, "ip route get 172.18.0.2").contains("dev lo"));
    });
}

#[test]
fn nothing_is_routed_from_one_network_to_another() {
    alone("hub::tests::nothing_is_routed_from_one_network_to_another", || {
        let World { hub, void: _void } = world();
        let (a, b) = (net_a(), net_b());
        let silent = Network { talk: false, ..net('c', &[("172.20.0.0/16", "172.20.0.1")]) };
        let inner = Network { internal: true, ..net('d', &[("172.21.0.0/16", "172.21.0.1")]) };
        for network in [&a, &b, &silent, &inner] {
            hub.add_bridge(network).unwrap();
        }
        for outside in ["198.51.100.1", "172.19.0.2"] {
            let route = route_of(&a, "172.18.0.2", outside);
            assert!(route.contains("via 169.254.0.1 dev wire"), "{route}");
        }
        assert!(route_of(&a, "172.18.0.2", "172.18.0.3").contains("dev br-aaaaaaaaaaaa"));
        assert!(refusal_of(&silent, "172.20.0.2", "172.20.0.3").contains("No route to host"));
        for outside in ["198.51.100.1", "172.18.0.2"] {
            let refusal = refusal_of(&inner, "172.21.0.2", outside);
            assert!(refusal.contains("No route to host"), "{refusal}");
        }
        // Another's source is believed nowhere.
        refusal_of(&a, "172.19.0.2", "198.51.100.1");
        refusal_of(&a, "198.51.100.1", "172.19.0.2");
        // The wire leads to members, and everything else to the hub.
        assert!(wired("198.51.100.1", "172.19.0.2").contains("dev br-bbbbbbbbbbbb"));
        assert!(wired("172.18.0.2", "198.51.100.1").contains("local 198.51.100.1"));

        // The void takes the wire with it; packets do not stray then, and are lost without a
        // word (ip-route(8): a blackhole's error is EINVAL).
        hub.netlink.call(link::delete(Device::Name("wire"))).unwrap();
        let refusal = refusal_of(&a, "172.18.0.2", "172.19.0.2");
        assert!(refusal.contains("Invalid argument"), "{refusal}");
    });
}

fn wired(from: &str, to: &str) -> String {
    tool(&format!("ip route get {to} from {from} iif wire"))
}

#[test]
fn packets_to_the_outside_come_out_of_the_wire() {
    alone("hub::tests::packets_to_the_outside_come_out_of_the_wire", || {
        let World { hub, void } = world();
        let network = net_a();
        hub.add_bridge(&network).unwrap();
        let one = container();
        hub.add_endpoint(&one.endpoint(&"1".repeat(64), &network, "eth0", &v4("172.18.0.2")))
            .unwrap();
        one.lead_out("eth0", &["172.18.0.1"]);
        let before = received(&void);
        let socket = inside(&one.namespace, || UdpSocket::bind("0.0.0.0:0").unwrap());
        for _ in 0..20 {
            socket.send_to(b"out", "198.51.100.1:9").unwrap();
        }
        // They are delivered when the kernel gets round to it. It may have said a word or two
        // about multicast itself.
        let deadline = Instant::now() + PATIENCE;
        while received(&void) < before + 20 {
            assert!(Instant::now() < deadline, "{} of 20", received(&void) - before);
            std::thread::yield_now();
        }
    });
}

/// Packets that came out of the wire's far end.
fn received(void: &OwnedFd) -> u64 {
    let table = inside(void, || std::fs::read_to_string("/proc/thread-self/net/dev").unwrap());
    let wire = table.lines().find_map(|line| line.trim().strip_prefix("wire:")).unwrap();
    wire.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_was_made_can_be_made_again_and_found_and_removed() {
    alone("hub::tests::what_was_made_can_be_made_again_and_found_and_removed", || {
        let World { hub, void: _void } = world();
        let rules = |hub: &Hub| rule::list(&hub.netlink, rule::Family::V4).unwrap();
        let (empty_rules, empty_routes) = (rules(&hub), tool("ip route show table all"));
        let network = net_a();
        let first = hub.add_bridge(&network).unwrap();
        let one = container();
        let (id, ip) = ("1".repeat(64), v4("172.18.0.2"));
        let endpoint = one.endpoint(&id, &network, "eth0", &ip);
        hub.add_endpoint(&endpoint).unwrap();
        assert_eq!(free_interface(&one.socket).unwrap(), "eth1");
        let full_rules = rules(&hub);

        // The helper is killed and its void with it; another one comes.
        hub.netlink.call(link::delete(Device::Name("wire"))).unwrap();
        drop(hub);
        let World { hub, void: _void } = world();
        let found = hub.find_endpoint(&network, &one.socket).unwrap().unwrap();
        let (mac, addresses) = (endpoint.mac, ip.to_vec());
        assert_eq!(found, Found { endpoint: id.clone(), interface: "eth0".into(), mac, addresses });
        assert_eq!(hub.add_bridge(&network).unwrap(), first);
        assert_eq!(rules(&hub), full_rules);
        assert!(route_of(&network, "172.18.0.2", "198.51.100.1").contains("dev wire"));
        assert_eq!(hub.idle_bridges().unwrap(), Vec::<String>::new());
        let in_the_way = |network: &Network| hub.bridges_in_the_way(network).unwrap();
        assert_eq!(in_the_way(&network), Vec::<String>::new());
        assert_eq!(in_the_way(&net_b()), Vec::<String>::new());
        let successor = Network { id: "c".repeat(64), ..network.clone() };
        assert_eq!(in_the_way(&successor), ["a".repeat(12)]);

        for _ in 0..2 {
            hub.remove_endpoint(&endpoint).unwrap();
        }
        assert_eq!(hub.find_endpoint(&network, &one.socket).unwrap(), None);
        assert_eq!(link::list(&one.socket).unwrap().len(), 1);
        assert_eq!(hub.idle_bridges().unwrap(), ["a".repeat(12)]);
        for _ in 0..2 {
            hub.remove_bridge(&network.id).unwrap();
        }
        assert_eq!(rules(&hub), empty_rules);
        let numbers = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        assert_eq!(numbers(&tool("ip route show table all")), numbers(&empty_routes));
        assert_eq!(neighbour::list(&hub.netlink).unwrap().len(), 2, "the next hops");
    });
}

#[test]
fn a_failed_call_leaves_nothing() {
    alone("hub::tests::a_failed_call_leaves_nothing", || {
        let World { hub, void: _void } = world();
        let network = net_a();
        hub.add_bridge(&network).unwrap();
        let one = container();
        let count = |netlink: &Netlink| link::list(netlink).unwrap().len();
        let before = count(&hub.netlink);

        // The name is taken.
        let (ip, id) = (v4("172.18.0.2"), "1".repeat(64));
        let error = hub.add_endpoint(&one.endpoint(&id, &network, "lo", &ip)).unwrap_err();
        assert!(matches!(error, HubError::Netlink(error) if error.is(Errno::EXIST)));
        // The device is there, but takes no such address.
        let group = [prefix("ff02::1/64")];
        let endpoint = one.endpoint(&id, &network, "eth0", &group);
        hub.add_endpoint(&endpoint).unwrap_err();
        assert_eq!((count(&hub.netlink), count(&one.socket)), (before, 1));

        let mut twisted = net_b();
        twisted.subnets[0].gateway = "10.0.0.1".parse().unwrap();
        let error = hub.add_bridge(&twisted).unwrap_err();
        assert_eq!(
            error.to_string(),
            "network net-b cannot have the subnet 172.19.0.0/16 with gateway 10.0.0.1"
        );
        let broken = Network { mtu: 7, ..net_b() };
        hub.add_bridge(&broken).unwrap_err();
        assert_eq!(count(&hub.netlink), before);
    });
}

#[test]
fn the_default_route_follows_the_networks() {
    alone("hub::tests::the_default_route_follows_the_networks", || {
        let World { hub, void: _void } = world();
        let v6 = [("fd00:1::/64", "fd00:1::1"), ("172.18.0.0/16", "172.18.0.1")];
        let (a, b) = (net('a', &v6), net_b());
        hub.add_bridge(&a).unwrap();
        hub.add_bridge(&b).unwrap();
        let one = container();
        let (id_a, id_b) = ("1".repeat(64), "2".repeat(64));
        let ip_a = [prefix("172.18.0.2/16"), prefix("fd00:1::2/64")];
        hub.add_endpoint(&one.endpoint(&id_a, &a, "eth0", &ip_a)).unwrap();
        hub.add_endpoint(&one.endpoint(&id_b, &b, "eth1", &v4("172.19.0.2"))).unwrap();
        let defaults = || {
            let v4 = tool_in(&one.namespace, "ip route show default");
            let v6 = tool_in(&one.namespace, "ip -6 route show default");
            (v4.trim().to_owned(), v6.trim().to_owned())
        };
        assert_eq!(defaults(), (String::new(), String::new()), "none was asked for");
        for _ in 0..2 {
            one.lead_out("eth0", &["172.18.0.1", "fd00:1::1"]);
            let (v4, v6) = defaults();
            assert_eq!(v4, "default via 172.18.0.1 dev eth0");
            assert_eq!(v6.lines().count(), 1, "{v6}");
            assert!(v6.starts_with("default via fd00:1::1 dev eth0"), "{v6}");
        }
        one.lead_out("eth1", &["172.19.0.1"]);
        assert_eq!(defaults(), ("default via 172.19.0.1 dev eth1".to_owned(), String::new()));
        lead_out(&one.socket, None).unwrap();
        assert_eq!(defaults(), (String::new(), String::new()));
    });
}

#[test]
fn a_network_with_ipv6_has_it_and_another_has_none() {
    alone("hub::tests::a_network_with_ipv6_has_it_and_another_has_none", || {
        let World { hub, void: _void } = world();
        assert!(hub.ipv6_problem().is_none(), "{:?}", hub.ipv6_problem());
        let v6 = [("172.18.0.0/16", "172.18.0.1"), ("fd00:1::/64", "fd00:1::1")];
        let (a, b) = (net('a', &v6), net_b());
        hub.add_bridge(&a).unwrap();
        hub.add_bridge(&b).unwrap();
        let (one, two) = (container(), container());
        let ips = |last: u8| {
            [prefix(&format!("172.18.0.{last}/16")), prefix(&format!("fd00:1::{last}/64"))]
        };
        hub.add_endpoint(&one.endpoint(&"1".repeat(64), &a, "eth0", &ips(2))).unwrap();
        hub.add_endpoint(&two.endpoint(&"2".repeat(64), &a, "eth0", &ips(3))).unwrap();
        let asker = talk(&one.namespace, &two.namespace, "[::]:0", "fd00:1::2");
        assert_eq!(asker.to_string(), "fd00:1::3");
        let route = route_of(&a, "fd00:1::2", "2001:db8::1");
        assert!(route.contains("via fe80::1 dev wire"), "{route}");
        refusal_of(&b, "fd00:1::2", "2001:db8::1");

        let three = container();
        hub.add_endpoint(&three.endpoint(&"3".repeat(64), &b, "eth0", &v4("172.19.0.2"))).unwrap();
        let eth0 = link::get(&three.socket, Device::Name("eth0")).unwrap().index;
        let addresses = address::list(&three.socket).unwrap();
        let of_eth0: Vec<_> = addresses.iter().filter(|a| a.device == eth0).collect();
        assert_eq!(of_eth0.len(), 1, "{of_eth0:?}");
    });
}

#[test]
fn members_that_may_not_talk_are_kept_apart() {
    alone("hub::tests::members_that_may_not_talk_are_kept_apart", || {
        let (World { hub, void: _void }, here) = (world(), this());
        let network = Network { talk: false, ..net_a() };
        hub.add_bridge(&network).unwrap();
        let (one, two) = (container(), container());
        hub.add_endpoint(&one.endpoint(&"1".repeat(64), &network, "eth0", &v4("172.18.0.2")))
            .unwrap();
        hub.add_endpoint(&two.endpoint(&"2".repeat(64), &network, "eth0", &v4("172.18.0.3")))
            .unwrap();
        let ports = tool("bridge -d link");
        assert_eq!(ports.matches("isolated on").count(), 2, "{ports}");
        // The hub reaches them, and answers them.
        talk(&one.namespace, &here, "0.0.0.0:0", "172.18.0.2");
        talk(&here, &two.namespace, "127.0.0.11:0", "127.0.0.11");
    });
}

fn v4(address: &str) -> [Prefix; 1] {
    [prefix(&format!("{address}/16"))]
}

fn this() -> OwnedFd {
    coracle_sys::network::this_network().unwrap()
}
