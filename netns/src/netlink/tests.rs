//! The requests against this machine's kernel, and what `ip` makes of the outcome.

use std::net::IpAddr;
use std::os::fd::AsFd;

use rustix::io::Errno;

use super::attributes::{attribute, u32_at};
use super::link::{Device, Ipv4Setting};
use super::neighbour::Neighbour;
use super::route::{Route, RouteKind};
use super::rule::{Action, Family, Rule};
use super::{Netlink, Request, address, link, neighbour, route, rule, veth};
use crate::prefix::{Prefix, prefix};
use crate::world::{alone, network, tool, tool_in};

const MAC: super::Mac = [0x02, 0x42, 1, 2, 3, 4];

/// A bridge that is up, with an address.
fn bridge(netlink: &Netlink, name: &str, address: &str) -> u32 {
    netlink.call(link::add_bridge(name, 1400, MAC)).unwrap();
    let index = link::get(netlink, Device::Name(name)).unwrap().index;
    netlink
        .call_all(&[link::up(Device::Index(index)), address::add(index, prefix(address))])
        .unwrap();
    index
}

#[test]
fn a_bridge_has_what_it_was_made_with() {
    alone("netlink::tests::a_bridge_has_what_it_was_made_with", || {
        let netlink = Netlink::here().unwrap();
        let index = bridge(&netlink, "br-test", "172.18.0.1/16");
        let found = link::get(&netlink, Device::Index(index)).unwrap();
        assert_eq!((found.name.as_str(), found.mtu, found.up), ("br-test", 1400, true));
        assert_eq!((found.kind.as_deref(), found.mac), (Some("bridge"), Some(MAC)));
        assert!(tool("ip addr show br-test").contains("inet 172.18.0.1/16 brd 172.18.255.255"));

        netlink.call(link::delete(Device::Name("br-test"))).unwrap();
        assert!(link::get(&netlink, Device::Index(index)).unwrap_err().is(Errno::NODEV));
    });
}

#[test]
fn a_pair_is_made_in_two_namespaces_by_one_message() {
    alone("netlink::tests::a_pair_is_made_in_two_namespaces_by_one_message", || {
        let netlink = Netlink::here().unwrap();
        let (other, far) = network();
        let master = bridge(&netlink, "br-test", "172.18.0.1/16");
        let near_end =
            veth::End { master: Some(master), up: true, ..veth::End::new("vnear", 1400) };
        let far_end = veth::End {
            mac: Some(MAC),
            no_arp: true,
            largest_piece: Some(100_000),
            namespace: Some(other.as_fd()),
            ..veth::End::new("eth0", 1300)
        };
        netlink
            .call_all(&[
                veth::add(&near_end, &far_end),
                link::set_alias(Device::Name("vnear"), "whose it is"),
                link::set_isolated(Device::Name("vnear"), true),
            ])
            .unwrap();
        let near = link::get(&netlink, Device::Name("vnear")).unwrap();
        let eth0 = link::get(&far, Device::Name("eth0")).unwrap();
        assert_eq!((near.master, near.up, near.mtu), (Some(master), true, 1400));
        assert_eq!(near.alias.as_deref(), Some("whose it is"));
        assert_eq!((near.peer, eth0.peer), (Some(eth0.index), Some(near.index)));
        assert_eq!((eth0.mac, eth0.mtu, eth0.up), (Some(MAC), 1300, false));
        let shown = tool_in(&other, "ip -d link show eth0");
        assert!(shown.contains("NOARP"), "{shown}");
        // Linux 6.3 and later know it, and tell of it.
        assert!([None, Some(100_000)].contains(&largest_piece(&far, eth0.index)));
        assert!(tool("bridge -d link show dev vnear").contains("isolated on"));

        let taken = netlink.call(veth::add(&veth::End::new("vother", 1400), &far_end));
        assert!(taken.unwrap_err().is(Errno::EXIST));
    });
}

/// What the kernel says of a device, of which `ip` of that age says nothing.
fn largest_piece(netlink: &Netlink, index: u32) -> Option<u32> {
    const RTM_GETLINK: u16 = 18;
    let header = link::header(index, 0, 0);
    let request = Request::new(RTM_GETLINK, 0, "look a device up".into()).fixed(&header);
    let read = |body: &[u8]| Some(u32_at(attribute(body.get(16..)?, 63)?, 0));
    netlink.get(&request, read).unwrap().pop().flatten()
}

#[test]
fn settings_of_a_device_need_no_proc() {
    alone("netlink::tests::settings_of_a_device_need_no_proc", || {
        let netlink = Netlink::here().unwrap();
        netlink.call(link::add_bridge("br-test", 1500, MAC)).unwrap();
        let device = Device::Name("br-test");
        let settings = [
            (Ipv4Setting::Forwarding, 1),
            (Ipv4Setting::RouteLocalnet, 1),
            (Ipv4Setting::RpFilter, 2),
            (Ipv4Setting::SendRedirects, 0),
            (Ipv4Setting::AcceptRedirects, 0),
            (Ipv4Setting::ArpIgnore, 3),
            (Ipv4Setting::AcceptLocal, 1),
        ];
        netlink
            .call_all(&[
                link::set_ipv4(device, &settings),
                link::no_ipv6_addresses(device).or(&[Errno::AFNOSUPPORT]),
                link::up(device),
            ])
            .unwrap();
        let names = [
            ("forwarding", "1"),
            ("route_localnet", "1"),
            ("rp_filter", "2"),
            ("send_redirects", "0"),
            ("accept_redirects", "0"),
            ("arp_ignore", "3"),
            ("accept_local", "1"),
        ];
        for (name, value) in names {
            let path =
                format!("/proc/thread-self/net/../../../../sys/net/ipv4/conf/br-test/{name}");
            let path = path.replace("thread-self/net/../../../../", "");
            assert_eq!(std::fs::read_to_string(path).unwrap().trim(), value, "{name}");
        }
        let shown = tool("ip -d link show br-test");
        assert!(shown.contains("addrgenmode none"), "{shown}");
    });
}

#[test]
fn routes_of_every_kind() {
    alone("netlink::tests::routes_of_every_kind", || {
        let netlink = Netlink::here().unwrap();
        let device = bridge(&netlink, "br-test", "172.18.0.1/16");
        netlink
            .call_all(&[link::up(Device::Name("lo")), address::add(device, prefix("fd00:1::1/64"))])
            .unwrap();
        let any = prefix("0.0.0.0/0");
        let gateway: IpAddr = "169.254.0.1".parse().unwrap();
        let routes = [
            Route { device: Some(device), table: 1001, ..Route::to(prefix("172.18.0.0/16")) },
            Route {
                gateway: Some(gateway),
                device: Some(device),
                on_link: true,
                metric: Some(7),
                table: 1001,
                ..Route::to(any)
            },
            Route { kind: RouteKind::Unreachable, metric: Some(9), table: 1001, ..Route::to(any) },
            Route { kind: RouteKind::Prohibit, table: 1002, ..Route::to(any) },
            Route { kind: RouteKind::Blackhole, table: 1003, ..Route::to(any) },
            Route { kind: RouteKind::Local, device: Some(1), table: 1004, ..Route::to(any) },
            Route {
                source: Some("172.18.0.1".parse().unwrap()),
                device: Some(device),
                ..Route::to(Prefix::host([127, 0, 0, 11]))
            },
            Route {
                kind: RouteKind::Local,
                device: Some(1),
                metric: Some(1024),
                table: 1004,
                ..Route::to(prefix("::/0"))
            },
        ];
        // Twice: what is there is replaced by itself.
        for _ in 0..2 {
            netlink.call_all(&routes.map(|route| route::replace(&route))).unwrap();
        }
        let listed = route::list(&netlink).unwrap();
        for route in &routes {
            assert_eq!(listed.iter().filter(|found| *found == route).count(), 1, "{route:?}");
        }
        assert_eq!(tool("ip route show table 1003").trim(), "blackhole default");

        for route in &routes {
            netlink.call(route::delete(route)).unwrap();
            assert!(netlink.call(route::delete(route)).unwrap_err().is(Errno::SRCH), "{route}");
        }
    });
}

#[test]
fn rules_are_added_once_found_and_deleted() {
    alone("netlink::tests::rules_are_added_once_found_and_deleted", || {
        let netlink = Netlink::here().unwrap();
        for family in Family::BOTH {
            let local = match family {
                Family::V4 => prefix("127.0.0.0/8"),
                Family::V6 => prefix("fd00::/8"),
            };
            let rules = [
                Rule { to: Some(local), ..Rule::new(family, 0, Action::Prohibit).input("eth0") },
                Rule { mark: Some(1), ..Rule::new(family, 10, Action::Table(1001)) },
                Rule {
                    from: Some(local),
                    ..Rule::new(family, 20, Action::Table(70_000)).input("br-test")
                },
                Rule::new(family, 21, Action::Blackhole).input("br-test"),
            ];
            for rule in &rules {
                netlink.call(rule::add(rule)).unwrap();
                assert!(netlink.call(rule::add(rule)).unwrap_err().is(Errno::EXIST));
            }
            let listed = rule::list(&netlink, family).unwrap();
            assert!(rules.iter().all(|rule| listed.contains(rule)), "{listed:?}");
            for rule in &rules {
                netlink.call(rule::delete(rule)).unwrap();
            }
            let left = rule::list(&netlink, family).unwrap();
            assert!(!rules.iter().any(|rule| left.contains(rule)), "{left:?}");
        }
    });
}

#[test]
fn the_local_rule_moves_without_a_gap() {
    alone("netlink::tests::the_local_rule_moves_without_a_gap", || {
        let netlink = Netlink::here().unwrap();
        let local = |priority| Rule::new(Family::V4, priority, Action::Table(route::TABLE_LOCAL));
        for _ in 0..2 {
            netlink
                .call_all(&[
                    rule::add(&local(1)).or(&[Errno::EXIST]),
                    rule::delete(&local(0)).or(&[Errno::NOENT]),
                ])
                .unwrap();
            let rules = rule::list(&netlink, Family::V4).unwrap();
            assert_eq!(rules[0], local(1), "{rules:?}");
        }
    });
}

#[test]
fn neighbours_are_told_and_forgotten() {
    alone("netlink::tests::neighbours_are_told_and_forgotten", || {
        let netlink = Netlink::here().unwrap();
        let device = bridge(&netlink, "br-test", "172.18.0.1/16");
        let addresses: [IpAddr; 2] = ["172.18.0.2".parse().unwrap(), "fd00:1::2".parse().unwrap()];
        for address in addresses {
            let neighbour = Neighbour { device, address, mac: MAC };
            netlink.call(neighbour::replace(&neighbour)).unwrap();
            netlink.call(neighbour::replace(&neighbour)).unwrap();
            assert!(neighbour::list(&netlink).unwrap().contains(&neighbour));
            netlink.call(neighbour::delete(device, address)).unwrap();
            assert!(!neighbour::list(&netlink).unwrap().contains(&neighbour));
        }
    });
}

#[test]
fn an_error_says_what_was_tried_and_the_kernels_words() {
    alone("netlink::tests::an_error_says_what_was_tried_and_the_kernels_words", || {
        let netlink = Netlink::here().unwrap();
        // The second of three fails; the third is done all the same.
        let error = netlink
            .call_all(&[
                link::add_bridge("br-one", 1500, MAC),
                link::set_mtu(Device::Name("br-none"), 1500),
                link::add_bridge("br-two", 1500, MAC),
            ])
            .unwrap_err();
        assert_eq!(error.to_string(), "cannot set the MTU of br-none to 1500");
        assert!(error.is(Errno::NODEV));
        assert!(link::get(&netlink, Device::Name("br-two")).is_ok());

        let nowhere = Route {
            gateway: Some("10.9.9.9".parse().unwrap()),
            ..Route::to(prefix("10.1.0.0/16"))
        };
        let error = netlink.call(route::replace(&nowhere)).unwrap_err();
        assert_eq!(error.to_string(), "cannot make the route to 10.1.0.0/16 in table 254");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.starts_with("Nexthop has invalid gateway"), "{source}");
    });
}

#[test]
fn a_long_list_comes_whole() {
    alone("netlink::tests::a_long_list_comes_whole", || {
        let netlink = Netlink::here().unwrap();
        netlink.call(link::up(Device::Name("lo"))).unwrap();
        let routes: Vec<_> = (0..1000_u32)
            .map(|number| Route {
                kind: RouteKind::Blackhole,
                ..Route::to(Prefix::host(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number)))
            })
            .collect();
        for part in routes.chunks(100) {
            netlink.call_all(&part.iter().map(route::replace).collect::<Vec<_>>()).unwrap();
        }
        let listed = route::list(&netlink).unwrap();
        assert_eq!(listed.iter().filter(|r| r.kind == RouteKind::Blackhole).count(), 1000);
    });
}
