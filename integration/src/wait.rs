//! Waiting for a condition with a deadline. The only place in the tests that lets time pass.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough for a loaded machine, short enough that a hang is noticed.
pub const DEADLINE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(5);

/// How many times slower than usual this machine is said to be.
pub fn slow() -> u32 {
    static SLOW: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *SLOW.get_or_init(crate::settings::slow)
}

/// The first `Some` that `probe` gives, or `None` when the deadline passed.
pub fn poll<T>(deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline * slow();
    loop {
        if let Some(value) = probe() {
            return Some(value);
        }
        if Instant::now() > end {
            return None;
        }
        thread::sleep(STEP);
    }
}

/// Waits until `condition` holds; fails the test, naming `what`, when it does not within [`DEADLINE`].
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let met = poll(DEADLINE, || condition().then_some(()));
    assert!(met.is_some(), "waited {} s in vain: {what}", DEADLINE.as_secs());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_ends_with_the_first_value_and_at_the_deadline() {
        let mut calls = 0;
        let third = poll(DEADLINE, || {
            calls += 1;
            (calls == 3).then_some(calls)
        });
        assert_eq!(third, Some(3));
        assert_eq!(poll(Duration::ZERO, || None::<u8>), None);
    }
}
