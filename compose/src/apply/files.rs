//! Configs and secrets become files that a container can have mounted.

use coracle_runtime::engine::Delivery;

use super::{Apply, ApplyError};
use crate::container::{ContainerError, Delivered};
use crate::project::{ConfigOrSecret, FileUse, Service};

/// Mode of a config or secret that says nothing about it.
const MODE_DEFAULT: u32 = 0o444;

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

    fn file(
        &mut self,
        kind: &'static str,
        service: &Service,
        wanted: &FileUse,
        object: Option<ConfigOrSecret>,
    ) -> Result<String, ApplyError> {
        let object = object.ok_or_else(|| ContainerError::Undefined {
            service: service.name.clone(),
            kind,
            name: wanted.source.clone(),
        })?;
        let name = object.name.clone().unwrap_or_else(|| wanted.source.clone());
        if object.external {
            return Err(ContainerError::External { kind, name: wanted.source.clone() }.into());
        }
        if let Some(path) = object.file {
            let asks = wanted.uid.is_some() || wanted.gid.is_some() || wanted.mode.is_some();
            if asks {
                let kind = if kind == "secret" { "secrets" } else { kind };
                self.watcher.warn(&format!(
                    "{kind} `uid`, `gid` and `mode` are not supported, they will be ignored"
                ));
            }
            if !std::path::Path::new(&path).exists() {
                self.watcher.warn(&format!("{kind} file {name} does not exist"));
            }
            return Ok(path);
        }
        let content = match (object.content, object.environment) {
            (Some(content), _) => content,
            (None, Some(variable)) => self
                .environment
                .get(&variable)
                .cloned()
                .ok_or_else(|| ApplyError::NoVariable { variable, kind, name: name.clone() })?,
            (None, None) => String::new(),
        };
        let id = |text: &Option<String>, attribute| match text {
            None => Ok(0),
            Some(text) => text.parse().map_err(|_| ContainerError::Invalid {
                service: service.name.clone(),
                attribute,
                value: text.clone(),
                why: "expected a number",
            }),
        };
        let file = Delivery {
            place: self.project.name.clone(),
            name: format!("{kind}-{}", wanted.source),
            content: content.into_bytes(),
            uid: id(&wanted.uid, "uid")?,
            gid: id(&wanted.gid, "gid")?,
            mode: wanted.mode.unwrap_or(MODE_DEFAULT),
        };
        Ok(self.engine.deliver(self.session, &file)?.display().to_string())
    }
}
