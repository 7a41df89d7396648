//! Limits: `HostConfig`'s numbers as the OCI resources of a cgroup.

use oci_spec::runtime::{
    LinuxBlockIo, LinuxBlockIoBuilder, LinuxCpu, LinuxMemory, LinuxPids, LinuxPidsBuilder,
    LinuxResources,
};

use crate::model::Resources;

/// The period `--cpus` is spread over, in microseconds, as Docker's.
const CPU_PERIOD_US: u64 = 100_000;

/// One CPU in `NanoCpus`.
const NANOS_PER_CPU: i64 = 1_000_000_000;

/// The limits that are set, by the name a user knows; empty when there are none.
pub(super) fn named(resources: &Resources) -> Vec<&'static str> {
    let pids = resources.pids_limit.is_some_and(|limit| limit > 0);
    [
        ("memory", resources.memory > 0),
        ("memory reservation", resources.memory_reservation > 0),
        ("swap", resources.memory_swap > 0),
        ("cpus", resources.nano_cpus > 0 || resources.cpu_quota > 0),
        ("cpu shares", resources.cpu_shares > 0),
        ("cpuset", !resources.cpuset_cpus.is_empty() || !resources.cpuset_mems.is_empty()),
        ("pids", pids),
        ("block I/O weight", resources.blkio_weight > 0),
    ]
    .into_iter()
    .filter_map(|(name, set)| set.then_some(name))
    .collect()
}

/// The OCI form; unset limits stay unset.
pub(super) fn to_oci(resources: &Resources) -> LinuxResources {
    let mut oci = LinuxResources::default();
    oci.set_devices(None);
    oci.set_memory(memory(resources));
    oci.set_cpu(Some(cpu(resources)));
    oci.set_pids(pids(resources));
    oci.set_block_io(block_io(resources));
    oci
}

fn memory(resources: &Resources) -> Option<LinuxMemory> {
    let mut memory = LinuxMemory::default();
    memory.set_limit(positive(resources.memory));
    memory.set_reservation(positive(resources.memory_reservation));
    memory.set_swap(match resources.memory_swap {
        // Docker: as much swap as memory unless told otherwise.
        0 => positive(resources.memory).map(|bytes| bytes.saturating_mul(2)),
        bytes => Some(bytes),
    });
    (memory != LinuxMemory::default()).then_some(memory)
}

fn cpu(resources: &Resources) -> LinuxCpu {
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(u64::try_from(resources.cpu_shares).ok().filter(|&shares| shares > 0));
    if resources.nano_cpus > 0 {
        let period = i64::try_from(CPU_PERIOD_US).unwrap_or(i64::MAX);
        cpu.set_period(Some(CPU_PERIOD_US));
        cpu.set_quota(Some(resources.nano_cpus.saturating_mul(period) / NANOS_PER_CPU));
    } else {
        cpu.set_period(u64::try_from(resources.cpu_period).ok().filter(|&period| period > 0));
        cpu.set_quota(positive(resources.cpu_quota));
    }
    cpu.set_cpus(non_empty(&resources.cpuset_cpus));
    cpu.set_mems(non_empty(&resources.cpuset_mems));
    cpu
}

fn pids(resources: &Resources) -> Option<LinuxPids> {
    let limit = resources.pids_limit.filter(|&limit| limit > 0)?;
    LinuxPidsBuilder::default().limit(limit).build().ok()
}

fn block_io(resources: &Resources) -> Option<LinuxBlockIo> {
    if resources.blkio_weight == 0 {
        return None;
    }
    LinuxBlockIoBuilder::default().weight(resources.blkio_weight).build().ok()
}

fn positive(value: i64) -> Option<i64> {
    (value > 0).then_some(value)
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_is_nothing_limited() {
        let resources = Resources::default();
        assert!(named(&resources).is_empty());
        let oci = to_oci(&resources);
        assert_eq!(serde_json::to_string(&oci).unwrap(), r#"{"cpu":{}}"#);
    }

    #[test]
    fn translates_limits() {
        let resources = Resources {
            memory: 64 << 20,
            nano_cpus: 500_000_000,
            pids_limit: Some(20),
            cpuset_cpus: "0-1".to_owned(),
            blkio_weight: 300,
            ..Resources::default()
        };
        assert_eq!(named(&resources), ["memory", "cpus", "cpuset", "pids", "block I/O weight"]);
        assert_eq!(
            serde_json::to_string(&to_oci(&resources)).unwrap(),
            r#"{"memory":{"limit":67108864,"swap":134217728},"cpu":{"quota":50000,"period":100000,"cpus":"0-1"},"pids":{"limit":20},"blockIO":{"weight":300}}"#
        );
    }

    #[test]
    fn an_unlimited_swap_stays_minus_one() {
        let resources = Resources { memory: 1 << 20, memory_swap: -1, ..Resources::default() };
        let memory = memory(&resources).unwrap();
        assert_eq!(memory.swap(), Some(-1));
    }
}
