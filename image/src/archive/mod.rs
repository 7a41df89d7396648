//! Images as files: `import`, `load`, `save`, `commit`; and manifests of our own.
//!
//! [`import`] makes an image of one root filesystem. [`load`] reads what `docker save`
//! writes and OCI layouts, from a stream or a directory. [`save`] writes both forms in
//! one archive, [`write_layout`] one image as builds export it. [`commit`] makes an image of a
//! container's changes, [`compose`] one of layers that are in the store.
//!
//! # Not here
//!
//! `export` is [`crate::pack::pack`] of a mounted root.

mod commit;
mod compose;
mod docker;
mod import;
mod layout;
mod load;
mod manifest;
mod plan;
mod save;
mod source;
mod write;

pub use commit::{CommitOptions, commit};
pub use compose::{Composed, Composition, Documents, compose};
pub use import::{ImportOptions, Imported, import};
pub use load::{Input, Loaded, load};
pub(crate) use manifest::annotations;
pub use manifest::{Descriptor, Index, Manifest, PlatformFields, manifest_of};
pub use plan::LoadOptions;
pub use save::save;
pub(crate) use source::Source;
pub(crate) use write::LayoutFolder;
pub use write::{LayoutOptions, LayoutPlace, write_layout};
