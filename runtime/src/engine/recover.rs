//! Put right what a monitor that was killed left behind.
//!
//! A container that somebody else holds is left to them: recovery waits for nobody. One that
//! cannot be taken down stays as it was, for the next command.

use std::collections::HashSet;
use std::ffi::OsString;
use std::time::Duration;

use chrono::TimeDelta;

use super::Engine;
use crate::error::EngineError;
use crate::model::{Attach, Container, Timestamp};
use crate::paths::Paths;
use crate::processes::remnants::Remnants;
use crate::records::{Life, RecordError, mark_lost};
use crate::restart::{Restart, delay_after};
use crate::session::Session;

/// How long a killed process may take to end.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// How long a container that is started again is waited for. It goes on by itself.
const START_PATIENCE: Duration = Duration::from_secs(5);

impl Engine {
    /// Whether a container is recorded as running while its monitor is dead. Cheap enough
    /// for every command: it looks only at what has a runtime folder, or had one before a reboot.
    #[must_use]
    pub fn needs_recovery(&self) -> bool {
        self.lost().next().is_some() || self.dead_folders().next().is_some()
    }

    fn lost(&self) -> impl Iterator<Item = Container> + '_ {
        let boots = self.paths.boots();
        let fresh = self.is_first_of_boot();
        let folders = boots.iter().filter_map(|boot| self.paths.at(boot));
        let folders = folders.filter_map(|paths| std::fs::read_dir(paths.run.join("c")).ok());
        let folders: HashSet<OsString> =
            folders.flatten().flatten().map(|entry| entry.file_name()).collect();
        let ids = match folders.is_empty() && !fresh {
            true => Vec::new(),
            // One that cannot be listed cannot be recovered either; whoever uses it is told.
            false => self.records.ids().unwrap_or_default(),
        };
        ids.into_iter().filter_map(move |id| {
            let folder = self.paths.running(&id);
            let life = (fresh || folders.contains(folder.file_name()?))
                .then(|| self.records.life_as_written(&id).ok())??;
            self.wants_recovery(&life).then(|| self.records.load(&id).ok())?
        })
    }

    /// Whether no command before this one needed the runtime folder, in this boot: what was
    /// left then may have lain where nothing remains of it.
    pub(super) fn is_first_of_boot(&self) -> bool {
        *self.first_of_boot.get_or_init(|| !self.paths.run.is_dir())
    }

    /// Whether a monitor was killed before it could write how its container ended.
    pub(super) fn is_lost(&self, life: &Life) -> bool {
        (life.monitor.is_some() || life.state.status.is_running()) && !self.records.lives(life)
    }

    /// Whether a command has to deal with it: it is lost, or is to be started again.
    pub(super) fn is_left(&self, life: &Life) -> bool {
        self.is_lost(life) || life.due.is_some()
    }

    /// The same at this moment.
    fn wants_recovery(&self, life: &Life) -> bool {
        let is_time = |due| {
            crate::boot::is_over(&life.boot_id) || crate::restart::is_time(due, crate::clock::now())
        };
        self.is_lost(life) || (life.due.is_some_and(is_time) && !self.records.lives(life))
    }

    /// The runtime folders in which nothing lives: of earlier boots, and of pid namespaces
    /// that ended.
    fn dead_folders(&self) -> impl Iterator<Item = Paths> + '_ {
        let boots = self.paths.boots().into_iter();
        let others = boots.filter(|boot| boot != crate::boot::this());
        others.filter_map(|boot| {
            let paths = self.paths.at(&boot)?;
            let dead = crate::boot::is_over(&boot) || !crate::session::is_in_use(&paths);
            dead.then_some(paths)
        })
    }

    /// Takes down what lost containers left, records their end, and starts again those whose
    /// restart policy asks for it. Containers that are `spared` are left alone: the command
    /// is about them, and knows what to do.
    ///
    /// Gives the containers where that failed, by name, with the reason.
    #[must_use]
    pub fn recover(
        &self,
        session: &mut Session,
        spared: &dyn Fn(&Container) -> bool,
    ) -> Vec<(String, EngineError)> {
        crate::session::sweep(&self.paths.holders());
        let mut failed = Vec::new();
        for container in self.lost().collect::<Vec<_>>() {
            if spared(&container) {
                continue;
            }
            match self.recover_one(session, &container.id) {
                // Somebody removed it.
                Ok(()) | Err(EngineError::Record(RecordError::NotFound { .. })) => {}
                Err(error) => failed.push((container.name, error)),
            }
        }
        for paths in self.dead_folders() {
            // What cannot be removed is met again by the next command.
            drop(std::fs::remove_dir_all(&paths.run));
        }
        failed
    }

    fn recover_one(&self, session: &mut Session, id: &str) -> Result<(), EngineError> {
        let Some(lock) = self.records.try_lock_container(id)? else { return Ok(()) };
        let container = self.records.load(id)?;
        if !self.wants_recovery(&self.records.life_as_written(id)?) {
            return Ok(());
        }
        // Its monitor may have written the end, and gone, since we read: that end is not to be overwritten.
        let mut life = self.records.life_as_written(id)?;
        if !self.wants_recovery(&life) {
            return Ok(());
        }
        let up = life.state.status.is_running() || life.due.is_some();
        let rebooted = crate::boot::is_over(&life.boot_id);
        self.bury(&container, &mut life)?;
        if !up {
            return Ok(());
        }
        if container.host_config.auto_remove {
            return self.remove_ended(&container, &life, true);
        }
        let mut policy = Restart::new(&container.host_config.restart_policy);
        let code = life.state.exit_code;
        let again = policy.after_exit(code, Duration::ZERO, life.stopped_by_user);
        // As in Docker: a start of everything is no reason to take up what had failed.
        if again.is_none() || (rebooted && !policy.outlives_the_machine()) {
            return self.settle(&container, life);
        }
        let tries = if life.due.is_some() { life.restart_count } else { 0 };
        let next = TimeDelta::from_std(delay_after(tries)).unwrap_or_default();
        // If it comes to nothing, another command tries again: not at once, and not for ever
        // faster than a monitor would.
        life.due = Some(Timestamp::from(crate::clock::now().datetime() + next));
        life.restart_count += 1;
        crate::paths::make_private(&self.paths.running(id))?;
        let kept = life.clone();
        let starting =
            self.launch(session, &container, life, Attach::default()).inspect_err(|_| {
                // The next command finds it as it was.
                drop(self.records.save_life(id, &Life { monitor: None, ..kept }));
            })?;
        drop(lock);
        match starting.is_ready(START_PATIENCE) {
            true => starting.finish().map(drop),
            false => Ok(()),
        }
    }

    /// Records that a container is not to be started again after all.
    fn settle(&self, container: &Container, mut life: Life) -> Result<(), EngineError> {
        if life.due.take().is_some() {
            self.records.save_life(&container.id, &life)?;
        }
        Ok(())
    }

    /// Takes down what a container without a monitor left, and records its end. The caller
    /// holds the container's lock. When something cannot be taken down, nothing is recorded.
    pub(super) fn bury(&self, container: &Container, life: &mut Life) -> Result<(), EngineError> {
        let was_running = life.state.status.is_running();
        self.take_down_lost(container, life)?;
        if !self.is_lost(life) {
            return Ok(());
        }
        if was_running {
            mark_lost(life);
        }
        life.monitor = None;
        life.cgroup = None;
        self.records.save_life(&container.id, life)?;
        if was_running {
            let code = life.state.exit_code.to_string();
            self.events.container(container, "die", &[("exitCode", &code)]);
        }
        Ok(())
    }

    /// The same without a record of it, for a container that goes.
    pub(super) fn take_down_lost(
        &self,
        container: &Container,
        life: &Life,
    ) -> Result<(), EngineError> {
        // After a reboot its pid is somebody else's.
        if let Some(init) = life.init.filter(|_| life.is_of_here()) {
            end_process(init.into());
            // What is stuck in the kernel ends when that lets it.
            let _all: bool = Remnants::of(container, None).end(life.cgroup.as_deref());
        }
        let paths = self.paths.at(&life.boot_id).unwrap_or_else(|| self.paths.clone());
        if self.is_lost(life) || paths.running(&container.id).exists() {
            crate::monitor::take_down(&paths, &container.id, life)?;
        }
        Ok(())
    }
}

/// Ends a container's process that outlived its monitor.
pub(super) fn end_process(init: coracle_sys::process::ProcessId) {
    let Some(pid) = init.as_pid().filter(|_| init.is_alive()) else { return };
    // It may be gone by now, which is what is wanted.
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
    // One that is stuck in the kernel is met again by the next step.
    let _gone: bool = init.wait_end(LAST_PATIENCE);
}
