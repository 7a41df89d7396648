//! Tells the network helper which tasks are ready, under which names, addresses and ports.

use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};

use coracle_netns::balance::{Balance, Gates, Ingress, Service as Balanced, Wanted};
use coracle_netns::prefix::Prefix;
use coracle_netns::protocol::Protocol;
use coracle_runtime::engine::Balancer;
use coracle_runtime::networks::first_free_port;

use super::Agent;
use crate::container::host_check::raised;
use crate::model::{EndpointMode, Node, PublishMode, Service, Task, TaskState};
use crate::state::State;

/// Addresses of rehearsal nodes are 127.77.0.2 to 127.77.0.254.
const FIRST_NODE: u8 = 2;
const NODES_MAX: u8 = 254;

/// The connection to the network helper, and what it was told last.
#[derive(Debug, Default)]
pub(super) struct Helper {
    connection: Option<Balancer>,
    told: Balance,
}

impl Helper {
    /// Readable when the helper is gone.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(AsFd::as_fd)
    }
}

impl Agent<'_> {
    /// Has the helper know what is so now. It comes before anything is stopped.
    pub(super) fn balance(&mut self) {
        let mut wanted = wanted(&self.journal.state);
        raise(&mut wanted, self.host.home().settings().low_ports);
        if self.helper.connection.as_ref().is_some_and(|it| !it.is_alive()) {
            self.helper.connection = None;
        }
        if self.helper.connection.is_none() {
            if wanted == Balance::default() || self.runs.is_empty() {
                return;
            }
            let Ok(engine) = self.host.home().engine() else { return };
            // Without a helper no task is on a network; the first one that starts brings it.
            let Ok(Some(connection)) = engine.balancer() else { return };
            self.helper.connection = Some(connection);
            self.helper.told = Balance::default();
        }
        if wanted == self.helper.told {
            return;
        }
        let Some(connection) = &self.helper.connection else { return };
        match connection.set(&wanted) {
            Ok(_) => {
                // With nothing to say the helper may end as soon as its members do.
                if wanted == Balance::default() {
                    self.helper.connection = None;
                }
                self.helper.told = wanted;
            }
            Err(_) => self.helper.connection = None,
        }
    }
}

/// What the state of a swarm means for its networks.
fn wanted(state: &State) -> Balance {
    let mut balance = Balance::default();
    for task in state.tasks.values().filter(|task| !task.status.state.is_over()) {
        for attachment in &task.networks_attachments {
            let addresses = attachment.addresses.iter().filter_map(|text| address(text));
            entry(&mut balance, &attachment.network).reserved.extend(addresses);
        }
    }
    for service in state.services.values() {
        let is_ready = |task: &&Task| is_ready(task) && is_on(state, &task.node_id);
        let ready: Vec<&Task> = state.tasks_of(&service.id).filter(is_ready).collect();
        names(&mut balance, service, &ready);
        ports(&mut balance, service, &ready);
    }
    if !balance.ingress.is_empty() {
        balance.gates = Some(gates(state));
    }
    balance
}

/// Ports of services answer at the addresses of nodes that are there.
fn gates(state: &State) -> Gates {
    let is_there = |node: &&Node| node.own.number != 0 && node.own.off_since.is_none();
    let open = state.nodes.values().filter(is_there).map(|node| address_of(node.own.number));
    let (first, last) = (address_of(FIRST_NODE), address_of(NODES_MAX));
    Gates { first, last, open: open.collect() }
}

/// Where a rehearsal node answers.
fn address_of(number: u8) -> IpAddr {
    IpAddr::from([127, 77, 0, number])
}

fn entry<'a>(balance: &'a mut Balance, network: &str) -> &'a mut Wanted {
    balance.networks.entry(network.to_owned()).or_default()
}

/// Whether it takes new connections.
fn is_ready(task: &Task) -> bool {
    task.status.state == TaskState::Running && task.desired_state <= TaskState::Complete
}

/// Whether its node is there: a task on one that is lost goes on for the swarm until that is found out.
fn is_on(state: &State, node: &str) -> bool {
    state.nodes.get(node).is_none_or(|node| node.own.off_since.is_none())
}

fn names(balance: &mut Balance, service: &Service, ready: &[&Task]) {
    let spec = &service.spec;
    let mode = spec.endpoint_spec.as_ref().and_then(|it| it.mode).unwrap_or_default();
    for used in &spec.task_template.networks {
        let vip = service.endpoint.virtual_ips.iter().find(|vip| vip.network_id == used.target);
        let vip = vip.filter(|_| mode == EndpointMode::Vip).and_then(|vip| address(&vip.addr));
        let names: Vec<String> =
            std::iter::once(&spec.name).chain(&used.aliases).cloned().collect();
        let balanced = Balanced {
            task_names: names.iter().map(|name| format!("tasks.{name}")).collect(),
            names,
            vip,
            ready: ready.iter().filter_map(|task| on_network(task, &used.target)).collect(),
        };
        entry(balance, &used.target).services.push(balanced);
    }
}

fn ports(balance: &mut Balance, service: &Service, ready: &[&Task]) {
    for port in &service.endpoint.ports {
        if port.mode() != PublishMode::Ingress || port.published_port == 0 {
            continue;
        }
        let protocol = match port.protocol.as_str() {
            "udp" => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        let ready = ready.iter().filter_map(|task| {
            let first = task.networks_attachments.first()?;
            let address = first.addresses.iter().find_map(|text| address(text))?;
            Some((first.network.clone(), address))
        });
        balance.ingress.push(Ingress {
            protocol,
            host_ip: None,
            host_port: port.published_port,
            target_port: port.target_port,
            ready: ready.collect(),
        });
    }
}

/// Ports that are root's are published higher, as with `run`.
fn raise(balance: &mut Balance, by: u16) {
    if by == 0 {
        return;
    }
    let free = first_free_port();
    for entry in &mut balance.ingress {
        // A service whose port cannot be raised was refused.
        entry.host_port = raised(entry.host_port, by, free).unwrap_or(entry.host_port);
    }
}

fn on_network(task: &Task, network: &str) -> Option<IpAddr> {
    let attachment = task.networks_attachments.iter().find(|it| it.network == network)?;
    attachment.addresses.iter().find_map(|text| address(text))
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse::<Prefix>().ok().map(|prefix| prefix.address)
}
