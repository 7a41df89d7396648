//! Updates that fail: pause, continue, rollback, the ratio, and the monitor time.

use super::basics::replicated;
use super::rollouts::{SECOND, args, config, running, story};
use super::sim::{Act, Sim};
use crate::model::service::FailureAction;
use crate::model::{ServiceSpec, UpdateConfig};

fn failing(action: Option<FailureAction>, monitor: i64, ratio: f64) -> ServiceSpec {
    let mut spec = replicated("u", 3);
    spec.update_config = Some(UpdateConfig {
        failure_action: action,
        monitor: monitor * SECOND,
        max_failure_ratio: ratio,
        ..config(1, 0)
    });
    spec
}

/// A service whose `bad` tasks fail half a second after their start.
fn service(spec: ServiceSpec) -> Sim {
    let mut sim = running(3, spec);
    sim.acts.insert("bad".to_owned(), Act::Exit(500, 7));
    sim.acts.insert("late".to_owned(), Act::Exit(5000, 1));
    sim
}

fn status(sim: &Sim) -> (String, String) {
    let status = sim.state.services["u"].update_status.clone().unwrap();
    (serde_json::to_value(status.state).unwrap().as_str().unwrap().to_owned(), status.message)
}

#[test]
fn pause_is_the_default() {
    let mut sim = service(failing(None, 0, 0.0));
    sim.update("u", args("bad"));
    sim.run(17_000);
    assert_eq!(
        story(&sim),
        [
            "10000 u.1#1 shutdown running",
            "10000 Updating",
            "11200 u.1#2 running running",
            "11200 u.2#1 shutdown running",
            "11700 u.1#2 running failed",
            "11700 u.1#2 shutdown failed",
            "11700 Paused",
            "12400 u.2#2 running running",
            "12900 u.2#2 running failed",
            "12900 u.2#2 shutdown failed",
            "16900 u.1#3 running running",
        ]
    );
    let failed = sim.state.tasks_of("u").find(|task| task.status.state.to_string() == "failed");
    let id = failed.unwrap().id.clone();
    assert_eq!(
        status(&sim),
        (
            "paused".to_owned(),
            format!("update paused due to failure or early termination of task {id}")
        )
    );
    sim.log.clear();
    sim.roll_back("u");
    sim.run(60_000);
    assert_eq!(status(&sim), ("rollback_completed".to_owned(), "rollback completed".to_owned()));
    assert_eq!(sim.running("u").len(), 3);
    assert!(sim.lines("u.3").is_empty(), "only slots that differ are touched: {:#?}", sim.log);
    sim.log.clear();
    sim.roll_back("u");
    sim.run(70_000);
    let (state, message) = status(&sim);
    assert_eq!(state, "rollback_paused", "forward again, to what failed");
    assert!(message.starts_with("update paused due to failure"), "{message}");
}

#[test]
fn continue_goes_on() {
    let mut sim = service(failing(Some(FailureAction::Continue), 0, 0.0));
    sim.update("u", args("bad"));
    sim.run(19_000);
    assert_eq!(status(&sim).0, "completed", "{:#?}", story(&sim));
    assert!(story(&sim).contains(&"18600 Completed".to_owned()), "{:#?}", story(&sim));
}

#[test]
fn rollback_rolls_back() {
    let mut sim = service(failing(Some(FailureAction::Rollback), 3, 0.0));
    sim.update("u", args("bad"));
    sim.run(60_000);
    let story = story(&sim);
    assert_eq!(
        story[..7],
        [
            "10000 u.1#1 shutdown running",
            "10000 Updating",
            "11200 u.1#2 running running",
            "11200 u.2#1 shutdown running",
            "11700 u.1#2 running failed",
            "11700 u.1#2 shutdown failed",
            "11700 RollbackStarted",
        ]
    );
    assert_eq!(status(&sim), ("rollback_completed".to_owned(), "rollback completed".to_owned()));
    assert_eq!(sim.running("u").len(), 3);
    let service = &sim.state.services["u"];
    assert!(service.spec.task_template.container_spec.args.is_empty());
    assert!(service.previous_spec.is_none());
    assert_eq!(sim.lines(" u.3#2").len(), 0, "{story:#?}");
}

#[test]
fn a_ratio_allows_some() {
    let mut sim = service(failing(None, 2, 0.5));
    sim.acts.insert("u.2 odd".to_owned(), Act::Exit(500, 7));
    sim.update("u", args("odd"));
    sim.run(19_000);
    assert_eq!(status(&sim).0, "completed", "{:#?}", story(&sim));
    assert!(story(&sim).contains(&"15600 Completed".to_owned()), "{:#?}", story(&sim));
}

#[test]
fn failures_after_the_monitor_time_do_not_count() {
    let mut sim = service(failing(None, 2, 0.0));
    sim.update("u", args("late"));
    sim.run(19_000);
    assert_eq!(status(&sim).0, "completed", "{:#?}", story(&sim));
}

#[test]
fn a_rejected_task_pauses_and_waits_for_the_old_one() {
    let mut sim = service(failing(None, 0, 0.0));
    sim.acts.insert("nosuch".to_owned(), Act::Reject);
    sim.update("u", args("nosuch"));
    sim.run(13_000);
    assert_eq!(
        story(&sim),
        [
            "10000 u.1#1 shutdown running",
            "10000 Updating",
            "10100 u.1#2 ready rejected",
            "10100 Paused",
            "11000 u.1#2 shutdown rejected",
            "11100 u.1#3 ready rejected",
        ]
    );
}

#[test]
fn a_good_update_after_a_bad_one_does_not_wait_for_restart_delays() {
    let mut sim = service(failing(None, 1, 0.0));
    sim.update("u", args("bad"));
    sim.run(14_000);
    sim.log.clear();
    sim.update("u", |spec| {
        args("good")(spec);
        spec.update_config = Some(config(0, 0));
    });
    sim.run(30_000);
    assert_eq!(sim.lines("14300 u.1").len(), 1, "{:#?}", sim.log);
    assert_eq!(sim.running("u").len(), 3);
    assert_eq!(status(&sim).0, "completed");
}
