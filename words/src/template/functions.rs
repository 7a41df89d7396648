//! The functions a template may call: Go's own and the few Docker adds.
//!
//! Not here: the HTML, JavaScript and URL escapers of Go, which no `--format`
//! needs. `and` and `or` are in the evaluator since they stop early.

use std::cmp::Ordering;

use serde_json::Value;

use super::data::{Context, Data};
use super::print::{self, display};
use super::value::{Val, Zero};

const NAMES: &[&str] = &[
    "and", "eq", "ge", "gt", "index", "join", "json", "le", "len", "lower", "lt", "ne", "not",
    "or", "pad", "print", "printf", "println", "slice", "split", "title", "truncate", "upper",
];

pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls a function; the error is the text after `error calling NAME:`.
pub(super) fn call(name: &str, arguments: &[Val], data: Data<'_>) -> Result<Val, String> {
    if let Data::Context(context) = data {
        let plain: Vec<Value> = arguments.iter().map(|value| value.plain(context.value)).collect();
        if let Some(result) = context.functions.call(name, &plain) {
            return result.map(Val::text);
        }
    }
    // The header line shows titles, whatever is done to the values below it.
    let shapes_text = matches!(
        name,
        "json" | "split" | "join" | "title" | "lower" | "upper" | "pad" | "truncate"
    );
    if let (true, Data::Fields(fields), Some(first)) = (shapes_text, data, arguments.first())
        && fields.is_header()
    {
        return Ok(first.clone());
    }
    let text = |i: usize| -> Result<String, String> {
        match arguments.get(i) {
            Some(Val::Json(Value::String(s), _)) => Ok(s.clone()),
            Some(Val::Null(_)) => Ok(String::new()),
            Some(other) => {
                Err(format!("wrong type for value; expected string; got {}", type_of(other, data)))
            }
            None => Err("wrong number of args".into()),
        }
    };
    let need = |count: usize| match arguments.len() {
        n if n == count => Ok(()),
        n => Err(format!("wrong number of args for {name}: want {count} got {n}")),
    };
    match name {
        "json" => need(1).map(|()| Val::text(print::json(&arguments[0], data))),
        "lower" => need(1).and_then(|()| Ok(Val::text(text(0)?.to_lowercase()))),
        "upper" => need(1).and_then(|()| Ok(Val::text(text(0)?.to_uppercase()))),
        "title" => need(1).and_then(|()| Ok(Val::text(title(&text(0)?)))),
        "split" => {
            need(2)?;
            let (whole, separator) = (text(0)?, text(1)?);
            let parts = whole.split(separator.as_str()).map(Value::from).collect();
            Ok(Val::of(Value::Array(parts)))
        }
        "join" => need(2).and_then(|()| Ok(Val::text(join(&arguments[0], &text(1)?, data)?))),
        "pad" => {
            need(3)?;
            let (before, after) = (count(&arguments[1])?, count(&arguments[2])?);
            let middle = text(0)?;
            // Nothing stays nothing, so that a line does not end in spaces.
            let width = |count: usize| if middle.is_empty() { 0 } else { count };
            let (before, after) = (" ".repeat(width(before)), " ".repeat(width(after)));
            Ok(Val::text(format!("{before}{middle}{after}")))
        }
        "truncate" => {
            need(2)?;
            let keep = count(&arguments[1])?;
            Ok(Val::text(text(0)?.chars().take(keep).collect::<String>()))
        }
        "not" => need(1).map(|()| Val::of(Value::Bool(!arguments[0].truth()))),
        "len" => need(1).and_then(|()| length(&arguments[0], data)),
        "index" => index(arguments),
        "slice" => slice(arguments),
        "print" => Ok(Val::text(print_all(arguments, data, false))),
        "println" => Ok(Val::text(print_all(arguments, data, true))),
        "printf" => Ok(Val::text(printf(&text(0)?, arguments.get(1..).unwrap_or_default(), data))),
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" => compare(name, arguments),
        _ => Err("not defined".into()),
    }
}

fn type_of(value: &Val, data: Data<'_>) -> &'static str {
    match (value, data) {
        (Val::Json(value, _), _)
        | (Val::Root, Data::Document { value, .. } | Data::Context(&Context { value, .. })) => {
            print::go_type(value)
        }
        (Val::Null(_), _) => "<nil>",
        (Val::Root, _) => "struct",
    }
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            let shown = if start { c.to_uppercase().next().unwrap_or(c) } else { c };
            start = c.is_whitespace();
            shown
        })
        .collect()
}

fn join(list: &Val, separator: &str, data: Data<'_>) -> Result<String, String> {
    match list {
        Val::Null(_) => Ok(String::new()),
        Val::Json(Value::Array(items), _) => {
            let parts: Vec<String> =
                items.iter().map(|item| display(&Val::of(item.clone()), data)).collect();
            Ok(parts.join(separator))
        }
        // The values, in some order that stays.
        Val::Json(Value::Object(map), _) => {
            let mut parts: Vec<String> =
                map.values().map(|item| display(&Val::of(item.clone()), data)).collect();
            parts.sort();
            Ok(parts.join(separator))
        }
        other => Err(format!("expected slice, got {}", type_of(other, data))),
    }
}

fn integer(value: &Val) -> Option<i64> {
    match value {
        Val::Json(Value::Number(n), _) => n.as_i64(),
        _ => None,
    }
}

fn count(value: &Val) -> Result<usize, String> {
    integer(value)
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| "wrong type for value; expected int".to_owned())
}

fn length(value: &Val, data: Data<'_>) -> Result<Val, String> {
    let n = match value {
        Val::Json(Value::String(s), _) => s.len(),
        Val::Json(Value::Array(a), _) => a.len(),
        Val::Json(Value::Object(o), _) => o.len(),
        Val::Null(Zero::Pointer) => return Err("len of nil pointer".into()),
        Val::Null(_) => 0,
        other => return Err(format!("len of type {}", type_of(other, data))),
    };
    Ok(Val::of(Value::from(n)))
}

fn index(arguments: &[Val]) -> Result<Val, String> {
    let (first, keys) = arguments.split_first().ok_or("wrong number of args")?;
    let mut value = first.clone();
    for key in keys {
        value = match (&value, key) {
            (Val::Json(Value::Array(list), _), key) => {
                let at = integer(key).ok_or("cannot index slice/array with type string")?;
                let item = usize::try_from(at).ok().and_then(|at| list.get(at));
                Val::of(item.ok_or_else(|| out_of_range(at, list.len()))?.clone())
            }
            (Val::Json(Value::Object(map), _), Val::Json(Value::String(name), _)) => {
                map.get(name).map_or(Val::Null(Zero::Text), |found| Val::of(found.clone()))
            }
            (Val::Json(Value::Object(_), _), _) => {
                return Err("value has type int; should be string".into());
            }
            (Val::Null(_), Val::Json(Value::String(_), _)) => Val::Null(Zero::Text),
            (Val::Null(_), key) => {
                return Err(out_of_range(integer(key).unwrap_or_default(), 0));
            }
            _ => return Err("can't index item".into()),
        };
    }
    Ok(value)
}

/// Go looks at the end of a list itself, and further on before.
fn out_of_range(at: i64, len: usize) -> String {
    match usize::try_from(at) {
        Ok(at) if at == len => "reflect: slice index out of range".to_owned(),
        _ => format!("index out of range: {at}"),
    }
}

fn slice(arguments: &[Val]) -> Result<Val, String> {
    let (value, bounds) = arguments.split_first().ok_or("wrong number of args")?;
    let bounds = bounds.iter().map(count).collect::<Result<Vec<_>, _>>()?;
    let range = |len: usize| {
        let from = bounds.first().copied().unwrap_or(0);
        let to = bounds.get(1).copied().unwrap_or(len);
        if from <= to && to <= len {
            Ok(from..to)
        } else {
            Err(format!("index out of range: {to}"))
        }
    };
    match value {
        Val::Json(Value::String(s), _) => {
            let part = s.get(range(s.len())?).ok_or("slice inside a character")?;
            Ok(Val::text(part))
        }
        Val::Json(Value::Array(list), _) => {
            Ok(Val::of(Value::Array(list[range(list.len())?].to_vec())))
        }
        _ => Err("can't slice item".into()),
    }
}

/// Go's Print puts blanks between operands when neither is a string.
fn print_all(arguments: &[Val], data: Data<'_>, line: bool) -> String {
    let mut out = String::new();
    let mut last_is_text = true;
    for (i, argument) in arguments.iter().enumerate() {
        let is_text = matches!(argument, Val::Json(Value::String(_), _));
        if i > 0 && (line || (!is_text && !last_is_text)) {
            out.push(' ');
        }
        out.push_str(&display(argument, data));
        last_is_text = is_text;
    }
    if line {
        out.push('\n');
    }
    out
}

fn compare(name: &str, arguments: &[Val]) -> Result<Val, String> {
    let (first, others) = arguments.split_first().ok_or("missing argument for comparison")?;
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    let mut verdict = false;
    for other in others {
        let order = order(first, other)?;
        verdict = match name {
            "eq" => order == Some(Ordering::Equal),
            "ne" => order != Some(Ordering::Equal),
            "lt" => order == Some(Ordering::Less),
            "le" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            "gt" => order == Some(Ordering::Greater),
            _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        };
        if verdict || name != "eq" {
            break;
        }
    }
    Ok(Val::of(Value::Bool(verdict)))
}

fn order(left: &Val, right: &Val) -> Result<Option<Ordering>, String> {
    match (left, right) {
        (Val::Json(Value::String(a), _), Val::Json(Value::String(b), _)) => Ok(Some(a.cmp(b))),
        (Val::Json(Value::Number(a), _), Val::Json(Value::Number(b), _)) => {
            if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
                return Ok(Some(a.cmp(&b)));
            }
            Ok(a.as_f64().zip(b.as_f64()).and_then(|(a, b)| a.partial_cmp(&b)))
        }
        (Val::Json(Value::Bool(a), _), Val::Json(Value::Bool(b), _)) => Ok(Some(a.cmp(b))),
        (Val::Null(_), Val::Null(_)) => Ok(Some(Ordering::Equal)),
        (Val::Null(Zero::Text), Val::Json(Value::String(b), _)) => Ok(Some("".cmp(b.as_str()))),
        (Val::Json(Value::String(a), _), Val::Null(Zero::Text)) => Ok(Some(a.as_str().cmp(""))),
        (Val::Null(_), _) | (_, Val::Null(_)) => Ok(None),
        _ => Err("incompatible types for comparison".into()),
    }
}

/// The verbs people use in formats: `%s %v %d %q %t %x %f %%`, with width and precision.
fn printf(format: &str, arguments: &[Val], data: Data<'_>) -> String {
    let mut out = String::new();
    let mut rest = arguments.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = String::new();
        while let Some(next) = chars.peek().filter(|c| "+-# 0123456789.".contains(**c)) {
            spec.push(*next);
            chars.next();
        }
        let verb = chars.next().unwrap_or('!');
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(argument) = rest.next() else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        out.push_str(&padded(&spec, verb, argument, data));
    }
    out
}

fn padded(spec: &str, verb: char, argument: &Val, data: Data<'_>) -> String {
    let (width, precision) = spec.split_once('.').unwrap_or((spec, ""));
    let left = width.contains('-');
    let digits = width.trim_start_matches(['+', '-', '#', ' ']);
    let zero = digits.starts_with('0') && !left;
    let width: usize = digits.parse().unwrap_or(0);
    let plain = display(argument, data);
    let number = match argument {
        Val::Json(Value::Number(n), _) => n.as_f64(),
        _ => None,
    };
    let mut body = match (verb, number, integer(argument)) {
        ('q', ..) => print::go_quote(&plain),
        ('f', Some(n), _) => format!("{n:.*}", precision.parse().unwrap_or(6)),
        ('x', _, Some(n)) => format!("{n:x}"),
        ('d', None, _) => format!("%!d({}={plain})", type_of(argument, data)),
        _ => plain,
    };
    if verb == 's'
        && let Ok(most) = precision.parse()
    {
        body = body.chars().take(most).collect();
    }
    let fill = width.saturating_sub(body.chars().count());
    match (left, zero) {
        (true, _) => body + &" ".repeat(fill),
        (false, true) => "0".repeat(fill) + &body,
        (false, false) => " ".repeat(fill) + &body,
    }
}
