//! A container's networks, from the monitor's side.
//!
//! # How it works
//!
//! ```text
//! begin ──> (mounts, files, libcontainer) ──> arrange ──> program runs ──> watch ─┐
//!   │ reaches the helper, which gets ready      │ joins, connects,      ▲         │ helper gone
//!   ▼ meanwhile                                 ▼ publishes             └─ rejoin ┘ again, later
//! failure                                     failure: hang up
//! ```
//!
//! Everything the helper gave lasts as long as the connection, so undoing is hanging up:
//! when the container ends, when anything fails on the way, when this process is killed.
//!
//! A helper that dies leaves the devices where they are. The monitor starts another and
//! tells it what was there ([`RETRIES`]); after the last attempt the state says why the
//! container is cut off, and the next `network connect` tries again.

use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use coracle_netns::protocol::{
    Connect, Connected, HOST_GATEWAY, Join, Port, Published, Reply, Request as Ask,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::charge::Charge;
use super::child::failed;
use crate::events::Kind;
use crate::model::{Container, EndpointSettings, NetworkState};
use crate::networks::{self, Handed, Helper, HelperError, Network, Networks};
use crate::paths::Paths;
use crate::spec::NetworkMode;
use crate::start::container_etc as etc;
use crate::start::container_etc::Names;
use crate::start::failure::Failure;

/// When the helper is tried again after it was lost, in milliseconds after the last attempt.
const RETRIES: [u64; 6] = [0, 50, 200, 1_000, 5_000, 30_000];

/// Docker's exit code of a container whose networks could not be made.
const NETWORK_FAILED: i32 = 128;

/// A start that has begun: the helper gets ready while the container is made.
pub(super) struct Begun {
    helper: Option<Helper>,
    ours: networks::Waiting,
    /// The container's end of the socket.
    pub(super) theirs: OwnedFd,
    links: Vec<networks::Link>,
}

/// The networks of a running container.
pub(super) struct Wiring {
    /// `None` while there is none to be had, and while no network needs one.
    helper: Option<Helper>,
    handed: Handed,
    links: Vec<networks::Link>,
    attempts: usize,
    retry_at: Option<Instant>,
}

fn refused(message: impl std::fmt::Display) -> Failure {
    Failure::new(NETWORK_FAILED, format!("failed to set up container networking: {message}"))
}

/// An error with its cause in one line.
fn words(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Begins with the networks of a container that has any of its own.
pub(super) fn begin(charge: &Charge) -> Result<Option<Begun>, Failure> {
    let container = &charge.container;
    let mode = NetworkMode::parse(&container.host_config.network_mode);
    let NetworkMode::Network(_) = mode else { return Ok(None) };
    let store = Networks::new(charge.paths.networks());
    let wanted = &container.network_settings.networks;
    for name in wanted.keys() {
        let network = store.find(name).map_err(|error| refused(words(&error)))?;
        network.admits(container.is_task).map_err(|error| refused(words(&error)))?;
    }
    let links = networks::resolve_links(&charge.records, container)
        .map_err(|message| Failure::new(NETWORK_FAILED, message))?;
    let helper = match wanted.is_empty() {
        true => None,
        false => Some(
            Helper::reach(&charge.paths, charge.order.packets)
                .map_err(|error| refused(words(&error)))?,
        ),
    };
    let (ours, theirs) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed("make a socket for the network"))?;
    Ok(Some(Begun { helper, ours: networks::Waiting::new(ours), theirs, links }))
}

impl Begun {
    /// Makes the networks once the container's process hands its namespace over; `None` when
    /// `report` has something to say before.
    pub(super) fn arrange(
        self,
        charge: &mut Charge,
        report: BorrowedFd<'_>,
    ) -> Result<Option<Wiring>, Failure> {
        let Self { helper, ours, theirs, links } = self;
        // Or the end of the container's process would not be seen.
        drop(theirs);
        let taken = ours.take_over(report);
        let Some(handed) = taken.map_err(|error| refused(words(&error)))? else {
            return Ok(None);
        };
        let mut wiring = Wiring { helper, handed, links, attempts: 0, retry_at: None };
        let made = wiring
            .make(charge)
            .and_then(|()| ours.release().map_err(failed("let the program run")));
        if let Err(failure) = made {
            // Hanging up takes back what was made.
            charge.life.network.clear();
            return Err(failure);
        }
        Ok(Some(wiring))
    }
}

impl Wiring {
    /// What there is to watch.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.helper.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.retry_at
    }

    fn make(&mut self, charge: &mut Charge) -> Result<(), Failure> {
        let store = Networks::new(charge.paths.networks());
        // A network that is being joined is not removed meanwhile.
        let _lock = store.lock(true).map_err(|error| refused(words(&error)))?;
        let container = charge.container.clone();
        charge.life.network.clear();
        if let Some(helper) = &self.helper {
            let state = &mut charge.life.network;
            join(helper, &container, &self.handed)
                .and_then(|()| connect_all(helper, &store, &container, state))
                .map_err(refused)?;
        }
        let raise_by = charge.order.low_ports;
        self.publish(&store, &container, raise_by, &mut charge.life.network).map_err(refused)?;
        write_files(&charge.paths, &container, &charge.life.network, &self.links)?;
        charge.save();
        for name in charge.life.network.endpoints.keys() {
            tell(charge, &store, name, "connect");
        }
        Ok(())
    }

    /// Publishes the ports once there is a way in.
    fn publish(
        &self,
        store: &Networks,
        container: &Container,
        raise_by: u16,
        state: &mut NetworkState,
    ) -> Result<(), String> {
        let open = |name: &&String| store.find(name).ok().filter(|network| !network.internal);
        let way = state.endpoints.keys().find_map(|name| open(&name).map(|n| (name.clone(), n)));
        let binding = way.as_ref().and_then(|(_, n)| networks::host_binding(&n.options));
        let mut wanted = networks::wanted(container, binding)?;
        networks::raise_low_ports(&mut wanted, raise_by)?;
        if let (Some(helper), Some((name, _)), false) = (&self.helper, way, wanted.is_empty())
            && state.published.is_empty()
        {
            let endpoint = &state.endpoints[&name].got.endpoint;
            state.published = publish(helper, wanted).map_err(|error| {
                let (name, error) = (&container.name, words(&error));
                format!(
                    "driver failed programming external connectivity on endpoint {name} \
                     ({endpoint}): {error}"
                )
            })?;
        }
        state.ports = match state.endpoints.is_empty() {
            true => Default::default(),
            false => networks::as_map(container, &state.published),
        };
        Ok(())
    }
}

fn join(helper: &Helper, container: &Container, handed: &Handed) -> Result<(), String> {
    let host = &container.host_config;
    let hosts: Vec<(String, IpAddr)> = host
        .extra_hosts
        .iter()
        .flatten()
        .filter_map(|entry| entry.strip_suffix(":host-gateway"))
        .map(|name| (name.to_owned(), IpAddr::V4(HOST_GATEWAY)))
        .collect();
    let join = Join {
        id: container.id.clone(),
        host_gateway: !hosts.is_empty(),
        hosts,
        keeps_bare_names: etc::keeps_bare_names(container),
        dns: host.dns.iter().flatten().filter_map(|server| server.parse().ok()).collect(),
    };
    let fds = [handed.namespace.as_fd(), handed.route.as_fd()];
    helper.tell(&Ask::Join(join), &fds).map_err(|error| words(&error))
}

/// The network of `--network` first, so that it is `eth0`, then the others by name.
fn connect_all(
    helper: &Helper,
    store: &Networks,
    container: &Container,
    state: &mut NetworkState,
) -> Result<(), String> {
    let mode = &container.host_config.network_mode;
    let mut wanted: Vec<_> = container.network_settings.networks.iter().collect();
    wanted.sort_by_key(|(name, _)| (*name != mode, *name));
    for (name, wish) in wanted {
        let network = store.find(name).map_err(|error| words(&error))?;
        let ask = networks::for_connect(container, &network, wish, state.last.get(&network.id));
        let got = connect(helper, ask).map_err(|error| words(&error))?;
        state.add(name, &network.id, got);
    }
    Ok(())
}

fn connect(helper: &Helper, ask: Connect) -> Result<Connected, HelperError> {
    match helper.ask(&Ask::Connect(Box::new(ask)), &[])? {
        Reply::Connected(got) => Ok(got),
        _ => Err(HelperError::Strange("its answer is of another kind")),
    }
}

fn publish(helper: &Helper, ports: Vec<Port>) -> Result<Vec<Published>, HelperError> {
    match helper.ask(&Ask::Publish { ports }, &[])? {
        Reply::Published { ports } => Ok(ports),
        _ => Err(HelperError::Strange("its answer is of another kind")),
    }
}

fn write_files(
    paths: &Paths,
    container: &Container,
    state: &NetworkState,
    links: &[networks::Link],
) -> Result<(), Failure> {
    let names = Names { state, links };
    etc::write_names(paths, container, &names).map_err(crate::error::EngineError::into_failure)
}

/// An event of a network that this container joined or left.
fn tell(charge: &Charge, store: &Networks, name: &str, action: &str) {
    // A network that is gone has no more events.
    let Ok(network) = store.find(name) else { return };
    tell_of(charge, &network, action);
}

fn tell_of(charge: &Charge, network: &Network, action: &str) {
    let attributes = [
        ("container", charge.container.id.as_str()),
        ("name", network.name.as_str()),
        ("type", network.driver.as_str()),
    ];
    charge.events.object(Kind::Network, action, &network.id, &attributes);
}

/// The container has ended: hang up, and keep only which addresses it had.
pub(super) fn ended(charge: &mut Charge, wiring: Option<Wiring>) {
    let Some(wiring) = wiring else { return };
    if let Some(helper) = &wiring.helper {
        // Its ports are free when we say that it has ended. A helper that is gone, or gone
        // astray, has given them back or will when we hang up.
        helper.tell(&Ask::Leave, &[]).ok();
    }
    drop(wiring);
    let store = Networks::new(charge.paths.networks());
    for name in charge.life.network.endpoints.keys() {
        tell(charge, &store, name, "disconnect");
    }
    charge.life.network.clear();
}

/// Has the helper listen where it can be found again, if somebody removed its folder.
pub(super) fn reopen(charge: &Charge, wiring: Option<&Wiring>) {
    if let Some(helper) = wiring.and_then(|wiring| wiring.helper.as_ref()) {
        // One that is gone is replaced in its time.
        drop(helper.reopen(&charge.paths));
    }
}

/// Looks whether the helper is still there.
pub(super) fn watch(wiring: &mut Option<Wiring>) {
    let Some(wiring) = wiring else { return };
    if wiring.helper.as_ref().is_some_and(|helper| !helper.is_alive()) {
        wiring.lose();
    }
}

impl Wiring {
    fn lose(&mut self) {
        self.helper = None;
        self.attempts = 0;
        self.retry_at = Some(Instant::now());
    }
}

/// Does what is due.
pub(super) fn run_clock(charge: &mut Charge, wiring: &mut Option<Wiring>) {
    let due = |wiring: &&mut Wiring| wiring.retry_at.is_some_and(|at| Instant::now() >= at);
    if let Some(wiring) = wiring.as_mut().filter(due) {
        let outcome = rejoin(charge, wiring);
        settle(charge, wiring, outcome);
    }
}

/// Takes up with another helper, which is told what was there.
fn rejoin(charge: &mut Charge, wiring: &mut Wiring) -> Result<(), String> {
    let helper =
        Helper::reach(&charge.paths, charge.order.packets).map_err(|error| words(&error))?;
    rejoin_at(&helper, &charge.paths, &charge.container, &mut charge.life.network, &wiring.handed)?;
    wiring.helper = Some(helper);
    Ok(())
}

fn rejoin_at(
    helper: &Helper,
    paths: &Paths,
    container: &Container,
    state: &mut NetworkState,
    handed: &Handed,
) -> Result<(), String> {
    let store = Networks::new(paths.networks());
    let _lock = store.lock(true).map_err(|error| words(&error))?;
    join(helper, container, handed)?;
    let mut renewed = state.clone();
    for (name, endpoint) in &state.endpoints {
        let network = store.find(&endpoint.network).map_err(|error| words(&error))?;
        let wish = container.network_settings.networks.get(name).cloned().unwrap_or_default();
        let ask = Connect {
            mac: Some(endpoint.got.mac),
            interface: Some(endpoint.got.interface.clone()),
            again: true,
            ..networks::for_connect(container, &network, &wish, state.last.get(&network.id))
        };
        let got = connect(helper, ask).map_err(|error| words(&error))?;
        renewed.add(name, &network.id, got);
    }
    let exactly = |port: &Published| Port {
        protocol: port.protocol,
        inner: port.inner,
        host_ip: Some(port.host_ip),
        host_ports: (port.host_port, port.host_port),
    };
    let ports: Vec<Port> = state.published.iter().map(exactly).collect();
    if !ports.is_empty() {
        publish(helper, ports).map_err(|error| words(&error))?;
    }
    renewed.broken.clear();
    *state = renewed;
    Ok(())
}

/// Notes how an attempt went, and when to try again.
fn settle(charge: &mut Charge, wiring: &mut Wiring, outcome: Result<(), String>) {
    wiring.retry_at = None;
    if let Err(why) = outcome {
        wiring.attempts += 1;
        match RETRIES.get(wiring.attempts) {
            Some(delay) => {
                wiring.retry_at = Some(Instant::now() + Duration::from_millis(*delay));
            }
            None => {
                let store = Networks::new(charge.paths.networks());
                for name in charge.life.network.endpoints.keys() {
                    tell(charge, &store, name, "disconnect");
                }
            }
        }
        charge.life.network.broken = why;
    }
    charge.save();
}

/// `network connect` of a container; it `runs`, or is between two restarts.
pub(super) fn join_network(
    charge: &mut Charge,
    wiring: &mut Option<Wiring>,
    runs: bool,
    reference: &str,
    wish: EndpointSettings,
) -> Result<(), String> {
    let store = Networks::new(charge.paths.networks());
    let _lock = store.lock(true).map_err(|error| words(&error))?;
    let network = store.find(reference).map_err(|error| words(&error))?;
    let (name, container) = (network.name.clone(), charge.container.clone());
    if charge.life.network.endpoints.contains_key(&name) {
        let (container, network) = (&container.name, &name);
        return Err(format!("endpoint with name {container} already exists in network {network}"));
    }
    if !runs {
        // Between two restarts there is nothing to connect: the next one finds it.
        return rewrite(charge, |container| {
            container.network_settings.networks.insert(name, wish);
        });
    }
    let wiring = have_helper(charge, wiring)?;
    let Some(helper) = &wiring.helper else { return Err(NO_NAMESPACE.to_owned()) };
    let last = charge.life.network.last.get(&network.id);
    let ask = networks::for_connect(&container, &network, &wish, last);
    let got = connect(helper, ask).map_err(|error| words(&error))?;
    let before = charge.life.network.clone();
    charge.life.network.add(&name, &network.id, got);
    let raise_by = charge.order.low_ports;
    let published = wiring.publish(&store, &container, raise_by, &mut charge.life.network);
    let finished = published.and_then(|()| {
        rewrite(charge, |container| {
            container.network_settings.networks.insert(name.clone(), wish);
        })
    });
    if let Err(message) = finished {
        charge.life.network = before;
        let ask = Ask::Disconnect { network: network.id };
        // What went wrong first is what the user has to know.
        drop(wiring.helper.as_ref().map(|helper| helper.tell(&ask, &[])));
        return Err(message);
    }
    changed(charge, wiring, &before);
    tell_of(charge, &network, "connect");
    Ok(())
}

/// `network disconnect`, as above.
pub(super) fn leave_network(
    charge: &mut Charge,
    wiring: &mut Option<Wiring>,
    runs: bool,
    reference: &str,
) -> Result<(), String> {
    let store = Networks::new(charge.paths.networks());
    let network = store.find(reference).map_err(|error| words(&error))?;
    let before = charge.life.network.clone();
    let has = match runs {
        true => before.endpoints.contains_key(&network.name),
        false => charge.container.network_settings.networks.contains_key(&network.name),
    };
    if !has {
        let id = &charge.container.id;
        return Err(format!("container {id} is not connected to network {}", network.name));
    }
    if !runs {
        // As above.
        return rewrite(charge, |container| {
            container.network_settings.networks.remove(&network.name);
        });
    }
    let wiring = have_helper(charge, wiring)?;
    if let Some(helper) = &wiring.helper {
        let ask = Ask::Disconnect { network: network.id.clone() };
        helper.tell(&ask, &[]).map_err(|error| words(&error))?;
    }
    let state = &mut charge.life.network;
    state.endpoints.remove(&network.name);
    state.last.remove(&network.id);
    if state.endpoints.is_empty() {
        state.ports.clear();
    }
    rewrite(charge, |container| {
        container.network_settings.networks.remove(&network.name);
    })?;
    changed(charge, wiring, &before);
    tell_of(charge, &network, "disconnect");
    Ok(())
}

const NO_NAMESPACE: &str = "container sharing network namespace with another container or host \
                            cannot be connected to any other network";

/// Sees to it that there is a helper to ask.
fn have_helper<'a>(
    charge: &mut Charge,
    wiring: &'a mut Option<Wiring>,
) -> Result<&'a mut Wiring, String> {
    let Some(wiring) = wiring else { return Err(NO_NAMESPACE.to_owned()) };
    if wiring.helper.as_ref().is_some_and(Helper::is_alive) {
        return Ok(wiring);
    }
    wiring.helper = None;
    let outcome = rejoin(charge, wiring);
    settle(charge, wiring, outcome.clone());
    outcome.map(|()| wiring)
}

/// Changes the container's record, which others may have changed meanwhile.
fn rewrite(charge: &mut Charge, change: impl FnOnce(&mut Container)) -> Result<(), String> {
    let _lock = charge.records.lock().map_err(|error| words(&error))?;
    let mut container = charge.records.load(&charge.container.id).map_err(|e| words(&e))?;
    change(&mut container);
    charge.records.save(&container).map_err(|error| words(&error))?;
    charge.container = container;
    Ok(())
}

/// The container's names and addresses are others now.
fn changed(charge: &Charge, wiring: &Wiring, before: &NetworkState) {
    charge.save();
    let old = Names { state: before, links: &wiring.links };
    let new = Names { state: &charge.life.network, links: &wiring.links };
    // The network itself is made; a full disk must not undo it.
    drop(etc::update_names(&charge.paths, &charge.container, &old, &new));
}

/// The record was read again: the container may have another name.
pub(super) fn renamed(charge: &Charge, wiring: Option<&Wiring>, old_name: &str) {
    let container = &charge.container;
    if container.name == old_name {
        return;
    }
    let Some(helper) = wiring.and_then(|wiring| wiring.helper.as_ref()) else { return };
    for (name, endpoint) in &charge.life.network.endpoints {
        if name == networks::BRIDGE {
            continue;
        }
        let wish = container.network_settings.networks.get(name).cloned().unwrap_or_default();
        let names = networks::dns_names(container, &wish);
        let ask = Ask::Names { network: endpoint.network.clone(), names };
        // A helper that is lost is told by whoever takes up with the next.
        drop(helper.tell(&ask, &[]));
    }
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
