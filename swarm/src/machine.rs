//! This machine, asked whether it can give a service what it wants.

use std::path::Path;

use coracle_runtime::cgroup::{self, CgroupError};
use coracle_runtime::home::HomeSettings;
use coracle_runtime::model::Resources;
use coracle_runtime::networks::first_free_port;

use crate::container::host_check::{HostAnswer, HostFacts, Refusal, host_check};
use crate::model::ServiceSpec;

/// Whether a service can be had here, with these settings.
#[must_use]
pub fn check(service: &ServiceSpec, settings: &HomeSettings) -> HostAnswer {
    let limits = |resources: &Resources| {
        let host = cgroup::Host::detect(&settings.cgroup);
        let error: CgroupError = cgroup::refusal(host.as_ref(), resources)?;
        Some(Refusal { words: error.to_string(), hint: error.hint() })
    };
    let facts = HostFacts {
        first_free_port: first_free_port(),
        low_ports: settings.low_ports,
        limits_optional: settings.limits_optional,
        path_exists: &|path| {
            let socket = &settings.docker_socket;
            Path::new(path).symlink_metadata().is_ok() || socket.allowed && socket.stands_for(path)
        },
        limits: &limits,
    };
    host_check(service, &facts)
}
