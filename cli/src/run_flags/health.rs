//! The `--health-*` flags.

use coracle_runtime::model::HealthConfig;

use super::CreateFlags;
use crate::error::CliError;

/// Shortest interval Docker accepts, in nanoseconds.
const SHORTEST_NS: i64 = 1_000_000;

pub(super) fn build(flags: &CreateFlags) -> Result<Option<HealthConfig>, CliError> {
    let durations = [
        ("interval", "Interval", flags.health_interval),
        ("timeout", "Timeout", flags.health_timeout),
        ("start-period", "StartPeriod", flags.health_start_period),
        ("start-interval", "StartInterval", flags.health_start_interval),
    ];
    let any = flags.health_cmd.is_some()
        || flags.health_retries.is_some_and(|n| n != 0)
        || durations.iter().any(|(_, _, value)| value.is_some_and(|v| v != 0));
    if flags.no_healthcheck {
        if any {
            return Err(CliError::plain("--no-healthcheck conflicts with --health-* options"));
        }
        let test = vec!["NONE".to_owned()];
        return Ok(Some(HealthConfig { test, ..HealthConfig::default() }));
    }
    if !any {
        return Ok(None);
    }
    for (flag, name, value) in durations {
        let value = value.unwrap_or(0);
        if value < 0 {
            return Err(CliError::plain(format!("--health-{flag} cannot be negative")));
        }
        if value != 0 && value < SHORTEST_NS {
            return Err(CliError::engine(format!("{name} in Healthcheck cannot be less than 1ms")));
        }
    }
    let retries = flags.health_retries.unwrap_or(0);
    if retries < 0 {
        return Err(CliError::plain("--health-retries cannot be negative"));
    }
    let command = flags.health_cmd.as_ref().filter(|command| !command.is_empty());
    Ok(Some(HealthConfig {
        test: command.map(|c| vec!["CMD-SHELL".to_owned(), c.clone()]).unwrap_or_default(),
        interval: flags.health_interval.unwrap_or(0),
        timeout: flags.health_timeout.unwrap_or(0),
        start_period: flags.health_start_period.unwrap_or(0),
        start_interval: flags.health_start_interval.unwrap_or(0),
        retries,
    }))
}
