//! A project in types, read from the canonical form that `config --format json` prints.

pub mod found;
pub mod graph;
pub mod hash;
pub mod labels;
mod parts;
mod resources;
mod service;
mod values;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::Loaded;

pub use parts::{
    Bind, FileUse, Health, Hook, Logging, NetworkUse, Port, Restart, Tmpfs, VolumeOptions,
    VolumeUse,
};
pub use parts::{ConfigOrSecret, Ipam, IpamBlock, Network, Volume};
pub use resources::{Blkio, Deploy, DeviceRequest, DeviceUse, Limits, Rate, Ulimit, Weight};
pub use service::{Condition, Dependency, Service};
pub use values::{Bytes, Duration};

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("{place}: {source}")]
    Shape { place: String, source: serde_json::Error },
    #[error("no such service: {name}")]
    NoSuchService { name: String },
    #[error("cycle found: {}", path.join(" -> "))]
    Cycle { path: Vec<String> },
}

/// A whole project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    pub name: String,
    pub services: BTreeMap<String, Service>,
    pub networks: BTreeMap<String, Network>,
    pub volumes: BTreeMap<String, Volume>,
    pub configs: BTreeMap<String, ConfigOrSecret>,
    pub secrets: BTreeMap<String, ConfigOrSecret>,
    /// Where it comes from; labels of its containers.
    pub source: Source,
}

/// The files of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub working_dir: String,
    pub config_files: Vec<String>,
    /// `--env-file`.
    pub env_files: Vec<String>,
    /// Names are joined with underscores, as Compose v1 did.
    pub compatibility: bool,
}

impl Project {
    /// Reads what was loaded.
    ///
    /// # Errors
    /// When a value has another shape than the model gives it.
    pub fn read(loaded: &Loaded) -> Result<Self, ProjectError> {
        let source = Source {
            working_dir: loaded.working_dir.display().to_string(),
            config_files: loaded.config_files.clone(),
            env_files: loaded.env_files.clone(),
            compatibility: loaded.compatibility,
        };
        let mut project = Self::from_canonical(&loaded.project, source)?;
        project.name.clone_from(&loaded.name);
        // What comes from variables: an included file has other ones than the project.
        let sections =
            [(&loaded.secrets, &mut project.secrets), (&loaded.configs, &mut project.configs)];
        for (contents, objects) in sections {
            for (key, object) in objects {
                object.content = contents.get(key).cloned().or(object.content.take());
            }
        }
        for (name, service) in &mut project.services {
            service.extensions = loaded.extensions.get(name).cloned().unwrap_or_default();
        }
        if let Some(platform) = loaded.default_platform() {
            for service in project.services.values_mut().filter(|one| one.platform.is_none()) {
                service.platform = Some(platform.to_owned());
                hash::add_platform(&mut service.raw, platform);
            }
        }
        Ok(project)
    }

    /// Reads the canonical form. A `$` stands for itself in there.
    pub(crate) fn from_canonical(canonical: &Value, source: Source) -> Result<Self, ProjectError> {
        let name = canonical.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut services: BTreeMap<String, Service> = part(canonical, "services")?;
        for (name, service) in &mut services {
            service.name.clone_from(name);
            service.raw = canonical["services"][name].clone();
        }
        let mut networks: BTreeMap<String, Network> = part(canonical, "networks")?;
        for (key, network) in &mut networks {
            network.raw = canonical["networks"][key].clone();
        }
        let mut volumes: BTreeMap<String, Volume> = part(canonical, "volumes")?;
        for (key, volume) in &mut volumes {
            volume.raw = canonical["volumes"][key].clone();
        }
        Ok(Self {
            name,
            services,
            networks,
            volumes,
            configs: part(canonical, "configs")?,
            secrets: part(canonical, "secrets")?,
            source,
        })
    }

    /// # Errors
    /// When there is none of that name.
    pub fn service(&self, name: &str) -> Result<&Service, ProjectError> {
        let missing = || ProjectError::NoSuchService { name: name.to_owned() };
        self.services.get(name).ok_or_else(missing)
    }

    /// What stands between the parts of a name.
    #[must_use]
    pub fn separator(&self) -> &'static str {
        if self.source.compatibility { "_" } else { "-" }
    }

    /// What the engine calls a network of the file.
    #[must_use]
    pub fn network_name(&self, key: &str) -> String {
        let named = self.networks.get(key).and_then(|network| network.name.clone());
        named.unwrap_or_else(|| format!("{}_{key}", self.name))
    }

    /// What the engine calls a volume of the file.
    #[must_use]
    pub fn volume_name(&self, key: &str) -> String {
        let named = self.volumes.get(key).and_then(|volume| volume.name.clone());
        named.unwrap_or_else(|| format!("{}_{key}", self.name))
    }

    /// The name of a container of a service.
    #[must_use]
    pub fn container_name(&self, service: &Service, number: u32) -> String {
        service.container_name.clone().unwrap_or_else(|| {
            [&self.name, &service.name, &number.to_string()]
                .map(String::as_str)
                .join(self.separator())
        })
    }

    /// The images of a service's `pre_start` steps that are not its own, each once.
    #[must_use]
    pub fn step_images<'s>(&self, service: &'s Service) -> Vec<&'s str> {
        let own = self.image_name(service);
        let mut images: Vec<&str> = Vec::new();
        for step in &service.pre_start {
            let image = step.image.as_str();
            if !image.is_empty() && image != own && !images.contains(&image) {
                images.push(image);
            }
        }
        images
    }

    /// The image of a service: the one it names, or the one its build is called.
    #[must_use]
    pub fn image_name(&self, service: &Service) -> String {
        let built = || [self.name.as_str(), &service.name].join(self.separator());
        service.image.clone().unwrap_or_else(built)
    }
}

fn part<T: for<'de> Deserialize<'de>>(
    canonical: &Value,
    key: &str,
) -> Result<BTreeMap<String, T>, ProjectError> {
    let Some(Value::Object(map)) = canonical.get(key) else { return Ok(BTreeMap::new()) };
    map.iter()
        .map(|(name, value)| {
            let value =
                if value.is_null() { Value::Object(serde_json::Map::new()) } else { value.clone() };
            let read = T::deserialize(value);
            read.map(|value| (name.clone(), value))
                .map_err(|source| ProjectError::Shape { place: format!("{key}.{name}"), source })
        })
        .collect()
}
