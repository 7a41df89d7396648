//! Functions of numbers and truth values.

use super::{Outcome, number, text, whole};
use crate::bake::value::Value;

pub(super) const NAMES: &[&str] = &[
    "absolute",
    "add",
    "and",
    "ceil",
    "divide",
    "equal",
    "floor",
    "greaterthan",
    "greaterthanorequalto",
    "int",
    "lessthan",
    "lessthanorequalto",
    "log",
    "max",
    "min",
    "modulo",
    "multiply",
    "negate",
    "not",
    "notequal",
    "or",
    "parseint",
    "pow",
    "signum",
    "subtract",
];

pub(super) fn call(name: &str, given: &[Value]) -> Option<Outcome> {
    let one = |with: fn(f64) -> f64| match given {
        [one] => Some(number(one).map(|one| Value::Number(with(one)))),
        _ => None,
    };
    let two = |with: fn(f64, f64) -> f64| match given {
        [left, right] => Some(number(left).and_then(|left| finite(with(left, number(right)?)))),
        _ => None,
    };
    let compare = |with: fn(&f64, &f64) -> bool| match given {
        [left, right] => {
            Some(number(left).and_then(|left| Ok(Value::Bool(with(&left, &number(right)?)))))
        }
        _ => None,
    };
    match name {
        "absolute" => one(f64::abs),
        "ceil" => one(f64::ceil),
        "floor" => one(f64::floor),
        "int" => one(f64::trunc),
        "negate" => one(|one| -one),
        "signum" => one(|one| if one == 0.0 { 0.0 } else { one.signum() }),
        "add" => two(|left, right| left + right),
        "subtract" => two(|left, right| left - right),
        "multiply" => two(|left, right| left * right),
        "divide" => two(|left, right| left / right),
        "modulo" => two(|left, right| left % right),
        "pow" => two(f64::powf),
        "log" => two(f64::log),
        "greaterthan" => compare(f64::gt),
        "greaterthanorequalto" => compare(f64::ge),
        "lessthan" => compare(f64::lt),
        "lessthanorequalto" => compare(f64::le),
        "max" | "min" if !given.is_empty() => Some(extreme(name == "max", given)),
        "equal" | "notequal" => match given {
            [left, right] => Some(Ok(Value::Bool((left == right) == (name == "equal")))),
            _ => None,
        },
        "and" | "or" => match given {
            [left, right] => Some(truth(left).and_then(|left| {
                let right = truth(right)?;
                Ok(Value::Bool(if name == "and" { left && right } else { left || right }))
            })),
            _ => None,
        },
        "not" => match given {
            [one] => Some(truth(one).map(|yes| Value::Bool(!yes))),
            _ => None,
        },
        "parseint" => match given {
            [one, base] => Some(parse(one, base)),
            _ => None,
        },
        _ => None,
    }
}

fn finite(number: f64) -> Outcome {
    match number.is_finite() {
        true => Ok(Value::Number(number)),
        false => Err("the result is no number".to_owned()),
    }
}

fn truth(value: &Value) -> Result<bool, String> {
    value.truth().ok_or_else(|| format!("a bool is required, not {}", value.kind()))
}

fn extreme(is_max: bool, given: &[Value]) -> Outcome {
    let mut found = number(&given[0])?;
    for one in &given[1..] {
        let one = number(one)?;
        found = if is_max { found.max(one) } else { found.min(one) };
    }
    Ok(Value::Number(found))
}

fn parse(one: &Value, base: &Value) -> Outcome {
    let base = u32::try_from(whole(base)?).ok().filter(|base| (2..=36).contains(base));
    let base = base.ok_or("base must be a whole number between 2 and 36")?;
    let text = text(one)?;
    let parsed = i64::from_str_radix(&text, base);
    let parsed = parsed.map_err(|_| format!("cannot parse {text:?} as a base {base} integer"))?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "as everywhere, numbers are those of a processor"
    )]
    Ok(Value::Number(parsed as f64))
}
