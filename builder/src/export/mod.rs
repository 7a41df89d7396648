//! What becomes of a build: files in a folder, archives of files, archives of images.
//!
//! # How it works
//!
//! Everything here reads layers where the owners of their files are mapped, may start threads, and so is called in a
//! child of the build. Who calls has mounted the root filesystem that files are taken of.
//!
//! # Times
//!
//! With `SOURCE_DATE_EPOCH`, files of the outputs `local` and `tar` are all of that time; in layers later times become
//! it where `rewrite-timestamp` asks for that, but for those of the base image.

mod error;
mod files;
mod image;
pub(crate) mod texts;

pub(crate) use error::ExportError;
pub(crate) use files::{archive, folder};
pub(crate) use image::{Place, Product, create, layout, push, rewritten};
