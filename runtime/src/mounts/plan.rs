//! All mounts of a container, from its request: as Docker's engine puts them together.

use std::collections::BTreeMap;

use crate::model::{
    BindOptions, Config, ContainerMount, DriverConfig, HostConfig, Mount, MountPoint, MountType,
    VolumeOptions,
};

use super::validate::{clean, container_mount};
use super::{MountError, check_volume_name, mode};

/// The only volume driver there is.
const LOCAL_DRIVER: &str = "local";

/// Mode of named volumes that ask for none: Docker's mark that they may be shared.
const SHARED_MODE: &str = "z";

/// A container named by `--volumes-from`, looked up by the caller.
#[derive(Debug, Clone, Copy)]
pub struct Donor<'a> {
    pub mounts: &'a [ContainerMount],
    pub read_only: bool,
}

/// One `--volumes-from` option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumesFrom {
    /// Name or id.
    pub container: String,
    pub read_only: bool,
}

/// A volume that must exist before the container starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeRequest {
    pub name: String,
    pub driver: String,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// Made for this container, without a name of the user's choice.
    pub anonymous: bool,
}

/// A mount, and the volume it is of; the volume's directory is still to be put into `point.source`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedMount {
    pub mount: ContainerMount,
    pub volume: Option<VolumeRequest>,
}

/// Reads `CONTAINER[:MODE]`.
///
/// # Errors
/// For an empty option or a mode that says more than `ro` and `rw`.
pub fn volumes_from(option: &str) -> Result<VolumesFrom, MountError> {
    if option.is_empty() {
        return Err(MountError::EmptyVolumesFrom);
    }
    let (container, text) = option.split_once(':').unwrap_or((option, ""));
    let parsed = mode::parse(text)?;
    if parsed.no_copy || parsed.propagation.is_some() {
        return Err(MountError::Mode { mode: text.to_owned() });
    }
    Ok(VolumesFrom { container: container.to_owned(), read_only: parsed.read_only })
}

/// The container's mounts: those of `donors`, then `-v`, `--mount` and the volumes
/// of the image and of `-v PATH`, where nothing else is mounted there.
///
/// `new_name` makes names for anonymous volumes.
///
/// # Errors
/// For a malformed mount, or two at one place.
pub fn plan(
    config: &Config,
    host: &HostConfig,
    donors: &[Donor<'_>],
    new_name: &mut dyn FnMut() -> String,
) -> Result<Vec<PlannedMount>, MountError> {
    if let Some(path) = host.tmpfs.keys().find(|path| !path.starts_with('/')) {
        return Err(MountError::TmpfsPath { path: path.clone() });
    }
    let tmpfs: Vec<String> = host.tmpfs.keys().map(|path| clean(path)).collect();
    if tmpfs.iter().any(|path| path == "/") {
        return Err(MountError::TmpfsOnRoot);
    }
    let mut all = Mounts::default();
    for donor in donors {
        for mount in donor.mounts {
            all.put(donated(mount, donor.read_only));
        }
    }
    let mut own: Vec<String> = tmpfs.clone();
    for raw in host.binds.iter().flatten() {
        let planned = bind(raw, &host.volume_driver)?;
        claim(&mut own, &planned, None)?;
        all.put(planned);
    }
    for mount in &host.mounts {
        let planned = asked(mount, container_mount(mount, None)?)?;
        claim(&mut own, &planned, Some(&mount.target))?;
        all.put(planned);
    }
    for path in config.volumes.iter().flatten().map(|(path, _)| clean(path)) {
        if !tmpfs.contains(&path) && !all.has(&path) {
            all.put(anonymous(path));
        }
    }
    for planned in &mut all.0 {
        if let Some(volume) = &mut planned.volume
            && volume.name.is_empty()
        {
            volume.name = new_name();
            planned.mount.point.name.clone_from(&volume.name);
        }
    }
    Ok(all.0)
}

/// Mounts by destination: a later one replaces an earlier one.
#[derive(Default)]
struct Mounts(Vec<PlannedMount>);

impl Mounts {
    fn has(&self, destination: &str) -> bool {
        self.0.iter().any(|planned| planned.mount.point.destination == destination)
    }

    fn put(&mut self, planned: PlannedMount) {
        let destination = &planned.mount.point.destination;
        self.0.retain(|known| known.mount.point.destination != *destination);
        self.0.push(planned);
    }
}

/// Two mounts of the container's own at one place contradict each other. `written` is the
/// place as the user wrote it, where the message has it so.
fn claim(
    own: &mut Vec<String>,
    planned: &PlannedMount,
    written: Option<&str>,
) -> Result<(), MountError> {
    let destination = planned.mount.point.destination.clone();
    if own.contains(&destination) {
        let destination = written.map_or(destination, str::to_owned);
        return Err(MountError::Duplicate { destination });
    }
    own.push(destination);
    Ok(())
}

fn donated(mount: &ContainerMount, read_only: bool) -> PlannedMount {
    let mut mount = mount.clone();
    mount.point.rw &= !read_only;
    // Not filled a second time. What is anonymous stays so: its last user removes it.
    mount.copy_up = false;
    PlannedMount { mount, volume: None }
}

/// One entry of `HostConfig.Binds`: `source:target[:mode]`.
fn bind(raw: &str, driver: &str) -> Result<PlannedMount, MountError> {
    let malformed = || MountError::Raw { spec: raw.to_owned() };
    let parts: Vec<&str> = raw.splitn(4, ':').collect();
    let (source, target, words) = match parts.as_slice() {
        [source, target] if !mode::is_valid(target) => (*source, *target, ""),
        [source, target, words] => (*source, *target, *words),
        _ => return Err(malformed()),
    };
    if source.is_empty() {
        return Err(malformed());
    }
    let parsed = mode::parse(words)?;
    let mut mount = Mount {
        kind: if source.starts_with('/') { MountType::Bind } else { MountType::Volume },
        source: source.to_owned(),
        target: target.to_owned(),
        read_only: parsed.read_only,
        ..Mount::default()
    };
    let driver = Some(driver).filter(|name| mount.kind == MountType::Volume && !name.is_empty());
    // Nothing is copied to a folder of the host, and it is refused where it is said.
    if driver.is_some() || parsed.no_copy {
        let config =
            driver.map(|name| DriverConfig { name: name.to_owned(), ..DriverConfig::default() });
        mount.volume_options = Some(VolumeOptions {
            no_copy: parsed.no_copy,
            driver_config: config,
            ..VolumeOptions::default()
        });
    }
    if let Some(propagation) = parsed.propagation {
        mount.bind_options = Some(BindOptions { propagation, ..BindOptions::default() });
    }
    let mut checked = container_mount(&mount, Some(raw))?;
    checked.create_source = mount.kind == MountType::Bind;
    words.clone_into(&mut checked.point.mode);
    asked(&mount, checked)
}

/// Adds the volume to a mount the user asked for.
fn asked(mount: &Mount, mut checked: ContainerMount) -> Result<PlannedMount, MountError> {
    if mount.kind != MountType::Volume {
        return Ok(PlannedMount { mount: checked, volume: None });
    }
    if !mount.source.is_empty() {
        check_volume_name(&mount.source)?;
    }
    let options = mount.volume_options.clone().unwrap_or_default();
    let driver = options.driver_config.unwrap_or_default();
    let name = if driver.name.is_empty() { LOCAL_DRIVER.to_owned() } else { driver.name };
    checked.point.driver.clone_from(&name);
    if checked.point.mode.is_empty() {
        SHARED_MODE.clone_into(&mut checked.point.mode);
    }
    let volume = VolumeRequest {
        name: mount.source.clone(),
        driver: name,
        options: driver.options,
        labels: options.labels,
        anonymous: checked.anonymous,
    };
    Ok(PlannedMount { mount: checked, volume: Some(volume) })
}

/// A volume the image declares, or `-v PATH`.
fn anonymous(destination: String) -> PlannedMount {
    let point = MountPoint {
        kind: MountType::Volume,
        destination,
        driver: LOCAL_DRIVER.to_owned(),
        rw: true,
        ..MountPoint::default()
    };
    PlannedMount {
        mount: ContainerMount {
            point,
            anonymous: true,
            copy_up: true,
            ..ContainerMount::default()
        },
        volume: Some(VolumeRequest {
            driver: LOCAL_DRIVER.to_owned(),
            anonymous: true,
            ..VolumeRequest::default()
        }),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
