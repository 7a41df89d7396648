//! Volumes of a service as mounts.

use coracle_runtime::model::{
    BindOptions, DriverConfig, ImageOptions, Mount, MountType, TmpfsOptions, VolumeOptions,
};
use serde_json::Value;

use super::{StackError, flag, labels, pairs, scoped, text};

pub(super) fn mounts(
    service: &Value,
    config: &Value,
    stack: &str,
) -> Result<Vec<Mount>, StackError> {
    let volumes = service["volumes"].as_array().into_iter().flatten();
    volumes.map(|volume| mount(volume, &config["volumes"], stack)).collect()
}

fn mount(volume: &Value, volumes: &Value, stack: &str) -> Result<Mount, StackError> {
    let kind = match volume["type"].as_str().unwrap_or_default() {
        "volume" | "" => MountType::Volume,
        "bind" => MountType::Bind,
        "tmpfs" => MountType::Tmpfs,
        "image" => MountType::Image,
        "npipe" => MountType::Npipe,
        "cluster" => MountType::Cluster,
        _ => {
            return StackError::client(
                "volume type must be volume, bind, tmpfs, npipe, or cluster",
            );
        }
    };
    let mut out = Mount {
        kind,
        source: text(&volume["source"]),
        target: text(&volume["target"]),
        read_only: flag(&volume["read_only"]),
        consistency: text(&volume["consistency"]),
        ..Mount::default()
    };
    alone(volume, kind)?;
    match kind {
        MountType::Volume if out.source.is_empty() => {}
        MountType::Volume => named(&mut out, volume, volumes, stack)?,
        MountType::Tmpfs if !out.source.is_empty() => {
            return StackError::client("invalid tmpfs source, source must be empty");
        }
        MountType::Tmpfs => {
            let size = volume["tmpfs"]["size"].as_i64().unwrap_or_default();
            out.tmpfs_options = volume
                .get("tmpfs")
                .map(|_| TmpfsOptions { size_bytes: size, ..TmpfsOptions::default() });
        }
        _ if out.source.is_empty() => {
            return StackError::client(format!("invalid {kind} source, source cannot be empty"));
        }
        MountType::Bind | MountType::Npipe => {
            let propagation = text(&volume["bind"]["propagation"]);
            out.bind_options =
                volume.get("bind").map(|_| BindOptions { propagation, ..BindOptions::default() });
        }
        MountType::Image => {
            let subpath = text(&volume["image"]["subpath"]);
            out.image_options = volume.get("image").map(|_| ImageOptions { subpath });
        }
        MountType::Cluster if out.source.starts_with("group:") => {}
        MountType::Cluster => out.source = found(&out.source, volumes, stack)?,
    }
    Ok(out)
}

/// The options of another type make no sense.
fn alone(volume: &Value, kind: MountType) -> Result<(), StackError> {
    let own = match kind {
        MountType::Npipe => "bind".to_owned(),
        kind => kind.to_string(),
    };
    let stranger = ["tmpfs", "bind", "volume", "image", "cluster"]
        .into_iter()
        .find(|part| *part != own && volume.get(*part).is_some());
    match stranger {
        Some(part) => {
            StackError::client(format!("{part} options are incompatible with type {kind}"))
        }
        None => Ok(()),
    }
}

/// The volume's name on a node.
fn found(key: &str, volumes: &Value, stack: &str) -> Result<String, StackError> {
    let Some(volume) = volumes.get(key) else {
        return StackError::client(format!("undefined volume {key:?}"));
    };
    let name = text(&volume["name"]);
    Ok(if name.is_empty() { scoped(stack, key) } else { name })
}

fn named(out: &mut Mount, volume: &Value, volumes: &Value, stack: &str) -> Result<(), StackError> {
    let of_stack = &volumes[out.source.as_str()];
    out.source = found(&out.source, volumes, stack)?;
    let mut options = VolumeOptions {
        no_copy: flag(&volume["volume"]["nocopy"]),
        subpath: text(&volume["volume"]["subpath"]),
        ..VolumeOptions::default()
    };
    if !flag(&of_stack["external"]) {
        options.labels = labels(&of_stack["labels"], stack);
        let driver = text(&of_stack["driver"]);
        if !driver.is_empty() || of_stack.get("driver_opts").is_some() {
            let driver_options = pairs(&of_stack["driver_opts"]);
            options.driver_config = Some(DriverConfig { name: driver, options: driver_options });
        }
    }
    out.volume_options = Some(options);
    Ok(())
}
