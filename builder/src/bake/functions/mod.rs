//! Functions of the standard library, those that people use; others are refused by name.

mod date;
mod format;
mod lists;
mod numbers;
mod strings;

use super::Facts;
use super::value::Value;

/// Known to bake, and not here.
const REFUSED: [&str; 16] = [
    "bcrypt",
    "cidrhost",
    "cidrnetmask",
    "cidrsubnet",
    "cidrsubnets",
    "csvdecode",
    "homedir",
    "md5",
    "rsadecrypt",
    "semvercmp",
    "sha1",
    "timeadd",
    "unixtimestampparse",
    "uuidv4",
    "uuidv5",
    "formatlist",
];

pub(super) type Outcome = Result<Value, String>;

/// Calls a function by its name.
pub(super) fn call(name: &str, given: &[Value], facts: &Facts) -> Outcome {
    if name == "timestamp" && given.is_empty() {
        return Ok(Value::from(facts.now.as_str()));
    }
    for library in [strings::call, lists::call, numbers::call, date::call] {
        if let Some(outcome) = library(name, given) {
            return outcome;
        }
    }
    if REFUSED.contains(&name) {
        return Err("this function is not part of this version".to_owned());
    }
    match known(name) {
        true => Err(format!("it does not take {} arguments of these kinds", given.len())),
        false => Err(format!("there is no function named {name:?}")),
    }
}

fn known(name: &str) -> bool {
    [strings::NAMES, lists::NAMES, numbers::NAMES, date::NAMES]
        .iter()
        .any(|names| names.contains(&name))
        || ["timestamp", "try", "can", "convert"].contains(&name)
}

fn text(value: &Value) -> Result<String, String> {
    value.text().ok_or_else(|| format!("a string is required, not {}", value.kind()))
}

fn number(value: &Value) -> Result<f64, String> {
    value.number().ok_or_else(|| format!("a number is required, not {}", value.kind()))
}

fn list(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::List(list) => Ok(list.clone()),
        other => Err(format!("a list is required, not {}", other.kind())),
    }
}

/// A place or a length: whole, and no longer than anything can be.
#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
fn whole(value: &Value) -> Result<i64, String> {
    let number = number(value)?;
    if number.fract() != 0.0 || number.abs() > 9e15 {
        return Err("a whole number is required".to_owned());
    }
    Ok(number as i64)
}

#[expect(clippy::cast_precision_loss, reason = "nothing that is counted here is so long")]
fn count(length: usize) -> Value {
    Value::Number(length as f64)
}
