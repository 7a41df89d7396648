//! Published ports: listeners on the host, whose connections go on to a container.
//!
//! # How it works
//!
//! Each binding is a socket of the host's namespace. A port without an address is bound for
//! both families; where the host has no IPv6, for IPv4 alone. A client's address is kept: the
//! connection goes on from the hub with the client's address as its source. Where that cannot
//! be (the host's loopback, another family, an address of the hub's own networks), the source
//! is the network's gateway, as with Docker.
//!
//! A port that is published at all addresses is the host's also for containers, who know the
//! host as their gateway: it is listened for at the gateways in the hub too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::io::Errno;
use rustix::net::{SocketType, sockopt};
use slab::Slab;

use crate::balance::Ingress;
use crate::flow::{Kind, Kit, Token, family, host_socket, tune};
use crate::protocol::{Port, Protocol, Published};

/// What a listener belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A client's container, by the client's index.
    Container(usize),
    /// A port of a service, by its place.
    Service(usize),
}

/// Whose ports are published, if they are a container's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// Index of the client.
    pub(crate) client: usize,
    /// The container's address, for the words of an error.
    pub(crate) inner: IpAddr,
    /// Whether its network is the default one, which Docker has other words for.
    pub(crate) is_default: bool,
}

#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: Rc<OwnedFd>,
    pub(crate) target: Target,
    /// Port in the container.
    pub(crate) inner: u16,
    protocol: Protocol,
    at: SocketAddr,
    side: Side,
}

/// Whose connections a listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Clients of the host's addresses.
    Host,
    /// Containers that go to their gateway.
    Hub,
}

impl Listener {
    /// Where it listens, if that is for containers.
    pub(crate) fn in_hub(&self) -> Option<SocketAddr> {
        (self.side == Side::Hub).then_some(self.at)
    }
}

/// All listeners of published ports.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    listeners: Slab<Listener>,
}

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

impl Ports {
    pub(crate) fn get(&self, index: usize) -> Option<&Listener> {
        self.listeners.get(index)
    }

    /// Publishes all of `ports`, or none.
    pub(crate) fn publish(
        &mut self,
        kit: &Kit,
        owner: Owner,
        ports: &[Port],
    ) -> Result<Vec<Published>, String> {
        let mut made = Vec::new();
        for port in ports {
            let result = self.publish_one(kit, Some(owner), port, Target::Container(owner.client));
            match result {
                Ok(indices) => made.extend(indices),
                Err(message) => {
                    for index in made {
                        self.listeners.remove(index);
                    }
                    return Err(message);
                }
            }
        }
        Ok(made.iter().map(|&index| self.published(index)).collect())
    }

    /// Listens at a port of a service.
    pub(crate) fn publish_service(
        &mut self,
        kit: &Kit,
        place: usize,
        ingress: &Ingress,
    ) -> Result<(), String> {
        let port = Port {
            protocol: ingress.protocol,
            inner: ingress.target_port,
            host_ip: ingress.host_ip,
            host_ports: (ingress.host_port, ingress.host_port),
        };
        self.publish_one(kit, None, &port, Target::Service(place)).map(drop)
    }

    fn published(&self, index: usize) -> Published {
        let listener = &self.listeners[index];
        Published {
            protocol: listener.protocol,
            inner: listener.inner,
            host_ip: listener.at.ip(),
            host_port: listener.at.port(),
        }
    }

    fn publish_one(
        &mut self,
        kit: &Kit,
        owner: Option<Owner>,
        port: &Port,
        target: Target,
    ) -> Result<Vec<usize>, String> {
        let (first, last) = port.host_ports;
        let mut error = String::new();
        for number in first..=last {
            match self.bind_all(kit, owner, (port, target), number) {
                Ok(indices) => return Ok(indices),
                Err(message) => error = message,
            }
        }
        Err(error)
    }

    /// Binds one port number for the families that were asked for.
    fn bind_all(
        &mut self,
        kit: &Kit,
        owner: Option<Owner>,
        (port, target): (&Port, Target),
        number: u16,
    ) -> Result<Vec<usize>, String> {
        const ANY: [IpAddr; 2] =
            [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let addresses = port.host_ip.map_or_else(|| ANY.to_vec(), |ip| vec![ip]);
        let mut indices: Vec<usize> = Vec::new();
        let mut number = number;
        for ip in addresses {
            let at = SocketAddr::new(ip, number);
            let outcome = match self.holder(port.protocol, at) {
                Some(held) => Err(allocated(port, held, owner)),
                None => match self.listen(kit, target, port, at) {
                    // A host without IPv6.
                    Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL)
                        if port.host_ip.is_none() && ip.is_ipv6() =>
                    {
                        continue;
                    }
                    result => result.map_err(|error| refused(port, at, owner, error)),
                },
            };
            match outcome {
                Ok(index) => {
                    // The kernel chose; the other family gets the same.
                    number = self.listeners[index].at.port();
                    indices.push(index);
                }
                Err(message) => {
                    for index in indices {
                        self.listeners.remove(index);
                    }
                    return Err(message);
                }
            }
        }
        Ok(indices)
    }

    /// The listener of ours that is in the way of `at`.
    fn holder(&self, protocol: Protocol, at: SocketAddr) -> Option<&Listener> {
        let overlaps = |held: IpAddr| {
            held.is_ipv4() == at.ip().is_ipv4()
                && (held == at.ip() || held.is_unspecified() || at.ip().is_unspecified())
        };
        self.hosts().map(|(_, listener)| listener).find(|held| {
            held.protocol == protocol && held.at.port() == at.port() && overlaps(held.at.ip())
        })
    }

    fn listen(
        &mut self,
        kit: &Kit,
        target: Target,
        port: &Port,
        at: SocketAddr,
    ) -> Result<usize, Errno> {
        let stream = port.protocol == Protocol::Tcp;
        let kind = if stream { SocketType::STREAM } else { SocketType::DGRAM };
        let socket = host_socket(family(&at.ip()), kind)?;
        if stream {
            // Connections of the last listener that are not quite over are not in the way.
            sockopt::set_socket_reuseaddr(&socket, true)?;
            tune(&socket);
        }
        if at.is_ipv6() {
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        self.serve(kit, socket, (target, port.inner), port.protocol, at, Side::Host)
    }

    fn serve(
        &mut self,
        kit: &Kit,
        socket: OwnedFd,
        (target, inner): (Target, u16),
        protocol: Protocol,
        at: SocketAddr,
        side: Side,
    ) -> Result<usize, Errno> {
        if protocol == Protocol::Udp {
            // Before it is bound: the first datagram may be there as soon as it is.
            coracle_sys::sockets::tell_local(&socket, family(&at.ip()))
                .map_err(|error| error.errno().map_or(Errno::IO, Errno::from_raw_os_error))?;
        }
        rustix::net::bind(&socket, &at)?;
        let event = match protocol {
            Protocol::Tcp => {
                rustix::net::listen(&socket, BACKLOG)?;
                Kind::TcpPort
            }
            Protocol::Udp => Kind::UdpPort,
        };
        let at = SocketAddr::try_from(rustix::net::getsockname(&socket)?)?;
        let entry = self.listeners.vacant_entry();
        let index = entry.key();
        kit.watch_input(&socket, Token::new(event, index))?;
        entry.insert(Listener { socket: Rc::new(socket), target, inner, protocol, at, side });
        Ok(index)
    }

    fn hosts(&self) -> impl Iterator<Item = (usize, &Listener)> {
        self.listeners.iter().filter(|(_, listener)| listener.side == Side::Host)
    }

    /// Listens at the networks' gateways for the ports that are published at all addresses, and
    /// nowhere else in the hub. To be called when ports or networks have changed.
    pub(crate) fn follow(&mut self, kit: &mut Kit, gateways: &[IpAddr]) {
        let wanted: Vec<(Protocol, SocketAddr, (Target, u16))> = self
            .hosts()
            .filter(|(_, listener)| listener.at.ip().is_unspecified())
            .flat_map(|(_, listener)| {
                let port = listener.at.port();
                gateways.iter().filter(|ip| ip.is_ipv4() == listener.at.is_ipv4()).map(move |ip| {
                    (
                        listener.protocol,
                        SocketAddr::new(*ip, port),
                        (listener.target, listener.inner),
                    )
                })
            })
            .collect();
        self.listeners.retain(|_, it| {
            it.side == Side::Host || wanted.contains(&(it.protocol, it.at, (it.target, it.inner)))
        });
        for (protocol, at, target) in wanted {
            let has =
                |it: &Listener| it.side == Side::Hub && it.protocol == protocol && it.at == at;
            if self.listeners.iter().any(|(_, listener)| has(listener)) {
                continue;
            }
            let socket = match protocol {
                Protocol::Tcp => kit.maker.stream(family(&at.ip())),
                Protocol::Udp => kit.maker.datagram(family(&at.ip())),
            };
            // The host's addresses have it all the same; the next change tries again.
            socket.and_then(|it| self.serve(kit, it, target, protocol, at, Side::Hub)).ok();
        }
    }

    /// Takes back all that a client, or a service, published; gives the sockets that were closed.
    pub(crate) fn withdraw(&mut self, target: Target) -> Vec<Rc<OwnedFd>> {
        let theirs: Vec<usize> = self
            .listeners
            .iter()
            .filter(|(_, listener)| listener.target == target)
            .map(|(index, _)| index)
            .collect();
        theirs.into_iter().map(|index| self.listeners.remove(index).socket).collect()
    }

    /// What a client published.
    pub(crate) fn of(&self, client: usize) -> Vec<Published> {
        self.hosts()
            .filter(|(_, listener)| listener.target == Target::Container(client))
            .map(|(index, _)| self.published(index))
            .collect()
    }
}

/// Docker's words for a port that a container of ours holds; it may be the same one.
fn allocated(port: &Port, held: &Listener, owner: Option<Owner>) -> String {
    let ip = match port.host_ip {
        // On the default network Docker looks at IPv6 first, unless it has just bound IPv4 itself.
        None if owner.is_some_and(|owner| {
            owner.is_default && held.target != Target::Container(owner.client)
        }) =>
        {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        }
        _ => held.at.ip(),
    };
    format!("Bind for {ip}:{} failed: port is already allocated", held.at.port())
}

/// Docker's words for a port that the host refuses, and for a low one what would allow it.
fn refused(port: &Port, at: SocketAddr, owner: Option<Owner>, error: Errno) -> String {
    let protocol = port.protocol;
    let ip = match at.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let reason = match error {
        Errno::ADDRINUSE => "address already in use".to_owned(),
        Errno::ADDRNOTAVAIL => "cannot assign requested address".to_owned(),
        Errno::ACCESS => format!(
            "permission denied: ports below 1024 are root's; to allow them: \
             sudo sysctl net.ipv4.ip_unprivileged_port_start={}; or publish them higher: \
             \"low-ports\": \"+8000\" in the settings, or CORACLE_LOW_PORTS=+8000",
            at.port()
        ),
        other => other.to_string(),
    };
    let inner = owner.map(|owner| format!(":{}:{}", owner.inner, port.inner)).unwrap_or_default();
    format!("failed to bind host port for {ip}:{}{inner}/{protocol}: {reason}", at.port())
}
