//! The mounts of a service's container: volumes, tmpfs, configs and secrets.

use coracle_runtime::model::{
    BindOptions, Config, HostConfig, ImageOptions, Mount, MountType, TmpfsOptions,
    VolumeOptions as EngineVolumeOptions,
};

use super::{ContainerError, Facts};
use crate::project::{Project, Service, VolumeUse};

pub(super) fn fill(
    project: &Project,
    service: &Service,
    facts: &Facts,
    _config: &mut Config,
    host: &mut HostConfig,
) -> Result<(), ContainerError> {
    let mut binds = Vec::new();
    for volume in &service.volumes {
        match as_bind(project, volume) {
            Some(bind) => binds.push(bind),
            None => host.mounts.push(as_mount(project, service, volume)?),
        }
    }
    for file in &facts.files {
        host.mounts.push(Mount {
            kind: MountType::Bind,
            source: file.path.clone(),
            target: file.target.clone(),
            read_only: true,
            ..Mount::default()
        });
    }
    host.binds = (!binds.is_empty()).then_some(binds);
    host.tmpfs = super::host::tmpfs(service);
    let mut from = Vec::new();
    for entry in &service.volumes_from {
        from.extend(volumes_from(facts, entry)?);
    }
    host.volumes_from = (!from.is_empty()).then_some(from);
    Ok(())
}

/// The short form, for what it can say.
fn as_bind(project: &Project, volume: &VolumeUse) -> Option<String> {
    let mut words = vec![if volume.read_only { "ro" } else { "rw" }.to_owned()];
    let source = match volume.kind.as_str() {
        "bind" => {
            let bind = volume.bind.clone().unwrap_or_default();
            let has_colon = volume.source.contains(':') || volume.target.contains(':');
            if !bind.create_host_path || !bind.recursive.is_empty() || has_colon {
                return None;
            }
            words.extend([bind.selinux, bind.propagation]);
            volume.source.clone()
        }
        "volume" if !volume.source.is_empty() => {
            let options = volume.volume.clone().unwrap_or_default();
            if !options.subpath.is_empty() {
                return None;
            }
            words.extend(options.nocopy.then(|| "nocopy".to_owned()));
            project.volume_name(&volume.source)
        }
        _ => return None,
    };
    words.retain(|word| !word.is_empty());
    Some(format!("{source}:{}:{}", volume.target, words.join(",")))
}

fn as_mount(
    project: &Project,
    service: &Service,
    volume: &VolumeUse,
) -> Result<Mount, ContainerError> {
    let mut mount = Mount {
        source: volume.source.clone(),
        target: volume.target.clone(),
        read_only: volume.read_only,
        ..Mount::default()
    };
    match volume.kind.as_str() {
        "bind" => {
            mount.kind = MountType::Bind;
            let bind = volume.bind.clone().unwrap_or_default();
            mount.bind_options = Some(BindOptions {
                propagation: bind.propagation,
                create_mountpoint: bind.create_host_path,
                non_recursive: bind.recursive == "disabled",
                read_only_non_recursive: bind.recursive == "writable",
                read_only_force_recursive: bind.recursive == "readonly",
            });
        }
        "volume" => {
            mount.kind = MountType::Volume;
            if !volume.source.is_empty() {
                mount.source = project.volume_name(&volume.source);
            }
            let options = volume.volume.clone().unwrap_or_default();
            mount.volume_options = Some(EngineVolumeOptions {
                no_copy: options.nocopy,
                labels: options.labels,
                subpath: options.subpath,
                driver_config: None,
            });
        }
        "tmpfs" => {
            mount.kind = MountType::Tmpfs;
            let options = volume.tmpfs.clone().unwrap_or_default();
            mount.tmpfs_options = Some(TmpfsOptions {
                size_bytes: options.size.0,
                mode: options.mode.and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0),
                options: Vec::new(),
            });
        }
        "image" => {
            mount.kind = MountType::Image;
            let subpath = volume.image.clone().unwrap_or_default().subpath;
            mount.image_options = Some(ImageOptions { subpath });
        }
        _ => {
            return Err(ContainerError::Unsupported {
                service: service.name.clone(),
                attribute: format!("volumes: type {}", volume.kind),
                why: "a mount is a bind, volume, tmpfs or image",
            });
        }
    }
    Ok(mount)
}

fn volumes_from(facts: &Facts, entry: &str) -> Result<Vec<String>, ContainerError> {
    if let Some(container) = entry.strip_prefix("container:") {
        return Ok(vec![container.to_owned()]);
    }
    let (name, mode) = entry.split_once(':').unwrap_or((entry, "rw"));
    let missing = || ContainerError::NoPeer { what: "volume", name: name.to_owned() };
    let peers = facts.peers.get(name).ok_or_else(missing)?;
    Ok(peers.iter().take(1).map(|peer| format!("{peer}:{mode}")).collect())
}
