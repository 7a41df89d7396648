//! A mount as asked for, checked and turned into a mount of a container.

use std::path::{Component, Path};

use crate::model::{ContainerMount, Mount, MountPoint, MountType};

use super::volume_flag::absolute;
use super::{MountError, mode};

/// Propagation of binds that ask for none.
const PROPAGATION_DEFAULT: &str = "rprivate";

/// The reasons a mount is refused, without the words around them.
fn reason(mount: &Mount) -> Option<String> {
    if mount.target.is_empty() {
        return Some("field Target must not be empty".to_owned());
    }
    if clean(&mount.target) == "/" {
        return Some("invalid specification: destination can't be '/'".to_owned());
    }
    if let Some(reason) = relative(&mount.target) {
        return Some(reason);
    }
    let extra = |field: &str| Some(format!("field {field} must not be specified"));
    match mount.kind {
        MountType::Bind if mount.source.is_empty() => {
            Some("field Source must not be empty".to_owned())
        }
        MountType::Bind if mount.volume_options.is_some() => extra("VolumeOptions"),
        MountType::Bind => {
            let propagation =
                mount.bind_options.as_ref().map(|bind| bind.propagation.as_str()).unwrap_or("");
            if !propagation.is_empty() && !mode::is_propagation(propagation) {
                return Some(format!("invalid propagation mode: {propagation}"));
            }
            relative(&mount.source)
        }
        MountType::Volume if mount.bind_options.is_some() => extra("BindOptions"),
        MountType::Volume => {
            subpath_leaves(mount.volume_options.as_ref().map(|volume| volume.subpath.as_str()))
        }
        MountType::Tmpfs if mount.bind_options.is_some() => extra("BindOptions"),
        MountType::Tmpfs if !mount.source.is_empty() => extra("Source"),
        MountType::Tmpfs => None,
        MountType::Image if mount.bind_options.is_some() => extra("BindOptions"),
        MountType::Image if mount.volume_options.is_some() => extra("VolumeOptions"),
        MountType::Image if mount.source.is_empty() => {
            Some("field Source must not be empty".to_owned())
        }
        MountType::Image => {
            subpath_leaves(mount.image_options.as_ref().map(|image| image.subpath.as_str()))
        }
        MountType::Cluster | MountType::Npipe => Some("mount type unknown".to_owned()),
    }
}

fn relative(path: &str) -> Option<String> {
    (!path.starts_with('/'))
        .then(|| format!("invalid mount path: '{path}' mount path must be absolute"))
}

/// Docker says "volume" of images too.
fn subpath_leaves(subpath: Option<&str>) -> Option<String> {
    Path::new(subpath.unwrap_or(""))
        .components()
        .any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
        .then(|| "subpath must be a relative path within the volume".to_owned())
}

/// An absolute path without `.`, `..` and doubled slashes.
pub(super) fn clean(path: &str) -> String {
    absolute(Path::new("/"), path)
}

/// Checks `mount`. With the text it came from, `-v`'s words surround the reason.
pub(super) fn container_mount(
    mount: &Mount,
    raw: Option<&str>,
) -> Result<ContainerMount, MountError> {
    if let Some(reason) = reason(mount) {
        let kind = mount.kind.to_string();
        return Err(match raw {
            Some(spec) => MountError::RawConfig { spec: spec.to_owned(), kind, reason },
            None => MountError::Config { kind, reason },
        });
    }
    let bind = mount.bind_options.clone().unwrap_or_default();
    let volume = mount.volume_options.clone().unwrap_or_default();
    let image = mount.image_options.clone().unwrap_or_default();
    let is_image = mount.kind == MountType::Image;
    let mut point = MountPoint {
        kind: mount.kind,
        destination: clean(&mount.target),
        rw: !mount.read_only,
        ..MountPoint::default()
    };
    match mount.kind {
        MountType::Bind => {
            point.source = clean(&mount.source);
            point.propagation = if bind.propagation.is_empty() {
                PROPAGATION_DEFAULT.to_owned()
            } else {
                bind.propagation.clone()
            };
        }
        MountType::Volume => point.name.clone_from(&mount.source),
        MountType::Image => {
            point.name.clone_from(&mount.source);
            PROPAGATION_DEFAULT.clone_into(&mut point.propagation);
            // Nothing of an image is ever written, whatever was asked for.
            point.rw = false;
        }
        _ => {}
    }
    Ok(ContainerMount {
        point,
        anonymous: mount.kind == MountType::Volume && mount.source.is_empty(),
        copy_up: mount.kind == MountType::Volume && !volume.no_copy,
        subpath: if is_image { image.subpath } else { volume.subpath },
        create_source: bind.create_mountpoint,
        bind,
        tmpfs: mount.tmpfs_options.clone().unwrap_or_default(),
        ..ContainerMount::default()
    })
}
