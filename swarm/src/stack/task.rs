//! Parts of a task: image, resources, restart policy, health, placement, log driver, limits.

use coracle_runtime::model::{HealthConfig, Ulimit};
use serde_json::{Value, json};

use super::{StackError, duration, flag, pairs, scoped, text, texts};
use crate::model::task::{Limits, LogDriver, Preference, Reservations, Spread};
use crate::model::{Condition, ConfigUse, Placement, Resources, RestartPolicy};

/// The image in its familiar form, with a tag; what is no name stays as it is.
pub(super) fn image(given: &str) -> String {
    match coracle_image::Reference::parse(given) {
        Ok(name) => name.with_default_tag().familiar(),
        Err(_) => given.to_owned(),
    }
}

pub(super) fn resources(of: &Value) -> Result<Resources, StackError> {
    let amount = |part: &Value, key: &str| match &part[key] {
        Value::String(text) => text.parse().unwrap_or_default(),
        other => other.as_i64().unwrap_or_default(),
    };
    let mut out = Resources::default();
    if let Some(limits) = of.get("limits") {
        out.limits = Some(Limits {
            nano_cpus: cpus(&limits["cpus"])?,
            memory_bytes: amount(limits, "memory"),
            pids: amount(limits, "pids"),
        });
    }
    if let Some(reserved) = of.get("reservations") {
        let generic = reserved["generic_resources"].as_array().into_iter().flatten();
        let generic = generic.map(|resource| match resource.get("discrete_resource_spec") {
            Some(spec) => {
                json!({"DiscreteResourceSpec": {"Kind": spec["kind"], "Value": spec["value"]}})
            }
            None => json!({}),
        });
        out.reservations = Some(Reservations {
            nano_cpus: cpus(&reserved["cpus"])?,
            memory_bytes: amount(reserved, "memory"),
            generic_resources: generic.collect(),
        });
    }
    Ok(out)
}

/// Billionths of a processor.
fn cpus(of: &Value) -> Result<i64, StackError> {
    let Some(text) = of.as_str().filter(|text| !text.is_empty()) else { return Ok(0) };
    let bad = || StackError::Client(format!("failed to parse {text} as a rational number"));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(bad());
    }
    let significant = fraction.trim_end_matches('0');
    if significant.len() > 9 {
        return StackError::client("value is too precise");
    }
    let nano = format!("{whole}{significant:0<9}");
    nano.parse().map_err(|_| bad())
}

/// `deploy.restart_policy`, or what the older `restart` stands for. `restart: "no"` says nothing, as in Docker.
pub(super) fn restart_policy(service: &Value) -> Result<Option<RestartPolicy>, StackError> {
    let of = &service["deploy"]["restart_policy"];
    if of.is_object() {
        let condition = match of["condition"].as_str().unwrap_or_default() {
            "" => None,
            "none" => Some(Condition::None),
            "on-failure" => Some(Condition::OnFailure),
            "any" => Some(Condition::Any),
            other => return StackError::engine(format!("invalid RestartCondition: {other:?}")),
        };
        return Ok(Some(RestartPolicy {
            condition,
            delay: duration(&of["delay"]),
            max_attempts: of["max_attempts"].as_u64(),
            window: duration(&of["window"]),
        }));
    }
    let Some(restart) = service["restart"].as_str() else { return Ok(None) };
    let (name, attempts) = match restart.split_once(':') {
        None => (restart, None),
        Some((_, count)) if count.contains(':') => {
            return StackError::client(
                "invalid restart policy format: maximum retry count must be an integer",
            );
        }
        Some((name, count)) => (name, Some(count)),
    };
    let attempts = match attempts.map(str::parse::<i64>) {
        None => 0,
        Some(Ok(count)) if count < 0 => {
            return StackError::client(
                "invalid restart policy: maximum retry count cannot be negative",
            );
        }
        Some(Ok(count)) => count,
        Some(Err(_)) => {
            return StackError::client(
                "invalid restart policy format: maximum retry count must be an integer",
            );
        }
    };
    let max_attempts = u64::try_from(attempts).ok().filter(|count| *count > 0);
    let policy = |condition| RestartPolicy {
        condition: Some(condition),
        max_attempts,
        ..RestartPolicy::default()
    };
    match name {
        "" | "no" => Ok(None),
        "always" | "unless-stopped" => Ok(Some(policy(Condition::Any))),
        "on-failure" => Ok(Some(policy(Condition::OnFailure))),
        other => StackError::client(format!(
            "invalid restart policy: unknown policy '{other}' (must be one of 'no', 'always', \
             'on-failure', or 'unless-stopped')"
        )),
    }
}

pub(super) fn health(of: &Value) -> Result<Option<HealthConfig>, StackError> {
    if !of.is_object() {
        return Ok(None);
    }
    let test = texts(&of["test"]);
    if flag(&of["disable"]) {
        if !test.is_empty() {
            return StackError::client("test and disable can't be set at the same time");
        }
        return Ok(Some(HealthConfig { test: vec!["NONE".to_owned()], ..HealthConfig::default() }));
    }
    let time = |key: &str| duration(&of[key]).unwrap_or_default();
    Ok(Some(HealthConfig {
        test,
        interval: time("interval"),
        timeout: time("timeout"),
        start_period: time("start_period"),
        start_interval: time("start_interval"),
        retries: of["retries"].as_i64().unwrap_or_default(),
    }))
}

pub(super) fn placement(of: &Value) -> Placement {
    let spread = |preference: &Value| Preference {
        spread: Some(Spread { spread_descriptor: text(&preference["spread"]) }),
    };
    Placement {
        constraints: texts(&of["constraints"]),
        preferences: of["preferences"].as_array().into_iter().flatten().map(spread).collect(),
        max_replicas: of["max_replicas_per_node"].as_u64().unwrap_or_default(),
        ..Placement::default()
    }
}

pub(super) fn log_driver(of: &Value) -> Option<LogDriver> {
    of.is_object().then(|| LogDriver { name: text(&of["driver"]), options: pairs(&of["options"]) })
}

pub(super) fn ulimits(of: &Value) -> Vec<Ulimit> {
    let limit = |(name, limit): (&String, &Value)| {
        let part = |key: &str| limit.as_i64().or(limit[key].as_i64()).unwrap_or_default();
        Ulimit { name: name.clone(), hard: part("hard"), soft: part("soft") }
    };
    let mut out: Vec<Ulimit> = of.as_object().into_iter().flatten().map(limit).collect();
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// For Windows; kept as it is.
pub(super) fn credential_spec(
    service: &Value,
    stack: &str,
    configs: &[ConfigUse],
) -> Result<Value, StackError> {
    let of = &service["credential_spec"];
    let given: Vec<&str> =
        [("config", "\"Config\""), ("file", "\"File\""), ("registry", "\"Registry\"")]
            .into_iter()
            .filter(|(key, _)| !text(&of[*key]).is_empty())
            .map(|(_, shown)| shown)
            .collect();
    match given[..] {
        [] => return Ok(Value::Null),
        [_] => {}
        [a, b] => {
            return StackError::client(format!(
                "invalid credential spec: cannot specify both {a} and {b}"
            ));
        }
        [.., last] => {
            let first = given[..given.len() - 1].join(", ");
            return StackError::client(format!(
                "invalid credential spec: cannot specify both {first}, and {last}"
            ));
        }
    }
    let mut config = text(&of["config"]);
    if !config.is_empty() {
        let used = |name: &str| configs.iter().find(|used| used.config_name == name);
        let Some(found) = used(&config).or_else(|| used(&scoped(stack, &config))) else {
            return StackError::client(format!(
                "invalid credential spec: spec specifies config {config}, but no such config can be found"
            ));
        };
        config.clone_from(&found.config_id);
    }
    Ok(json!({"Config": config, "File": of["file"].as_str().unwrap_or_default(),
        "Registry": of["registry"].as_str().unwrap_or_default()}))
}
