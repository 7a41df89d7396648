//! Media types of manifests, configurations and layers.

use crate::error::{ImageError, Result};
use crate::store::Compression;

pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The OCI type of a layer compressed like this.
pub fn layer_type(compression: Compression) -> &'static str {
    match compression {
        Compression::Gzip => OCI_LAYER_GZIP,
        Compression::Zstd => OCI_LAYER_ZSTD,
        Compression::None | Compression::Xz | Compression::Bzip2 => OCI_LAYER,
    }
}

/// Refuses layers that we could fetch but must not or cannot unpack.
pub fn check_layer_type(media_type: &str) -> Result<()> {
    let why = if media_type.contains("+encrypted") {
        "encrypted layers need a key"
    } else if media_type.contains(".foreign.") || media_type.contains(".nondistributable.") {
        "foreign layers are not distributed with the image"
    } else if media_type.contains(".layer.") || media_type.contains("rootfs.diff.tar") {
        return Ok(());
    } else {
        "it is not a file system layer"
    };
    Err(ImageError::LayerType { media_type: media_type.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_layers_by_type() {
        check_layer_type(OCI_LAYER_ZSTD).unwrap();
        check_layer_type(DOCKER_LAYER_GZIP).unwrap();
        for (media_type, why) in [
            (
                "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                "encrypted layers need a key",
            ),
            (
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                "foreign layers are not distributed with the image",
            ),
            (
                "application/vnd.oci.image.layer.nondistributable.v1.tar",
                "foreign layers are not distributed with the image",
            ),
            ("application/vnd.in-toto+json", "it is not a file system layer"),
        ] {
            let error = check_layer_type(media_type).unwrap_err();
            assert_eq!(error.to_string(), format!("unsupported layer type `{media_type}`: {why}"));
        }
    }
}
