//! Configs and secrets become files that a container can have mounted.
//!
//! A file of the host is bound as it is. When its owner or mode is to be another one in the
//! container, what it holds at that moment is delivered instead, in memory as that of
//! variables; Docker Compose passes the wish over.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;

use coracle_runtime::engine::Delivery;

use super::{Apply, ApplyError};
use crate::container::{ContainerError, Delivered};
use crate::project::{ConfigOrSecret, FileUse, Service};

/// Mode of a config or secret that says nothing about it.
const MODE_DEFAULT: u32 = 0o444;

/// A file that is delivered; it takes memory. Docker's secrets have at most 500 kB.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where a container finds a config or secret.
enum Source {
    /// In a file of the host.
    Path(String),
    Delivery(Delivery),
}

impl Apply<'_> {
    /// The files of a service; what comes from a variable or is written in the Compose file
    /// is delivered without touching a disk.
    pub(super) fn files(&mut self, service: &Service) -> Result<Vec<Delivered>, ApplyError> {
        let mut files = Vec::new();
        for secret in &service.secrets {
            let target = match secret.target.as_str() {
                "" => format!("/run/secrets/{}", secret.source),
                path if path.starts_with('/') => path.to_owned(),
                name => format!("/run/secrets/{name}"),
            };
            let object = self.project.secrets.get(&secret.source).cloned();
            files.push(Delivered { path: self.file("secret", service, secret, object)?, target });
        }
        for config in &service.configs {
            let target = match config.target.as_str() {
                "" => format!("/{}", config.source),
                path if path.starts_with('/') => path.to_owned(),
                name => format!("/{name}"),
            };
            let object = self.project.configs.get(&config.source).cloned();
            files.push(Delivered { path: self.file("config", service, config, object)?, target });
        }
        Ok(files)
    }

    /// A container that stays keeps the values of its configs and secrets, as with Docker
    /// Compose, whose hash does not tell of them. Says which have become others since.
    pub(super) fn tell_of_other_values(&mut self, service: &Service) {
        let secrets = service.secrets.iter().map(|wanted| ("secret", wanted));
        let configs = service.configs.iter().map(|wanted| ("config", wanted));
        for (kind, wanted) in secrets.chain(configs) {
            let objects =
                if kind == "secret" { &self.project.secrets } else { &self.project.configs };
            let object = objects.get(&wanted.source).cloned();
            // A file of the host is looked at where it is.
            if object.as_ref().is_none_or(|object| object.file.is_some()) {
                continue;
            }
            // What cannot be had stops the container that needs it, not the one that has it.
            if let Ok(Source::Delivery(file)) = self.source(kind, service, wanted, object)
                && self.engine.delivered_otherwise(self.session, &file)
            {
                self.watcher.warn(&format!(
                    "services.{}.{kind}s: {} has another value now; a container that runs keeps \
                     the former one until it is made anew, as with --force-recreate",
                    service.name, wanted.source
                ));
            }
        }
    }

    fn file(
        &mut self,
        kind: &'static str,
        service: &Service,
        wanted: &FileUse,
        object: Option<ConfigOrSecret>,
    ) -> Result<String, ApplyError> {
        match self.source(kind, service, wanted, object)? {
            Source::Path(path) => Ok(path),
            Source::Delivery(file) => {
                Ok(self.engine.deliver(self.session, &file)?.display().to_string())
            }
        }
    }

    fn source(
        &mut self,
        kind: &'static str,
        service: &Service,
        wanted: &FileUse,
        object: Option<ConfigOrSecret>,
    ) -> Result<Source, ApplyError> {
        let object = object.ok_or_else(|| ContainerError::Undefined {
            service: service.name.clone(),
            kind,
            name: wanted.source.clone(),
        })?;
        let name = object.name.clone().unwrap_or_else(|| wanted.source.clone());
        if object.external {
            return Err(ContainerError::External { kind, name: wanted.source.clone() }.into());
        }
        if let Some(path) =
            object.file.as_ref().filter(|path| !self.is_copied(kind, wanted, path, &name))
        {
            return Ok(Source::Path(path.clone()));
        }
        let (content, mode) = self.content(kind, &name, object)?;
        let id = |text: &Option<String>, attribute| match text {
            None => Ok(0),
            Some(text) => text.parse().map_err(|_| ContainerError::Invalid {
                service: service.name.clone(),
                attribute,
                value: text.clone(),
                why: "expected a number",
            }),
        };
        Ok(Source::Delivery(Delivery {
            place: self.project.name.clone(),
            name: format!("{kind}-{}", wanted.source),
            content,
            uid: id(&wanted.uid, "uid")?,
            gid: id(&wanted.gid, "gid")?,
            mode: wanted.mode.unwrap_or(mode),
        }))
    }

    /// Whether a file of the host must have another owner or mode in the container.
    fn is_copied(&mut self, kind: &str, wanted: &FileUse, path: &str, name: &str) -> bool {
        let exists = std::path::Path::new(path).exists();
        if !exists {
            self.watcher.warn(&format!("{kind} file {name} does not exist"));
        }
        exists && (wanted.uid.is_some() || wanted.gid.is_some() || wanted.mode.is_some())
    }

    /// What a config or secret holds, and its mode unless the service says another.
    fn content(
        &self,
        kind: &'static str,
        name: &str,
        object: ConfigOrSecret,
    ) -> Result<(Vec<u8>, u32), ApplyError> {
        if let Some(path) = object.file {
            let read = read_file(&path);
            return read.map_err(|source| ApplyError::CannotRead { kind, path, source });
        }
        let content = match (object.content, object.environment) {
            (Some(content), _) => content,
            (None, Some(variable)) => {
                let name = name.to_owned();
                let value = self.environment.get(&variable).cloned();
                value.ok_or(ApplyError::NoVariable { variable, kind, name })?
            }
            (None, None) => String::new(),
        };
        Ok((content.into_bytes(), MODE_DEFAULT))
    }
}

/// What a file holds, and its permissions.
fn read_file(path: &str) -> io::Result<(Vec<u8>, u32)> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    let mut content = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok((content, meta.permissions().mode() & 0o777))
}
