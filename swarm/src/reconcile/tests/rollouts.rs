//! Rolling updates: the recorded timelines, with the times of the simulated executor in place of Docker's own.
//!
//! It prepares in 100 ms, starts in 200 and stops in 1000; all updates begin at 10 s.

use super::basics::{replicated, scale};
use super::sim::{Act, Sim};
use crate::model::service::{Order, ServiceSpec};
use crate::model::{Availability, Mode, Placement, UpdateConfig};

pub(super) const SECOND: i64 = 1_000_000_000;

pub(super) fn config(parallelism: u64, delay: i64) -> UpdateConfig {
    UpdateConfig { parallelism, delay: delay * SECOND, ..UpdateConfig::default() }
}

pub(super) fn forced(config: UpdateConfig) -> impl FnOnce(&mut ServiceSpec) {
    |spec| {
        spec.task_template.force_update += 1;
        spec.update_config = Some(config);
    }
}

pub(super) fn args(args: &str) -> impl FnOnce(&mut ServiceSpec) {
    move |spec| spec.task_template.container_spec.args = vec![args.to_owned()]
}

/// A service that runs at 10 s.
pub(super) fn running(nodes: u8, spec: ServiceSpec) -> Sim {
    let mut sim = Sim::new(nodes);
    sim.create(spec);
    sim.run(10_000);
    sim.log.clear();
    sim
}

/// The lines on ends, starts and the update, without nodes.
pub(super) fn story(sim: &Sim) -> Vec<String> {
    let told = |line: &&String| {
        [" shutdown running", " running running", " failed", "= ", " rejected", "running pending"]
            .iter()
            .any(|part| line.contains(part))
    };
    let short = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [time, "=", _, state] => format!("{time} {state}"),
            [time, name, _, desired, state] => format!("{time} {name} {desired} {state}"),
            _ => line.clone(),
        }
    };
    sim.log.iter().filter(told).map(short).collect()
}

#[test]
fn one_at_a_time_stop_first() {
    let mut sim = running(3, replicated("t", 3));
    sim.update("t", forced(config(1, 0)));
    sim.run(60_000);
    assert_eq!(
        story(&sim),
        [
            "10000 t.1#1 shutdown running",
            "10000 Updating",
            "11200 t.1#2 running running",
            "11200 t.2#1 shutdown running",
            "12400 t.2#2 running running",
            "12400 t.3#1 shutdown running",
            "13600 t.3#2 running running",
            "18600 Completed",
        ]
    );
    let status = sim.state.services["t"].update_status.clone().unwrap();
    assert_eq!(status.message, "update completed");
    assert!(status.started_at < status.completed_at);
    assert_eq!(sim.lines("10000 t.1#2 n1 ready assigned").len(), 1, "prepared meanwhile");
}

#[test]
fn two_lanes_with_a_delay_each() {
    let mut sim = running(3, replicated("t", 4));
    sim.update("t", forced(config(2, 4)));
    sim.run(60_000);
    assert_eq!(
        story(&sim),
        [
            "10000 t.1#1 shutdown running",
            "10000 t.2#1 shutdown running",
            "10000 Updating",
            "11200 t.1#2 running running",
            "11200 t.2#2 running running",
            "15200 t.3#1 shutdown running",
            "15200 t.4#1 shutdown running",
            "16400 t.3#2 running running",
            "16400 t.4#2 running running",
            "25400 Completed",
        ],
        "the last delay, then the monitor time"
    );
}

#[test]
fn start_first_waits_for_the_new_one() {
    let mut sim = running(3, replicated("t", 2));
    let start_first = UpdateConfig { order: Some(Order::StartFirst), ..config(1, 2) };
    sim.update("t", forced(start_first));
    let mut most = 0;
    sim.run_checked(60_000, |sim| most = most.max(sim.running("t").len()));
    assert_eq!(
        story(&sim),
        [
            "10000 Updating",
            "10300 t.1#2 running running",
            "10300 t.1#1 shutdown running",
            "12300 t.2#2 running running",
            "12600 t.2#1 shutdown running",
            "19600 Completed",
        ]
        .map(|line| line.replace("12300 t.2#2", "12600 t.2#2"))
    );
    assert_eq!(most, 3);
}

#[test]
fn all_at_once() {
    let mut sim = running(3, replicated("t", 3));
    sim.update("t", forced(config(0, 10)));
    sim.run(60_000);
    let story = story(&sim);
    assert_eq!(story[..3].iter().filter(|line| line.starts_with("10000 t.")).count(), 3);
    assert_eq!(story.iter().filter(|line| line.starts_with("11200 t.")).count(), 3);
    assert_eq!(story.last().unwrap(), "32200 Completed", "monitor is the delay and a second");
}

#[test]
fn a_second_update_takes_over_at_once() {
    let mut sim = running(3, replicated("u6", 3));
    sim.update("u6", |spec| {
        args("a")(spec);
        spec.update_config = Some(config(1, 2));
    });
    sim.run(13_500);
    sim.update("u6", args("b"));
    let mut most = 0;
    sim.run_checked(60_000, |sim| {
        let slots = sim.containers_by_slot("u6");
        most = slots.values().map(std::collections::BTreeSet::len).fold(most, usize::max);
    });
    assert_eq!(
        story(&sim),
        [
            "10000 u6.1#1 shutdown running",
            "10000 Updating",
            "11200 u6.1#2 running running",
            "13200 u6.2#1 shutdown running",
            "13500 Updating",
            "14400 u6.2#3 running running",
            "16400 u6.1#2 shutdown running",
            "17600 u6.1#3 running running",
            "19600 u6.3#1 shutdown running",
            "20800 u6.3#2 running running",
            "27800 Completed",
        ]
    );
    assert_eq!(most, 1, "never two in a slot");
}

#[test]
fn what_fits_nowhere_holds_the_update_up() {
    let mut sim = running(3, replicated("u8", 3));
    let constrain = |constraints: &[&str]| {
        let constraints = constraints.iter().map(|text| (*text).to_owned()).collect();
        move |spec: &mut ServiceSpec| {
            spec.task_template.placement = Some(Placement { constraints, ..Placement::default() });
        }
    };
    sim.update("u8", constrain(&["node.labels.nosuch==x"]));
    sim.run(30_000);
    assert_eq!(
        story(&sim),
        ["10000 u8.1#1 shutdown running", "10000 Updating", "11000 u8.1#2 running pending"]
    );
    assert_eq!(sim.running("u8").len(), 2);
    sim.update("u8", constrain(&[]));
    sim.run(60_000);
    assert_eq!(
        story(&sim)[3..],
        ["30000 Updating", "30300 u8.1#3 running running", "35300 Completed"],
        "only the one slot is touched"
    );
    assert_eq!(sim.lines("30000 u8.1#2 - shutdown shutdown").len(), 1);
}

#[test]
fn a_node_is_drained_in_the_middle() {
    let mut spec = replicated("u9", 3);
    spec.update_config = Some(config(1, 3));
    let mut sim = running(3, spec);
    sim.update("u9", |spec| spec.task_template.force_update += 1);
    sim.run(12_000);
    sim.set_node("n2", |node| node.spec.availability = Availability::Drain);
    sim.run(60_000);
    let story = story(&sim);
    assert!(story.contains(&"12000 u9.2#1 shutdown running".to_owned()), "{story:#?}");
    assert_eq!(story.last().unwrap(), "26400 Completed", "{story:#?}");
    assert_eq!(sim.running("u9").len(), 3);
    assert!(sim.state.tasks_of("u9").all(|task| task.slot != 2
        || task.node_id != "n2"
        || task.desired_state > crate::model::TaskState::Running));
}

#[test]
fn what_needs_no_new_tasks_makes_none() {
    let mut sim = running(3, replicated("t", 2));
    sim.update("t", |spec| drop(spec.labels.insert("a".to_owned(), "b".to_owned())));
    sim.update("t", |spec| spec.update_config = Some(config(2, 1)));
    sim.update("t", scale(3));
    sim.update("t", |spec| {
        let constraints = vec!["node.labels.x!=y".to_owned()];
        spec.task_template.placement = Some(Placement { constraints, ..Placement::default() });
    });
    sim.run(20_000);
    assert_eq!(sim.lines("#2 ").len(), 0, "{:#?}", sim.log);
    assert_eq!(sim.running("t").len(), 3);
}

#[test]
fn a_paused_node_is_passed_over_by_a_global_update() {
    let mut sim = running(3, super::basics::with_mode("g", Mode::Global {}));
    sim.set_node("n2", |node| node.spec.availability = Availability::Pause);
    sim.update("g", |spec| spec.task_template.force_update += 1);
    sim.run(30_000);
    assert_eq!(sim.lines("g.n2").len(), 0, "{:#?}", sim.log);
    assert_eq!(sim.lines("= g Completed").len(), 1);
    sim.set_node("n2", |node| node.spec.availability = Availability::Active);
    sim.run(40_000);
    assert_eq!(sim.lines("31200 g.n2#2 n2 running running").len(), 1, "{:#?}", sim.log);
}

#[test]
fn attempts_that_are_used_up_do_not_hinder_an_update() {
    let mut sim = Sim::new(1);
    sim.acts.insert("bad".to_owned(), Act::Exit(100, 3));
    let mut spec = replicated("p4", 1);
    spec.task_template.container_spec.args.push("bad".to_owned());
    spec.task_template.restart_policy = Some(crate::model::RestartPolicy {
        delay: Some(SECOND),
        max_attempts: Some(1),
        ..Default::default()
    });
    sim.create(spec);
    sim.run(10_000);
    sim.log.clear();
    sim.update("p4", args("good"));
    sim.run(20_000);
    assert_eq!(story(&sim), ["10000 Updating", "10300 p4.1#3 running running", "15300 Completed"]);
    assert_eq!(sim.state.tasks.len(), 2, "max attempts + 1");
}
