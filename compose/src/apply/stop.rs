//! Containers are stopped and removed: a wave at a time, those of a wave together.

use std::collections::{BTreeMap, BTreeSet};

use coracle_runtime::engine::RemoveOptions;
use coracle_runtime::model::Attach;
use coracle_runtime::records::RecordError;

use super::conditions::Goal;
use super::wait::Wait;
use super::{Apply, ApplyError, Kind, Turn};
use crate::plan::{Action, Seen, Step};
use crate::project::{Condition, labels};

/// What is done with the containers of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teardown {
    Stop,
    /// Stop and remove; with their anonymous volumes or without.
    Remove {
        volumes: bool,
    },
}

/// Containers in waves for the end: first those that nobody depends on.
#[must_use]
pub fn waves_of(containers: &[Seen]) -> Vec<Vec<Seen>> {
    let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for seen in containers {
        let on = left.entry(&seen.service).or_default();
        on.extend(seen.depends_on.iter().map(|dependency| dependency.service.as_str()));
    }
    let mut waves = Vec::new();
    while !left.is_empty() {
        let needed: BTreeSet<&str> = left
            .iter()
            .flat_map(|(name, on)| on.iter().filter(move |other| *other != name))
            .copied()
            .collect();
        let mut wave: Vec<&str> =
            left.keys().copied().filter(|name| !needed.contains(name)).collect();
        if wave.is_empty() {
            // Labels that contradict each other keep nothing from ending.
            wave = left.keys().copied().collect();
        }
        left.retain(|name, _| !wave.contains(name));
        let of_wave = containers.iter().filter(|seen| wave.contains(&seen.service.as_str()));
        waves.push(of_wave.cloned().collect());
    }
    waves
}

/// What follows the end of a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    /// It is started again.
    Again,
    /// Another takes its place.
    Another,
}

impl Apply<'_> {
    /// Ends all containers, those first that others are needed by.
    ///
    /// # Errors
    /// The first failure.
    pub fn tear_down(&mut self, containers: &[Seen], how: Teardown) -> Result<(), ApplyError> {
        for wave in waves_of(containers) {
            let mut failure = None;
            let mut left: Vec<&Seen> = Vec::new();
            for seen in &wave {
                self.watcher.tell(Kind::Container, &seen.name, "Stopping");
                match self.begin_stop(&seen.id, &seen.name) {
                    Ok(()) => left.push(seen),
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            while !left.is_empty() {
                let ready = self.ready(&left)?;
                let mut still = Vec::new();
                for (seen, ready) in left.into_iter().zip(ready) {
                    if ready {
                        self.finish(seen, how)?;
                    } else {
                        still.push(seen);
                    }
                }
                left = still;
                if self.watcher.turn() == Turn::Interrupted {
                    return Err(ApplyError::Interrupted);
                }
            }
            // Who goes on may need those that would be next.
            failure.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// Which of these have ended or have something to say.
    fn ready(&self, left: &[&Seen]) -> Result<Vec<bool>, ApplyError> {
        let watched: Vec<_> =
            left.iter().map(|seen| self.endings.get(&seen.id).and_then(|e| e.watch())).collect();
        if watched.iter().any(Option::is_none) {
            return Ok(watched.iter().map(Option::is_none).collect());
        }
        let fds: Vec<_> = watched.into_iter().flatten().collect();
        self.wait_for(&fds)
    }

    fn finish(&mut self, seen: &Seen, how: Teardown) -> Result<(), ApplyError> {
        if let Some(ending) = self.endings.remove(&seen.id) {
            ending.wait()?;
        }
        self.watcher.tell(Kind::Container, &seen.name, "Stopped");
        if let Teardown::Remove { volumes } = how {
            self.remove(&seen.id, &seen.name, volumes)?;
        }
        Ok(())
    }

    /// Ends what still runs at once.
    ///
    /// # Errors
    /// When a monitor refuses, or [`ApplyError::Interrupted`] when nobody wants to wait for it.
    pub fn kill_all(&mut self, containers: &[Seen]) -> Result<(), ApplyError> {
        let mut left = Vec::new();
        for seen in containers {
            if self.engine.records.lives(&self.engine.records.life(&seen.id)?) {
                self.watcher.tell(Kind::Container, &seen.name, "Killing");
                let ending = self.engine.stop(&seen.id, None, Some(0))?;
                self.endings.insert(seen.id.clone(), ending);
                left.push(seen);
            }
        }
        while !left.is_empty() {
            let ready = self.ready(&left)?;
            let mut still = Vec::new();
            for (seen, ready) in left.into_iter().zip(ready) {
                if !ready {
                    still.push(seen);
                } else if let Some(ending) = self.endings.remove(&seen.id) {
                    ending.wait()?;
                    self.watcher.tell(Kind::Container, &seen.name, "Killed");
                }
            }
            left = still;
            if self.watcher.turn() == Turn::Interrupted {
                return Err(ApplyError::Interrupted);
            }
        }
        Ok(())
    }

    /// Sends a signal to containers; after SIGKILL they are waited for.
    ///
    /// # Errors
    /// When one does not run any more.
    pub fn kill(&mut self, containers: &[Seen], number: i32) -> Result<(), ApplyError> {
        for seen in containers {
            self.watcher.tell(Kind::Container, &seen.name, "Killing");
            match self.engine.kill(&seen.id, number).and_then(|ending| ending.wait()) {
                Ok(()) => self.watcher.tell(Kind::Container, &seen.name, "Killed"),
                Err(error) => {
                    self.watcher.tell(Kind::Container, &seen.name, "Error while Killing");
                    let text = format!("cannot kill container: {}: {error}", seen.id);
                    return Err(coracle_runtime::EngineError::Refuse(text).into());
                }
            }
        }
        Ok(())
    }

    /// Stops and starts containers, those first that others depend on.
    ///
    /// # Errors
    /// The first failure.
    pub fn restart(&mut self, containers: &[Seen]) -> Result<(), ApplyError> {
        for wave in waves_of(containers).into_iter().rev() {
            let mut waits = self.waits_of_restart(&wave, containers)?;
            self.wait_until(&mut waits)?;
            for seen in &wave {
                self.watcher.tell(Kind::Container, &seen.name, "Restarting");
                self.begin(&seen.id, &seen.name, After::Again)?;
            }
            for seen in &wave {
                if let Some(ending) = self.endings.remove(&seen.id) {
                    ending.wait()?;
                }
            }
            self.start_again(&wave)?;
        }
        Ok(())
    }

    /// What containers wait for before they are restarted after others.
    fn waits_of_restart(&self, wave: &[Seen], all: &[Seen]) -> Result<Vec<Wait>, ApplyError> {
        let mut waits: Vec<Wait> = Vec::new();
        for on in wave.iter().flat_map(|seen| &seen.depends_on) {
            let restarted = on.restart && all.iter().any(|seen| seen.service == on.service);
            if !restarted || on.condition == Condition::ServiceStarted {
                continue;
            }
            let goal = Goal::Depends(on.condition);
            for wait in self.containers_of(&on.service, goal, true)? {
                if waits.iter().all(|other| (&other.id, other.goal) != (&wait.id, goal)) {
                    waits.push(wait);
                }
            }
        }
        Ok(waits)
    }

    fn start_again(&mut self, wave: &[Seen]) -> Result<(), ApplyError> {
        let mut flights = Vec::new();
        for seen in wave {
            if let Some(service) = self.project.services.get(&seen.service).cloned() {
                self.files(&service)?;
            }
            let engine = self.engine;
            flights.push(engine.begin_start_again(self.session, &seen.id, Attach::default())?);
        }
        for (seen, starting) in wave.iter().zip(flights) {
            starting.finish(|started| {
                for warning in &started.warnings {
                    self.watcher.warn(warning);
                }
                let Some(service) = self.project.services.get(&seen.service) else { return Ok(()) };
                let hooks = service.post_start.clone();
                self.run_hooks(&seen.service, &hooks, &seen.id, &seen.name)
            })?;
            self.watcher.tell(Kind::Container, &seen.name, "Started");
        }
        Ok(())
    }

    /// Removes a container that has ended.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub fn remove(&mut self, id: &str, name: &str, volumes: bool) -> Result<(), ApplyError> {
        self.watcher.tell(Kind::Container, name, "Removing");
        let options = RemoveOptions { force: true, volumes };
        match self.engine.remove(self.session, id, options) {
            // Somebody was faster.
            Err(coracle_runtime::EngineError::Record(RecordError::NotFound { .. })) => {}
            outcome => outcome?,
        }
        self.watcher.tell(Kind::Container, name, "Removed");
        Ok(())
    }

    /// Begins the stops of a plan's steps, so that they take as long as the slowest.
    pub(super) fn begin_stops(
        &mut self,
        steps: &[Step],
        of: impl Fn(&Step) -> bool,
    ) -> Result<(), ApplyError> {
        for step in steps.iter().filter(|step| of(step)) {
            match step.action {
                Action::Recreate => self.begin_replacement(&step.id, &step.object)?,
                _ => self.begin_stop(&step.id, &step.object)?,
            }
        }
        Ok(())
    }

    /// Begins to stop a container; one that is gone or does not run is passed over. One whose hook fails goes on.
    fn begin_stop(&mut self, id: &str, name: &str) -> Result<(), ApplyError> {
        self.begin(id, name, After::Nothing)
    }

    /// As [`Apply::begin_stop`], for a container that another takes the place of: Docker Compose runs no hook at all
    /// there, so a failure is only told of.
    fn begin_replacement(&mut self, id: &str, name: &str) -> Result<(), ApplyError> {
        self.begin(id, name, After::Another)
    }

    fn begin(&mut self, id: &str, name: &str, after: After) -> Result<(), ApplyError> {
        if self.endings.contains_key(id) {
            return Ok(());
        }
        let life = match self.engine.records.life(id) {
            Err(RecordError::NotFound { .. }) => return Ok(()),
            life => life?,
        };
        if !self.engine.records.lives(&life) {
            // Where the monitor was killed, the restart policy is not to start it again.
            self.engine.stop(id, None, self.settings.grace_s)?.wait()?;
            return Ok(());
        }
        match self.before_stop(id, name) {
            Err(error @ ApplyError::Hook { .. }) if after == After::Another => {
                self.watcher.warn(&error.to_string());
            }
            other => other?,
        }
        let ending = match after {
            After::Again => self.engine.stop_to_restart(id, None, self.settings.grace_s)?,
            After::Nothing | After::Another => self.engine.stop(id, None, self.settings.grace_s)?,
        };
        self.endings.insert(id.to_owned(), ending);
        Ok(())
    }

    /// Runs the `pre_stop` hooks of the service a container was made of.
    fn before_stop(&mut self, id: &str, name: &str) -> Result<(), ApplyError> {
        let container = self.engine.records.load(id)?;
        let hooks = container.origin.get("pre_stop").cloned().unwrap_or_default();
        let hooks: Vec<crate::project::Hook> = serde_json::from_value(hooks).unwrap_or_default();
        let service = container.config.labels.get(labels::SERVICE).cloned().unwrap_or_default();
        self.run_hooks(&service, &hooks, id, name)
    }

    /// Stops a container that another takes the place of.
    pub(super) fn stop_replaced(&mut self, id: &str, name: &str) -> Result<(), ApplyError> {
        self.begin_replacement(id, name)?;
        self.await_stop(id)
    }

    fn await_stop(&mut self, id: &str) -> Result<(), ApplyError> {
        if let Some(ending) = self.endings.remove(id) {
            ending.wait()?;
        }
        Ok(())
    }

    pub(super) fn stop_one(&mut self, id: &str, name: &str) -> Result<(), ApplyError> {
        self.watcher.tell(Kind::Container, name, "Stopping");
        self.begin_stop(id, name)?;
        self.await_stop(id)?;
        self.watcher.tell(Kind::Container, name, "Stopped");
        Ok(())
    }

    pub(super) fn stop_and_remove(
        &mut self,
        id: &str,
        name: &str,
        volumes: bool,
    ) -> Result<(), ApplyError> {
        self.stop_one(id, name)?;
        self.remove(id, name, volumes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::dependency_labels;

    fn seen(service: &str, on: &str) -> Seen {
        let depends_on = dependency_labels(on);
        Seen { service: service.to_owned(), depends_on, ..Seen::default() }
    }

    fn shown(containers: &[Seen]) -> String {
        let wave = |wave: Vec<Seen>| {
            wave.into_iter().map(|seen| seen.service).collect::<Vec<_>>().join(",")
        };
        waves_of(containers).into_iter().map(wave).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn who_depends_ends_first() {
        let web = seen("web", "api:service_started:false,db:service_healthy:false");
        let all = [seen("db", ""), seen("api", "db:service_started:true"), web, seen("mq", "")];
        assert_eq!(shown(&all), "web,mq api db");
        let circle = [seen("a", "b:service_started:false"), seen("b", "a:service_started:false")];
        assert_eq!(shown(&circle), "a,b");
        assert_eq!(shown(&[seen("a", "gone:service_started:false")]), "a");
    }
}
