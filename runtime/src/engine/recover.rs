//! Put right what a monitor that was killed left behind.

use std::collections::HashSet;
use std::ffi::OsString;

use super::Engine;
use crate::error::EngineError;
use crate::model::Container;
use crate::monitor::Attach;
use crate::paths::Paths;
use crate::records::{Life, mark_lost};
use crate::session::Session;

/// How long a killed process may take to end.
const LAST_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl Engine {
    /// Whether a container is recorded as running while its monitor is dead. Cheap enough
    /// for every command: it looks only at what has a runtime folder, or had one before a reboot.
    #[must_use]
    pub fn needs_recovery(&self) -> bool {
        self.lost().next().is_some() || self.dead_folders().next().is_some()
    }

    fn lost(&self) -> impl Iterator<Item = (Container, Life)> + '_ {
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
            let lost = life.monitor.is_some() && !self.lives(&life);
            lost.then(|| self.records.load(&id).ok())?.map(|container| (container, life))
        })
    }

    /// Whether no command before this one needed the runtime folder, in this boot: what was
    /// left then may have lain where nothing remains of it.
    pub(super) fn is_first_of_boot(&self) -> bool {
        *self.first_of_boot.get_or_init(|| !self.paths.run.is_dir())
    }

    /// Whether a container has a monitor, here or in another pid namespace.
    fn lives(&self, life: &Life) -> bool {
        if life.boot_id == crate::boot::this() {
            return life.live_monitor().is_some();
        }
        let paths = self.paths.at(&life.boot_id).filter(|_| !crate::boot::is_over(&life.boot_id));
        let (Some(paths), Some(monitor)) = (paths, life.monitor) else { return false };
        crate::session::holds(&paths.holders(), monitor.into())
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

    /// Takes down what lost containers left, records their end, and starts again those
    /// whose restart policy asks for it.
    ///
    /// # Errors
    /// The first failure; the others are gone through all the same.
    pub fn recover(&self, session: &mut Session) -> Result<(), EngineError> {
        crate::session::sweep(&self.paths.holders());
        let mut first = Ok(());
        for (container, mut life) in self.lost().collect::<Vec<_>>() {
            let result = self.recover_one(session, &container, &mut life);
            first = first.and(result);
        }
        for paths in self.dead_folders() {
            // What cannot be removed is met again by the next command.
            drop(std::fs::remove_dir_all(&paths.run));
        }
        first
    }

    fn recover_one(
        &self,
        session: &mut Session,
        container: &Container,
        life: &mut Life,
    ) -> Result<(), EngineError> {
        let was_running = life.state.status.is_running();
        // After a reboot its pid is somebody else's.
        if let Some(init) = life.init.filter(|_| life.boot_id == crate::boot::this()) {
            end_process(init.into());
        }
        let paths = self.paths.at(&life.boot_id).unwrap_or_else(|| self.paths.clone());
        crate::monitor::take_down(&paths, &container.id, life)?;
        if !was_running {
            life.monitor = None;
            return Ok(self.records.save_life(&container.id, life)?);
        }
        let rebooted = crate::boot::is_over(&life.boot_id);
        mark_lost(life);
        let code = life.state.exit_code;
        self.records.save_life(&container.id, life)?;
        self.events.container(container, "die", &[("exitCode", &code.to_string())]);
        if container.host_config.auto_remove {
            return self.remove(
                session,
                &container.id,
                super::RemoveOptions { force: false, volumes: true },
            );
        }
        let mut policy = crate::restart::Restart::new(&container.host_config.restart_policy);
        let again = policy.after_exit(code, std::time::Duration::ZERO, life.stopped_by_user);
        // As in Docker: a start of everything is no reason to take up what had failed.
        if again.is_none()
            || (rebooted && container.host_config.restart_policy.name == "on-failure")
        {
            return Ok(());
        }
        let mut life = life.clone();
        life.restart_count += 1;
        self.launch(session, container, life, Attach::default())?.finish().map(drop)
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
