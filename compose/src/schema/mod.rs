//! The one table of attributes: what each accepts, how it is read, merged, checked and printed.
//!
//! The stages walk a tree and this table together; none of them knows names of attributes
//! beyond those that it is about.

mod attr;
mod build;
mod deploy;
mod mount;
mod resources;
mod service;
mod stack;
mod types;

pub(crate) use attr::{
    Attr, Cast, Default, Fields, Form, Keys, Merge, Others, Paths, Pattern, Shape, Support, Unique,
};
pub(crate) use resources::ROOT;
pub(crate) use stack::STACK_ROOT;
