//! Create, start, stop, execute, remove: what the command line calls.
//!
//! One file per verb. A call that touches a container's mounts or files of other owners
//! takes a [`Session`]: proof that this process is root of the user's namespaces. The
//! others work from outside and only read records or talk to a monitor. [`hold`] says which
//! lock is held when.

mod audit;
mod balance;
mod check;
mod commit;
mod control;
mod cp;
mod create;
mod damaged;
mod deliver;
mod diff;
mod exec;
mod hold;
mod inspect;
mod layer;
mod logs;
mod mounts;
mod network;
mod recover;
mod remove;
mod reset;
mod start;
mod task_files;
#[cfg(test)]
mod told_tests;
mod top;
mod update;
mod usage;
mod volumes;

use std::path::PathBuf;
use std::sync::OnceLock;

use coracle_sys::idmap::IdMap;

pub use audit::RecordsCheck;
pub use balance::Balancer;
pub use commit::CommitRequest;
pub use control::{Connection, Ending};
pub use create::{CreateRequest, ImageFacts};
pub use deliver::Delivery;
pub use exec::{Executed, Outcome};
pub use inspect::Summary;
pub use network::{HelperStatus, KeptHelper};
pub use remove::{RemoveOptions, Removing};
pub use start::{Restarting, Started, Starting};
pub use task_files::TaskFile;
pub use update::UpdateRequest;
pub use usage::ContainerSize;
pub use volumes::VolumeUsers;

use crate::damage::Notes;
use crate::error::EngineError;
use crate::events::{Events, Kind};
use crate::file_lock::{self, FileLock, LockError};
use crate::networks::Networks;
use crate::order::MonitorOrder;
use crate::paths::Paths;
use crate::records::{RecordError, Records};
use crate::reopen::call_monitors;
use crate::session::{self, Session};
use crate::volumes::Volumes;

/// What the engine is told about its surroundings; `cli` reads it from the environment.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub paths: Paths,
    /// Folder of the unpacked layers of images.
    pub layers: PathBuf,
    /// This executable, where `--init` finds it.
    pub exe: PathBuf,
    pub id_map: IdMap,
    pub cgroup: crate::cgroup::Settings,
    /// How the root filesystems of new containers are made.
    pub storage: crate::model::Storage,
    /// The network helper does without nf_tables though it may be there.
    pub packets: bool,
    /// What is added to ports that are root's when they are published; 0: nothing.
    pub low_ports: u16,
    /// Limits that cannot be set are left out, with a warning.
    pub limits_optional: bool,
    /// This process was started in the user's namespaces.
    pub inside: bool,
    /// The session of the Engine API that this process works for: what is made is its own, and nothing else is found.
    pub owner: Option<String>,
    /// What stands for a daemon's socket in mounts.
    pub docker_socket: crate::docker_socket::DockerSocket,
}

/// The lock of a Compose project.
#[derive(Debug)]
pub struct ProjectLock {
    _file: FileLock,
}

impl ProjectLock {
    /// Whether somebody makes, restarts or takes down containers of the project just now.
    #[must_use]
    pub fn is_held(paths: &Paths, project: &str) -> bool {
        let path = paths.run.join("compose").join(format!("{project}.lock"));
        let Ok(file) = file_lock::open(&path, false) else { return false };
        let taken = file_lock::take(file, std::time::Duration::ZERO);
        matches!(taken, Err(LockError::Held(_)))
    }
}

/// The containers of one user.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: EngineConfig,
    pub(crate) paths: Paths,
    pub records: Records,
    pub(crate) events: Events,
    pub volumes: Volumes,
    pub networks: Networks,
    first_of_boot: OnceLock<bool>,
    /// Records that could not be read on the way.
    pub damage: Notes,
}

impl Engine {
    /// # Errors
    /// When the data root cannot be used.
    pub fn open(config: EngineConfig) -> Result<Self, EngineError> {
        let paths = config.paths.clone();
        let owner = config.owner.as_deref();
        let records = Records::open(&paths)?.of(owner);
        let events = Events::new(paths.events()).of(owner);
        let damage = Notes::default();
        let volumes = Volumes::new(paths.volumes()).noting(&damage).of(owner);
        let networks = Networks::new(paths.networks()).noting(&damage).of(owner);
        let first_of_boot = OnceLock::new();
        Ok(Self { config, paths, records, events, volumes, networks, first_of_boot, damage })
    }

    /// What a monitor or an exec session is told.
    fn order(&self, id: &str, attach: crate::model::Attach) -> MonitorOrder {
        MonitorOrder {
            id: id.to_owned(),
            data: self.paths.data.clone(),
            run: self.paths.run.clone(),
            layers: self.config.layers.clone(),
            exe: self.config.exe.clone(),
            single_id: self.config.id_map.is_single(),
            cgroup: self.config.cgroup.clone(),
            packets: self.config.packets,
            low_ports: self.config.low_ports,
            limits_optional: self.config.limits_optional,
            attach,
        }
    }

    /// The ids of the containers that use a volume.
    #[must_use]
    pub fn volume_users(&self, volume: &str) -> Vec<String> {
        crate::remains::volume_users(&self.records, volume)
    }

    /// Tells what happened to an object of a swarm: a service, node, secret or config. They are not the engine's, but
    /// events have one writer.
    pub fn tell_of_swarm(&self, kind: Kind, action: &str, id: &str, attributes: &[(&str, &str)]) {
        let is_of_swarm = matches!(kind, Kind::Service | Kind::Node | Kind::Secret | Kind::Config);
        debug_assert!(is_of_swarm, "other objects have verbs of their own");
        if is_of_swarm {
            self.events.object(kind, action, id, attributes);
        }
    }

    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Enters the user's namespaces; `starts` when a container is about to be started.
    ///
    /// # Errors
    /// When no user namespace can be had, or this process has more than one thread.
    pub fn enter(&self, starts: bool) -> Result<Session, EngineError> {
        if self.config.inside {
            return Ok(session::stay(&self.paths, &self.config.id_map, starts)?);
        }
        // Looked at before the folder is made.
        if self.is_first_of_boot() {
            call_monitors(&self.paths, &self.records);
        }
        Ok(session::enter(&self.paths, &self.config.id_map, starts)?)
    }

    /// The same to recover containers: waits for nobody, `None` when somebody else is about
    /// to make the namespaces.
    ///
    /// # Errors
    /// As [`Engine::enter`].
    pub fn enter_at_once(&self) -> Result<Option<Session>, EngineError> {
        if self.is_first_of_boot() {
            call_monitors(&self.paths, &self.records);
        }
        Ok(session::enter_at_once(&self.paths, &self.config.id_map)?)
    }

    /// Takes the lock of a Compose project: what is there of it stays, as far as others who
    /// make its containers or take it down are concerned.
    ///
    /// # Errors
    /// When somebody else has it for too long.
    pub fn lock_project(&self, name: &str) -> Result<ProjectLock, EngineError> {
        /// Containers are stopped under it, each with its grace.
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);
        let folder = self.paths.run.join("compose");
        crate::paths::make_private(&folder)?;
        let what = || format!("lock the project {name}");
        let file = file_lock::open(&folder.join(format!("{name}.lock")), true)
            .map_err(|errno| EngineError::io(what())(errno.into()))?;
        match file_lock::take(file, PATIENCE) {
            Ok(file) => Ok(ProjectLock { _file: file }),
            Err(LockError::Io(source)) => Err(EngineError::io(what())(source)),
            Err(LockError::Held(holder)) => Err(RecordError::Busy {
                what: format!("project {name}"),
                holder,
                waited_s: PATIENCE.as_secs(),
            }
            .into()),
        }
    }
}
