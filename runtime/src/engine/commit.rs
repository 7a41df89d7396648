//! `commit`: an image of what a container changed.
//!
//! As Docker does by default, the container is paused meanwhile. One that cannot be (a
//! process of it hangs in the kernel) goes on running: what it writes at that moment may be
//! in the image half.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use coracle_image::archive::{self, CommitOptions};
use coracle_image::config::{ContainerConfig, Empty, Healthcheck};
use coracle_image::unpack::marks;
use coracle_image::{Digest, Reference, Store, instruction};

use super::Engine;
use crate::copy::changes;
use crate::delivered;
use crate::error::EngineError;
use crate::events::Kind;
use crate::model::{Config, Status};
use crate::rootfs::Overlay;
use crate::session::Session;

/// How to make an image of a container.
#[derive(Clone, Debug, Default)]
pub struct CommitRequest {
    pub author: Option<String>,
    pub message: Option<String>,
    /// Dockerfile instructions.
    pub changes: Vec<String>,
    /// Pause the container meanwhile.
    pub pause: bool,
    /// `REPOSITORY[:TAG]`.
    pub name: Option<Reference>,
}

impl Engine {
    /// Makes an image of the container's changes on top of its image. Volumes are left out.
    ///
    /// # Errors
    /// When an instruction is invalid, or the image cannot be written.
    pub fn commit(
        &self,
        session: &Session,
        store: &Store,
        id: &str,
        request: &CommitRequest,
    ) -> Result<Digest, EngineError> {
        let container = self.records.load(id)?;
        let mut config = image_config(&container.config);
        instruction::apply(&mut config, &request.changes)?;
        let parent = store.find(&container.image)?;
        let running = self.records.life(id)?.state.status == Status::Running;
        let _pause = (request.pause && running).then(|| Pause::begin(self, id));

        let overlay = Overlay::of(&self.paths, &self.config.layers, &container);
        let written = self.written(session, &container)?;
        let changed: HashSet<Vec<u8>> =
            changes::changes(&written, &overlay.layers, &delivered::places_made(&container))
                .map_err(EngineError::io(format!("compare container {id} with its image")))?
                .into_iter()
                .map(|change| change.path.as_os_str().as_bytes()[1..].to_vec())
                .collect();
        let words = std::iter::once(&container.path).chain(&container.args);
        let names: Vec<Reference> = request.name.iter().cloned().collect();
        let image = archive::commit(
            store,
            &CommitOptions {
                parent: &parent,
                upper: &written,
                skip: &|path| !is_changed(&changed, path),
                config,
                author: request.author.clone(),
                comment: request.message.clone(),
                created_by: words.map(String::as_str).collect::<Vec<_>>().join(" "),
                names: names.clone(),
            },
        )?;
        let image_id = image.to_string();
        self.events.object(Kind::Image, "create", &image_id, &[("name", &image_id)]);
        let name = names.first().map(|name| name.clone().with_default_tag().familiar());
        if let Some(name) = &name {
            self.events.object(Kind::Image, "tag", &image_id, &[("name", name)]);
        }
        let comment = request.message.as_deref().unwrap_or_default();
        let mut told = vec![("comment", comment), ("imageID", &image_id)];
        told.extend(name.as_deref().map(|name| ("imageRef", name)));
        self.events.container(&container, "commit", &told);
        Ok(image)
    }
}

/// Whether `path`, or what a mark of this name removes, is among the `changed` ones.
fn is_changed(changed: &HashSet<Vec<u8>>, path: &[u8]) -> bool {
    let (folder, name) = coracle_image::tar::split(path);
    let removed = marks::hidden_by(OsStr::from_bytes(name)).map(|hidden| {
        let slash = if folder.is_empty() { &b""[..] } else { b"/" };
        [folder, slash, hidden.as_bytes()].concat()
    });
    changed.contains(path) || removed.is_some_and(|path| changed.contains(&path))
}

/// A container that is paused for as long as this lives.
struct Pause<'a> {
    engine: &'a Engine,
    id: &'a str,
    paused: bool,
}

impl<'a> Pause<'a> {
    fn begin(engine: &'a Engine, id: &'a str) -> Self {
        // The module says what it means when it cannot be.
        Self { engine, id, paused: engine.pause(id, true).is_ok() }
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        if self.paused {
            // A container that has just ended needs no more.
            self.engine.pause(self.id, false).ok();
        }
    }
}

/// Keys as a configuration has them; none at all are left out.
fn set<'a, K: Clone + Ord + 'a>(keys: impl Iterator<Item = &'a K>) -> Option<BTreeMap<K, Empty>> {
    let set: BTreeMap<K, Empty> = keys.map(|key| (key.clone(), Empty {})).collect();
    (!set.is_empty()).then_some(set)
}

/// What of a container's configuration an image carries.
fn image_config(config: &Config) -> ContainerConfig {
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    ContainerConfig {
        args_escaped: false,
        user: config.user.clone(),
        exposed_ports: set(config.exposed_ports.keys()),
        env: (!config.env.is_empty()).then(|| config.env.clone()),
        entrypoint: config.entrypoint.clone(),
        cmd: config.cmd.clone(),
        volumes: set(config.volumes.iter().flat_map(|volumes| volumes.keys())),
        working_dir: config.working_dir.clone(),
        labels: (!config.labels.is_empty()).then(|| config.labels.clone()),
        stop_signal: text(&config.stop_signal),
        healthcheck: config.healthcheck.as_ref().map(|health| Healthcheck {
            test: (!health.test.is_empty()).then(|| health.test.clone()),
            interval: health.interval,
            timeout: health.timeout,
            start_period: health.start_period,
            start_interval: health.start_interval,
            retries: health.retries,
        }),
        on_build: config.on_build.clone(),
        shell: config.shell.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_carries_what_is_not_the_containers_own() {
        let mut config = Config {
            hostname: "abc".to_owned(),
            tty: true,
            env: vec!["A=1".to_owned()],
            cmd: Some(vec!["sleep".to_owned(), "9".to_owned()]),
            stop_signal: "QUIT".to_owned(),
            ..Config::default()
        };
        config.exposed_ports.insert("80/tcp".into(), crate::model::Empty {});
        config.labels.insert("tier".to_owned(), "web".to_owned());
        let json = serde_json::to_string(&image_config(&config)).unwrap();
        assert_eq!(
            json,
            r#"{"ExposedPorts":{"80/tcp":{}},"Env":["A=1"],"Cmd":["sleep","9"],"Labels":{"tier":"web"},"StopSignal":"QUIT"}"#
        );
    }
}
