//! Mounts of a task's container: checked as Docker's agent does, and given to the engine.

use coracle_runtime::model::{Mount, MountType};
use coracle_runtime::mounts::check_volume_name;

use super::templates::is_template;
use super::{ContainerError, Facts, volumes};
use crate::model::{ContainerSpec, Node};

/// A rehearsal node has another than the machine.
const HOST_NAME: &str = "/etc/hostname";

/// Refuses mounts that can never be.
pub(super) fn check(mounts: &[Mount]) -> Result<(), ContainerError> {
    let refuse = |text: String| Err(ContainerError::Mount(text));
    let mut targets: Vec<&str> = Vec::new();
    for mount in mounts {
        let Mount { source, target, .. } = mount;
        if targets.contains(&target.as_str()) {
            return refuse(format!("ContainerSpec: duplicate mount point: {target}"));
        }
        targets.push(target);
        if !target.starts_with('/') && mount.kind != MountType::Npipe {
            return refuse(format!("invalid mount target, must be an absolute path: {target}"));
        }
        match mount.kind {
            MountType::Bind if !source.starts_with('/') && !is_template(source) => {
                return refuse(format!(
                    "invalid bind mount source, must be an absolute path: {source}"
                ));
            }
            MountType::Volume if source.starts_with('/') => {
                return refuse(format!(
                    "invalid volume mount source, must not be an absolute path: {source}"
                ));
            }
            MountType::Volume if !source.is_empty() && !is_template(source) => {
                check_volume_name(source)
                    .map_err(|error| ContainerError::Mount(error.to_string()))?;
            }
            MountType::Tmpfs if !source.is_empty() => {
                return refuse("invalid tmpfs source, source must be empty".to_owned());
            }
            MountType::Cluster => {
                return Err(ContainerError::Unsupported {
                    what: format!("mount of type cluster at {target}"),
                    why: "there are no CSI drivers here; a volume is a folder of this machine",
                });
            }
            MountType::Npipe => {
                return Err(ContainerError::Unsupported {
                    what: format!("mount of type npipe at {target}"),
                    why: "named pipes are for Windows",
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The mounts as the engine takes them on that node.
pub(super) fn build(spec: &ContainerSpec, node: &Node, facts: &Facts) -> Vec<Mount> {
    spec.mounts.iter().map(|mount| on_node(mount.clone(), node, facts)).collect()
}

fn on_node(mut mount: Mount, node: &Node, facts: &Facts) -> Mount {
    let number = node.own.number;
    if number == 0 {
        return mount;
    }
    match (mount.kind, &facts.hostname_file) {
        (MountType::Bind, Some(file)) if mount.source == HOST_NAME => {
            mount.source.clone_from(file);
        }
        (MountType::Volume, _) if !mount.source.is_empty() => {
            let options = mount.volume_options.get_or_insert_default();
            options.labels.extend(volumes::labels(number, &mount.source));
            mount.source = volumes::stored_name(number, &mount.source);
        }
        _ => {}
    }
    mount
}
