//! Whether containers, networks and volumes are whole: their part of `system check`.
//!
//! Every record must be readable, and what it refers to be there. A repair gives a container
//! a new state and a volume a new record, leads names to their containers again, and sweeps
//! what killed commands left. It removes no container, network or volume: that is `rm -f`.

use coracle_image::store::Finding;
use coracle_image::{Digest, short_id};

use super::Engine;
use crate::damage::Damaged;
use crate::error::EngineError;
use crate::model::{Container, MountType};
use crate::paths;
use crate::spec::NetworkMode;
use crate::volumes::VolumeError;

/// What was looked at.
#[derive(Debug, Default)]
pub struct RecordsCheck {
    pub containers: usize,
    pub networks: usize,
    pub volumes: usize,
    pub findings: Vec<Finding>,
}

impl Engine {
    /// Looks at every record, and with `repair` mends what can be mended.
    ///
    /// # Errors
    /// When a folder cannot be read, or a repair fails.
    pub fn check_records(&self, repair: bool) -> Result<RecordsCheck, EngineError> {
        let mut check = RecordsCheck::default();
        // First, so that what is made anew is found whole below.
        self.check_networks(&mut check)?;
        self.check_volumes(repair, &mut check)?;
        self.check_containers(repair, &mut check)?;
        self.check_folders(repair, &mut check)?;
        Ok(check)
    }

    fn check_networks(&self, check: &mut RecordsCheck) -> Result<(), EngineError> {
        check.networks = self.networks.list()?.len();
        for damaged in self.networks.damaged()? {
            check.findings.push(finding(&damaged));
        }
        // Those that are always there were made anew by the look at them.
        for made in self.damage.take_new().iter().filter(|note| note.id.contains(' ')) {
            let found = Finding::new(format!("network {}", made.id), &made.why);
            check.findings.push(found.repaired(&made.cure));
        }
        Ok(())
    }

    fn check_volumes(&self, repair: bool, check: &mut RecordsCheck) -> Result<(), EngineError> {
        for damaged in self.volumes.damaged()? {
            let mut found = finding(&damaged);
            if repair && self.volumes.renew(&damaged.id)? {
                found = found.repaired("made its record anew, without labels and options");
            }
            check.findings.push(found);
        }
        check.volumes = self.volumes.list()?.len();
        Ok(())
    }

    fn check_containers(&self, repair: bool, check: &mut RecordsCheck) -> Result<(), EngineError> {
        let listing = self.records.list()?;
        check.containers = listing.readable.len() + listing.damaged.len();
        for damaged in listing.damaged {
            let mut found = finding(&damaged.note);
            // A monitor writes the state of its container again when that changes.
            let watched = self
                .paths
                .of_this_boot()
                .any(|paths| paths::connect(&paths.running(&damaged.id), "control.sock").is_ok());
            if repair && !watched && self.records.renew_life(&damaged.id)? {
                found = found.repaired("gave it a new state: exited");
            }
            check.findings.push(found);
        }
        for (container, _) in listing.readable {
            self.check_references(&container, check);
        }
        Ok(())
    }

    fn has_layer(&self, layer: &Digest) -> bool {
        crate::rootfs::layer_files(&self.config.layers, layer).is_dir()
    }

    fn check_references(&self, container: &Container, check: &mut RecordsCheck) {
        let what = format!("container {}", container.short_id());
        let mut miss = |problem: String| check.findings.push(Finding::new(&what, problem));
        if !crate::rootfs::has_copy(&self.paths.container(&container.id)) {
            for layer in &container.layers {
                if !self.has_layer(layer) {
                    let layer = layer.short();
                    miss(format!("layer {layer} of its image is missing; pull or load it again"));
                }
            }
        }
        for mount in &container.mounts {
            if mount.layers.iter().any(|layer| !self.has_layer(layer)) {
                let image = &mount.point.name;
                miss(format!(
                    "a layer of image {image}, which it mounts, is missing; pull it again"
                ));
            }
        }
        let mounts = container.mounts.iter().map(|mount| &mount.point);
        for volume in mounts.filter(|point| point.kind == MountType::Volume) {
            if let Err(VolumeError::NotFound { .. }) = self.volumes.get(&volume.name) {
                miss(format!("its volume {} is missing", volume.name));
            }
        }
        if let NetworkMode::Network(_) = NetworkMode::parse(&container.host_config.network_mode) {
            for name in container.network_settings.networks.keys() {
                if self.networks.find(name).is_err() {
                    miss(format!("its network {name} is missing"));
                }
            }
        }
    }

    /// What killed commands left, and names that lead nowhere.
    fn check_folders(&self, repair: bool, check: &mut RecordsCheck) -> Result<(), EngineError> {
        let lock = self.records.lock()?;
        let mut found: Vec<Finding> = Vec::new();
        for id in self.records.ids()? {
            if let Some(name) = self.records.lost_name(&id) {
                let what = format!("container {}", short_id(&id));
                found.push(Finding::new(what, format!("its name {name} does not lead to it")));
            }
        }
        let lost = found.len();
        for debris in self.records.debris(&lock)? {
            found.push(Finding::new(debris, "no container has it"));
        }
        if repair && !found.is_empty() {
            self.records.restore_names(&lock)?;
            for folder in self.records.sweep(&lock)? {
                // What cannot be removed is found again.
                drop(crate::volumes::remove_tree(&folder));
            }
            for (at, finding) in found.iter_mut().enumerate() {
                let how = if at < lost { "it does again" } else { "removed" };
                finding.repaired = Some(how.to_owned());
            }
        }
        check.findings.append(&mut found);
        Ok(())
    }
}

fn finding(damaged: &Damaged) -> Finding {
    let Damaged { kind, id, why, cure } = damaged;
    Finding::new(format!("{kind} {id}"), format!("{why}; {cure}"))
}
