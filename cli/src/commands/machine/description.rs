//! What a machine here tells a swarm of itself, but for its name that of this one.

use coracle_runtime::home::Machine;
use coracle_swarm::model::node::{EngineDescription, NodeDescription, NodeResources, Platform};

use crate::VERSION;

/// What a node says of itself.
pub(crate) fn description() -> NodeDescription {
    let machine = Machine::look();
    let cpus = i64::try_from(machine.cpus).unwrap_or(i64::MAX / 1_000_000_000);
    NodeDescription {
        hostname: machine.name,
        platform: Platform { architecture: machine.architecture, os: "linux".to_owned() },
        resources: NodeResources {
            nano_cpus: cpus.saturating_mul(1_000_000_000),
            memory_bytes: i64::try_from(machine.memory).unwrap_or(i64::MAX),
        },
        engine: EngineDescription {
            engine_version: VERSION.to_owned(),
            ..EngineDescription::default()
        },
    }
}
