//! What a new container mounts: its volumes are made, its bind sources looked at.

use std::collections::BTreeMap;

use super::{Engine, ImageFacts};
use crate::bind_source::bind_source;
use crate::error::EngineError;
use crate::model::{Container, ContainerMount, MountType};
use crate::mounts::{self, Donor, PlannedMount, VolumeRequest};
use crate::volumes::{ANONYMOUS_LABEL, CreateVolume};

/// What was found out about the mounts of a new container.
pub(super) struct Givens<'a> {
    /// Anonymous volumes of another container, by path: used instead of new ones.
    pub(super) inherited: &'a BTreeMap<String, String>,
    /// Images to be mounted, by the names that mounts have for them.
    pub(super) images: &'a BTreeMap<String, ImageFacts>,
}

impl Engine {
    /// Fills `container.mounts` from its configuration.
    pub(super) fn plan_mounts(
        &self,
        container: &mut Container,
        givens: &Givens<'_>,
    ) -> Result<(), EngineError> {
        let mut donors: Vec<(Vec<ContainerMount>, bool)> = Vec::new();
        for option in container.host_config.volumes_from.iter().flatten() {
            let from = mounts::volumes_from(option)?;
            let id = self.records.find(&from.container)?;
            donors.push((self.records.load(&id)?.mounts, from.read_only));
        }
        let donors: Vec<Donor<'_>> = donors
            .iter()
            .map(|(mounts, read_only)| Donor { mounts, read_only: *read_only })
            .collect();
        let mut new_name = || {
            hex::encode(
                std::array::from_fn::<_, 8, _>(|_| crate::id::random())
                    .map(u32::to_be_bytes)
                    .concat(),
            )
        };
        let planned =
            mounts::plan(&container.config, &container.host_config, &donors, &mut new_name)?;
        let passing = container.host_config.auto_remove;
        container.mounts = planned
            .into_iter()
            .map(|planned| self.make_ready(inherit(planned, givens.inherited), givens, passing))
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    fn make_ready(
        &self,
        planned: PlannedMount,
        givens: &Givens<'_>,
        passing: bool,
    ) -> Result<ContainerMount, EngineError> {
        let PlannedMount { mut mount, volume } = planned;
        match volume {
            Some(request) => {
                let volume = self.create_volume(creation(&request, passing))?;
                mount.anonymous = request.anonymous;
                mount.point.source = volume.data.display().to_string();
            }
            None if mount.point.kind == MountType::Bind => {
                self.config.docker_socket.place(&mut mount)?;
                bind_source(&mount)?;
            }
            None if mount.point.kind == MountType::Image => set_image(&mut mount, givens.images)?,
            None => {}
        }
        Ok(mount)
    }
}

/// Records what the image of a mount consists of. That of another container's is known.
fn set_image(
    mount: &mut ContainerMount,
    images: &BTreeMap<String, ImageFacts>,
) -> Result<(), EngineError> {
    if mount.image.is_empty() {
        let name = &mount.point.name;
        let missing = || EngineError::Refuse(format!("No such image: {name}"));
        let image = images.get(name).ok_or_else(missing)?;
        mount.image.clone_from(&image.id);
        mount.layers.clone_from(&image.layers);
    }
    Ok(())
}

/// Takes over another container's volume, if there is one for that path.
fn inherit(mut planned: PlannedMount, inherited: &BTreeMap<String, String>) -> PlannedMount {
    let known = inherited.get(&planned.mount.point.destination);
    if let (Some(name), Some(request)) = (known, &mut planned.volume)
        && request.anonymous
    {
        request.name.clone_from(name);
        planned.mount.point.name.clone_from(name);
        // What is in it is what is wanted.
        planned.mount.copy_up = false;
    }
    planned
}

fn creation(request: &VolumeRequest, passing: bool) -> CreateVolume {
    let mut labels: BTreeMap<String, String> = request.labels.clone();
    if request.anonymous {
        labels.insert(ANONYMOUS_LABEL.to_owned(), String::new());
    }
    CreateVolume {
        name: Some(request.name.clone()),
        driver: request.driver.clone(),
        labels,
        options: request.options.clone(),
        passing: passing && request.anonymous,
    }
}
