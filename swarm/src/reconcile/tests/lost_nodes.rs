//! The recorded timelines of nodes that are lost, cut off, or leave, and come back.

use super::basics::{replicated, scale, with_mode};
use super::replay::Replay;
use super::sim::Sim;
use crate::model::{Mode, NodeState, Placement, ServiceSpec};
use crate::state::Change;

const LOSSES: &str = include_str!("recorded/losses.txt");

fn replay(specs: Vec<ServiceSpec>) -> Replay {
    let mut replay = Replay::new(LOSSES);
    for spec in specs {
        replay.sim.create(spec);
        replay.sim.settle();
    }
    replay.come_to_rest();
    replay.rests = false;
    replay
}

/// The node's tasks have ended when it is back.
fn back(sim: &mut Sim) {
    let mut node = sim.state.nodes["n3"].clone();
    node.own.off_since = None;
    sim.apply(vec![Change::from(node)]);
}

#[test]
fn a_node_dies_and_comes_back() {
    let mut pinned = replicated("fx", 1);
    pinned.task_template.placement = Some(Placement {
        constraints: vec!["node.hostname==n3".to_owned()],
        ..Placement::default()
    });
    let mut replay = replay(vec![replicated("f6", 6), with_mode("fg", Mode::Global {}), pinned]);
    replay.play("f6 1", |sim| sim.switch_off("n3"));
    replay.sim.update("f6", scale(7));
    replay.sim.settle();
    replay.come_to_rest();
    replay.keep_slots();
    replay.play("f6 2", back);
}

#[test]
fn a_node_is_cut_off_and_comes_back() {
    let mut replay = replay(vec![replicated("n3", 3), with_mode("ng", Mode::Global {})]);
    replay.play("n3 1", |sim| sim.switch_off("n3"));
    replay.keep_slots();
    // Docker does not wait for the task that the node had.
    replay.play_all("n3 2", vec![Box::new(back)], &["ng.swm3#2 running"]);
}

#[test]
fn a_worker_leaves_and_another_comes() {
    let mut replay = replay(vec![replicated("l6", 6)]);
    replay.play("l6 1", |sim| {
        sim.switch_off("n3");
        sim.set_node("n3", |node| node.own.left = true);
    });
    replay.keep_slots();
    replay.play("l6 1b", |sim| sim.apply(vec![Change::RemoveNode("n3".to_owned())]));
    replay.play("l6 2", |sim| {
        let mut node = sim.state.nodes["n2"].clone();
        node.id = "n3".to_owned();
        node.description.hostname = "n3".to_owned();
        node.own.number = 2;
        node.status.state = NodeState::Ready;
        sim.apply(vec![Change::from(node)]);
    });
    replay.sim.update("l6", scale(9));
    replay.come_to_rest();
    let new: Vec<_> = replay.sim.running("l6").into_iter().filter(|(_, on)| on == "n3").collect();
    assert_eq!(new.len(), 3, "{new:?}");
    replay.play("l6 3", |sim| sim.apply(vec![Change::RemoveNode("n3".to_owned())]));
}
