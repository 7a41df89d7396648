//! Which node gets which task.

use std::collections::BTreeMap;

use serde_json::json;

use super::basics::{replicated, scale};
use super::sim::Sim;
use crate::model::task::{Preference, Reservations, Resources, Spread};
use crate::model::{EndpointSpec, Placement, PortConfig, PublishMode, ServiceSpec, TaskState};

fn per_node(sim: &Sim, name: &str) -> BTreeMap<String, usize> {
    let mut nodes = BTreeMap::new();
    for (_, node) in sim.running(name) {
        *nodes.entry(node).or_default() += 1;
    }
    nodes
}

fn expect(sim: &Sim, name: &str, nodes: &[(&str, usize)]) {
    let expected: BTreeMap<String, usize> =
        nodes.iter().map(|(node, count)| ((*node).to_owned(), *count)).collect();
    assert_eq!(per_node(sim, name), expected, "{name}");
}

fn place(spec: &mut ServiceSpec, placement: Placement) {
    spec.task_template.placement = Some(placement);
}

fn error(sim: &Sim, name: &str) -> String {
    let pending = sim.state.tasks_of(name).find(|task| task.status.state == TaskState::Pending);
    pending.map(|task| task.status.err.clone()).unwrap_or_default()
}

#[test]
fn a_spread_goes_by_branches_first() {
    let mut sim = Sim::new(3);
    for (node, zone) in [("n1", "a"), ("n2", "a"), ("n3", "b")] {
        sim.set_node(node, |node| {
            drop(node.spec.labels.insert("zone".to_owned(), zone.to_owned()))
        });
    }
    let spread = |descriptor: &str| Preference {
        spread: Some(Spread { spread_descriptor: descriptor.to_owned() }),
    };
    let mut spec = replicated("p6", 6);
    let preferences = vec![spread("node.labels.zone")];
    place(&mut spec, Placement { preferences, ..Placement::default() });
    sim.create(spec);
    sim.run(1000);
    expect(&sim, "p6", &[("n1", 2), ("n2", 1), ("n3", 3)]);
    let mut spec = replicated("p3", 3);
    let preferences = vec![spread("node.labels.nosuch"), spread("node.bogus")];
    place(&mut spec, Placement { preferences, ..Placement::default() });
    sim.create(spec);
    sim.run(2000);
    expect(&sim, "p3", &[("n1", 1), ("n2", 1), ("n3", 1)]);
}

#[test]
fn reservations_are_counted_and_room_is_used_when_it_is_made() {
    let mut sim = Sim::new(3);
    let reserve = |spec: &mut ServiceSpec, memory_bytes: i64| {
        let reservations = Reservations { memory_bytes, ..Reservations::default() };
        spec.task_template.resources =
            Some(Resources { reservations: Some(reservations), ..Resources::default() });
    };
    let mut spec = replicated("big", 4);
    reserve(&mut spec, 600 << 20);
    sim.create(spec);
    sim.run(1000);
    expect(&sim, "big", &[("n1", 1), ("n2", 1), ("n3", 1)]);
    assert_eq!(error(&sim, "big"), "no suitable node (insufficient resources on 3 nodes)");
    let mut spec = replicated("small", 1);
    reserve(&mut spec, 500 << 20);
    sim.create(spec);
    sim.run(2000);
    assert!(sim.running("small").is_empty());
    sim.update("big", scale(2));
    sim.run(9000);
    assert_eq!(sim.running("small").len(), 1);
    let mut spec = replicated("gpu", 1);
    let generic_resources = vec![json!({"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}})];
    let reservations = Reservations { generic_resources, ..Reservations::default() };
    spec.task_template.resources =
        Some(Resources { reservations: Some(reservations), ..Resources::default() });
    sim.create(spec);
    sim.run(10_000);
    assert_eq!(error(&sim, "gpu"), "no suitable node (insufficient resources on 3 nodes)");
}

#[test]
fn a_port_of_the_host_mode_is_held_once_per_node() {
    let mut sim = Sim::new(2);
    let mut spec = replicated("hp", 3);
    let port = PortConfig {
        protocol: "tcp".to_owned(),
        target_port: 80,
        published_port: 7001,
        publish_mode: Some(PublishMode::Host),
        ..PortConfig::default()
    };
    spec.endpoint_spec = Some(EndpointSpec { mode: None, ports: vec![port] });
    sim.create(spec);
    sim.run(1000);
    expect(&sim, "hp", &[("n1", 1), ("n2", 1)]);
    assert_eq!(error(&sim, "hp"), "no suitable node (host-mode port already in use on 2 nodes)");
    sim.update("hp", scale(2));
    sim.update("hp", |spec| spec.task_template.force_update += 1);
    sim.run(20_000);
    expect(&sim, "hp", &[("n1", 1), ("n2", 1)]);
    assert_eq!(sim.lines("= hp Completed").len(), 1, "{:#?}", sim.log);
}

#[test]
fn platforms_and_limits_per_node() {
    let mut sim = Sim::new(2);
    for node in ["n1", "n2"] {
        sim.set_node(node, |node| {
            node.description.platform.os = "linux".to_owned();
            node.description.platform.architecture = "x86_64".to_owned();
        });
    }
    for (name, architecture) in [("here", "amd64"), ("there", "arm64")] {
        let mut spec = replicated(name, 1);
        let platforms = vec![json!({"OS": "linux", "Architecture": architecture})];
        place(&mut spec, Placement { platforms, ..Placement::default() });
        sim.create(spec);
    }
    let mut spec = replicated("m5", 5);
    place(&mut spec, Placement { max_replicas: 1, ..Placement::default() });
    sim.create(spec);
    sim.run(1000);
    assert_eq!(sim.running("here").len(), 1);
    assert_eq!(error(&sim, "there"), "no suitable node (unsupported platform on 2 nodes)");
    expect(&sim, "m5", &[("n1", 1), ("n2", 1)]);
    assert_eq!(error(&sim, "m5"), "no suitable node (max replicas per node limit exceed)");
    sim.log.clear();
    sim.update("m5", |spec| place(spec, Placement { max_replicas: 3, ..Placement::default() }));
    sim.run(30_000);
    assert_eq!(sim.running("m5").len(), 5);
    assert_eq!(sim.lines("n1 shutdown").len() + sim.lines("n2 shutdown").len(), 0);
}
