//! Helpers of the registry tests: a real registry, a faulty server, small images.

pub(crate) mod content;
pub(crate) mod docker_registry;
pub(crate) mod http;
pub(crate) mod images;
pub(crate) mod token_server;
