//! Containers are made, and made anew.

use std::collections::BTreeMap;

use coracle_runtime::EngineError;
use coracle_runtime::engine::{CreateRequest, RemoveOptions};
use coracle_runtime::model::{Container, MountType};
use coracle_runtime::records::RecordError;

use super::{Apply, ApplyError, Kind};
use crate::container::{self, Facts};
use crate::plan::{Action, Step};
use crate::project::{Service, labels};

/// Digits of the old container's id before the name of the one that takes its place.
const ID_DIGITS: usize = 12;

impl Apply<'_> {
    pub(super) fn create(&mut self, step: &Step) -> Result<(), ApplyError> {
        let service = self.project.services[&step.service].clone();
        self.watcher.tell(Kind::Container, &step.object, "Creating");
        let made = self
            .request(&service, step.number, BTreeMap::new())
            .and_then(|request| Ok(self.engine.create(request)?));
        if let Err(error) = &made {
            self.watcher.tell(Kind::Container, &step.object, &spoken(error));
        }
        made?;
        self.watcher.tell(Kind::Container, &step.object, "Created");
        Ok(())
    }

    /// Makes what takes another's place, as far as it needs no other service's container: that
    /// may be one that is made anew itself.
    pub(super) fn replacements(&mut self, steps: &[Step]) -> Result<(), ApplyError> {
        for step in steps.iter().filter(|step| step.action == Action::Recreate) {
            let service = &self.project.services[&step.service];
            if shares(service) {
                continue;
            }
            if let Err(error) = self.replacement(step) {
                self.watcher.tell(Kind::Container, &step.object, &spoken(&error));
                // Nothing has been stopped yet, and nothing is to be left.
                for (_, new) in std::mem::take(&mut self.replacements) {
                    let options = RemoveOptions { force: true, volumes: false };
                    drop(self.engine.remove(self.session, &new, options));
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes the container that is to take another's place; none when that one is gone.
    fn replacement(&mut self, step: &Step) -> Result<Option<String>, ApplyError> {
        if let Some(new) = self.replacements.get(&step.id) {
            return Ok(Some(new.clone()));
        }
        let old = match self.engine.records.load(&step.id) {
            // It went with its volume.
            Err(RecordError::NotFound { .. }) => return Ok(None),
            loaded => loaded?,
        };
        let service = self.project.services[&step.service].clone();
        let inherited = if self.settings.renew_volumes { BTreeMap::new() } else { anonymous(&old) };
        let mut request = self.request(&service, step.number, inherited)?;
        let digits = old.id.get(..ID_DIGITS).unwrap_or(&old.id);
        request.name = Some(format!("{digits}_{}", step.object));
        request.config.labels.insert(labels::REPLACE.to_owned(), step.object.clone());
        let new = self.engine.create(request)?;
        self.replacements.insert(old.id, new.id.clone());
        Ok(Some(new.id))
    }

    pub(super) fn recreate(&mut self, step: &Step) -> Result<(), ApplyError> {
        let Some(new) = self.replacement(step)? else { return self.create(step) };
        self.watcher.tell(Kind::Container, &step.object, "Recreate");
        self.replacements.remove(&step.id);
        self.stop_replaced(&step.id, &step.object)?;
        let volumes = self.settings.renew_volumes;
        let options = RemoveOptions { force: true, volumes };
        match self.engine.remove(self.session, &step.id, options) {
            // Somebody was faster.
            Err(EngineError::Record(RecordError::NotFound { .. })) => {}
            outcome => outcome?,
        }
        self.engine.rename(&new, &step.object)?;
        self.watcher.tell(Kind::Container, &step.object, "Recreated");
        Ok(())
    }

    /// What the engine is asked for.
    pub(super) fn request(
        &mut self,
        service: &Service,
        number: u32,
        inherited: BTreeMap<String, String>,
    ) -> Result<CreateRequest, ApplyError> {
        let name = || with_tag(&self.project.image_name(service));
        let image = self.images.get(&service.name).cloned();
        let image = image.ok_or_else(|| ApplyError::NoImage { name: name() })?;
        let mut sources = service.volumes.iter().filter(|volume| volume.kind == "image");
        if let Some(missing) = sources.find(|volume| !image.mounted.contains_key(&volume.source)) {
            return Err(ApplyError::NoImage { name: with_tag(&missing.source) });
        }
        let facts = Facts {
            image,
            number,
            inherited,
            peers: self.peers()?,
            files: self.files(service)?,
            profiles: self.profiles.clone(),
        };
        Ok(container::request(self.project, service, facts, &self.defaults)?)
    }
}

/// Whether a container of a service needs one of another to be made.
fn shares(service: &Service) -> bool {
    let modes = [service.network_mode.as_deref().unwrap_or_default(), &service.ipc, &service.pid];
    let links = !service.links.is_empty() || !service.volumes_from.is_empty();
    links || modes.iter().any(|mode| mode.starts_with("service:"))
}

/// The name of an image with the tag it implies.
pub(super) fn with_tag(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}

/// A failure as the progress line of its object tells it.
fn spoken(error: &ApplyError) -> String {
    match error {
        ApplyError::Engine(_) | ApplyError::NoImage { .. } => {
            format!("Error response from daemon: {error}")
        }
        other => other.to_string(),
    }
}

/// The anonymous volumes of a container, by path.
fn anonymous(container: &Container) -> BTreeMap<String, String> {
    container
        .mounts
        .iter()
        .filter(|mount| mount.anonymous && mount.point.kind == MountType::Volume)
        .map(|mount| (mount.point.destination.clone(), mount.point.name.clone()))
        .collect()
}
