//! The images of the services: which there are, and fetching the others by other processes.

pub(crate) mod build;
pub(crate) mod ensure;
pub(crate) mod fetch;
