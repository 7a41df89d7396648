//! The recorded timelines over three nodes, each given the commands that it was recorded with.

use super::basics::{replicated, scale};
use super::replay::Replay;
use super::rollouts::{SECOND, args};
use crate::model::service::{FailureAction, Order};
use crate::model::{Availability, Condition, Placement, RestartPolicy, ServiceSpec, UpdateConfig};

const UPDATES: &str = include_str!("recorded/updates.txt");

fn force(spec: &mut ServiceSpec) {
    spec.task_template.force_update += 1;
}

/// `--update-…` flags: what is not named stays.
fn rolls(spec: &mut ServiceSpec) -> &mut UpdateConfig {
    let default = UpdateConfig { parallelism: 1, ..UpdateConfig::default() };
    spec.update_config.get_or_insert(default)
}

/// A service of three replicas that run.
fn three(name: &str, change: impl FnOnce(&mut ServiceSpec)) -> Replay {
    let mut replay = Replay::new(UPDATES);
    let mut spec = replicated(name, 3);
    args("sleep")(&mut spec);
    change(&mut spec);
    replay.sim.create(spec);
    replay.come_to_rest();
    replay
}

fn policy(delay: i64, change: impl FnOnce(&mut RestartPolicy)) -> RestartPolicy {
    let mut policy = RestartPolicy { delay: Some(delay), ..RestartPolicy::default() };
    change(&mut policy);
    policy
}

#[test]
fn scaling_and_rolling() {
    let mut replay = Replay::new(UPDATES);
    replay.play("t 1", |sim| sim.create(replicated("t", 4)));
    replay.play("t 2", |sim| sim.update("t", scale(6)));
    replay.play("t 3", |sim| sim.update("t", scale(4)));
    replay.play("t 4", |sim| sim.update("t", force));
    let second = |sim: &mut super::sim::Sim| {
        sim.update("t", |spec| {
            force(spec);
            *rolls(spec) =
                UpdateConfig { parallelism: 2, delay: 4 * SECOND, ..rolls(spec).clone() };
        });
    };
    replay.play("t 5", second);
    replay.play("t 6", |sim| {
        sim.update("t", |spec| {
            force(spec);
            let rolls = rolls(spec);
            rolls.parallelism = 1;
            rolls.delay = 2 * SECOND;
            rolls.order = Some(Order::StartFirst);
        });
    });
    replay.play("t 7", |sim| {
        sim.update("t", |spec| {
            force(spec);
            let rolls = rolls(spec);
            rolls.parallelism = 0;
            rolls.delay = 10 * SECOND;
            rolls.order = Some(Order::StopFirst);
        });
    });
}

#[test]
fn a_failing_update_pauses() {
    let mut replay = three("u1", |_| {});
    replay.play("u1 1", |sim| sim.update("u1", args("bad")));
}

#[test]
fn a_failing_update_goes_on() {
    let mut replay = three("u2", |spec| {
        rolls(spec).failure_action = Some(FailureAction::Continue);
    });
    replay.play("u2 1", |sim| sim.update("u2", args("bad")));
}

#[test]
fn a_failing_update_is_rolled_back() {
    let mut replay = three("u3", |spec| {
        rolls(spec).failure_action = Some(FailureAction::Rollback);
        rolls(spec).monitor = 3 * SECOND;
    });
    replay.play("u3 2", |sim| {
        sim.update("u3", |spec| spec.task_template.container_spec.env.push("A=1".to_owned()));
    });
}

#[test]
fn a_ratio_lets_one_of_three_fail() {
    let mut replay = three("u4", |spec| {
        rolls(spec).max_failure_ratio = 0.5;
        rolls(spec).monitor = 2 * SECOND;
    });
    replay.play("u4 1", |sim| sim.update("u4", args("bad")));
}

#[test]
fn what_fails_after_the_monitor_time_does_not_count() {
    let mut replay = three("u5", |spec| rolls(spec).monitor = 2 * SECOND);
    replay.play("u5 1", |sim| sim.update("u5", args("bad")));
}

#[test]
fn a_second_update_interrupts_the_first() {
    let mut replay = three("u6", |spec| rolls(spec).delay = 2 * SECOND);
    let commands: Vec<super::replay::Command<'_>> = vec![
        Box::new(|sim| sim.update("u6", args("9001"))),
        Box::new(|sim| sim.update("u6", args("9002"))),
    ];
    replay.play_all("u6 1", commands, &[]);
}

#[test]
fn an_image_that_is_nowhere() {
    let mut replay = three("u7", |_| {});
    replay.play("u7 1", |sim| sim.update("u7", args("nosuch")));
}

fn constrain(constraints: &[&str]) -> impl FnOnce(&mut ServiceSpec) {
    let constraints = constraints.iter().map(|text| (*text).to_owned()).collect();
    move |spec| {
        spec.task_template.placement = Some(Placement { constraints, ..Placement::default() });
    }
}

#[test]
fn new_tasks_that_fit_nowhere() {
    let mut replay = three("u8", |_| {});
    replay.play("u8 1", |sim| sim.update("u8", constrain(&["node.labels.nosuch==x"])));
    replay.play("u8 2", |sim| sim.update("u8", constrain(&[])));
}

#[test]
fn a_node_is_drained_in_the_middle_of_an_update() {
    let mut replay = three("u9", |spec| rolls(spec).delay = 3 * SECOND);
    let commands: Vec<super::replay::Command<'_>> = vec![
        Box::new(|sim| sim.update("u9", force)),
        // On it is the task that comes last, as in the recording.
        Box::new(|sim| sim.set_node("n3", |node| node.spec.availability = Availability::Drain)),
    ];
    replay.play_all("u9 1", commands, &[]);
}

#[test]
fn a_start_waits_for_health() {
    let mut replay = Replay::new(UPDATES);
    replay.play("h 1", |sim| sim.create(replicated("h", 2)));
    let mut replay = replay.after();
    replay.play("h 2", |sim| {
        let mut spec = replicated("h", 2);
        rolls(&mut spec).order = Some(Order::StartFirst);
        sim.create(spec);
    });
    replay.play("h 3", |sim| sim.update("h", force));
    replay.play("h 4", |sim| {
        sim.update("h", |spec| {
            force(spec);
            rolls(spec).order = Some(Order::StopFirst);
        });
    });
    replay.play("h 5", |sim| {
        sim.update("h", |spec| {
            args("bad")(spec);
            rolls(spec).failure_action = Some(FailureAction::Rollback);
            rolls(spec).monitor = 4 * SECOND;
        });
    });
    replay.keep_slots();
    replay.play("h 6", |_| {});
}

#[test]
fn restart_policies() {
    let restarts =
        |replay: &mut Replay, name: &str, replicas: u64, policy: Option<RestartPolicy>| {
            replay.play(&format!("{name} 1"), |sim| {
                let mut spec = replicated(name, replicas);
                spec.task_template.restart_policy = policy;
                sim.create(spec);
            });
        };
    let policies = [
        ("p1", 1, None),
        ("p2", 1, Some(policy(SECOND, |it| it.max_attempts = Some(2)))),
        (
            "p3",
            1,
            Some(policy(SECOND / 2, |it| {
                it.max_attempts = Some(2);
                it.window = Some(4 * SECOND);
            })),
        ),
        (
            "p4",
            1,
            Some(policy(SECOND / 2, |it| {
                it.max_attempts = Some(2);
                it.window = Some(20 * SECOND);
            })),
        ),
        ("p5", 1, Some(policy(SECOND, |it| it.condition = Some(Condition::OnFailure)))),
        ("p6", 1, Some(policy(5 * SECOND, |it| it.condition = Some(Condition::None)))),
        ("p7", 2, Some(policy(SECOND, |it| it.condition = Some(Condition::OnFailure)))),
    ];
    let mut replay = Replay::new(UPDATES);
    replay.rests = false;
    for (name, replicas, policy) in policies {
        restarts(&mut replay, name, replicas, policy);
    }
    replay.play("p4 2", |sim| sim.update("p4", force));
}

#[test]
fn a_stop_takes_its_grace() {
    let mut replay = Replay::new(UPDATES);
    replay.play("z 1", |sim| sim.create(replicated("z", 2)));
    replay.play("z 2", |sim| sim.update("z", force));
    replay.play("z 3", |sim| sim.update("z", scale(1)));
    let mut replay = Replay::new(UPDATES);
    replay.play("y 1", |sim| sim.create(replicated("y", 2)));
    replay.play("y 2", |sim| {
        sim.update("y", |spec| {
            force(spec);
            rolls(spec).parallelism = 2;
        });
    });
}
