//! Containers whose record or state cannot be read: what can still be done with them.
//!
//! Such a container may run all the same. Its monitor is reached by the socket in its
//! runtime folder, which needs no record; it ends the container and takes down what it made.
//! One that does not answer is killed, and the container goes with it.

use std::os::fd::AsFd;
use std::time::Duration;

use coracle_image::Digest;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::{Connection, Engine};
use crate::error::EngineError;
use crate::file_lock;
use crate::model::Container;
use crate::paths;
use crate::records::{Life, RecordError};

/// How long a monitor may take to end its container before it is killed itself.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// As much of a container as its record tells.
    pub(super) fn what_is_left(&self, id: &str) -> Container {
        self.records.load(id).unwrap_or_else(|_| Container {
            id: id.to_owned(),
            name: self.records.salvaged_name(id).unwrap_or_default(),
            ..Container::default()
        })
    }

    /// Ends and removes a container by its id alone.
    pub(super) fn remove_damaged(
        &self,
        container: &Container,
        volumes: bool,
    ) -> Result<(), EngineError> {
        let id = &container.id;
        let _held = self.records.lock_container(id, file_lock::PATIENCE)?;
        let life = self.records.life_as_written(id).unwrap_or_default();
        self.end_damaged(id, &life);
        self.end_damaged_elsewhere(id)?;
        if self.paths.running(id).exists() {
            crate::monitor::take_down(&self.paths, id, &life)?;
        }
        let folder = {
            let lock = self.records.lock()?;
            self.records.forget_damaged(&lock, id)?
        };
        crate::remains::remove_rest(&self.paths, &self.records, container, &folder, volumes)?;
        self.events.container(container, "destroy", &[]);
        Ok(())
    }

    /// The same in other pid namespaces, where only the monitor itself can do it.
    fn end_damaged_elsewhere(&self, id: &str) -> Result<(), EngineError> {
        for paths in self.paths.of_this_boot().filter(|paths| *paths != self.paths) {
            let Ok(stream) = paths::connect(&paths.running(id), "control.sock") else { continue };
            stream.set_read_timeout(Some(PATIENCE)).map_err(EngineError::io("bound a wait"))?;
            let mut connection = Connection::new(stream, id);
            let sent = connection.send(&super::control::end_request());
            match sent.and_then(|()| connection.wait_exit()) {
                // It has ended.
                Ok(_) | Err(EngineError::MonitorGone { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn end_damaged(&self, id: &str, life: &Life) {
        let folder = self.paths.running(id);
        if let Ok(stream) = paths::connect(&folder, "control.sock") {
            let peer = rustix::net::sockopt::socket_peercred(&stream).ok();
            let monitor = peer.and_then(|peer| {
                rustix::process::pidfd_open(peer.pid, rustix::process::PidfdFlags::empty()).ok()
            });
            let mut connection = Connection::new(stream, id);
            // A monitor that goes away now was done.
            let _sent: bool = connection.send(&super::control::end_request()).is_ok();
            if let Some(monitor) = monitor
                && !ends_within(&monitor, PATIENCE)
            {
                rustix::process::pidfd_send_signal(&monitor, rustix::process::Signal::KILL).ok();
                let _ended: bool = ends_within(&monitor, PATIENCE);
            }
        }
        if let Some(init) = life.init.filter(|_| life.is_of_here()) {
            super::recover::end_process(init.into());
        }
    }

    /// Image and layers that containers need whose records cannot be read, as far as those
    /// still say it.
    #[must_use]
    pub fn unreadable_image_users(&self) -> Vec<(String, String, Vec<Digest>)> {
        let users = |id: String| {
            let Err(RecordError::Damaged { .. }) = self.records.load(&id) else {
                return Vec::new();
            };
            let Some(record) = self.records.salvage(&id) else { return Vec::new() };
            let mounts = record.get("mounts").and_then(|mounts| mounts.as_array());
            let images = std::iter::once(&record).chain(mounts.into_iter().flatten());
            images
                .filter_map(image_and_layers)
                .map(|(image, layers)| (id.clone(), image, layers))
                .collect()
        };
        self.records.ids().unwrap_or_default().into_iter().flat_map(users).collect()
    }

    /// Whether a record cannot be read at all, so that nobody knows which volumes are in use.
    ///
    /// # Errors
    /// When the folder of records cannot be read.
    pub fn has_unknown_users(&self) -> Result<bool, EngineError> {
        let unknown = |id: &String| {
            matches!(self.records.load(id), Err(RecordError::Damaged { .. }))
                && self.records.salvage(id).is_none()
        };
        Ok(self.records.ids()?.iter().any(unknown))
    }
}

/// What a record, or a mount in it, says of its image.
fn image_and_layers(record: &serde_json::Value) -> Option<(String, Vec<Digest>)> {
    let image = record.get("image")?.as_str()?.to_owned();
    let layers = record.get("layers").and_then(|layers| layers.as_array());
    let layers = layers.into_iter().flatten();
    Some((image, layers.filter_map(|layer| layer.as_str()?.parse().ok()).collect()))
}

/// A descriptor of a process becomes readable when that ends.
fn ends_within(process: &impl AsFd, patience: Duration) -> bool {
    let patience = Timespec { tv_sec: patience.as_secs().cast_signed(), tv_nsec: 0 };
    let mut watch = [PollFd::new(process, PollFlags::IN)];
    rustix::event::poll(&mut watch, Some(&patience)).is_ok_and(|ready| ready > 0)
}
