//! What plans say of services, files and networks, and when two of them are the same.

use coracle_words::Timestamp;

use super::*;
use crate::command::create_service;
use crate::model::service::Replicated;
use crate::model::task::{Limits, NetworkUse, Resources, RestartPolicy};
use crate::model::{
    EndpointSpec, Mode, Node, NodeState, PortConfig, Role, TaskState, UpdateConfig,
};
use crate::reconcile::{Addresses, Surroundings, decide};
use crate::state::{Change as StateChange, Object};

const NOW: Timestamp = Timestamp::ZERO;

fn spec(replicas: u64) -> ServiceSpec {
    let mut spec = ServiceSpec { name: "web".to_owned(), ..ServiceSpec::default() };
    spec.mode = Mode::Replicated(Replicated { replicas: Some(replicas) });
    spec.task_template.container_spec.image = "web:1".to_owned();
    spec.task_template.container_spec.env = vec!["A=1".to_owned(), "B=2".to_owned()];
    spec
}

/// A swarm of one node that runs a service as that spec says.
fn running(spec: &ServiceSpec) -> State {
    let mut state = State::default();
    let mut node = Node { id: "n1".to_owned(), ..Node::default() };
    node.spec.role = Role::Manager;
    node.status.state = NodeState::Ready;
    node.description.hostname = "one".to_owned();
    state.apply(vec![StateChange::from(node)], NOW);
    let made = create_service(&state, spec.clone(), "s1".to_owned(), NOW).unwrap();
    state.apply(made, NOW);
    let mut number = 0;
    for _ in 0..10 {
        let mut ids = || {
            number += 1;
            format!("t{number}")
        };
        let decision = decide(&state, &Surroundings::default(), &mut Addresses::new, &mut ids, NOW);
        if decision.changes.is_empty() {
            break;
        }
        state.apply(decision.changes, NOW);
        let tasks: Vec<StateChange> = state
            .tasks
            .values()
            .filter(|task| task.status.state == TaskState::Assigned)
            .map(|task| {
                let mut task = task.clone();
                task.status.state = TaskState::Running;
                StateChange::Put(Object::Task(Box::new(task)))
            })
            .collect();
        state.apply(tasks, NOW);
    }
    state
}

fn plan(state: &State, spec: &ServiceSpec) -> Step {
    let known = state.services.get("s1");
    service_step(state, known, spec, Rollback::No, &str::to_owned, NOW).unwrap()
}

fn told(step: &Step) -> Vec<String> {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let one = |it: &Change| format!("{} {} {}", it.attribute, value(&it.old), value(&it.new));
    step.changes.iter().map(one).collect()
}

#[test]
fn what_is_as_wanted_is_kept() {
    let state = running(&spec(3));
    let step = plan(&state, &spec(3));
    assert_eq!((step.action, step.changes.len(), step.rollout), (Action::Keep, 0, None));
}

#[test]
fn attributes_have_the_names_of_flags_and_places_their_order() {
    let state = running(&spec(3));
    let mut wanted = spec(3);
    wanted.task_template.container_spec.image = "web:2".to_owned();
    wanted.task_template.container_spec.env = vec!["B=3".to_owned(), "C=".to_owned()];
    wanted.task_template.container_spec.args = vec!["echo".to_owned(), "a b".to_owned()];
    wanted.task_template.container_spec.stop_grace_period = Some(3_000_000_000);
    wanted.task_template.container_spec.labels.insert("x.y".to_owned(), "z".to_owned());
    let limits = Limits { nano_cpus: 1_500_000_000, memory_bytes: 64 << 20, ..Limits::default() };
    wanted.task_template.resources =
        Some(Resources { limits: Some(limits), ..Resources::default() });
    wanted.task_template.restart_policy =
        Some(RestartPolicy { delay: Some(1_000_000_000), ..RestartPolicy::default() });
    wanted.task_template.networks =
        vec![NetworkUse { target: "net".to_owned(), ..NetworkUse::default() }];
    let port = PortConfig { target_port: 80, published_port: 8080, ..PortConfig::default() };
    wanted.endpoint_spec = Some(EndpointSpec { ports: vec![port], ..EndpointSpec::default() });
    wanted.update_config = Some(UpdateConfig { parallelism: 2, ..UpdateConfig::default() });
    let step = plan(&state, &wanted);
    assert_eq!(step.action, Action::Update);
    assert_eq!(
        told(&step),
        [
            "args - echo \"a b\"",
            "container-label.x.y - z",
            "env.A 1 -",
            "env.B 2 3",
            "image web:1 web:2",
            "limit-cpu - 1.5",
            "limit-memory - 64MiB",
            "network.net - joined",
            "publish.80/tcp - 8080",
            "restart-delay - 1s",
            "stop-grace-period - 3s",
            "update-parallelism - 2",
        ]
    );
    let rollout = step.rollout.unwrap();
    assert_eq!(rollout.places, ["web.1", "web.2", "web.3"]);
    assert_eq!((rollout.parallelism, rollout.monitor), (2, 5_000_000_000));
}

/// Or a plan would pass for another one.
#[test]
fn values_that_differ_are_told_apart() {
    let state = running(&spec(1));
    let told_with = |value: &str, memory: i64| {
        let mut wanted = spec(1);
        wanted.task_template.container_spec.env = vec![format!("A={value}")];
        let limits = Limits { memory_bytes: memory, ..Limits::default() };
        wanted.task_template.resources =
            Some(Resources { limits: Some(limits), ..Resources::default() });
        told(&plan(&state, &wanted))
    };
    let long = "x".repeat(200);
    let one = told_with(&format!("{long}1"), 1_000_000_000);
    assert!(one[0].starts_with("env.A 1 xxx") && one[0].len() < 200, "{one:?}");
    assert_eq!(one.last().unwrap(), "limit-memory - 1000000000B");
    assert_ne!(one, told_with(&format!("{long}2"), 1_000_000_000));
    assert_eq!(told_with("2", 3 << 30).last().unwrap(), "limit-memory - 3GiB");
}

#[test]
fn scaling_replaces_nothing() {
    let state = running(&spec(2));
    let step = plan(&state, &spec(5));
    assert_eq!(told(&step), ["replicas 2 5"]);
    assert_eq!((step.rollout, step.reason.as_str()), (None, "no task is replaced"));
}

#[test]
fn places_of_global_services_are_nodes() {
    let global = ServiceSpec { mode: Mode::Global {}, ..spec(1) };
    let state = running(&global);
    let mut wanted = global;
    wanted.task_template.force_update = 1;
    let step = plan(&state, &wanted);
    assert_eq!(step.rollout.unwrap().places, ["web.one"]);
}

#[test]
fn what_the_swarm_refuses_is_refused() {
    let state = running(&spec(1));
    let wanted = ServiceSpec { mode: Mode::Global {}, ..spec(1) };
    let known = state.services.get("s1");
    let refused = service_step(&state, known, &wanted, Rollback::No, &str::to_owned, NOW);
    assert!(refused.unwrap_err().words.ends_with("service mode change is not allowed"));
}

#[test]
fn content_that_differs_is_refused_with_what_to_do() {
    let step = file_step(Kind::Secret, "pw", Standing::Other);
    assert_eq!(step.action, Action::Refuse);
    assert!(step.reason.contains("secret rotate pw FILE"));
    let labels = |value: &str| BTreeMap::from([("k".to_owned(), value.to_owned())]);
    let step =
        file_step(Kind::Config, "c", Standing::Same(label_changes(&labels("1"), &labels("2"))));
    assert_eq!((step.action, told(&step)), (Action::Update, vec!["label.k 1 2".to_owned()]));
}

#[test]
fn plans_are_the_same_however_they_roll() {
    let state = running(&spec(2));
    let mut wanted = spec(2);
    wanted.task_template.container_spec.image = "web:2".to_owned();
    let mut one = Plan::new("s", false);
    one.steps.push(plan(&state, &wanted));
    let text = serde_json::to_string(&one).unwrap();
    let mut two: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(one, two);
    two.steps[0].rollout = None;
    assert!(one.same(&two) && !one.is_empty());
    two.steps[0].changes.clear();
    assert!(!one.same(&two));
}
