//! Docker's checks of resource settings, in its words. Pure.

use crate::model::Resources;

/// The least memory a container may be given; Docker's value.
pub(super) const MEMORY_BYTES_MIN: i64 = 6 * 1024 * 1024;

/// A resource setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    #[error("Minimum memory limit allowed is 6MB")]
    MemoryTooSmall,
    #[error("Minimum memoryswap limit should be larger than memory limit, see usage")]
    SwapBelowMemory,
    #[error("You should always set the Memory limit when using Memoryswap limit, see usage")]
    SwapWithoutMemory,
    #[error("Minimum memory reservation allowed is 6MB")]
    ReservationTooSmall,
    #[error("Minimum memory limit can not be less than memory reservation limit, see usage")]
    ReservationAboveMemory,
    #[error("invalid value: {value}. Valid memory swappiness range is 0-100")]
    Swappiness { value: i64 },
    #[error("range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available")]
    Cpus { cpus: i64 },
    #[error("Conflicting options: Nano CPUs and CPU Period cannot both be set")]
    CpusAndPeriod,
    #[error("Conflicting options: Nano CPUs and CPU Quota cannot both be set")]
    CpusAndQuota,
    #[error("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")]
    CpuPeriod,
    #[error("CPU cfs quota can not be less than 1ms (i.e. 1000)")]
    CpuQuota,
    #[error("Range of blkio weight is from 10 to 1000")]
    BlkioWeight,
}

/// Checks `resources` on a machine with `cpus` CPUs.
///
/// # Errors
/// The first setting that Docker would refuse too.
pub fn validate(resources: &Resources, cpus: usize) -> Result<(), LimitError> {
    let (memory, swap) = (resources.memory, resources.memory_swap);
    let reservation = resources.memory_reservation;
    if memory != 0 && memory < MEMORY_BYTES_MIN {
        return Err(LimitError::MemoryTooSmall);
    }
    if memory > 0 && swap > 0 && swap < memory {
        return Err(LimitError::SwapBelowMemory);
    }
    if memory == 0 && swap > 0 {
        return Err(LimitError::SwapWithoutMemory);
    }
    if let Some(value) = resources.memory_swappiness.filter(|value| !(-1..=100).contains(value)) {
        return Err(LimitError::Swappiness { value });
    }
    if reservation > 0 && reservation < MEMORY_BYTES_MIN {
        return Err(LimitError::ReservationTooSmall);
    }
    if memory > 0 && reservation > 0 && memory < reservation {
        return Err(LimitError::ReservationAboveMemory);
    }
    validate_cpu(resources, i64::try_from(cpus).unwrap_or(i64::MAX))?;
    if resources.blkio_weight > 0 && !(10..=1000).contains(&resources.blkio_weight) {
        return Err(LimitError::BlkioWeight);
    }
    Ok(())
}

fn validate_cpu(resources: &Resources, cpus: i64) -> Result<(), LimitError> {
    if resources.nano_cpus > 0 && resources.cpu_period > 0 {
        return Err(LimitError::CpusAndPeriod);
    }
    if resources.nano_cpus > 0 && resources.cpu_quota > 0 {
        return Err(LimitError::CpusAndQuota);
    }
    if resources.nano_cpus < 0 || resources.nano_cpus > cpus.saturating_mul(1_000_000_000) {
        return Err(LimitError::Cpus { cpus });
    }
    if resources.cpu_period != 0 && !(1000..=1_000_000).contains(&resources.cpu_period) {
        return Err(LimitError::CpuPeriod);
    }
    if resources.cpu_quota > 0 && resources.cpu_quota < 1000 {
        return Err(LimitError::CpuQuota);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Resources, validate};

    fn complaint(resources: &Resources) -> String {
        validate(resources, 2).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn messages_are_dockers() {
        const MIB: i64 = 1024 * 1024;
        let none = Resources::default;
        let cases = [
            (Resources { memory: MIB, ..none() }, "Minimum memory limit allowed is 6MB"),
            (Resources { memory: 6 * MIB, ..none() }, ""),
            (
                Resources { memory: 32 * MIB, memory_swap: 16 * MIB, ..none() },
                "Minimum memoryswap limit should be larger than memory limit, see usage",
            ),
            (
                Resources { memory_swap: 64 * MIB, ..none() },
                "You should always set the Memory limit when using Memoryswap limit, see usage",
            ),
            (
                Resources { memory: 32 * MIB, memory_reservation: 64 * MIB, ..none() },
                "Minimum memory limit can not be less than memory reservation limit, see usage",
            ),
            (
                Resources { cpu_period: 5, ..none() },
                "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
            ),
            (
                Resources { nano_cpus: 1, cpu_quota: 5000, ..none() },
                "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
            ),
            (
                Resources { nano_cpus: -1_000_000_000, ..none() },
                "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
            ),
            (
                Resources { memory: 32 * MIB, memory_swappiness: Some(200), ..none() },
                "invalid value: 200. Valid memory swappiness range is 0-100",
            ),
        ];
        for (resources, expected) in cases {
            assert_eq!(complaint(&resources), expected);
        }
    }
}
