//! A clock that is set by an hour, forward or back, in the middle of each wait: nothing happens sooner or later.

use chrono::TimeDelta;

use super::super::moved;
use super::basics::replicated;
use super::rollouts::{SECOND, args, config, running};
use super::sim::{Act, Sim};
use crate::model::service::Order;
use crate::model::{RestartPolicy, UpdateConfig};

const HOUR: i64 = 3_600_000;

/// The log from that moment on, with times since then.
fn story(sim: &Sim, since: i64) -> Vec<String> {
    let told = sim.log.iter().map(|line| {
        let (time, what) = line.split_once(' ').unwrap();
        format!("{} {what}", time.parse::<i64>().unwrap() - since)
    });
    told.collect()
}

/// Lets `until` go on for a minute, without a jump and with jumps of an hour at each of these moments.
#[track_caller]
fn goes_on(mut make: impl FnMut() -> Sim, moments: &[i64]) {
    for at in moments {
        let go_on = |sim: &mut Sim, jump: i64| {
            sim.run(*at);
            sim.log.clear();
            sim.now += jump;
            if jump != 0 {
                sim.jump(jump);
                sim.apply(moved(&sim.state, TimeDelta::milliseconds(jump)));
            }
            sim.run(at + jump + 60_000);
            story(sim, at + jump)
        };
        let expected = go_on(&mut make(), 0);
        assert!(!expected.is_empty(), "nothing is waited for at {at}");
        for jump in [HOUR, -HOUR] {
            assert_eq!(go_on(&mut make(), jump), expected, "the clock is set by {jump} at {at}");
        }
    }
}

#[test]
fn restart_delays_and_windows_are_as_long_as_they_were() {
    let make = || {
        let mut sim = Sim::new(1);
        sim.acts.insert("bad".to_owned(), Act::Exit(1000, 3));
        let mut spec = replicated("p", 1);
        args("bad")(&mut spec);
        spec.task_template.restart_policy = Some(RestartPolicy {
            delay: Some(5 * SECOND),
            max_attempts: Some(3),
            window: Some(60 * SECOND),
            ..RestartPolicy::default()
        });
        sim.create(spec);
        sim
    };
    goes_on(make, &[1000, 2000, 4000, 9000]);
}

#[test]
fn updates_take_as_long_as_they_did() {
    for order in [Order::StopFirst, Order::StartFirst] {
        let make = || {
            let mut sim = running(3, replicated("u", 3));
            sim.update("u", |spec| {
                args("good")(spec);
                spec.update_config = Some(UpdateConfig { order: Some(order), ..config(1, 3) });
            });
            sim
        };
        // Stopping, starting, the delay, the monitor time.
        goes_on(make, &[10_500, 11_100, 12_000, 13_000, 19_000, 22_000]);
    }
}

#[test]
fn a_failure_counts_within_the_monitor_time() {
    let make = || {
        let mut sim = running(3, replicated("u", 3));
        sim.acts.insert("late".to_owned(), Act::Exit(4000, 1));
        sim.update("u", |spec| {
            args("late")(spec);
            spec.update_config = Some(config(1, 0));
        });
        sim
    };
    goes_on(make, &[12_000, 14_000, 16_000]);
}

#[test]
fn a_node_is_lost_after_its_heartbeats() {
    let make = || {
        let mut sim = Sim::new(3);
        sim.create(replicated("f", 6));
        sim.run(10_000);
        sim.switch_off("n3");
        sim
    };
    goes_on(make, &[11_000, 20_000, 24_000]);
}
