//! Files of containers as trees: what changed, copies in and out.
//!
//! # How it works
//!
//! [`changes`] compares a container's own folder with the layers below it. A copy is an
//! archive that one thread writes and another extracts ([`transfer`]): a container's files
//! are found in a [`view`] of it, running or not, and written by [`extract`].
//!
//! # Invariants
//!
//! A path of a container is resolved by the kernel beneath its root, and trees are walked
//! by open directories that are never entered through a symlink. So a container that
//! swaps directories for symlinks meanwhile changes only what is copied of itself.

pub(crate) mod changes;
mod error;
mod extract;
mod host;
mod names;
mod rights;
mod stream;
pub(crate) mod tidy;
mod transfer;
pub(crate) mod view;

use std::io::{Read, Write};

pub use changes::{Change, ChangeKind};
pub use error::CopyError;
pub use names::absolute;
pub(crate) use transfer::{copy_in, copy_out};

/// A path in a container, and the container as the user called it.
#[derive(Clone, Copy, Debug)]
pub struct ContainerPath<'a> {
    pub name: &'a str,
    pub path: &'a str,
}

/// How to copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct CopyOptions {
    /// Also files on the host get the owners, attributes and set-id bits of their source;
    /// in a container they have them anyway.
    pub archive: bool,
    /// A symlink given as the source stands for what it leads to.
    pub follow_link: bool,
}

/// Where a copy into a container comes from.
pub enum HostSource<'a> {
    /// An absolute path, made by [`absolute`].
    Path(&'a str),
    /// An archive, compressed or not.
    Stream(&'a mut dyn Read),
}

/// Where a copy out of a container goes.
pub enum HostTarget<'a> {
    /// An absolute path, made by [`absolute`].
    Path(&'a str),
    /// An archive is written.
    Stream(&'a mut dyn Write),
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes of the archive, as Docker counts; 0 for streams.
    pub bytes: u64,
    /// Bytes of the files in it; those of the archive where Docker knows no other number: of a
    /// folder that comes out of a container.
    pub content: u64,
    /// `CONTAINER:PATH` or the path on the host.
    pub target: String,
}
