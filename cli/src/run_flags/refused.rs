//! Flags that are parsed and cannot be honoured, each with the reason.

use super::CreateFlags;
use super::ports;
use crate::error::CliError;

const ONE_ADDRESS: &str = "an endpoint has one address of each family";
const WINDOWS: &str = "it is for Windows containers";
const CGROUP_V1: &str = "cgroup v2 has no such setting";

/// Refuses the first flag that would be without effect.
pub(super) fn check(flags: &CreateFlags) -> Result<(), CliError> {
    // A wrong port is reported as such, before publishing is refused as a whole.
    let published = ports::published(&flags.publish)?;
    if let Some(port) = published.keys().find(|key| key.protocol() == "sctp") {
        let why = "ports of tcp and udp can be published";
        return Err(CliError::unsupported(&format!("--publish {port}"), why));
    }
    if flags.gpus.is_some() {
        let text = "failed to discover GPU vendor from CDI: no known GPU vendor found";
        return Err(CliError::engine(text));
    }
    if let Some(isolation) = &flags.isolation
        && !matches!(isolation.as_str(), "" | "default")
    {
        let text = format!("invalid isolation ({isolation}): linux only supports 'default'");
        return Err(CliError::engine(text));
    }
    if let Some(runtime) = &flags.runtime
        && !matches!(runtime.as_str(), "" | "libcontainer")
    {
        return Err(CliError::engine(format!("unknown or invalid runtime name: {runtime}")));
    }
    if let Some(driver) = &flags.volume_driver
        && !matches!(driver.as_str(), "" | "local")
    {
        let text = format!("error looking up volume plugin {driver}: plugin {driver:?} not found");
        return Err(CliError::engine(text));
    }
    if let Some(swappiness) = flags.memory_swappiness
        && !(-1..=100).contains(&swappiness)
    {
        return Err(CliError::plain(format!(
            "invalid value: {swappiness}. Valid memory swappiness range is 0-100"
        )));
    }
    without_effect(flags)
}

/// A flag, why it is refused, and whether it is given.
type Refusal = (&'static str, &'static str, fn(&CreateFlags) -> bool);

/// Flags that name something this engine does not have. `docs/unsupported.md` lists them.
const REFUSALS: [Refusal; 13] = [
    ("--link-local-ip", ONE_ADDRESS, |flags| !flags.link_local_ip.is_empty()),
    ("--cpu-count", WINDOWS, |flags| is_set(flags.cpu_count)),
    ("--cpu-percent", WINDOWS, |flags| is_set(flags.cpu_percent)),
    ("--io-maxbandwidth", WINDOWS, |flags| is_set(flags.io_maxbandwidth)),
    ("--io-maxiops", WINDOWS, |flags| is_set(flags.io_maxiops)),
    ("--cpu-rt-period", CGROUP_V1, |flags| is_set(flags.cpu.cpu_rt_period)),
    ("--cpu-rt-runtime", CGROUP_V1, |flags| is_set(flags.cpu.cpu_rt_runtime)),
    ("--memory-swappiness", CGROUP_V1, |flags| flags.memory_swappiness.is_some_and(|n| n >= 0)),
    ("--oom-kill-disable", CGROUP_V1, |flags| flags.oom_kill_disable),
    (
        "--device-cgroup-rule",
        "the kernel lets only root filter devices; name the device with --device",
        |flags| !flags.device_cgroup_rule.is_empty(),
    ),
    ("--storage-opt", "the storage of a container takes no options", |flags| {
        !flags.storage_opt.is_empty()
    }),
    ("--use-api-socket", "there is no daemon with a socket", |flags| flags.use_api_socket),
    (
        "--cgroup-parent",
        "containers run below the cgroup that is delegated to this user",
        |flags| flags.cgroup_parent.as_ref().is_some_and(|parent| !parent.is_empty()),
    ),
];

fn is_set(number: Option<i64>) -> bool {
    number.is_some_and(|number| number != 0)
}

fn without_effect(flags: &CreateFlags) -> Result<(), CliError> {
    match REFUSALS.iter().find(|(_, _, given)| given(flags)) {
        Some((flag, why, _)) => Err(CliError::unsupported(flag, why)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::REFUSALS;

    const LIST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/unsupported.md"));

    /// The rows of the list's table of refused flags: flags and reason.
    fn rows() -> Vec<(String, String)> {
        let table = LIST.split("| flag of `run` and `create` | why |").nth(1).unwrap();
        let mut rows = Vec::new();
        for line in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [flags, why] = cells[..] else { panic!("{line}") };
            for flag in flags.split(", ") {
                rows.push((flag.trim_matches('`').to_owned(), why.replace('`', "")));
            }
        }
        rows
    }

    #[test]
    fn the_help_marks_each_refused_flag() {
        use clap::Args as _;
        let command = super::CreateFlags::augment_args(clap::Command::new("run"));
        for (flag, ..) in REFUSALS {
            let name = flag.trim_start_matches('-');
            let found = command.get_arguments().find(|a| a.get_long() == Some(name)).unwrap();
            let help = found.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.ends_with("(not supported)"), "{flag}: {help}");
        }
    }

    #[test]
    fn the_documents_list_each_refused_flag_with_its_reason() {
        let expected: Vec<_> =
            REFUSALS.iter().map(|(flag, why, _)| (flag.to_string(), why.to_string())).collect();
        assert_eq!(rows(), expected);
    }
}
