//! Creating, scaling, restarting and removing.

use super::super::draft::Draft;
use super::super::{Decision, decide, work};
use super::sim::{Act, Sim, moment};
use crate::model::service::{Replicated, ServiceSpec};
use crate::model::task::{Reservations, Resources};
use crate::model::{Mode, Placement, RestartPolicy, Service, TaskState};
use crate::state::Change;

pub(super) fn replicated(name: &str, replicas: u64) -> ServiceSpec {
    let mode = Mode::Replicated(Replicated { replicas: Some(replicas) });
    with_mode(name, mode)
}

pub(super) fn with_mode(name: &str, mode: Mode) -> ServiceSpec {
    let mut spec = ServiceSpec { name: name.to_owned(), mode, ..ServiceSpec::default() };
    spec.task_template.container_spec.image = "alpine".to_owned();
    spec
}

pub(super) fn scale(replicas: u64) -> impl FnOnce(&mut ServiceSpec) {
    move |spec| spec.mode = Mode::Replicated(Replicated { replicas: Some(replicas) })
}

#[test]
fn a_new_service_runs_on_the_emptiest_nodes() {
    let mut sim = Sim::new(3);
    sim.create(replicated("s", 7));
    sim.run(1000);
    let running = sim.running("s");
    assert_eq!(running.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    for (node, count) in [("n1", 3), ("n2", 2), ("n3", 2)] {
        assert_eq!(running.iter().filter(|(_, on)| on == node).count(), count, "{node}");
    }
    sim.update("s", scale(4));
    sim.run(10_000);
    let running = sim.running("s");
    assert_eq!(running.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(sim.state.tasks.len(), 4, "tasks that are too many leave no history");
    assert!(sim.lines("= s").is_empty(), "no update: {:?}", sim.log);
}

#[test]
fn a_failed_task_is_replaced_after_the_delay() {
    let mut sim = Sim::new(1);
    sim.acts.insert("bad".to_owned(), Act::Exit(1000, 3));
    let mut spec = replicated("p1", 1);
    spec.task_template.container_spec.args.push("bad".to_owned());
    sim.create(spec);
    sim.run(7000);
    assert_eq!(
        sim.log,
        [
            "0 p1.1#1 n1 running assigned",
            "0 p1.1#1 n1 running preparing",
            "100 p1.1#1 n1 running ready",
            "100 p1.1#1 n1 running starting",
            "300 p1.1#1 n1 running running",
            "1300 p1.1#1 n1 running failed",
            "1300 p1.1#1 n1 shutdown failed",
            "1300 p1.1#2 n1 ready assigned",
            "1300 p1.1#2 n1 ready preparing",
            "1400 p1.1#2 n1 ready ready",
            "6300 p1.1#2 n1 running ready",
            "6300 p1.1#2 n1 running starting",
            "6500 p1.1#2 n1 running running",
        ]
    );
    sim.run(120_000);
    assert_eq!(sim.state.tasks.len(), 5, "history");
}

#[test]
fn attempts_are_counted_within_the_window() {
    for (window, lifetime, tasks) in [(None, 1000, 3), (Some(4), 2000, 0), (Some(20), 1000, 3)] {
        let mut sim = Sim::new(1);
        sim.latency.start = 1700;
        sim.acts.insert("bad".to_owned(), Act::Exit(lifetime, 3));
        let mut spec = replicated("p", 1);
        spec.task_template.container_spec.args.push("bad".to_owned());
        spec.task_template.restart_policy = Some(RestartPolicy {
            delay: Some(500_000_000),
            max_attempts: Some(2),
            window: window.map(|seconds: i64| seconds * 1_000_000_000),
            ..RestartPolicy::default()
        });
        sim.create(spec);
        sim.run(60_000);
        let made = sim.lines(" assigned").len();
        if tasks == 0 {
            assert!(made > 8, "goes on for ever: {made}");
            assert!(sim.state.tasks.len() <= 3, "max attempts + 1");
        } else {
            assert_eq!(made, tasks, "window {window:?}");
            assert!(sim.state.tasks.values().all(|task| task.desired_state == TaskState::Shutdown));
        }
    }
}

#[test]
fn a_global_service_follows_the_nodes() {
    let mut sim = Sim::new(2);
    sim.create(with_mode("g", Mode::Global {}));
    sim.run(1000);
    assert_eq!(sim.running("g").len(), 2);
    sim.set_node("n2", |node| node.spec.availability = crate::model::Availability::Drain);
    sim.run(5000);
    assert_eq!(sim.running("g"), [(0, "n1".to_owned())]);
    sim.set_node("n2", |node| node.spec.availability = crate::model::Availability::Active);
    sim.run(9000);
    assert_eq!(sim.running("g").len(), 2);
    assert_eq!(sim.lines("g.n2#2 n2 running running").len(), 1);
}

#[test]
fn a_removed_service_goes_when_its_tasks_have() {
    let mut sim = Sim::new(1);
    sim.create(replicated("s", 3));
    sim.run(1000);
    let mut service: Service = sim.state.services["s"].clone();
    service.own.removed = true;
    sim.apply(vec![Change::from(service)]);
    sim.run(1500);
    assert_eq!(sim.state.tasks.len(), 3);
    assert!(sim.state.services.contains_key("s"));
    sim.run(2000);
    assert!(sim.state.tasks.is_empty() && sim.state.services.is_empty(), "{:?}", sim.log);
}

#[test]
fn what_fits_nowhere_says_why() {
    let mut sim = Sim::new(2);
    sim.set_node("n2", |node| node.spec.availability = crate::model::Availability::Pause);
    let mut spec = replicated("a", 1);
    spec.task_template.placement = Some(Placement {
        constraints: vec!["node.labels.x==y".to_owned()],
        ..Placement::default()
    });
    sim.create(spec);
    let mut spec = replicated("b", 1);
    let reservations = Reservations { memory_bytes: 1 << 40, ..Reservations::default() };
    spec.task_template.resources =
        Some(Resources { reservations: Some(reservations), ..Resources::default() });
    sim.create(spec);
    let mut spec = replicated("c", 2);
    spec.task_template.placement = Some(Placement { max_replicas: 1, ..Placement::default() });
    sim.create(spec);
    sim.run(1000);
    let err = |name: &str| {
        let waiting = sim.state.tasks_of(name).find(|task| !task.status.err.is_empty());
        waiting.map(|task| (task.status.state, task.status.err.clone())).unwrap()
    };
    let first = "1 node not available for new tasks";
    for (name, words) in [
        ("a", format!("{first}; scheduling constraints not satisfied on 1 node")),
        ("b", format!("{first}; insufficient resources on 1 node")),
        ("c", format!("{first}; max replicas per node limit exceed")),
    ] {
        assert_eq!(err(name), (TaskState::Pending, format!("no suitable node ({words})")));
    }
    sim.set_node("n1", |node| drop(node.spec.labels.insert("x".to_owned(), "y".to_owned())));
    sim.run(2000);
    assert_eq!(sim.running("a"), [(1, "n1".to_owned())]);
    assert_eq!(sim.state.tasks_of("a").next().unwrap().meta.created_at, moment(0));
}

/// Four services, one of them with tasks of an older version of its spec, which are compared in full.
fn a_thousand_tasks() -> Sim {
    let mut sim = Sim::new(3);
    for name in ["a", "b", "c", "d"] {
        sim.create(replicated(name, 250));
    }
    sim.run(5000);
    assert_eq!(sim.state.tasks.len(), 1000);
    sim.update("a", |spec| drop(spec.labels.insert("a".to_owned(), "b".to_owned())));
    sim
}

/// `scripts/bench swarm` asks for it: a row of its table.
#[test]
#[ignore = "measures, and means something in a release build alone"]
fn how_long_a_thousand_tasks_with_nothing_to_do_take() {
    let sim = a_thousand_tasks();
    let mut times: Vec<f64> = (0..101)
        .map(|_| {
            let begun = std::time::Instant::now();
            let decision = decide(
                &sim.state,
                &sim.around,
                &mut || unreachable!("no address is given out"),
                &mut || unreachable!("no new task"),
                moment(sim.now),
            );
            assert_eq!(decision, Decision::default());
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let verdict = if times[50] <= 5.0 { "PASS" } else { "MISS" };
    println!(
        "| 1,000 tasks with nothing to do, decided | {:.1} ms | - | - | ≤ 5.0 ms | {verdict} |",
        times[50]
    );
}

#[test]
fn a_thousand_tasks_with_nothing_to_do_are_looked_at_a_few_times_each() {
    let sim = a_thousand_tasks();
    let mut no_id = || unreachable!("no new task");
    let mut draft = Draft::new(&sim.state, &mut no_id, moment(sim.now));
    work(&mut draft, &sim.around, &mut || unreachable!("no address is given out"));
    let looks = draft.looks.get();
    assert!(looks < 15_000, "{looks} looks at tasks");
    assert_eq!(draft.finish(), Decision::default());
}
