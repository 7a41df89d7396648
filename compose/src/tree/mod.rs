//! The one tree all stages work on: values of YAML, each with its place in a file.

mod fault;
mod node;
mod path;

pub(crate) use fault::{Fault, Result};
pub(crate) use node::{At, Map, Node, Value};
pub(crate) use path::Path;
