//! `HEALTHCHECK`.

use coracle_words::duration;

use super::command::{DEFAULT_SHELL, json_list};
use crate::config::{ContainerConfig, Healthcheck};

/// The least interval Docker accepts.
const MIN_NANOS: i64 = 1_000_000;

/// Reads `NONE`, or `[--interval=… …] CMD …`.
pub(super) fn parse(text: &str, config: &ContainerConfig) -> Result<Healthcheck, String> {
    let mut check = Healthcheck::default();
    let mut rest = text.trim();
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        let (name, value) =
            flag.split_once('=').ok_or_else(|| format!("Missing value for --{flag}"))?;
        match name {
            "interval" => check.interval = nanos(name, value)?,
            "timeout" => check.timeout = nanos(name, value)?,
            "start-period" => check.start_period = nanos(name, value)?,
            "start-interval" => check.start_interval = nanos(name, value)?,
            "retries" => {
                let retries = value.parse().ok().filter(|n| *n >= 0);
                check.retries =
                    retries.ok_or_else(|| format!("--retries: invalid value {value}"))?;
            }
            _ => return Err(format!("Unknown flag: {name}")),
        }
        rest = after.trim_start();
    }
    let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let command = command.trim();
    check.test = Some(match kind.to_ascii_uppercase().as_str() {
        "NONE" if command.is_empty() => vec!["NONE".to_owned()],
        "NONE" => return Err("NONE takes no arguments".to_owned()),
        "CMD" if command.is_empty() => return Err("Missing command after CMD".to_owned()),
        "CMD" => match json_list(command) {
            Some(list) => std::iter::once("CMD".to_owned()).chain(list).collect(),
            None => match &config.shell {
                Some(shell) if *shell != DEFAULT_SHELL => {
                    let shell = std::iter::once("CMD".to_owned()).chain(shell.iter().cloned());
                    shell.chain([command.to_owned()]).collect()
                }
                _ => vec!["CMD-SHELL".to_owned(), command.to_owned()],
            },
        },
        _ => return Err(format!("Unknown type {kind:?} in HEALTHCHECK (try CMD)")),
    });
    Ok(check)
}

fn nanos(name: &str, text: &str) -> Result<i64, String> {
    let nanos = duration::parse_unsigned(text)
        .ok_or_else(|| format!("--{name}: invalid duration {text:?}"))?;
    if nanos != 0 && nanos < MIN_NANOS {
        return Err(format!("--{name}: cannot be less than 1ms"));
    }
    Ok(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks() {
        let parse = |text| parse(text, &ContainerConfig::default());
        let check = parse("--interval=5s --retries=3 CMD curl -f localhost").unwrap();
        assert_eq!((check.interval, check.retries), (5_000_000_000, 3));
        assert_eq!(check.test.unwrap(), ["CMD-SHELL", "curl -f localhost"]);
        assert_eq!(parse("CMD [\"a\",\"b\"]").unwrap().test.unwrap(), ["CMD", "a", "b"]);
        assert_eq!(parse("NONE").unwrap().test.unwrap(), ["NONE"]);
        assert_eq!(
            parse("--interval=1us CMD x").unwrap_err(),
            "--interval: cannot be less than 1ms"
        );
        assert_eq!(parse("RUN x").unwrap_err(), "Unknown type \"RUN\" in HEALTHCHECK (try CMD)");
    }
}
