//! Lines as recorded, without those that say the same again.

use coracle_swarm::model::service::{JobStatus, Replicated, ReplicatedJob};
use coracle_swarm::model::{Node, TaskState, UpdateStatus};

use super::*;

const ID: &str = "rl2ss5vguf4ir2ljaurfq1grb";

fn state(mode: Mode) -> State {
    let mut state = State::default();
    let mut node = Node { id: "mhexz1rvopqi5yzfkua5pcurc".to_owned(), ..Node::default() };
    node.status.state = NodeState::Ready;
    state.nodes.insert(node.id.clone(), node);
    let mut service = Service { id: ID.to_owned(), ..Service::default() };
    service.job_status = mode.is_job().then(JobStatus::default);
    service.spec.mode = mode;
    state.services.insert(ID.to_owned(), service);
    state
}

fn replicas(count: u64) -> Mode {
    Mode::Replicated(Replicated { replicas: Some(count) })
}

fn put(state: &mut State, slot: u64, id: &str, seen: TaskState) {
    let node = state.nodes.keys().next().unwrap().clone();
    let mut task = Task {
        id: id.to_owned(),
        service_id: ID.to_owned(),
        slot,
        node_id: node,
        desired_state: TaskState::Running,
        ..Task::default()
    };
    task.status.state = seen;
    state.tasks.insert(task.id.clone(), task);
}

fn text(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| format!("{}: {}", line.id, line.text)).collect()
}

/// The lines that are for terminals and others.
fn plain(lines: &[Line]) -> Vec<String> {
    let plain: Vec<_> = lines.iter().filter(|line| line.bar.is_none()).cloned().collect();
    text(&plain)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_service_converges() {
    let mut state = state(replicas(2));
    let mut progress = Progress::new(ID);
    let (lines, next) = progress.step(&state, ID, secs(0));
    assert_eq!(
        text(&lines),
        [
            "overall progress: 0 out of 2 tasks",
            "1/2:  ",
            "2/2:  ",
            "overall progress: 0 out of 2 tasks"
        ]
    );
    assert_eq!(next, Next::Wait(None));
    put(&mut state, 1, "a", TaskState::Assigned);
    put(&mut state, 2, "b", TaskState::Running);
    let (lines, _) = progress.step(&state, ID, secs(1));
    assert_eq!(
        text(&lines),
        ["1/2: assigned ", "2/2: running  ", "overall progress: 1 out of 2 tasks"]
    );
    assert_eq!(lines[0].bar, Some((4, 9)));
    put(&mut state, 1, "a", TaskState::Running);
    let (lines, next) = progress.step(&state, ID, secs(2));
    assert_eq!(
        plain(&lines),
        [
            "overall progress: 2 out of 2 tasks",
            "verify: Waiting 5 seconds to verify that tasks are stable..."
        ]
    );
    assert_eq!(next, Next::Wait(Some(secs(1))));
    let (lines, _) = progress.step(&state, ID, secs(6));
    assert_eq!(text(&lines), ["verify: Waiting 1 seconds to verify that tasks are stable..."]);
    let (lines, next) = progress.step(&state, ID, secs(7));
    assert_eq!(text(&lines), [format!("verify: Service {ID} converged")]);
    assert_eq!(next, Next::Done);
}

#[test]
fn a_task_that_fails_begins_the_watch_anew() {
    let mut state = state(replicas(1));
    let mut progress = Progress::new("w");
    put(&mut state, 1, "a", TaskState::Running);
    progress.step(&state, ID, secs(0));
    put(&mut state, 1, "a", TaskState::Failed);
    let task = state.tasks.get_mut("a").unwrap();
    task.desired_state = TaskState::Shutdown;
    task.status.err = "task: non-zero exit (1)".to_owned();
    let (lines, next) = progress.step(&state, ID, secs(1));
    assert_eq!(
        text(&lines),
        [
            "1/1: task: non-zero exit (1)",
            "overall progress: 0 out of 1 tasks",
            "verify: Detected task failure"
        ]
    );
    assert_eq!(next, Next::Wait(None));
    // The one that takes its place counts from now on.
    put(&mut state, 1, "b", TaskState::Running);
    let (lines, _) = progress.step(&state, ID, secs(2));
    assert!(text(&lines).last().unwrap().starts_with("verify: Waiting 5 seconds"));
}

#[test]
fn updates_that_stop_are_told() {
    let mut state = state(replicas(1));
    let mut status = |how: UpdateState| {
        state.services.get_mut(ID).unwrap().update_status = Some(UpdateStatus {
            state: how,
            started_at: None,
            completed_at: None,
            message: "update paused due to failure or early termination of task x".to_owned(),
        });
        Progress::new("ru").step(&state, ID, secs(0))
    };
    let words = "update paused due to failure or early termination of task x";
    assert_eq!(
        status(UpdateState::Paused).1,
        Next::Failed(format!("service update paused: {words}"))
    );
    assert_eq!(
        status(UpdateState::RollbackPaused).1,
        Next::Failed(format!("service rollback paused: {words}"))
    );
    let (lines, _) = status(UpdateState::RollbackStarted);
    assert_eq!(
        text(&lines)[..2],
        [
            format!("rollback: {words}"),
            "overall progress: rolling back update: 0 out of 1 tasks".to_owned()
        ]
    );
}

#[test]
fn tasks_of_another_spec_do_not_count() {
    let mut state = state(replicas(1));
    put(&mut state, 1, "a", TaskState::Running);
    let service = state.services.get_mut(ID).unwrap();
    service.own.spec_version = 7;
    service.spec.task_template.force_update = 1;
    let mut progress = Progress::new("w");
    let (lines, _) = progress.step(&state, ID, secs(0));
    assert_eq!(text(&lines).last().unwrap(), "overall progress: 0 out of 1 tasks");
    // A change of the service that leaves the tasks as they are.
    state.services.get_mut(ID).unwrap().spec.task_template.force_update = 0;
    let (lines, _) = progress.step(&state, ID, secs(0));
    assert!(text(&lines).last().unwrap().starts_with("verify"));
}

#[test]
fn a_job_ends_when_all_is_complete() {
    let job = ReplicatedJob { max_concurrent: Some(2), total_completions: Some(3) };
    let mut state = state(Mode::ReplicatedJob(job));
    let mut progress = Progress::new("j1");
    let (lines, _) = progress.step(&state, ID, secs(0));
    assert_eq!(
        plain(&lines),
        [
            "active tasks: 0 out of 2 tasks",
            "1/3:  ",
            "2/3:  ",
            "3/3:  ",
            "active tasks: 0 out of 2 tasks"
        ]
    );
    for (slot, id, seen) in
        [(0, "a", TaskState::Complete), (1, "b", TaskState::Complete), (2, "c", TaskState::Running)]
    {
        put(&mut state, slot, id, seen);
        state.tasks.get_mut(id).unwrap().job_iteration = Some(Default::default());
    }
    let (lines, next) = progress.step(&state, ID, secs(1));
    assert_eq!(plain(&lines), ["active tasks: 1 out of 1 tasks"]);
    assert_eq!(text(&lines)[3], "job progress: 2 out of 3 complete");
    assert_eq!(next, Next::Wait(None));
    put(&mut state, 2, "c", TaskState::Complete);
    let (lines, next) = progress.step(&state, ID, secs(2));
    assert_eq!(plain(&lines), ["active tasks: 0 out of 0 tasks", ": job complete"]);
    assert_eq!(next, Next::Done);
}

#[test]
fn a_global_service_waits_for_tasks() {
    let mut state = state(Mode::Global {});
    let mut progress = Progress::new("g1");
    let (lines, _) = progress.step(&state, ID, secs(0));
    assert_eq!(text(&lines), ["overall progress: waiting for new tasks"]);
    put(&mut state, 0, "a", TaskState::Preparing);
    let (lines, _) = progress.step(&state, ID, secs(0));
    assert_eq!(
        text(&lines),
        [
            "overall progress: 0 out of 1 tasks",
            "mhexz1rvopqi: preparing",
            "overall progress: 0 out of 1 tasks"
        ]
    );
}

#[test]
fn a_service_that_was_removed_is_missed() {
    let mut state = state(replicas(1));
    state.services.clear();
    let (_, next) = Progress::new("w").step(&state, ID, secs(0));
    assert_eq!(next, Next::Failed("Error response from daemon: service w not found".to_owned()));
}
