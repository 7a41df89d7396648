//! When to try again, and after how long.
//!
//! Pauses double from the first one, each shortened by a random part of up to a
//! half, so that many clients do not come back at the same moment. A pause the
//! registry asked for is kept, up to the policy's longest.

use std::time::Duration;

use super::error::RegistryError;
use super::settings::RetryPolicy;

/// Counts failures in a row.
#[derive(Debug)]
pub(crate) struct Retry {
    policy: RetryPolicy,
    failures: u32,
}

impl Retry {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, failures: 0 }
    }

    /// Something got through: the next failure counts as the first.
    pub(crate) fn progress(&mut self) {
        self.failures = 0;
    }

    /// The pause before the next attempt, or the error when there is to be none.
    pub(crate) fn after(&mut self, error: RegistryError) -> Result<Duration, RegistryError> {
        self.failures += 1;
        if !error.is_retryable() || self.failures >= self.policy.attempts {
            return Err(error);
        }
        let wanted = match error.retry_after() {
            Some(asked) => asked,
            None => backoff(self.policy.first_delay, self.failures, random_fraction()),
        };
        Ok(wanted.min(self.policy.max_delay))
    }
}

/// `first` doubled with each failure, less up to a half by `jitter` in 0..1.
fn backoff(first: Duration, failures: u32, jitter: f64) -> Duration {
    let doubled = first.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)));
    doubled.mul_f64(1.0 - jitter / 2.0)
}

/// A number in 0..1; how well it is distributed hardly matters.
fn random_fraction() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(0u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 3,
        first_delay: Duration::from_millis(100),
        max_delay: Duration::from_secs(5),
    };

    fn status(status: u16, retry_after: Option<u64>) -> RegistryError {
        RegistryError::from_body(status, b"", retry_after.map(Duration::from_secs))
    }

    #[test]
    fn pauses_double() {
        let first = Duration::from_millis(100);
        assert_eq!(backoff(first, 1, 0.0), Duration::from_millis(100));
        assert_eq!(backoff(first, 3, 0.0), Duration::from_millis(400));
        assert_eq!(backoff(first, 3, 0.5), Duration::from_millis(300));
    }

    #[test]
    fn gives_up_after_the_last_attempt_without_progress() {
        let mut retry = Retry::new(POLICY);
        assert!(retry.after(status(503, None)).is_ok());
        assert!(retry.after(status(503, None)).is_ok());
        retry.progress();
        assert!(retry.after(status(503, None)).is_ok());
        assert!(retry.after(status(503, None)).is_ok());
        assert!(retry.after(status(503, None)).is_err());
    }

    #[test]
    fn the_registry_may_ask_for_a_pause_but_not_for_any() {
        let mut retry = Retry::new(POLICY);
        assert_eq!(retry.after(status(429, Some(2))).unwrap(), Duration::from_secs(2));
        assert_eq!(retry.after(status(429, Some(999))).unwrap(), Duration::from_secs(5));
    }

    #[test]
    fn a_refusal_is_final() {
        assert!(Retry::new(POLICY).after(status(404, None)).is_err());
        assert!(Retry::new(POLICY).after(status(501, None)).is_err());
    }
}
