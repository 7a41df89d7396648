//! Engine, store and session of one user, each opened at the first use.

use std::cell::OnceCell;
use std::path::PathBuf;

use coracle_image::{ImageError, NameRules, Store, StoreOptions};
use coracle_sys::idmap::IdMap;

use super::{HostFacts, Scope, image_users};
use crate::images::Images;
use crate::ladder::Inputs;
use crate::paths::Paths;
use crate::session::Session;
use crate::{Engine, EngineConfig, EngineError, Storage};

/// What the settings and the environment say about a home; plain values, read by `cli`.
#[derive(Clone, Debug, Default)]
pub struct HomeSettings {
    /// Images, containers, volumes.
    pub data_root: PathBuf,
    /// Unpacked layers, when they are not those of the data root.
    pub layers: Option<PathBuf>,
    /// Where limits are asked for.
    pub cgroup: crate::cgroup::Settings,
    /// How the root filesystems of new containers are made.
    pub storage: Storage,
    /// Networks do without `nf_tables` though it may be there.
    pub packets: bool,
    /// What is added to ports that are root's when they are published; 0: nothing.
    pub low_ports: u16,
    /// Limits that this host cannot set are left out, with a warning.
    pub limits_optional: bool,
    /// How short image names are completed.
    pub names: NameRules,
    /// This process was started in the user's namespaces; and whether only one id is mapped there.
    pub inside: Option<Inside>,
    /// The session of the Engine API that this process works for.
    pub owner: Option<String>,
    /// What stands for a daemon's socket in mounts.
    pub docker_socket: crate::docker_socket::DockerSocket,
}

/// What the user's namespaces are like, for a process that was started in them.
#[derive(Clone, Copy, Debug)]
pub struct Inside {
    pub one_id: bool,
}

/// What a user has here.
#[derive(Debug)]
pub struct Home {
    settings: HomeSettings,
    /// Only one user id is mapped.
    one_id: bool,
    session: Option<Session>,
    engine: OnceCell<Engine>,
    store: OnceCell<Store>,
    /// The containers that are shown, when not all are.
    scope: Option<Scope>,
}

impl Home {
    /// Nothing is opened yet.
    #[must_use]
    pub fn new(settings: HomeSettings) -> Self {
        Self {
            settings,
            one_id: false,
            session: None,
            engine: OnceCell::new(),
            store: OnceCell::new(),
            scope: None,
        }
    }

    #[must_use]
    pub fn settings(&self) -> &HomeSettings {
        &self.settings
    }

    /// From here on, only these containers are listed and found.
    pub fn show_only(&mut self, scope: Scope) {
        self.scope = Some(scope);
    }

    /// The containers that are shown, when not all are.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// How short image names are completed.
    #[must_use]
    pub fn names(&self) -> &NameRules {
        &self.settings.names
    }

    /// The engine, opened at the first use.
    ///
    /// # Errors
    /// When the data root cannot be used.
    pub fn engine(&self) -> Result<&Engine, EngineError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Engine::open(self.engine_config()?)?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// The engine, if it has been opened.
    #[must_use]
    pub fn opened_engine(&self) -> Option<&Engine> {
        self.engine.get()
    }

    /// The store of images, opened at the first use.
    ///
    /// # Errors
    /// When the data root cannot be used.
    pub fn store(&self) -> Result<&Store, EngineError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        // A data root that others may write is refused by the engine. It must be refused by
        // whoever touches it, not only by those that ask about containers.
        self.engine()?;
        let options = StoreOptions { one_id: self.one_id };
        let store = Store::open(&self.settings.data_root, options)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// The verbs for images.
    ///
    /// # Errors
    /// When the data root cannot be used.
    pub fn images(&self) -> Result<Images<'_>, EngineError> {
        let store = self.store()?;
        Ok(self.engine()?.images(store))
    }

    /// The engine and the right to touch what belongs to containers.
    ///
    /// # Errors
    /// When it cannot be opened, or the namespaces were not entered.
    pub fn engine_in_session(&mut self) -> Result<(&Engine, &mut Session), EngineError> {
        self.engine()?;
        match (self.engine.get(), &mut self.session) {
            (Some(engine), Some(session)) => Ok((engine, session)),
            _ => Err(EngineError::NotEntered),
        }
    }

    /// As [`Home::engine_in_session`], with the store of images.
    ///
    /// # Errors
    /// As there.
    pub fn engine_and_store(&mut self) -> Result<(&Engine, &mut Session, &Store), EngineError> {
        self.store()?;
        match (self.engine.get(), &mut self.session, self.store.get()) {
            (Some(engine), Some(session), Some(store)) => Ok((engine, session, store)),
            _ => Err(EngineError::NotEntered),
        }
    }

    /// Keeps the proof that the user's namespaces were entered.
    pub fn keep(&mut self, session: Session) {
        self.one_id = session.single_id;
        self.session = Some(session);
    }

    /// Takes away what tells others of our namespaces, in a process that ends without more.
    pub fn leave(&mut self) {
        self.session = None;
    }

    #[must_use]
    pub fn one_id(&self) -> bool {
        self.one_id
    }

    /// For a process that was started inside the namespaces.
    pub fn set_one_id(&mut self, one_id: bool) {
        self.one_id = one_id;
    }

    /// Whether a killed monitor left something to be cleaned up.
    #[must_use]
    pub fn needs_recovery(&self) -> bool {
        // No runtime folder, no monitor: nothing is opened or made to find that out.
        crate::runtime_folder::find(&self.settings.data_root).is_some()
            && self.engine().is_ok_and(Engine::needs_recovery)
    }

    /// The containers that keep images in use.
    ///
    /// # Errors
    /// When nobody can tell.
    pub fn image_users(&self) -> Result<Vec<coracle_image::store::ImageUser>, ImageError> {
        let users = |error: EngineError| ImageError::Users { source: Box::new(error) };
        image_users(self.engine().map_err(users)?)
    }

    /// Removes from the store what killed or failed commands left there. What cannot be removed
    /// waits for the next command: it is no reason not to do what was asked for.
    pub fn sweep_store(&self) {
        if let Ok(store) = self.store() {
            drop(store.recover(&|| self.image_users()));
        }
    }

    /// What finds out which features this host has.
    ///
    /// # Errors
    /// When the data root cannot be used.
    pub fn ladder_inputs(&self) -> Result<Inputs, EngineError> {
        // The data root has to exist.
        let paths = self.engine()?.paths().clone();
        let facts = HostFacts::look()?;
        Ok(Inputs {
            cgroup: self.settings.cgroup.clone(),
            user_name: facts.user_name,
            may_map_ids: facts.may_map_ids,
            exe: facts.exe,
            data: paths.data,
            runtime_folder: paths.run,
        })
    }

    fn engine_config(&self) -> Result<EngineConfig, EngineError> {
        let settings = &self.settings;
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        let paths = Paths::create(settings.data_root.clone(), uid)?;
        let facts = HostFacts::look()?;
        let id_map = match settings.inside {
            Some(inside) => IdMap::of_namespace(inside.one_id),
            None => IdMap::detect(uid, gid, facts.user_name.as_deref(), facts.may_map_ids),
        };
        Ok(EngineConfig {
            paths,
            layers: settings.layers.clone().unwrap_or_else(|| settings.data_root.join("layers")),
            exe: facts.exe,
            id_map,
            cgroup: settings.cgroup.clone(),
            storage: settings.storage,
            packets: settings.packets,
            low_ports: settings.low_ports,
            limits_optional: settings.limits_optional,
            inside: settings.inside.is_some(),
            owner: settings.owner.clone(),
            docker_socket: settings.docker_socket.clone(),
        })
    }
}
