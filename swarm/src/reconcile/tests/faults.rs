//! Random faults: what must never be, and that all comes right when they end.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::basics::{scale, with_mode};
use super::rollouts::{SECOND, args, config};
use super::sim::{Act, Latency, Sim};
use crate::model::service::{FailureAction, Order, Replicated};
use crate::model::{Availability, Mode, RestartPolicy, ServiceSpec, TaskState, UpdateConfig};

/// What happens to the swarm.
#[derive(Debug, Clone)]
enum Event {
    Scale(u64),
    Update { bad: bool, parallelism: u64, delay: i64, start_first: bool },
    RollBack,
    Kill(usize),
    Off(u8),
    On(u8),
    Availability(u8, Availability),
    Latency(i64, i64, i64),
}

const NODES: u8 = 3;

fn event() -> impl Strategy<Value = Event> {
    let node = 0..NODES;
    let availability = prop_oneof![
        Just(Availability::Active),
        Just(Availability::Pause),
        Just(Availability::Drain)
    ];
    prop_oneof![
        (0..7_u64).prop_map(Event::Scale),
        (any::<bool>(), 0..3_u64, 0..3_i64, prop::bool::weighted(0.3)).prop_map(
            |(bad, parallelism, delay, start_first)| Event::Update {
                bad,
                parallelism,
                delay,
                start_first
            }
        ),
        Just(Event::RollBack),
        any::<usize>().prop_map(Event::Kill),
        // The first node is the manager.
        (1..NODES).prop_map(Event::Off),
        node.clone().prop_map(Event::On),
        (node, availability).prop_map(|(node, to)| Event::Availability(node, to)),
        (0..2000_i64, 0..2000_i64, 0..4000_i64)
            .prop_map(|(prepare, start, stop)| Event::Latency(prepare, start, stop)),
    ]
}

fn name(node: u8) -> String {
    format!("n{}", node + 1)
}

fn happen(sim: &mut Sim, event: &Event) {
    let unique = sim.state.index;
    let global = sim.state.services["s"].spec.mode.is_global();
    match event.clone() {
        Event::Scale(replicas) if !global => sim.update("s", scale(replicas)),
        Event::Scale(_) => {}
        Event::Update { bad, parallelism, delay, start_first } => sim.update("s", |spec| {
            args(if bad { "bad" } else { "good" })(spec);
            spec.task_template.force_update = unique;
            let order = if start_first { Order::StartFirst } else { Order::StopFirst };
            let action =
                if parallelism == 2 { FailureAction::Rollback } else { FailureAction::Pause };
            spec.update_config = Some(UpdateConfig {
                order: Some(order),
                failure_action: Some(action),
                ..config(parallelism, delay)
            });
        }),
        Event::RollBack => {
            if sim.state.services["s"].previous_spec.is_some() {
                sim.roll_back("s");
            }
        }
        Event::Kill(which) => {
            let running: Vec<String> = sim
                .state
                .tasks
                .values()
                .filter(|task| task.status.state == TaskState::Running)
                .map(|task| task.id.clone())
                .collect();
            if !running.is_empty() {
                sim.kill(&running[which % running.len()], 137);
            }
        }
        Event::Off(node) if sim.is_on(&name(node)) => sim.switch_off(&name(node)),
        Event::On(node) if !sim.is_on(&name(node)) => sim.switch_on(&name(node)),
        Event::Off(_) | Event::On(_) => {}
        Event::Availability(node, to) => {
            sim.set_node(&name(node), |node| node.spec.availability = to);
        }
        Event::Latency(prepare, start, stop) => sim.latency = Latency { prepare, start, stop },
    }
}

/// Looks at each state on the way.
struct Watch {
    /// Start-first has been used: a slot may have more than one.
    surplus: bool,
}

impl Watch {
    fn look(&self, sim: &Sim) {
        let service = &sim.state.services["s"];
        if !self.surplus {
            for (slot, containers) in sim.containers_by_slot("s") {
                assert!(containers.len() <= 1, "{slot} runs twice at {}: {:#?}", sim.now, sim.log);
            }
            if let Mode::Replicated(Replicated { replicas }) = service.spec.mode {
                let wanted = sim.state.tasks_of("s").filter(|task| {
                    task.desired_state == TaskState::Running && !task.status.state.is_over()
                });
                let wanted = u64::try_from(wanted.count()).unwrap();
                assert!(wanted <= replicas.unwrap(), "more than wanted at {}", sim.now);
            }
        }
        let mut slots: BTreeMap<String, usize> = BTreeMap::new();
        for task in sim.state.tasks_of("s") {
            if task.status.state.is_over() {
                *slots.entry(task.short_name()).or_default() += 1;
            }
        }
        for (slot, count) in slots {
            assert!(count <= 8, "{count} ended tasks in {slot}: {:#?}", sim.log);
        }
    }
}

fn behave(spec: ServiceSpec, events: &[(u16, Event)]) {
    let mut sim = Sim::new(NODES);
    sim.acts.insert("bad".to_owned(), Act::Exit(300, 1));
    sim.create(spec);
    let mut watch = Watch { surplus: false };
    for (pause, event) in events {
        let until = sim.now + i64::from(*pause);
        sim.run_checked(until, |sim| watch.look(sim));
        happen(&mut sim, event);
        if matches!(event, Event::Update { start_first: true, .. }) {
            watch.surplus = true;
        }
    }
    // The faults stop.
    for node in 0..NODES {
        happen(&mut sim, &Event::On(node));
        happen(&mut sim, &Event::Availability(node, Availability::Active));
    }
    let replicas = |sim: &Sim| match sim.state.services["s"].spec.mode {
        Mode::Replicated(Replicated { replicas }) => usize::try_from(replicas.unwrap()).unwrap(),
        _ => usize::from(NODES),
    };
    let last = Event::Update { bad: false, parallelism: 0, delay: 0, start_first: false };
    happen(&mut sim, &last);
    let until = sim.now + 200_000;
    sim.run_checked(until, |sim| watch.look(sim));
    let tasks: BTreeSet<(u64, String)> = sim.running("s").into_iter().collect();
    assert_eq!(tasks.len(), replicas(&sim), "{:#?}", sim.log);
    assert_eq!(sim.running("s").len(), replicas(&sim), "{:#?}", sim.log);
    let version = sim.state.services["s"].own.spec_version;
    let old = sim
        .state
        .tasks_of("s")
        .filter(|task| task.status.state == TaskState::Running && task.own.spec_version != version);
    assert_eq!(old.count(), 0, "{:#?}", sim.log);
    let status = &sim.state.services["s"].update_status;
    assert!(status.as_ref().is_none_or(|status| status.message == "update completed"));
    let before = sim.state.clone();
    sim.settle();
    assert_eq!(before, sim.state, "nothing to do");
}

fn spec(mode: Mode) -> ServiceSpec {
    let mut spec = with_mode("s", mode);
    spec.task_template.restart_policy =
        Some(RestartPolicy { delay: Some(SECOND), ..RestartPolicy::default() });
    spec
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replicated_services_come_right(
        replicas in 1..6_u64,
        events in prop::collection::vec((0..9000_u16, event()), 1..25),
    ) {
        behave(spec(Mode::Replicated(Replicated { replicas: Some(replicas) })), &events);
    }

    #[test]
    fn global_services_come_right(
        events in prop::collection::vec((0..9000_u16, event()), 1..25),
    ) {
        behave(spec(Mode::Global {}), &events);
    }
}
