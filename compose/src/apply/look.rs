//! Looks at what is there of a project.

use coracle_runtime::engine::Summary;
use coracle_runtime::model::MountType;
use coracle_runtime::{Engine, EngineError};

use crate::container::dependency_labels;
use crate::plan::{Observed, Seen, SeenNetwork, SeenVolume};
use crate::project::{found, labels};

/// What is there.
///
/// # Errors
/// When the records cannot be read.
pub fn look(engine: &Engine, project: &str) -> Result<Observed, EngineError> {
    let mut observed = Observed::default();
    for summary in engine.list()? {
        if found::label(&summary, labels::PROJECT) == project && !found::is_step(&summary) {
            observed.containers.push(seen(&summary));
        } else {
            observed.other_names.push(summary.container.name);
        }
    }
    for network in engine.networks.list()? {
        let seen = SeenNetwork { id: network.id, labels: network.labels };
        observed.networks.insert(network.name, seen);
    }
    for volume in engine.volumes.list()? {
        let seen = SeenVolume { labels: volume.labels.unwrap_or_default() };
        observed.volumes.insert(volume.name, seen);
    }
    Ok(observed)
}

/// A container as a plan sees it.
#[must_use]
pub fn seen(summary: &Summary) -> Seen {
    let container = &summary.container;
    let host = &container.host_config;
    let label = |key| found::label(summary, key).to_owned();
    let modes = [&host.network_mode, &host.ipc_mode, &host.pid_mode];
    let shares = modes.into_iter().filter_map(|mode| mode.strip_prefix("container:"));
    let volumes = container
        .mounts
        .iter()
        .filter(|mount| mount.point.kind == MountType::Volume && !mount.anonymous)
        .map(|mount| mount.point.name.clone());
    let mounted = container
        .mounts
        .iter()
        .filter(|mount| mount.point.kind == MountType::Image)
        .map(|mount| (mount.point.destination.clone(), mount.image.clone()));
    let replaces = label(labels::REPLACE);
    Seen {
        id: container.id.clone(),
        name: container.name.clone(),
        service: label(labels::SERVICE),
        number: found::number(summary),
        one_off: found::is_one_off(summary),
        hash: label(labels::CONFIG_HASH),
        image: container.image.clone(),
        status: summary.life.state.status,
        origin: container.origin.clone(),
        networks: container.network_settings.networks.keys().cloned().collect(),
        volumes: volumes.collect(),
        mounted: mounted.collect(),
        shares: shares.filter(|id| id.len() == 64).map(str::to_owned).collect(),
        replaces: (!replaces.is_empty() && replaces != container.name).then_some(replaces),
        depends_on: dependency_labels(&label(labels::DEPENDS_ON)),
    }
}
