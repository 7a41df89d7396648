//! What progress calls the parts of an export.

use coracle_image::{Digest, Reference};

use crate::request::OutputKind;

/// The line of work; `None`: nothing happens.
pub(crate) fn title(kind: &OutputKind) -> Option<&'static str> {
    match kind {
        OutputKind::Image { .. } => Some("exporting to image"),
        OutputKind::Local(_) => Some("exporting to client directory"),
        OutputKind::Tar(_) => Some("exporting to client tarball"),
        OutputKind::Docker { .. } => Some("exporting to docker image format"),
        OutputKind::Oci { .. } => Some("exporting to oci image format"),
        OutputKind::Nothing => None,
    }
}

pub(crate) fn manifest(digest: &Digest) -> String {
    format!("exporting manifest {digest}")
}

pub(crate) fn config(id: &Digest) -> String {
    format!("exporting config {id}")
}

pub(crate) fn naming(name: &Reference) -> String {
    format!("naming to {name}")
}

pub(crate) fn pushing(name: &Reference, digest: &Digest) -> String {
    format!("pushing manifest for {name}@{digest}")
}
