//! Restart policies: whether and when a container that ended starts again.
//!
//! Docker waits 100 ms, doubles the wait at each restart up to a minute, and begins anew
//! after a run of ten seconds. Pure: the caller has the clock.

use std::time::Duration;

use crate::model::RestartPolicy;

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
