//! The source of a bind mount: looked at when a container is made, and again when it starts.

use std::fs;
use std::path::Path;

use crate::error::EngineError;
use crate::model::ContainerMount;
use crate::mounts::MountError;

/// The source of a bind mount exists, or `-v` makes it a folder.
pub(crate) fn bind_source(mount: &ContainerMount) -> Result<(), EngineError> {
    let path = Path::new(&mount.point.source);
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    if !mount.create_source {
        return Err(MountError::SourceMissing { path: mount.point.source.clone() }.into());
    }
    fs::create_dir_all(path).map_err(|error| {
        let missing = path.ancestors().take_while(|folder| !folder.exists()).last();
        let missing = missing.unwrap_or(path).display();
        let text = error.to_string().to_lowercase();
        let why = text.split(" (os error").next().unwrap_or(&text);
        EngineError::Refuse(format!(
            "error while creating mount source path '{}': mkdir {missing}: {why}",
            path.display()
        ))
    })
}
