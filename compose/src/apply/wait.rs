//! `--wait`: until everything runs, and is healthy where something checks that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::conditions::Goal;
use super::{Apply, ApplyError, Kind, Turn};
use crate::project::Condition;

/// How long health is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Zero: for ever.
    pub longest_s: u64,
}

impl Apply<'_> {
    /// Waits until the containers of these services are up.
    ///
    /// # Errors
    /// When one ends, turns unhealthy, or the time is over.
    pub fn wait_healthy(&mut self, services: &[String], health: Health) -> Result<(), ApplyError> {
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
            self.watch.add(&self.engine.paths().container(&wait.id));
            self.watcher.tell(Kind::Container, &wait.name, "Waiting");
        }
        let end =
            (health.longest_s > 0).then(|| Instant::now() + Duration::from_secs(health.longest_s));
        while !self.check(&mut waits)? {
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(ApplyError::NotInTime { seconds: health.longest_s });
            }
            self.wait_for(&[])?;
            if self.watcher.turn() == Turn::Interrupted {
                return Err(ApplyError::Interrupted);
            }
        }
        Ok(())
    }
}
