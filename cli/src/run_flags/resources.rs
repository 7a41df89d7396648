//! Limits: memory, CPU, block devices, processes.

use coracle_runtime::model::{DeviceMapping, Resources, ThrottleDevice, WeightDevice};

use super::CreateFlags;
use crate::args::values;
use crate::error::CliError;

/// Least memory limit Docker accepts.
const MEMORY_MIN: i64 = 6 * 1024 * 1024;

pub(super) fn build(flags: &CreateFlags) -> Result<Resources, CliError> {
    let mut resources = Resources {
        blkio_weight: flags.blkio_weight.unwrap_or(0),
        blkio_weight_device: Some(weights(&flags.blkio_weight_device)?),
        blkio_device_read_bps: Some(rates(&flags.device_read_bps, true)?),
        blkio_device_write_bps: Some(rates(&flags.device_write_bps, true)?),
        blkio_device_read_iops: Some(rates(&flags.device_read_iops, false)?),
        blkio_device_write_iops: Some(rates(&flags.device_write_iops, false)?),
        devices: Some(flags.device.iter().map(|d| device(d)).collect::<Result<_, _>>()?),
        pids_limit: flags.pids_limit.filter(|n| *n != 0),
        ulimits: Some(flags.ulimit.clone()),
        ..Resources::default()
    };
    flags.cpu.put(&mut resources);
    flags.memory.put(&mut resources);
    completed(resources)
}

/// Checks limits against each other and fills in what follows from them.
fn completed(mut resources: Resources) -> Result<Resources, CliError> {
    let Resources { memory, memory_swap, memory_reservation, .. } = resources;
    if memory != 0 && memory < MEMORY_MIN {
        return Err(CliError::engine("Minimum memory limit allowed is 6MB"));
    }
    if memory > 0 && memory_swap > 0 && memory_swap < memory {
        return Err(CliError::engine(
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ));
    }
    if memory == 0 && memory_swap > 0 {
        return Err(CliError::engine(
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ));
    }
    if memory_reservation > 0 && memory_reservation < MEMORY_MIN {
        return Err(CliError::engine("Minimum memory reservation allowed is 6MB"));
    }
    if memory > 0 && memory_reservation > 0 && memory < memory_reservation {
        return Err(CliError::engine(
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ));
    }
    if resources.nano_cpus > 0 && resources.cpu_period > 0 {
        let text = "Conflicting options: Nano CPUs and CPU Period cannot both be set";
        return Err(CliError::engine(text));
    }
    if resources.nano_cpus > 0 && resources.cpu_quota > 0 {
        let text = "Conflicting options: Nano CPUs and CPU Quota cannot both be set";
        return Err(CliError::engine(text));
    }
    check_cpus(&resources)?;
    if memory > 0 && memory_swap == 0 {
        resources.memory_swap = memory.saturating_mul(2);
    }
    Ok(resources)
}

fn check_cpus(resources: &Resources) -> Result<(), CliError> {
    // Counting them reads several files.
    if resources.nano_cpus != 0 {
        let count = cpu_count();
        let most = i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        if resources.nano_cpus < 0 || resources.nano_cpus > most {
            return Err(CliError::engine(format!(
                "range of CPUs is from 0.01 to {count}.00, as there are only {count} CPUs available"
            )));
        }
    }
    if resources.cpu_period != 0 && !(1000..=1_000_000).contains(&resources.cpu_period) {
        return Err(CliError::engine(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ));
    }
    if resources.cpu_quota > 0 && resources.cpu_quota < 1000 {
        let text = "CPU cfs quota can not be less than 1ms (i.e. 1000)";
        return Err(CliError::engine(text));
    }
    if resources.blkio_weight > 0 && !(10..=1000).contains(&resources.blkio_weight) {
        return Err(CliError::engine("Range of blkio weight is from 10 to 1000"));
    }
    check_set(&resources.cpuset_cpus, "cpuset cpus", "CPUs", cpu_count)?;
    check_set(&resources.cpuset_mems, "cpuset mems", "memory nodes", memory_nodes)
}

/// Whether a list such as `0-2,5` can be read and names only what this machine has.
fn check_set(
    given: &str,
    what: &str,
    whose: &str,
    count: impl Fn() -> usize,
) -> Result<(), CliError> {
    if given.is_empty() {
        return Ok(());
    }
    let last = cpu_list(given)
        .ok_or_else(|| CliError::engine(format!("Invalid value {given} for {what}")))?;
    let count = count();
    if last >= count {
        let available = if count == 1 { "0".to_owned() } else { format!("0-{}", count - 1) };
        return Err(CliError::engine(format!(
            "Requested {whose} are not available - requested {given}, available: {available}"
        )));
    }
    Ok(())
}

/// The nodes are numbered without gaps; a kernel that does not tell has one.
fn memory_nodes() -> usize {
    let online = std::fs::read_to_string("/sys/devices/system/node/online").unwrap_or_default();
    cpu_list(online.trim()).map_or(1, |last| last + 1)
}

fn cpu_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The highest number in a list such as `0-2,5`.
fn cpu_list(text: &str) -> Option<usize> {
    text.split(',')
        .map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(last)
        })
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .max()
}

/// `HOST[:CONTAINER[:rwm]]`, or a CDI name, which the engine answers.
fn device(text: &str) -> Result<DeviceMapping, CliError> {
    let is_mode = |mode: &str| {
        let once = |c| mode.matches(c).count() == 1;
        !mode.is_empty() && mode.chars().all(|c| "rwm".contains(c) && once(c))
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (host, container, mode) = match parts.as_slice() {
        ["", ..] | [_, _, _, _, ..] => {
            return Err(CliError::plain(format!("bad format for path: {text}")));
        }
        [host] => (*host, *host, "rwm"),
        [host, mode] if is_mode(mode) => (*host, *host, *mode),
        [host, container] => (*host, *container, "rwm"),
        [host, container, mode] if is_mode(mode) => (*host, *container, *mode),
        [_, _, mode, ..] => return Err(CliError::plain(format!("bad mode specified: {mode}"))),
        [] => return Err(CliError::plain(format!("bad format for path: {text}"))),
    };
    let is_cdi_name = text.contains('=') && parts.len() == 1;
    if !container.starts_with('/') && !is_cdi_name {
        return Err(CliError::plain(format!("{container} is not an absolute path")));
    }
    Ok(DeviceMapping {
        path_on_host: host.to_owned(),
        path_in_container: container.to_owned(),
        cgroup_permissions: mode.to_owned(),
    })
}

fn weights(given: &[String]) -> Result<Vec<WeightDevice>, CliError> {
    given
        .iter()
        .map(|text| {
            let (path, weight) = split_device(text)?;
            let number = weight.parse().ok().filter(|w| *w == 0 || (10..=1000).contains(w));
            let weight = number
                .ok_or_else(|| CliError::plain(format!("invalid weight for device: {text}")))?;
            Ok(WeightDevice { path: path.to_owned(), weight })
        })
        .collect()
}

fn rates(given: &[String], bytes: bool) -> Result<Vec<ThrottleDevice>, CliError> {
    given
        .iter()
        .map(|text| {
            let (path, rate) = split_device(text)?;
            let number = if bytes { values::bytes(rate).ok() } else { rate.parse().ok() };
            let rate = number.and_then(|n| u64::try_from(n).ok()).ok_or_else(|| {
                CliError::plain(format!(
                    "invalid rate for device: {text}. The correct format is \
                     <device-path>:<number>{}. Number must be a positive integer",
                    if bytes { "[<unit>]" } else { "" }
                ))
            })?;
            Ok(ThrottleDevice { path: path.to_owned(), rate })
        })
        .collect()
}

fn split_device(text: &str) -> Result<(&str, &str), CliError> {
    let (path, value) = text
        .split_once(':')
        .filter(|(path, _)| !path.is_empty())
        .ok_or_else(|| CliError::plain(format!("bad format: {text}")))?;
    if !path.starts_with("/dev/") {
        return Err(CliError::plain(format!("bad format for device path: {text}")));
    }
    Ok((path, value))
}
