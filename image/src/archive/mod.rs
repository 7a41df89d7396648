//! Images as files: `import`, `load`, `save`, `commit`; and manifests of our own.
//!
//! [`import`] makes an image of one root filesystem. [`load`] reads what `docker save`
//! writes and OCI layouts, from a stream or a directory. [`save`] writes both forms in
//! one archive. [`commit`] makes an image of a container's changes.
//!
//! # Not here
//!
//! `export` is [`crate::pack::pack`] of a mounted root.

mod commit;
mod docker;
mod import;
mod layout;
mod load;
mod manifest;
mod plan;
mod save;
mod source;

pub use commit::{CommitOptions, commit};
pub use import::{ImportOptions, Imported, import};
pub use load::{Input, Loaded, load};
pub use manifest::{Descriptor, Index, Manifest};
pub use plan::LoadOptions;
pub use save::save;
