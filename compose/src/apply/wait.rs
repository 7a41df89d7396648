//! `--wait`: until everything runs, and is healthy where something checks that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coracle_runtime::model::{HealthStatus, State, Status, Timestamp};
use coracle_runtime::records::Life;

use super::conditions::{Goal, SETTLED, Verdict, verdict};
use super::{Apply, ApplyError, Kind, Turn};
use crate::project::Condition;

/// A container that has been restarted so often while it was waited for is worth a word.
const RESTARTS_TOLD: u32 = 5;

/// A container that is waited for.
#[derive(Clone)]
pub(super) struct Wait {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) goal: Goal,
    pub(super) required: bool,
    pub(super) done: bool,
    /// The start that was seen last, by the record and by our clock.
    begun: Option<(Timestamp, Instant)>,
    /// When it will have run for long enough, if nothing but that is to be seen of it.
    settles: Option<Instant>,
    complained: bool,
}

impl Wait {
    pub(super) fn new(service: &str, name: String, id: String, goal: Goal, required: bool) -> Self {
        let service = service.to_owned();
        let (done, complained) = (false, false);
        Self { service, name, id, goal, required, done, begun: None, settles: None, complained }
    }

    /// How it stands with the container.
    pub(super) fn verdict(&mut self, state: &State) -> Verdict {
        let ran = self.ran(state);
        let unchecked =
            state.health.as_ref().is_none_or(|health| health.status == HealthStatus::None);
        let up = [Goal::RunningOrHealthy, Goal::Depends(Condition::ServiceHealthy)];
        let counts = up.contains(&self.goal) && unchecked;
        let settling = counts && state.status == Status::Running && ran < SETTLED;
        self.settles = settling.then(|| Instant::now() + (SETTLED - ran));
        verdict(&self.name, state, self.goal, ran)
    }

    /// How long it has run since its last start. A host clock that was set back makes that
    /// longer to find out, not wrong.
    fn ran(&mut self, state: &State) -> Duration {
        let now = Instant::now();
        let begun = match self.begun {
            Some((start, begun)) if start == state.started_at => begun,
            _ => {
                let age = coracle_runtime::clock::now().datetime() - state.started_at.datetime();
                let age = age.to_std().unwrap_or_default().min(SETTLED);
                now.checked_sub(age).unwrap_or(now)
            }
        };
        self.begun = Some((state.started_at, begun));
        now.duration_since(begun)
    }

    /// How long it still has to run.
    pub(super) fn settles_in(&self) -> Option<Duration> {
        Some(self.settles?.saturating_duration_since(Instant::now()))
    }

    /// What to tell, once, of a container that never stays up.
    pub(super) fn complaint(&mut self, life: &Life) -> Option<String> {
        let loops = life.state.status == Status::Restarting && life.restart_count >= RESTARTS_TOLD;
        if !loops || self.goal != Goal::RunningOrHealthy || self.complained {
            return None;
        }
        self.complained = true;
        Some(format!(
            "container {} keeps restarting: it exited ({}) {} times; --wait-timeout bounds this wait",
            self.name,
            life.state.exit_code,
            life.restart_count + 1
        ))
    }
}

impl Apply<'_> {
    /// Waits until the containers of these services are up.
    ///
    /// # Errors
    /// When one ends, turns unhealthy, or the time is over.
    pub fn wait_healthy(&mut self, services: &[String]) -> Result<(), ApplyError> {
        let mut waits = Vec::new();
        // What somebody needs to complete is not expected to go on.
        let mut goals: BTreeMap<&str, Goal> = BTreeMap::new();
        for service in self.project.services.values() {
            for (on, dependency) in &service.depends_on {
                if dependency.condition == Condition::ServiceCompletedSuccessfully {
                    goals.insert(on, Goal::Depends(dependency.condition));
                }
            }
        }
        for name in services {
            let goal = goals.get(name.as_str()).copied().unwrap_or(Goal::RunningOrHealthy);
            waits.extend(self.containers_of(name, goal, true)?);
        }
        for wait in &waits {
            self.follow(&wait.id);
            self.watcher.tell(Kind::Container, &wait.name, "Waiting");
        }
        let end = self.end_of_wait();
        while !self.check(&mut waits)? {
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                return Err(self.not_in_time());
            }
            let settled = waits.iter().filter_map(Wait::settles_in);
            let left = end.map(|end| end - now);
            let longest = settled.chain(left).min().unwrap_or(Duration::MAX);
            self.wait_at_most(&[], longest)?;
            if self.watcher.turn() == Turn::Interrupted {
                return Err(ApplyError::Interrupted);
            }
        }
        Ok(())
    }

    /// When the patience for what services wait for is over.
    pub(super) fn end_of_wait(&self) -> Option<Instant> {
        let longest = Some(self.settings.wait_s).filter(|seconds| *seconds > 0)?;
        Instant::now().checked_add(Duration::from_secs(longest))
    }

    pub(super) fn not_in_time(&self) -> ApplyError {
        let seconds = i64::try_from(self.settings.wait_s).unwrap_or(i64::MAX);
        let time = coracle_words::duration::format(seconds.saturating_mul(1_000_000_000));
        ApplyError::NotInTime { time }
    }
}
