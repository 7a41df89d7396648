//! The machine's clock, compared with one that nobody can set.

use chrono::TimeDelta;
use coracle_runtime::clock;
use coracle_words::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use super::Agent;
use crate::reconcile::moved;

/// Less is how exactly two clocks are read one after the other on a busy machine.
const JUMP: TimeDelta = TimeDelta::seconds(1);

/// What the clocks said at the last look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    wall: Timestamp,
    /// Since the machine was started, sleep included.
    since_boot: TimeDelta,
}

impl Clocks {
    /// `last` is when the state was last written. A clock that is behind it was set back while there was no agent; one
    /// that was set forward cannot be told from time that passed.
    pub(super) fn new(last: Timestamp) -> Self {
        let now = Self::now();
        Self { wall: now.wall.max(last), ..now }
    }

    fn now() -> Self {
        let since_boot = clock_gettime(ClockId::Boottime);
        let since_boot =
            TimeDelta::seconds(since_boot.tv_sec) + TimeDelta::nanoseconds(since_boot.tv_nsec);
        Self { wall: clock::now(), since_boot }
    }

    /// How far the clock was set since the last look.
    fn jump(&mut self) -> Option<TimeDelta> {
        let before = std::mem::replace(self, Self::now());
        let shown = self.wall.datetime() - before.wall.datetime();
        let jump = shown - (self.since_boot - before.since_boot);
        (jump.abs() >= JUMP).then_some(jump)
    }
}

impl Agent<'_> {
    /// Moves what is remembered of moments when the clock was set.
    pub(super) fn follow_clock(&mut self) {
        let before = self.clocks;
        let Some(jump) = self.clocks.jump() else { return };
        let changes = moved(&self.journal.state, jump);
        if !self.note(changes) {
            self.clocks = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_noticed_once() {
        let mut clocks = Clocks::now();
        assert_eq!(clocks.jump(), None);
        for hour in [TimeDelta::hours(1), -TimeDelta::hours(1)] {
            // The last look was when the clock showed something else.
            clocks.wall = (clocks.wall.datetime() - hour).into();
            let jump = clocks.jump().unwrap();
            assert!((jump - hour).abs() < JUMP, "{jump}");
            assert_eq!(clocks.jump(), None);
        }
        let later = Timestamp::from(clock::now().datetime() + TimeDelta::hours(1));
        assert!(Clocks::new(later).jump().is_some_and(|jump| jump < -TimeDelta::minutes(59)));
        assert_eq!(Clocks::new(Timestamp::ZERO).jump(), None);
    }
}
