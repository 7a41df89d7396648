//! Addresses and published ports.

use std::collections::BTreeMap;

use coracle_netns::prefix::Prefix;

use super::basics::{replicated, scale};
use super::sim::Sim;
use crate::command::remove_service;
use crate::model::task::NetworkUse;
use crate::model::{
    EndpointMode, EndpointSpec, PortConfig, PublishMode, ServiceSpec, Task, TaskState,
};
use crate::reconcile::NetworkFacts;

fn facts(subnet: Prefix, ingress: bool) -> NetworkFacts {
    NetworkFacts { subnet: Some(subnet), gateway: Some(subnet.first_host()), ingress }
}

/// Nodes with `ingress` (10.0.0.0/24), `front` (10.0.1.0/29) and `host`.
fn swarm() -> Sim {
    let mut sim = Sim::new(2);
    sim.around.networks = BTreeMap::from([
        ("ingress".to_owned(), facts(Prefix::v4([10, 0, 0, 0], 24), true)),
        ("front".to_owned(), facts(Prefix::v4([10, 0, 1, 0], 29), false)),
        ("host".to_owned(), NetworkFacts::default()),
    ]);
    sim
}

fn publish(spec: &mut ServiceSpec, mode: PublishMode, ports: &[u16]) {
    let port = |published_port: &u16| PortConfig {
        protocol: "tcp".to_owned(),
        target_port: 80 + published_port % 100,
        published_port: *published_port,
        publish_mode: Some(mode),
        ..PortConfig::default()
    };
    let endpoint = spec.endpoint_spec.get_or_insert_with(EndpointSpec::default);
    endpoint.ports = ports.iter().map(port).collect();
}

fn attach(spec: &mut ServiceSpec, network: &str) {
    let network = NetworkUse { target: network.to_owned(), ..NetworkUse::default() };
    spec.task_template.networks.push(network);
}

fn vips(sim: &Sim, name: &str) -> Vec<String> {
    let vips = &sim.state.services[name].endpoint.virtual_ips;
    vips.iter().map(|vip| format!("{} {}", vip.network_id, vip.addr)).collect()
}

fn addresses(task: &Task) -> Vec<String> {
    let attachments = task.networks_attachments.iter();
    attachments.map(|it| format!("{} {}", it.network, it.addresses.join(","))).collect()
}

fn published(sim: &Sim, name: &str) -> Vec<u16> {
    sim.state.services[name].endpoint.ports.iter().map(|port| port.published_port).collect()
}

#[test]
fn services_get_virtual_addresses_and_tasks_their_own() {
    let mut sim = swarm();
    let taken = "10.0.1.2".parse().unwrap();
    sim.others.entry("front".to_owned()).or_default().insert(taken);
    let mut spec = replicated("web", 1);
    publish(&mut spec, PublishMode::Ingress, &[8080]);
    attach(&mut spec, "front");
    sim.create(spec);
    sim.run(1000);
    assert_eq!(vips(&sim, "web"), ["ingress 10.0.0.2/24", "front 10.0.1.3/29"]);
    let task = sim.state.tasks.values().next().unwrap();
    assert_eq!(addresses(task), ["ingress 10.0.0.3/24", "front 10.0.1.4/29"]);
    assert_eq!(task.own.ports, sim.state.services["web"].endpoint.ports);
    // With two of six addresses for the gateway and somebody else, one for the service: three tasks.
    sim.update("web", scale(5));
    sim.run(2000);
    assert_eq!(sim.running("web").len(), 3);
    let waits = sim.state.tasks.values().filter(|task| task.status.state == TaskState::New);
    let words: Vec<String> = waits.map(|task| task.status.err.clone()).collect();
    assert_eq!(words, ["no available addresses on network front"; 2]);
    sim.update("web", scale(1));
    sim.run(10_000);
    sim.update("web", scale(3));
    sim.run(20_000);
    assert_eq!(sim.running("web").len(), 3, "addresses of ended tasks are free");
}

#[test]
fn ports_that_nobody_named_are_chosen_and_kept() {
    let mut sim = swarm();
    let mut spec = replicated("a", 1);
    publish(&mut spec, PublishMode::Ingress, &[0, 30_001]);
    sim.create(spec);
    let mut spec = replicated("b", 1);
    publish(&mut spec, PublishMode::Ingress, &[0]);
    sim.create(spec);
    sim.run(1000);
    assert_eq!(published(&sim, "a"), [30_000, 30_001]);
    assert_eq!(published(&sim, "b"), [30_002]);
    let before = sim.state.tasks.clone();
    sim.update("b", |spec| drop(spec.labels.insert("x".to_owned(), "y".to_owned())));
    sim.run(2000);
    assert_eq!(published(&sim, "b"), [30_002]);
    assert_eq!(before.keys().collect::<Vec<_>>(), sim.state.tasks.keys().collect::<Vec<_>>());
    sim.apply(remove_service(&sim.state, "a").unwrap());
    sim.run(9000);
    sim.update("b", |spec| publish(spec, PublishMode::Ingress, &[0, 9000]));
    sim.run(20_000);
    assert_eq!(published(&sim, "b"), [30_002, 9000]);
    assert_eq!(sim.lines("= b Completed").len(), 1, "other ports are other tasks");
}

#[test]
fn dnsrr_and_networks_without_addresses() {
    let mut sim = swarm();
    let mut spec = replicated("d", 1);
    publish(&mut spec, PublishMode::Host, &[9000]);
    attach(&mut spec, "front");
    spec.endpoint_spec.as_mut().unwrap().mode = Some(EndpointMode::Dnsrr);
    sim.create(spec);
    let mut spec = replicated("h", 1);
    attach(&mut spec, "host");
    sim.create(spec);
    sim.run(1000);
    assert!(vips(&sim, "d").is_empty() && vips(&sim, "h").is_empty());
    assert_eq!(addresses(sim.state.tasks_of("d").next().unwrap()), ["front 10.0.1.2/29"]);
    assert_eq!(addresses(sim.state.tasks_of("h").next().unwrap()), ["host "]);
}

#[test]
fn a_network_that_is_not_there_yet_is_waited_for() {
    let mut sim = swarm();
    let front = sim.around.networks.remove("front").unwrap();
    let mut spec = replicated("s", 1);
    attach(&mut spec, "front");
    sim.create(spec);
    sim.run(1000);
    let task = sim.state.tasks.values().next().unwrap();
    assert_eq!(
        (task.status.state, task.status.err.as_str()),
        (TaskState::New, "network front not found")
    );
    sim.around.networks.insert("front".to_owned(), front);
    sim.run(2000);
    assert_eq!(sim.running("s").len(), 1);
    assert_eq!(vips(&sim, "s"), ["front 10.0.1.2/29"]);
    // Networks that cannot be read for a while take nothing away.
    sim.around.networks.clear();
    sim.run(3000);
    assert_eq!(vips(&sim, "s"), ["front 10.0.1.2/29"]);
}
