use coracle_runtime::model::{Health, HealthLog, HealthStatus};
use coracle_swarm::model::service::{Replicated, UpdateStatus};
use coracle_swarm::model::task::{Condition, ContainerStatus, RestartPolicy};
use coracle_swarm::model::{Availability, Node, NodeState, Placement};

use super::*;

/// A service `web` of so many tasks, of which those given are there, one for each slot.
fn state(replicas: u64, tasks: Vec<Task>) -> State {
    let mut service = Service { id: "s".to_owned(), ..Service::default() };
    service.spec.name = "web".to_owned();
    service.spec.mode = Mode::Replicated(Replicated { replicas: Some(replicas) });
    let mut state = State::default();
    state.services.insert("s".to_owned(), service);
    for (number, mut task) in tasks.into_iter().enumerate() {
        task.id = format!("t{number}");
        task.service_id = "s".to_owned();
        task.own.service_name = "web".to_owned();
        task.slot = number as u64 + 1;
        state.tasks.insert(task.id.clone(), task);
    }
    state
}

fn task(desired_state: TaskState, is: TaskState, err: &str) -> Task {
    let mut task = Task { desired_state, ..Task::default() };
    task.status.state = is;
    err.clone_into(&mut task.status.err);
    task
}

fn told(state: &State, seen: &[(&str, Seen)]) -> String {
    let seen = seen.iter().map(|(id, seen)| ((*id).to_owned(), seen.clone())).collect();
    let answer = why(state, &state.services["s"], &seen);
    let lines =
        answer.lines.iter().map(|line| format!("{}{}\n", "  ".repeat(line.depth), line.text));
    format!("{}\n{}", answer.is_converged, lines.collect::<String>())
}

use TaskState::{Complete, Failed, Pending, Rejected, Running, Shutdown, Starting};

#[test]
fn what_runs_is_converged() {
    let all = vec![task(Running, Running, ""), task(Running, Running, "")];
    assert_eq!(told(&state(2, all), &[]), "true\nweb is converged: 2 of 2 tasks run\n");
    assert_eq!(told(&state(0, vec![]), &[]), "true\nweb is converged: 0 of 0 tasks run\n");
}

#[test]
fn places_without_a_node_are_told_together() {
    let words = "no suitable node (scheduling constraints not satisfied on 1 node; \
                 1 node not available for new tasks)";
    let mut state = state(3, vec![task(Running, Pending, words); 3]);
    for task in state.tasks.values_mut() {
        let constraints = vec!["node.labels.zone==b".to_owned()];
        task.spec.placement = Some(Placement { constraints, ..Placement::default() });
    }
    let template = state.tasks["t0"].spec.clone();
    state.services.get_mut("s").unwrap().spec.task_template = template;
    let mut node = Node { id: "n".to_owned(), ..Node::default() };
    node.spec.name = "node2".to_owned();
    node.status.state = NodeState::Ready;
    node.spec.availability = Availability::Drain;
    state.nodes.insert("n".to_owned(), node);
    assert_eq!(
        told(&state, &[]),
        format!(
            "false\nweb is not converged: 0 of 3 tasks run\n  web.1 and 2 more: it is pending: {words}\n    \
             it asks for node.labels.zone==b\n    node node2 has availability drain\n"
        )
    );
}

#[test]
fn what_ended_tells_its_code_and_its_last_lines() {
    let mut failed = task(Shutdown, Failed, "task: non-zero exit (3)");
    failed.status.container_status =
        Some(ContainerStatus { exit_code: 3, ..ContainerStatus::default() });
    failed.spec.restart_policy =
        Some(RestartPolicy { condition: Some(Condition::None), ..RestartPolicy::default() });
    let seen = Seen { last_lines: vec!["cannot open /data".to_owned()], ..Seen::default() };
    assert_eq!(
        told(&state(1, vec![failed]), &[("t0", seen)]),
        "false\nweb is not converged: 0 of 1 tasks run\n  web.1: it failed with exit code 3\n    \
         its last lines:\n      cannot open /data\n    its restart condition is none\n"
    );
    let mut rejected = task(Shutdown, Rejected, "No such image: x:1");
    rejected.status.message = "preparing: the registry does not answer".to_owned();
    assert_eq!(
        told(&state(1, vec![rejected]), &[]),
        "false\nweb is not converged: 0 of 1 tasks run\n  web.1: it was rejected: No such image: x:1\n    \
         the registry does not answer\n"
    );
}

fn unhealthy() -> Seen {
    let log = vec![HealthLog { exit_code: 1, output: "refused\n".into(), ..HealthLog::default() }];
    let health = Health { status: HealthStatus::Unhealthy, log, ..Health::default() };
    Seen { state: ContainerState { health: Some(health), ..Default::default() }, ..Seen::default() }
}

#[test]
fn an_update_tells_of_the_task_that_stopped_it() {
    let failed =
        task(Shutdown, Failed, "task: non-zero exit (137): dockerexec: unhealthy container");
    let mut state = state(1, vec![task(Running, Running, ""), failed]);
    state.tasks.get_mut("t1").unwrap().slot = 1;
    let status = |state, message: &str| UpdateStatus {
        state,
        started_at: None,
        completed_at: None,
        message: message.to_owned(),
    };
    let message = "update paused due to failure or early termination of task t1";
    let service = state.services.get_mut("s").unwrap();
    service.update_status = Some(status(UpdateState::Paused, message));
    assert_eq!(
        told(&state, &[("t1", unhealthy())]),
        format!(
            "false\nweb is not converged: 1 of 1 tasks run\n  its update is paused: {message}\n    \
             it was stopped, as its health check failed\n      \
             the last probe ended with exit code 1: refused\n"
        )
    );
    let service = state.services.get_mut("s").unwrap();
    service.update_status = Some(status(UpdateState::RollbackCompleted, "rollback completed"));
    assert_eq!(
        told(&state, &[]),
        "true\nweb is converged: 1 of 1 tasks run\n  its last update was rolled back: rollback completed\n"
    );
}

#[test]
fn what_is_on_its_way_says_how_far() {
    let mut state = state(1, vec![task(Running, Starting, "")]);
    let spec = &mut state.services.get_mut("s").unwrap().spec;
    spec.task_template.container_spec.healthcheck = Some(Default::default());
    assert_eq!(
        told(&state, &[("t0", unhealthy())]),
        "false\nweb is not converged: 0 of 1 tasks run\n  \
         web.1: it is starting: no health check has succeeded yet\n    \
         the last probe ended with exit code 1: refused\n"
    );
    let mut past = task(Shutdown, Complete, "");
    past.slot = 1;
    past.id = "past".to_owned();
    past.service_id = "s".to_owned();
    past.own.service_name = "web".to_owned();
    state.tasks.insert("past".to_owned(), past);
    assert_eq!(
        told(&state, &[]),
        "false\nweb is not converged: 0 of 1 tasks run\n  web.1: it ended with exit code 0\n    \
         its successor is starting: no health check has succeeded yet\n"
    );
}
