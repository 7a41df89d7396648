//! The processes of a container: found, told of, measured, stopped, signalled.

pub mod find;
pub(crate) mod pause;
pub(crate) mod remnants;
pub mod signals;
pub mod stats;
pub mod top;
