//! Create a container: its id, its name, its record, its folders.

use std::collections::BTreeMap;
use std::fs;

use super::Engine;
use super::mounts::Givens;
use coracle_image::{Digest, GivenName};

use crate::error::EngineError;
use crate::model::{
    Config, Container, DeliveredFile, EndpointSettings, HostConfig, NetworkSettings, RECORD_VERSION,
};
use crate::paths::make_private;
use crate::records::RecordsLock;
use crate::volumes::remove_tree;

/// What of an image a container needs.
#[derive(Clone, Debug, Default)]
pub struct ImageFacts {
    /// `sha256:…`.
    pub id: String,
    /// As the user named it.
    pub name: GivenName,
    /// `linux/amd64`.
    pub platform: String,
    /// DiffIDs, lowest first.
    pub layers: Vec<Digest>,
    /// What the image's configuration says.
    pub config: Config,
    /// Images that are needed besides, by the names that its mounts, or whoever makes it, have for them.
    pub mounted: BTreeMap<String, ImageFacts>,
}

/// A container to be made.
#[derive(Clone, Debug, Default)]
pub struct CreateRequest {
    /// Given when a monitor waits for it ([`Engine::call_ahead`]).
    pub id: Option<String>,
    pub name: Option<String>,
    /// The number of the swarm's node on this machine whose names have it; 0 is the machine's own.
    pub node: u8,
    pub image: ImageFacts,
    /// What the user asked for; what is left out comes from the image.
    pub config: Config,
    pub host_config: HostConfig,
    /// Networks by name or id, the first being that of `NetworkMode`.
    pub networks: Vec<(String, EndpointSettings)>,
    /// Anonymous volumes of a container whose place this one takes, by path: used instead of
    /// new ones.
    pub inherited: BTreeMap<String, String>,
    /// Files whose content [`Engine::deliver_task`] has to hand over before each start.
    pub delivered: Vec<DeliveredFile>,
    /// A swarm's agent makes it: it may join networks of the swarm that others may not.
    pub is_task: bool,
    /// A step of a build ([`Container::is_step`]).
    pub is_step: bool,
    /// What the caller wants to find in the record again.
    pub origin: serde_json::Value,
}

/// How often a generated name is tried before it gets a digit.
const NAME_TRIES: u32 = 10;

impl Engine {
    /// Makes a container and returns its record.
    ///
    /// # Errors
    /// When its name is taken or invalid, or files cannot be written.
    pub fn create(&self, mut request: CreateRequest) -> Result<Container, EngineError> {
        if let Some(name) = &mut request.name {
            *name = crate::names::given(name)?.to_owned();
        }
        let id = request.id.map_or_else(crate::id::new_id, Ok)?;
        super::check::network_conflicts(&request.config, &request.host_config)?;
        let mut config = merge(request.config, &request.image.config);
        super::check::conflicts(&config, &request.host_config)?;
        super::check::devices(&request.host_config)?;
        crate::logs::validate(&request.host_config.log_config)?;
        self.check_others(request.name.as_deref(), &request.host_config)?;
        let mut host_config = request.host_config;
        let networks = self.wanted_networks(&mut host_config, request.networks)?;
        if config.hostname.is_empty() {
            config.hostname = self.host_name(&id, &host_config)?;
        }
        let mut words =
            config.entrypoint.iter().flatten().chain(config.cmd.iter().flatten()).cloned();
        let path =
            words.next().ok_or_else(|| EngineError::Refuse("no command specified".to_owned()))?;
        let args = words.collect();
        let mut container = Container {
            version: RECORD_VERSION,
            id,
            name: request.name.clone().unwrap_or_default(),
            node: request.node,
            owner: self.config.owner.clone(),
            created: crate::clock::now(),
            path,
            args,
            image: request.image.id,
            image_name: request.image.name,
            platform: request.image.platform,
            layers: request.image.layers,
            config,
            host_config,
            delivered: request.delivered,
            network_settings: NetworkSettings { networks, ..NetworkSettings::default() },
            storage: self.config.storage,
            is_task: request.is_task,
            is_step: request.is_step,
            origin: request.origin,
            ..Container::default()
        };
        let givens = Givens { inherited: &request.inherited, images: &request.image.mounted };
        let made = self.fill(&mut container, request.name.is_some(), &givens);
        if made.is_err() {
            // What is in the way now is met again by whoever sweeps next.
            drop(remove_tree(&self.records.abandon(&container.id)));
        }
        made?;
        self.events.container(&container, "create", &[]);
        Ok(container)
    }

    fn fill(
        &self,
        container: &mut Container,
        named: bool,
        givens: &Givens<'_>,
    ) -> Result<(), EngineError> {
        let lock = self.records.lock()?;
        // Debris of a command that died is swept by whoever holds the lock next.
        let debris = self.records.sweep(&lock)?;
        let made = self.fill_locked(&lock, container, named, givens);
        // Nobody has to wait for these.
        drop(lock);
        for folder in debris {
            // As above.
            drop(remove_tree(&folder));
        }
        made
    }

    fn fill_locked(
        &self,
        lock: &RecordsLock,
        container: &mut Container,
        named: bool,
        givens: &Givens<'_>,
    ) -> Result<(), EngineError> {
        let folder = self.paths.container(&container.id);
        for name in ["upper", "work"] {
            make_private(&folder.join(name))?;
        }
        if container.layers.is_empty() {
            // overlayfs needs one.
            make_private(&folder.join("empty"))?;
        }
        set_mode(&folder.join("upper"), 0o755)?;
        self.plan_mounts(container, givens)?;

        if named {
            return Ok(self.records.create(lock, container)?);
        }
        for attempt in 0.. {
            container.name = crate::names::generate(crate::id::random);
            if attempt >= NAME_TRIES {
                container.name.push_str(&(crate::id::random() % 10).to_string());
            }
            match self.records.create(lock, container) {
                Err(crate::records::RecordError::NameTaken { .. }) if attempt < 3 * NAME_TRIES => {}
                other => return Ok(other?),
            }
        }
        Ok(())
    }
}

fn set_mode(path: &std::path::Path, mode: u32) -> Result<(), EngineError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(EngineError::io(format!("set the mode of {}", path.display())))
}

impl Engine {
    /// Random digits, as many as an id has.
    ///
    /// # Errors
    /// When the kernel has none.
    pub fn random_id(&self) -> Result<String, EngineError> {
        crate::id::new_id()
    }
}

/// Fills what the user left out from the image, by Docker's rules.
pub(crate) fn merge(mut config: Config, image: &Config) -> Config {
    if config.entrypoint.is_none() {
        // A command of the user's keeps the entry point; no command means the image's.
        if config.cmd.as_ref().is_none_or(Vec::is_empty) {
            config.cmd.clone_from(&image.cmd);
        }
        config.entrypoint.clone_from(&image.entrypoint);
    } else if config.entrypoint.as_deref() == Some(&[String::new()]) {
        // `--entrypoint ""` takes the image's away, and its command with it.
        config.entrypoint = None;
    }
    let named: Vec<&str> = config.env.iter().filter_map(|entry| entry.split('=').next()).collect();
    let mut env: Vec<String> = image
        .env
        .iter()
        .filter(|entry| entry.split('=').next().is_some_and(|name| !named.contains(&name)))
        .cloned()
        .collect();
    let own = std::mem::take(&mut config.env);
    config.env = own;
    config.env.append(&mut env);
    if config.user.is_empty() {
        config.user.clone_from(&image.user);
    }
    if config.working_dir.is_empty() {
        config.working_dir.clone_from(&image.working_dir);
    }
    if config.stop_signal.is_empty() {
        config.stop_signal.clone_from(&image.stop_signal);
    }
    let mut labels: BTreeMap<String, String> = image.labels.clone();
    labels.append(&mut config.labels);
    config.labels = labels;
    for port in image.exposed_ports.keys() {
        config.exposed_ports.entry(port.clone()).or_default();
    }
    if let Some(volumes) = &image.volumes {
        let own = config.volumes.get_or_insert_default();
        for path in volumes.keys() {
            own.entry(path.clone()).or_default();
        }
    }
    config.healthcheck = merge_health(config.healthcheck, image.healthcheck.as_ref());
    if config.shell.is_none() {
        config.shell.clone_from(&image.shell);
    }
    config.on_build = config.on_build.or_else(|| image.on_build.clone());
    config
}

fn merge_health(
    own: Option<crate::model::HealthConfig>,
    image: Option<&crate::model::HealthConfig>,
) -> Option<crate::model::HealthConfig> {
    let (Some(mut own), Some(image)) = (own.clone(), image) else {
        return own.or_else(|| image.cloned());
    };
    if own.test.is_empty() {
        own.test.clone_from(&image.test);
    }
    for (mine, theirs) in [
        (&mut own.interval, image.interval),
        (&mut own.timeout, image.timeout),
        (&mut own.start_period, image.start_period),
        (&mut own.start_interval, image.start_interval),
        (&mut own.retries, image.retries),
    ] {
        if *mine == 0 {
            *mine = theirs;
        }
    }
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Option<Vec<String>> {
        Some(list.iter().map(|word| (*word).to_owned()).collect())
    }

    fn image() -> Config {
        Config {
            entrypoint: words(&["/entry"]),
            cmd: words(&["serve"]),
            env: vec!["A=image".into(), "B=image".into()],
            user: "app".into(),
            ..Config::default()
        }
    }

    #[test]
    fn a_command_replaces_only_the_command() {
        let user = Config { cmd: words(&["sh"]), ..Config::default() };
        let merged = merge(user, &image());
        assert_eq!((merged.entrypoint, merged.cmd), (words(&["/entry"]), words(&["sh"])));
        assert_eq!(merged.user, "app");
    }

    #[test]
    fn an_entry_point_drops_the_images_command() {
        let user = Config { entrypoint: words(&["ls"]), ..Config::default() };
        let merged = merge(user, &image());
        assert_eq!((merged.entrypoint, merged.cmd), (words(&["ls"]), None));
        let user = Config { entrypoint: words(&[""]), cmd: words(&["id"]), ..Config::default() };
        let merged = merge(user, &image());
        assert_eq!((merged.entrypoint, merged.cmd), (None, words(&["id"])));
    }

    #[test]
    fn the_users_environment_comes_first_and_wins() {
        let user = Config { env: vec!["B=user".into(), "C=user".into()], ..Config::default() };
        assert_eq!(merge(user, &image()).env, ["B=user", "C=user", "A=image"]);
    }
}
