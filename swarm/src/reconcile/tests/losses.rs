//! Nodes that are lost, drained, removed; the recorded timelines of `A node fails and comes back` and `Drain`.

use super::basics::{replicated, with_mode};
use super::rollouts::{config, forced};
use super::sim::Sim;
use crate::model::{Availability, Mode, Node, Placement, Role, TaskState};
use crate::state::Change;

fn three_services() -> Sim {
    let mut sim = Sim::new(3);
    sim.create(replicated("f6", 6));
    sim.create(with_mode("fg", Mode::Global {}));
    let mut pinned = replicated("fx", 1);
    pinned.task_template.placement = Some(Placement {
        constraints: vec!["node.hostname==n3".to_owned()],
        ..Placement::default()
    });
    sim.create(pinned);
    sim.run(10_000);
    sim
}

#[test]
fn a_lost_node_is_replaced_after_the_restart_delay() {
    let mut sim = three_services();
    sim.switch_off("n3");
    sim.log.clear();
    sim.run(40_000);
    assert_eq!(sim.state.nodes["n3"].status.message, "heartbeat failure");
    let lost: Vec<_> = sim.lines("n3 shutdown running").into_iter().map(str::to_owned).collect();
    assert_eq!(lost.len(), 4, "{lost:?}");
    assert!(lost.iter().all(|line| line.starts_with("22500 ")), "{lost:?}");
    assert_eq!(sim.lines("22500 f6.3#2 n1 ready assigned").len(), 1, "{:?}", sim.log);
    assert_eq!(sim.lines("27500 f6.3#2 n1 running ready").len(), 1, "{:?}", sim.log);
    assert_eq!(sim.running("f6").len(), 8, "8/6: those of the lost node still count");
    assert_eq!(sim.running("fg").len(), 3);
    let waits = sim.state.tasks_of("fx").find(|task| task.status.state == TaskState::Pending);
    assert_eq!(
        waits.unwrap().status.err,
        "no suitable node (scheduling constraints not satisfied on 2 nodes; \
         1 node not available for new tasks)"
    );
    sim.switch_on("n3");
    sim.log.clear();
    sim.run(45_000);
    assert_eq!(sim.running("f6").len(), 6, "{:?}", sim.log);
    assert!(sim.running("f6").iter().all(|(_, node)| node != "n3"), "nothing moves back");
    assert_eq!(sim.running("fg").len(), 3);
    assert_eq!(sim.running("fx"), [(1, "n3".to_owned())]);
    assert_eq!(sim.lines("40000 fg.n3#2 n3 running assigned").len(), 1, "{:?}", sim.log);
}

#[test]
fn a_drain_moves_all_tasks_together_without_delay() {
    let mut sim = three_services();
    sim.set_node("n2", |node| node.spec.availability = Availability::Drain);
    sim.log.clear();
    sim.run(20_000);
    for line in [
        "10000 f6.2#1 n2 shutdown running",
        "10000 f6.5#1 n2 shutdown running",
        "11000 f6.2#1 n2 shutdown shutdown",
        "11000 f6.5#1 n2 shutdown shutdown",
    ] {
        assert_eq!(sim.lines(line).len(), 1, "{line}: {:#?}", sim.log);
    }
    assert_eq!(sim.lines("#2 n1 running ready").len() + sim.lines("#2 n3 running ready").len(), 2);
    assert_eq!(sim.running("f6").len(), 6);
    assert_eq!(sim.running("fg").len(), 2, "a global task is not replaced");
    sim.set_node("n2", |node| node.spec.availability = Availability::Active);
    sim.log.clear();
    sim.run(30_000);
    assert!(sim.lines("f6").is_empty(), "nothing moves back");
    assert_eq!(sim.running("fg").len(), 3);
}

#[test]
fn tasks_of_a_removed_node_are_orphaned_and_replaced() {
    let mut sim = three_services();
    sim.apply(vec![Change::RemoveNode("n2".to_owned())]);
    sim.log.clear();
    sim.run(20_000);
    assert_eq!(sim.lines("10000 f6.2#1 n2 shutdown orphaned").len(), 1, "{:#?}", sim.log);
    assert_eq!(sim.lines("15000 f6.2#2 n1 running ready").len(), 1, "{:#?}", sim.log);
    assert_eq!(sim.running("f6").len(), 6);
    assert_eq!(sim.running("fg").len(), 2);
}

#[test]
fn a_task_whose_node_lost_a_label_is_rejected() {
    let mut sim = Sim::new(2);
    sim.set_node("n2", |node| drop(node.spec.labels.insert("zone".to_owned(), "b".to_owned())));
    let mut spec = replicated("c3", 2);
    spec.task_template.placement = Some(Placement {
        constraints: vec!["node.labels.zone==b".to_owned()],
        ..Placement::default()
    });
    sim.create(spec);
    sim.run(10_000);
    sim.set_node("n2", |node| node.spec.labels.clear());
    sim.log.clear();
    sim.run(12_000);
    assert_eq!(
        sim.log[..4],
        [
            "10000 c3.1#1 n2 shutdown rejected",
            "10000 c3.2#1 n2 shutdown rejected",
            "10000 c3.1#2 - ready pending",
            "10000 c3.2#2 - ready pending",
        ]
    );
    sim.set_node("n1", |node| drop(node.spec.labels.insert("zone".to_owned(), "b".to_owned())));
    sim.run(20_000);
    assert_eq!(sim.running("c3"), [(1, "n1".to_owned()), (2, "n1".to_owned())]);
}

#[test]
fn a_killed_container_is_a_failure() {
    let mut sim = Sim::new(1);
    sim.create(replicated("kl", 1));
    sim.run(2000);
    let id = sim.state.tasks.keys().next().unwrap().clone();
    sim.kill(&id, 137);
    sim.run(10_000);
    assert_eq!(sim.lines("2000 kl.1#1 n1 shutdown failed").len(), 1, "{:#?}", sim.log);
    assert_eq!(sim.lines("7000 kl.1#2 n1 running ready").len(), 1, "{:#?}", sim.log);
    assert_eq!(sim.containers_by_slot("kl")["kl.1"].len(), 1);
}

#[test]
fn without_most_managers_nothing_is_done() {
    let mut sim = Sim::new(3);
    for node in ["n2", "n3"] {
        sim.set_node(node, |node| node.spec.role = Role::Manager);
    }
    sim.create(replicated("q", 3));
    sim.run(5000);
    let leader = |sim: &Sim| {
        let status = |node: &Node| node.manager_status.clone().is_some_and(|status| status.leader);
        let leaders = sim.state.nodes.values().filter(|node| status(node));
        leaders.map(|node| node.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(leader(&sim), ["n1"]);
    sim.switch_off("n1");
    sim.run(40_000);
    assert_eq!(leader(&sim), ["n2"], "another leads");
    assert_eq!(sim.running("q").len(), 4, "4/3");
    sim.log.clear();
    sim.switch_off("n2");
    sim.run(80_000);
    assert_eq!(leader(&sim), [] as [&str; 0]);
    assert!(sim.log.is_empty(), "nothing is replaced: {:#?}", sim.log);
    sim.switch_on("n1");
    sim.run(120_000);
    assert_eq!(leader(&sim), ["n1"]);
    assert!(sim.running("q").iter().filter(|(_, node)| node != "n2").count() == 3);
}

#[test]
fn an_update_goes_on_when_its_task_is_lost_before_it_runs() {
    let mut sim = Sim::new(3);
    sim.create(replicated("u", 3));
    sim.run(10_000);
    sim.update("u", forced(config(2, 0)));
    sim.run(10_050);
    sim.switch_off("n2");
    sim.run(120_000);
    assert_eq!(sim.lines("= u Completed").len(), 1, "{:#?}", sim.log);
    assert!(sim.running("u").iter().filter(|(_, node)| node != "n2").count() == 3);
}

#[test]
fn tasks_of_a_node_that_stays_away_are_given_up() {
    let mut sim = Sim::new(2);
    sim.create(replicated("s", 2));
    sim.run(10_000);
    sim.switch_off("n2");
    sim.run(10_000 + 24 * 3600 * 1000);
    assert_eq!(sim.lines("n2 shutdown orphaned").len(), 1, "{:#?}", sim.log);
    assert_eq!(sim.running("s").len(), 2);
}
