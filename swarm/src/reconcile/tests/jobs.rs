//! Jobs.

use super::basics::{replicated, with_mode};
use super::sim::{Act, Sim};
use crate::model::service::ReplicatedJob;
use crate::model::{Availability, Condition, Mode, RestartPolicy, TaskState};

fn job(completions: u64, concurrent: u64) -> Mode {
    Mode::ReplicatedJob(ReplicatedJob {
        max_concurrent: Some(concurrent),
        total_completions: Some(completions),
    })
}

fn states(sim: &Sim, name: &str) -> Vec<(u64, String)> {
    let mut states: Vec<_> = sim
        .state
        .tasks_of(name)
        .map(|task| (task.slot, format!("{} {}", task.desired_state, task.status.state)))
        .collect();
    states.sort();
    states
}

#[test]
fn so_many_completions_so_many_at_once() {
    let mut sim = Sim::new(3);
    sim.acts.insert(String::new(), Act::Exit(2000, 0));
    sim.create(with_mode("rjc", job(4, 2)));
    let mut most = 0;
    sim.run_checked(10_000, |sim| most = most.max(sim.running("rjc").len()));
    assert_eq!(most, 2);
    let done = "complete complete".to_owned();
    assert_eq!(states(&sim, "rjc"), (0..4).map(|slot| (slot, done.clone())).collect::<Vec<_>>());
    sim.log.clear();
    sim.update("rjc", |spec| spec.mode = job(5, 5));
    sim.run(20_000);
    assert_eq!(sim.lines("12300 rjc").len(), 5, "all run again: {:#?}", sim.log);
    assert_eq!(states(&sim, "rjc").len(), 5, "those of before are gone");
    assert_eq!(sim.state.services["rjc"].job_status.unwrap().job_iteration.index, 1);
    sim.set_node("n3", |node| node.spec.availability = Availability::Drain);
    sim.log.clear();
    sim.run(30_000);
    assert!(sim.log.is_empty(), "a finished job does not run again");
}

#[test]
fn a_failing_job_ends_with_its_attempts() {
    let mut sim = Sim::new(1);
    sim.acts.insert(String::new(), Act::Exit(100, 1));
    let mut spec = with_mode("j3", job(1, 1));
    spec.task_template.restart_policy = Some(RestartPolicy {
        condition: Some(Condition::OnFailure),
        delay: Some(1_000_000_000),
        max_attempts: Some(2),
        ..RestartPolicy::default()
    });
    sim.create(spec);
    sim.run(30_000);
    let spent = (0, "shutdown failed".to_owned());
    assert_eq!(states(&sim, "j3"), [spent.clone(), spent.clone(), spent]);
    assert_eq!(sim.lines("j3.n1#2 n1 ready assigned").len(), 1, "{:#?}", sim.log);
    assert_eq!(sim.lines("j3.n1#2 n1 complete ready").len(), 1, "{:#?}", sim.log);
}

#[test]
fn a_global_job_runs_once_on_each_node() {
    let mut sim = Sim::new(3);
    sim.acts.insert(String::new(), Act::Exit(30_000, 0));
    sim.create(with_mode("gj", Mode::GlobalJob {}));
    sim.run(2000);
    assert_eq!(sim.running("gj").len(), 3);
    sim.set_node("n3", |node| node.spec.availability = Availability::Drain);
    sim.log.clear();
    sim.run(10_000);
    assert!(sim.log.is_empty(), "a drain leaves it alone: {:#?}", sim.log);
    sim.set_node("n3", |node| node.spec.availability = Availability::Active);
    sim.run(40_000);
    assert!(sim.state.tasks_of("gj").all(|task| task.status.state == TaskState::Complete));
    sim.update("gj", |spec| spec.task_template.force_update += 1);
    sim.run(80_000);
    assert_eq!(sim.state.tasks.len(), 3);
    sim.create(replicated("other", 1));
    sim.run(81_000);
    assert_eq!(sim.running("other").len(), 1);
}
