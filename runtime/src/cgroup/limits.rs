//! From Docker's resource settings to lines for cgroup files. Pure but for looking up
//! the numbers of block devices.

use std::path::Path;

use rustix::fs::FileType;

use super::error::CgroupError;
use crate::model::{Resources, ThrottleDevice, WeightDevice};

/// One write into a file of the container's cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) controller: &'static str,
    pub(super) file: &'static str,
    pub(super) value: String,
    /// The kernel may be built without this file and the limit still holds.
    pub(super) optional: bool,
}

/// Docker's period when only a number of CPUs is given, in microseconds.
const CPU_PERIOD_US: i64 = 100_000;

/// The writes for `resources`; empty when nothing is limited.
pub(super) fn plan(resources: &Resources) -> Result<Vec<Setting>, CgroupError> {
    refuse_unsupported(resources)?;
    let mut settings = Vec::new();
    let mut set = |controller, file, value: String| {
        settings.push(Setting { controller, file, value, optional: false });
    };
    if let Some(value) = cpu_max(resources) {
        set("cpu", "cpu.max", value);
    }
    if resources.cpu_shares > 0 {
        set("cpu", "cpu.weight", cpu_weight(resources.cpu_shares).to_string());
    }
    if !resources.cpuset_cpus.is_empty() {
        set("cpuset", "cpuset.cpus", resources.cpuset_cpus.clone());
    }
    if !resources.cpuset_mems.is_empty() {
        set("cpuset", "cpuset.mems", resources.cpuset_mems.clone());
    }
    if resources.memory != 0 {
        set("memory", "memory.max", or_max(resources.memory));
    }
    if resources.memory_reservation != 0 {
        set("memory", "memory.low", or_max(resources.memory_reservation));
    }
    if let Some(limit) = resources.pids_limit.filter(|limit| *limit != 0) {
        // -1 lifts a limit set before; there is none on a new container.
        set("pids", "pids.max", or_max(limit));
    }
    if resources.blkio_weight > 0 {
        set("io", "io.weight", format!("default {}", io_weight(resources.blkio_weight)));
    }
    settings.extend(swap_max(resources));
    for device in resources.blkio_weight_device.iter().flatten() {
        settings.push(device_weight(device)?);
    }
    for (devices, key) in [
        (&resources.blkio_device_read_bps, "rbps"),
        (&resources.blkio_device_write_bps, "wbps"),
        (&resources.blkio_device_read_iops, "riops"),
        (&resources.blkio_device_write_iops, "wiops"),
    ] {
        for device in devices.iter().flatten() {
            settings.push(throttle(device, key)?);
        }
    }
    Ok(settings)
}

/// The resources without what these controllers would limit.
pub(super) fn without(resources: &Resources, controllers: &[&str]) -> Resources {
    let mut left = resources.clone();
    for controller in controllers {
        match *controller {
            "memory" => {
                left.memory = 0;
                left.memory_swap = 0;
                left.memory_reservation = 0;
            }
            "cpu" => {
                left.nano_cpus = 0;
                left.cpu_shares = 0;
                left.cpu_period = 0;
                left.cpu_quota = 0;
            }
            "cpuset" => {
                left.cpuset_cpus.clear();
                left.cpuset_mems.clear();
            }
            "pids" => left.pids_limit = None,
            "io" => {
                left.blkio_weight = 0;
                left.blkio_weight_device = None;
                left.blkio_device_read_bps = None;
                left.blkio_device_write_bps = None;
                left.blkio_device_read_iops = None;
                left.blkio_device_write_iops = None;
            }
            _ => {}
        }
    }
    left
}

fn refuse_unsupported(resources: &Resources) -> Result<(), CgroupError> {
    let refuse = |what, why| Err(CgroupError::Unsupported { what, why });
    if resources.cpu_realtime_period != 0 || resources.cpu_realtime_runtime != 0 {
        return refuse("realtime CPU time", "cgroup v2 has no such control");
    }
    if resources.memory_swappiness.is_some_and(|value| value != -1) {
        return refuse("swappiness", "cgroup v2 has no such control");
    }
    if resources.oom_kill_disable == Some(true) {
        return refuse("the out-of-memory killer", "cgroup v2 cannot turn it off");
    }
    Ok(())
}

/// Negative is without limit.
fn or_max(value: i64) -> String {
    if value < 0 { "max".to_owned() } else { value.to_string() }
}

fn cpu_max(resources: &Resources) -> Option<String> {
    if resources.nano_cpus > 0 {
        let quota = resources.nano_cpus.saturating_mul(CPU_PERIOD_US) / 1_000_000_000;
        // The kernel takes no less than a millisecond.
        return Some(format!("{} {CPU_PERIOD_US}", quota.max(1000)));
    }
    if resources.cpu_quota == 0 && resources.cpu_period == 0 {
        return None;
    }
    let period = if resources.cpu_period > 0 { resources.cpu_period } else { CPU_PERIOD_US };
    let quota =
        if resources.cpu_quota > 0 { resources.cpu_quota.to_string() } else { "max".into() };
    Some(format!("{quota} {period}"))
}

/// Shares (2 to 262144, usual 1024) as a weight (1 to 10000, usual 100).
///
/// The curve goes through both ends and through the usual values, so that a container
/// with `--cpu-shares 1024` equals one without. A straight line would make it 39.
fn cpu_weight(shares: i64) -> u32 {
    let shares = u32::try_from(shares.clamp(2, 262_144)).unwrap_or(1024);
    let log = f64::from(shares).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    let weight = 10f64.powf(exponent).ceil().clamp(1.0, 10_000.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10000")]
    let weight = weight as u32;
    weight
}

/// Docker's weight (10 to 1000) as the kernel's (1 to 10000).
fn io_weight(weight: u16) -> u32 {
    1 + (u32::from(weight.clamp(10, 1000)) - 10) * 9999 / 990
}

/// Swap on top of memory. Docker's value counts both; unset it allows as much again.
fn swap_max(resources: &Resources) -> Option<Setting> {
    let (memory, both) = (resources.memory, resources.memory_swap);
    let (value, optional) = match (memory, both) {
        (_, -1) => ("max".to_owned(), true),
        (memory, 0) if memory > 0 => (memory.to_string(), true),
        (memory, both) if memory > 0 && both > 0 => {
            (both.saturating_sub(memory).max(0).to_string(), false)
        }
        _ => return None,
    };
    Some(Setting { controller: "memory", file: "memory.swap.max", value, optional })
}

fn device_weight(device: &WeightDevice) -> Result<Setting, CgroupError> {
    let value = format!("{} {}", numbers(&device.path)?, io_weight(device.weight));
    Ok(Setting { controller: "io", file: "io.weight", value, optional: false })
}

fn throttle(device: &ThrottleDevice, key: &str) -> Result<Setting, CgroupError> {
    let rate = if device.rate == 0 { "max".to_owned() } else { device.rate.to_string() };
    let value = format!("{} {key}={rate}", numbers(&device.path)?);
    Ok(Setting { controller: "io", file: "io.max", value, optional: false })
}

/// `major:minor` of a block device.
fn numbers(path: &str) -> Result<String, CgroupError> {
    let failed = |source| CgroupError::Device { path: Path::new(path).to_owned(), source };
    let stat = rustix::fs::stat(path).map_err(|errno| failed(errno.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::BlockDevice {
        return Err(failed(std::io::Error::from(rustix::io::Errno::NOTBLK)));
    }
    let (major, minor) = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    Ok(format!("{major}:{minor}"))
}

#[cfg(test)]
mod tests {
    use super::{Resources, plan};

    fn lines(resources: &Resources) -> Vec<String> {
        plan(resources).unwrap().iter().map(|s| format!("{}={}", s.file, s.value)).collect()
    }

    #[test]
    fn nothing_asked_for_is_nothing_written() {
        assert!(lines(&Resources::default()).is_empty());
    }

    #[test]
    fn memory_takes_as_much_swap_again_unless_told() {
        let base = Resources { memory: 64, ..Resources::default() };
        assert_eq!(lines(&base), ["memory.max=64", "memory.swap.max=64"]);
        let both = Resources { memory_swap: 96, ..base.clone() };
        assert_eq!(lines(&both), ["memory.max=64", "memory.swap.max=32"]);
        let none = Resources { memory_swap: 64, ..base.clone() };
        assert_eq!(lines(&none), ["memory.max=64", "memory.swap.max=0"]);
        let free = Resources { memory_swap: -1, ..base };
        assert_eq!(lines(&free), ["memory.max=64", "memory.swap.max=max"]);
    }

    #[test]
    fn cpus_by_number_by_quota_and_by_share() {
        let cpus = Resources { nano_cpus: 500_000_000, ..Resources::default() };
        assert_eq!(lines(&cpus), ["cpu.max=50000 100000"]);
        let quota = Resources { cpu_quota: 2000, ..Resources::default() };
        assert_eq!(lines(&quota), ["cpu.max=2000 100000"]);
        let period = Resources { cpu_period: 5000, ..Resources::default() };
        assert_eq!(lines(&period), ["cpu.max=max 5000"]);
        for (shares, weight) in [(2, "1"), (1024, "100"), (262_144, "10000"), (512, "59")] {
            let resources = Resources { cpu_shares: shares, ..Resources::default() };
            assert_eq!(lines(&resources), [format!("cpu.weight={weight}")], "{shares}");
        }
    }

    #[test]
    fn the_rest_one_line_each() {
        let resources = Resources {
            cpuset_cpus: "0-1".into(),
            cpuset_mems: "0".into(),
            memory_reservation: 7,
            pids_limit: Some(50),
            blkio_weight: 1000,
            ..Resources::default()
        };
        assert_eq!(
            lines(&resources),
            [
                "cpuset.cpus=0-1",
                "cpuset.mems=0",
                "memory.low=7",
                "pids.max=50",
                "io.weight=default 10000"
            ]
        );
        assert!(lines(&Resources { pids_limit: Some(0), ..Resources::default() }).is_empty());
    }

    #[test]
    fn what_version_two_lacks_is_refused_by_name() {
        let swappiness = Resources { memory_swappiness: Some(60), ..Resources::default() };
        assert_eq!(
            plan(&swappiness).unwrap_err().to_string(),
            "cannot limit swappiness: cgroup v2 has no such control"
        );
        let device = Resources {
            blkio_device_read_bps: Some(vec![crate::model::ThrottleDevice {
                path: "/dev/null".into(),
                rate: 1,
            }]),
            ..Resources::default()
        };
        assert_eq!(plan(&device).unwrap_err().to_string(), "cannot use the device /dev/null");
    }
}
