//! `HEALTHCHECK`.

use coracle_words::{duration, strconv};

use super::flags::{Flags, Takes};
use crate::dockerfile::Line;
use crate::source::Fault;

/// A probe. Durations in nanoseconds; zero is what the base image has, or the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// `NONE`, or `CMD` or `CMD-SHELL` with a command.
    pub test: Vec<String>,
    pub interval: i64,
    pub timeout: i64,
    pub start_period: i64,
    pub start_interval: i64,
    pub retries: u32,
}

const MILLISECOND: i64 = 1_000_000;

pub(super) fn read(line: &Line) -> Result<Health, Fault> {
    let Some((kind, command)) = line.arguments.words().split_first() else {
        return Err(Fault::new("HEALTHCHECK requires at least one argument"));
    };
    let kind = kind.to_uppercase();
    if kind == "NONE" {
        if !command.is_empty() {
            return Err(Fault::new("HEALTHCHECK NONE takes no arguments"));
        }
        return Ok(Health { test: vec![kind], ..Health::default() });
    }
    let names = ["interval", "timeout", "start-period", "start-interval", "retries"];
    let flags = Flags::read(&line.flags, &names.map(|name| (name, Takes::Text)))?;
    if kind != "CMD" {
        return Err(Fault::new(format!("Unknown type {kind:?} in HEALTHCHECK (try CMD)")));
    }
    if command.is_empty() {
        return Err(Fault::new("Missing command after HEALTHCHECK CMD"));
    }
    let kind = if line.arguments.is_json() { "CMD" } else { "CMD-SHELL" };
    let mut test = vec![kind.to_owned()];
    test.extend_from_slice(command);
    let time = |name| time(name, flags.text(name).unwrap_or_default());
    Ok(Health {
        test,
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("start-period")?,
        start_interval: time("start-interval")?,
        retries: retries(flags.text("retries").unwrap_or_default())?,
    })
}

fn time(name: &str, text: &str) -> Result<i64, Fault> {
    if text.is_empty() {
        return Ok(0);
    }
    let time = duration::parse(text).map_err(|error| Fault::new(error.to_string()))?;
    if time != 0 && time < MILLISECOND {
        return Err(Fault::new(format!("Interval {name:?} cannot be less than 1ms")));
    }
    Ok(time)
}

fn retries(text: &str) -> Result<u32, Fault> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = strconv::parse_int(text).map_err(|error| Fault::new(error.to_string()))?;
    if number < 0 {
        return Err(Fault::new(format!("--retries cannot be negative ({number})")));
    }
    u32::try_from(number).ok().filter(|number| *number <= i32::MAX.unsigned_abs()).ok_or_else(
        || Fault::new(format!("strconv.ParseInt: parsing {text:?}: value out of range")),
    )
}
