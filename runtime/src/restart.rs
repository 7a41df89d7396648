//! Restart policies: whether and when a container that ended starts again.
//!
//! Docker waits 100 ms, doubles the wait at each restart up to a minute, and begins anew
//! after a run of ten seconds. Pure: the caller has the clock.

use std::time::Duration;

use chrono::TimeDelta;

use crate::model::{RestartPolicy, Timestamp};

const DELAY_MIN: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(60);
const GOOD_RUN: Duration = Duration::from_secs(10);

/// The policy of one container and how often it has been applied.
#[derive(Clone, Debug)]
pub(crate) struct Restart {
    policy: RestartPolicy,
    delay: Duration,
    failures: u32,
}

impl Restart {
    #[must_use]
    pub(crate) fn new(policy: &RestartPolicy) -> Self {
        Self { policy: policy.clone(), delay: DELAY_MIN, failures: 0 }
    }

    /// Another policy from now on; what was counted stays.
    pub(crate) fn change(&mut self, policy: &RestartPolicy) {
        self.policy.clone_from(policy);
    }

    /// Whether a container is kept up though the machine, or the user's session, ended.
    #[must_use]
    pub(crate) fn outlives_the_machine(&self) -> bool {
        matches!(self.policy.name.as_str(), "always" | "unless-stopped")
    }

    /// How long to wait before the next start; `None` when there is none.
    pub(crate) fn after_exit(
        &mut self,
        code: i32,
        ran: Duration,
        stopped: bool,
    ) -> Option<Duration> {
        if stopped {
            return None;
        }
        if ran >= GOOD_RUN {
            self.delay = DELAY_MIN;
            self.failures = 0;
        }
        let again = match self.policy.name.as_str() {
            "always" | "unless-stopped" => true,
            "on-failure" => {
                let limit = self.policy.maximum_retry_count;
                code != 0 && (limit == 0 || self.failures < limit)
            }
            _ => false,
        };
        if !again {
            return None;
        }
        self.failures += 1;
        let delay = self.delay;
        self.delay = (delay * 2).min(DELAY_MAX);
        Some(delay)
    }
}

/// How long commands wait before they start a container once more that they started in vain so
/// often.
#[must_use]
pub(crate) fn delay_after(tries: u32) -> Duration {
    DELAY_MIN.saturating_mul(2u32.saturating_pow(tries)).min(DELAY_MAX)
}

/// Whether it is time; a clock that was put back does not make it late.
#[must_use]
pub(crate) fn is_time(due: Timestamp, now: Timestamp) -> bool {
    let left = due.datetime() - now.datetime();
    left <= TimeDelta::zero() || left.to_std().is_ok_and(|left| left > DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, maximum_retry_count: u32) -> Restart {
        Restart::new(&RestartPolicy { name: name.to_owned(), maximum_retry_count })
    }

    #[test]
    fn the_delay_doubles_up_to_a_minute_and_starts_anew_after_a_good_run() {
        let mut restart = policy("always", 0);
        let delays: Vec<u128> = (0..12)
            .map(|_| restart.after_exit(0, Duration::ZERO, false).unwrap().as_millis())
            .collect();
        assert_eq!(
            delays,
            [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]
        );
        let delay = restart.after_exit(0, Duration::from_secs(10), false);
        assert_eq!(delay, Some(Duration::from_millis(100)));
    }

    #[test]
    fn the_next_try_of_a_command_has_its_time() {
        let delays: Vec<u128> = [0, 1, 9, 10, 99].map(|n| delay_after(n).as_millis()).to_vec();
        assert_eq!(delays, [100, 200, 51_200, 60_000, 60_000]);
        let now = crate::clock::now();
        let later = |seconds| Timestamp::from(now.datetime() + TimeDelta::seconds(seconds));
        assert!(is_time(now, now) && is_time(later(-9), now) && !is_time(later(9), now));
        assert!(is_time(later(3600), now), "the clock was put back");
    }

    #[test]
    fn on_failure_counts_and_ignores_success() {
        let mut restart = policy("on-failure", 2);
        assert_eq!(restart.after_exit(0, Duration::ZERO, false), None);
        assert!(restart.after_exit(1, Duration::ZERO, false).is_some());
        assert!(restart.after_exit(1, Duration::ZERO, false).is_some());
        assert_eq!(restart.after_exit(1, Duration::ZERO, false), None);
    }

    #[test]
    fn a_stopped_container_stays_stopped() {
        assert_eq!(policy("always", 0).after_exit(0, Duration::ZERO, true), None);
        assert_eq!(policy("no", 0).after_exit(1, Duration::ZERO, false), None);
    }
}
