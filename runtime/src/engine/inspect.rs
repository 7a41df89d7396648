//! What there is to know about containers.

use std::collections::BTreeMap;

use super::Engine;
use crate::error::EngineError;
use crate::file_lock;
use crate::model::{
    Container, ContainerInspect, EndpointSettings, GraphDriver, InspectPaths, MountType,
};
use crate::records::Life;
use crate::rootfs::layer_files;

/// A container and where its life stands.
#[derive(Clone, Debug)]
pub struct Summary {
    pub container: Container,
    pub life: Life,
}

impl Engine {
    /// All containers that can be read, newest first. The others are noted.
    ///
    /// # Errors
    /// When the folder of records cannot be read.
    pub fn list(&self) -> Result<Vec<Summary>, EngineError> {
        let listing = self.records.list()?;
        for damaged in listing.damaged {
            self.damage.note(damaged.note);
        }
        let mut all: Vec<Summary> =
            listing.readable.into_iter().map(|(container, life)| show(container, life)).collect();
        all.sort_by_key(|summary: &Summary| std::cmp::Reverse(summary.container.created));
        Ok(all)
    }

    /// One container by its full id, with what its networks gave it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn summary(&self, id: &str) -> Result<Summary, EngineError> {
        Ok(show(self.records.load(id)?, self.records.life(id)?))
    }

    /// What `inspect` prints.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn inspect(&self, id: &str) -> Result<ContainerInspect, EngineError> {
        let Summary { mut container, life } = self.summary(id)?;
        container.restart_count = life.restart_count;
        self.show_network_of_mode(&mut container, &life);
        for (number, mount) in container.mounts.iter_mut().enumerate() {
            if mount.point.kind == MountType::Image {
                let place = crate::monitor::image_place(&self.paths.bundle(id), number);
                mount.point.source = place.display().to_string();
            }
        }
        let folder = self.paths.container(id);
        let file = |name: &str| folder.join(name).display().to_string();
        let layers: Vec<String> = container
            .layers
            .iter()
            .rev()
            .map(|layer| layer_files(&self.config.layers, layer).display().to_string())
            .collect();
        let copied = crate::rootfs::has_copy(&folder);
        let (driver, own) = if copied { ("copy", "copy") } else { ("overlay2", "upper") };
        let data = BTreeMap::from([
            ("ID".to_owned(), container.id.clone()),
            ("LowerDir".to_owned(), layers.join(":")),
            ("MergedDir".to_owned(), self.paths.merged(id).display().to_string()),
            ("UpperDir".to_owned(), file(own)),
            ("WorkDir".to_owned(), file("work")),
        ]);
        let paths = InspectPaths {
            resolv_conf: file("resolv.conf"),
            hostname: file("hostname"),
            hosts: file("hosts"),
            log: match container.host_config.log_config.driver.as_str() {
                "json-file" => self.paths.log(id).display().to_string(),
                _ => String::new(),
            },
            graph_driver: GraphDriver { data: Some(data), name: driver.to_owned() },
        };
        let there = self.paths.at(&life.boot_id).unwrap_or_else(|| self.paths.clone());
        let execs = crate::monitor::living_execs(&there.running(id));
        let execs = (!execs.is_empty()).then_some(execs);
        Ok(ContainerInspect::new(&container, &life.state, paths, execs))
    }

    /// `host` and `none` are networks of Docker's too: a container in one of these modes has an
    /// endpoint there, without an address.
    fn show_network_of_mode(&self, container: &mut Container, life: &Life) {
        let mode = container.host_config.network_mode.clone();
        if !matches!(mode.as_str(), "host" | "none") {
            return;
        }
        let mut place = EndpointSettings::default();
        let settings = &mut container.network_settings;
        if !life.state.started_at.is_zero() {
            // Without its record the network has no id to show.
            place.network_id = self.networks.find(&mode).map_or_else(|_| String::new(), |n| n.id);
        }
        if life.state.pid != 0 {
            place.endpoint_id.clone_from(&container.id);
            settings.sandbox_id.clone_from(&container.id);
            settings.sandbox_key = format!("/proc/{}/ns/net", life.state.pid);
        }
        settings.networks.insert(mode, place);
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// When the name is taken or invalid.
    pub fn rename(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let name = name.strip_prefix('/').unwrap_or(name);
        // Docker names it with the slash here, and only here.
        crate::names::validate(name).map_err(|error| {
            EngineError::Refuse(error.to_string().replacen(
                &format!("({name})"),
                &format!("(/{name})"),
                1,
            ))
        })?;
        let held = self.records.lock_container(id, file_lock::PATIENCE)?;
        let lock = self.records.lock()?;
        let mut container = self.records.load(id)?;
        let old = container.name.clone();
        self.records.rename(&lock, &mut container, name)?;
        drop(lock);
        // A monitor that is about to start it may have read the old name.
        drop(held);
        self.tell_monitor(id)?;
        self.events.container(&container, "rename", &[("oldName", &format!("/{old}"))]);
        Ok(())
    }

    /// Remembers that something was done for a container ([`crate::model::Container::done`]).
    ///
    /// # Errors
    /// When there is no such container, or its record cannot be written.
    pub fn note_done(&self, id: &str, what: &str) -> Result<(), EngineError> {
        let _held = self.records.lock_container(id, file_lock::PATIENCE)?;
        let _lock = self.records.lock()?;
        let mut container = self.records.load(id)?;
        if !container.done.iter().any(|done| done == what) {
            container.done.push(what.to_owned());
            self.records.save(&container)?;
        }
        Ok(())
    }

    /// Lets the monitor of a running container read its record again.
    pub(super) fn tell_monitor(&self, id: &str) -> Result<(), EngineError> {
        let Some(mut connection) = self.connect(id)? else { return Ok(()) };
        match connection.ask(&crate::wire::Request::Reload) {
            // It has ended; the next one reads what is written.
            Err(EngineError::MonitorGone { .. }) => Ok(()),
            answer => answer,
        }
    }
}

fn show(mut container: Container, life: Life) -> Summary {
    container.network_settings = life.network.show(&container);
    if life.state.pid != 0 && !life.network.endpoints.is_empty() {
        let settings = &mut container.network_settings;
        settings.sandbox_id.clone_from(&container.id);
        settings.sandbox_key = format!("/proc/{}/ns/net", life.state.pid);
    }
    Summary { container, life }
}
