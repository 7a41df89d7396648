//! What every command gets: streams, settings, and the libraries it may call.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use coracle_image::{Credential, CredentialStore, ImageError, NameRules, Store};
use coracle_runtime::engine::ProjectLock;
use coracle_runtime::home::Inside;
use coracle_runtime::model::Container;
use coracle_runtime::session::Session;
use coracle_runtime::{Engine, EngineError, Home, HomeSettings};
use coracle_swarm::SwarmError;
use coracle_view::{Now, ViewError};
use coracle_words::DetachKeys;

use crate::args::Table;
use crate::compose::ComposeGlobals;
use crate::compose::outside::Outside;
use crate::error::{CliError, ExitStatus};
use crate::port_holder::Witness;
use crate::registries;
use crate::settings::Settings;
use crate::ui::Ui;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) ui: Ui,
    pub(crate) settings: Settings,
    /// `coracle`, or `docker` when called by that name.
    pub(crate) program: &'static str,
    /// The command as it was called, such as `images` or `image ls`.
    pub(crate) called: String,
    /// Every command there is, for help, completions and man pages.
    pub(crate) table: &'static Table,
    /// The options of `compose`, for its commands.
    pub(crate) compose: ComposeGlobals,
    /// The user's umask, where entering the namespaces has set the one of containers.
    pub(crate) umask: Option<rustix::fs::Mode>,
    /// Held while the containers of a Compose project are made.
    pub(crate) project_lock: Option<ProjectLock>,
    /// Knows who has a port, until the containers of the command run.
    pub(crate) witness: Option<Witness>,
    /// Builds images for a command that is inside of the namespaces.
    pub(crate) outside: Option<Outside>,
    /// The number of the node of the swarm that is asked, where one was chosen.
    pub(crate) node: Option<u8>,
    /// Engine, store and session.
    pub(crate) home: Home,
}

impl App {
    pub(crate) fn new(
        ui: Ui,
        settings: Settings,
        program: &'static str,
        table: &'static Table,
    ) -> Self {
        Self::inside(ui, settings, program, table, None)
    }

    /// The same for a process that was perhaps started in the user's namespaces.
    pub(crate) fn inside(
        ui: Ui,
        settings: Settings,
        program: &'static str,
        table: &'static Table,
        inside: Option<Inside>,
    ) -> Self {
        let home = Home::new(HomeSettings { inside, ..home_settings(&settings) });
        Self {
            ui,
            settings,
            program,
            called: String::new(),
            table,
            compose: ComposeGlobals::default(),
            umask: None,
            project_lock: None,
            witness: None,
            outside: None,
            node: None,
            home,
        }
    }

    /// The engine, opened at the first use.
    pub(crate) fn engine(&self) -> Result<&Engine, CliError> {
        Ok(self.home.engine()?)
    }

    /// The store of images, opened at the first use.
    pub(crate) fn store(&self) -> Result<&Store, CliError> {
        Ok(self.home.store()?)
    }

    /// The engine and the right to touch what belongs to containers.
    pub(crate) fn engine_in_session(&mut self) -> Result<(&Engine, &mut Session), CliError> {
        Ok(self.home.engine_in_session()?)
    }

    /// Enters the user's namespaces and cleans up after monitors that were killed, but for
    /// containers that are `spared`. The process must still have a single thread.
    pub(crate) fn enter(
        &mut self,
        starts: bool,
        spared: &dyn Fn(&Container) -> bool,
    ) -> Result<(), CliError> {
        if starts {
            // From inside of the namespaces it could not be started any more.
            crate::commands::system::service::serve_for_containers(self)?;
        }
        self.note_umask();
        let session = in_place(|| Ok(self.engine()?.enter(starts)?))?;
        self.recover(session, spared)
    }

    /// The same for a command that needs no namespaces: it waits for nobody, and what fails
    /// is no failure of the command's.
    pub(crate) fn enter_to_recover(&mut self, spared: &dyn Fn(&Container) -> bool) {
        if let Err(error) = crate::commands::system::service::serve_for_containers(self) {
            self.warn(&[error.message]);
        }
        self.note_umask();
        match in_place(|| Ok(self.engine()?.enter_at_once()?)) {
            Ok(Some(session)) => drop(self.recover(session, spared)),
            // Somebody else starts a container now; there will be another command.
            Ok(None) => {}
            Err(error) => {
                self.warn(&[format!("containers were not recovered: {}", told(&error))]);
            }
        }
    }

    /// Entering sets another.
    fn note_umask(&mut self) {
        let closed = rustix::fs::Mode::from_raw_mode(0o077);
        self.umask = Some(rustix::process::umask(closed));
    }

    fn recover(
        &mut self,
        mut session: Session,
        spared: &dyn Fn(&Container) -> bool,
    ) -> Result<(), CliError> {
        let engine = self.engine()?;
        let failed = match engine.needs_recovery() {
            true => engine.recover(&mut session, spared),
            false => Vec::new(),
        };
        for (name, error) in failed {
            let why = told(&CliError::from(error));
            self.warn(&[format!("container {name} was not recovered: {why}")]);
        }
        self.home.keep(session);
        Ok(())
    }

    /// Does `work`, which adds images, between two sweeps: debris of others takes no room
    /// from it, and a failure leaves none.
    pub(crate) fn adding_images<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        self.home.sweep_store();
        work(self).inspect_err(|_| self.home.sweep_store())
    }

    /// Where passwords of registries are kept.
    pub(crate) fn credentials(&self) -> CredentialStore {
        CredentialStore::new(registries::auth(&self.settings))
    }

    /// The keys that leave a session: those of the flag, or of the client's configuration.
    pub(crate) fn detach_keys(&self, given: Option<&str>) -> Result<DetachKeys, CliError> {
        let given = given.filter(|keys| !keys.is_empty());
        DetachKeys::parse(given.or_else(|| self.settings.client.text("detachKeys")))
            .map_err(|error| CliError::plain(error.to_string()).verbatim())
    }

    /// Tries a credential at its registry.
    pub(crate) fn check_login(
        &self,
        registry: &str,
        credential: &Credential,
    ) -> Result<(), CliError> {
        coracle_image::login(&registries::settings(&self.settings), registry, credential)
            .map_err(|e| registries::failure(&e, false))
    }

    /// Tells what is done otherwise than usual on this machine.
    pub(crate) fn warn(&mut self, warnings: &[String]) {
        for warning in warnings {
            // What is a hint says so by itself.
            let what = if warning.starts_with("hint: ") { "" } else { "WARNING: " };
            // Nothing is left to do when standard error is closed.
            writeln!(self.ui.status(), "{what}{warning}").unwrap_or_default();
        }
    }

    /// Tells of records that could not be read on the way, each once per command.
    pub(crate) fn warn_of_damage(&mut self) {
        let Some(engine) = self.home.opened_engine() else { return };
        for damaged in engine.damage.take_new() {
            // Nothing is left to do when standard error is closed.
            writeln!(self.ui.status(), "warning: {damaged}").unwrap_or_default();
        }
    }

    /// The moment ages are counted from.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        now().time
    }

    /// When and where the question of this command is asked.
    pub(crate) fn asked(&self) -> Now {
        now()
    }
}

/// This moment, in the zone of the user.
pub(crate) fn now() -> Now {
    let local = chrono::Local::now();
    Now { time: local.to_utc(), zone: *local.offset() }
}

/// Enters namespaces: joining those of another process moves us to its root.
fn in_place<T>(enter: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    let here = std::env::current_dir();
    let entered = enter()?;
    if let Ok(here) = here {
        // A folder that is gone by now is missed by whoever names a relative path.
        std::env::set_current_dir(here).unwrap_or_default();
    }
    Ok(entered)
}

/// An error with its causes in one line, for a warning.
fn told(error: &CliError) -> String {
    let message = error.message.trim_start_matches("Error response from daemon: ").to_owned();
    std::iter::once(message).chain(error.causes.iter().cloned()).collect::<Vec<_>>().join(": ")
}

fn home_settings(settings: &Settings) -> HomeSettings {
    let environment = &settings.environment;
    HomeSettings {
        data_root: settings.data_root.clone(),
        layers: None,
        cgroup: coracle_runtime::cgroup::Settings {
            bus_address: environment.get("DBUS_SESSION_BUS_ADDRESS").map(str::to_owned),
            runtime_dir: settings.session_dir.clone(),
        },
        storage: settings.storage,
        packets: settings.packets,
        low_ports: settings.low_ports,
        limits_optional: settings.limits_optional,
        names: NameRules {
            aliases: settings.file.aliases.clone(),
            search_registries: settings.file.unqualified_search_registries.clone(),
        },
        inside: None,
        owner: settings.owner.clone(),
        docker_socket: settings.docker_socket.clone(),
    }
}

impl From<ViewError> for CliError {
    fn from(error: ViewError) -> Self {
        let mut out = Self::library(&error, error.hint());
        if error.is_of_client() {
            // Docker's client says these by itself.
            out.message = error.to_string();
        }
        out.missing = error.missing().map(|(object, name)| Box::new((object, name.to_owned())));
        if let ViewError::Engine(EngineError::Start(failure)) = &error {
            out.status = match failure.code {
                126 => ExitStatus::NotExecutable,
                127 => ExitStatus::NotFound,
                _ => ExitStatus::Ours,
            };
        }
        out
    }
}

impl From<ImageError> for CliError {
    fn from(error: ImageError) -> Self {
        ViewError::from(error).into()
    }
}

impl From<SwarmError> for CliError {
    fn from(error: SwarmError) -> Self {
        ViewError::from(error).into()
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        ViewError::from(error).into()
    }
}
