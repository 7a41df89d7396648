//! Functions of lists, sets and maps.

use std::collections::BTreeMap;

use super::{Outcome, count, list, number, text, whole};
use crate::bake::eval::member;
use crate::bake::value::Value;

pub(super) const NAMES: &[&str] = &[
    "chunklist",
    "coalesce",
    "coalescelist",
    "compact",
    "concat",
    "contains",
    "distinct",
    "element",
    "flatten",
    "hasindex",
    "index",
    "indexof",
    "keys",
    "length",
    "lookup",
    "merge",
    "range",
    "reverse",
    "reverselist",
    "sethaselement",
    "setintersection",
    "setproduct",
    "setsubtract",
    "setsymmetricdifference",
    "setunion",
    "slice",
    "sort",
    "values",
    "zipmap",
];

/// What `range` and `setproduct` make at most.
const MADE_MAX: usize = 1024;

pub(super) fn call(name: &str, given: &[Value]) -> Option<Outcome> {
    Some(match (name, given) {
        ("length", [one]) => length(one),
        ("keys", [Value::Map(map)]) => {
            Ok(Value::List(map.keys().map(|key| Value::from(key.as_str())).collect()))
        }
        ("values", [Value::Map(map)]) => Ok(Value::List(map.values().cloned().collect())),
        ("lookup", [map, key, rest @ ..]) if rest.len() < 2 => match (member(map, key), rest) {
            (Err(_), [other]) => Ok(other.clone()),
            (found, _) => found,
        },
        ("hasindex", [one, key]) => Ok(Value::Bool(member(one, key).is_ok())),
        ("index", [one, key]) => member(one, key),
        ("element", [one, at]) => element(one, at),
        ("contains" | "sethaselement", [one, part]) => {
            list(one).map(|list| Value::Bool(list.contains(part)))
        }
        ("indexof", [one, part]) => list(one).and_then(|list| {
            let at = list.iter().position(|one| one == part);
            at.map(count).ok_or_else(|| "item not found".to_owned())
        }),
        ("concat", lists) => each(lists).map(|lists| Value::List(lists.concat())),
        ("distinct", [one]) => list(one).map(|list| Value::List(unique(list))),
        ("compact", [one]) => list(one).map(|mut list| {
            list.retain(|part| part.text().is_some_and(|text| !text.is_empty()));
            Value::List(list)
        }),
        ("flatten", [one]) => list(one).map(|list| {
            let mut flat = Vec::new();
            flatten(list, &mut flat);
            Value::List(flat)
        }),
        ("reverse" | "reverselist", [one]) => {
            list(one).map(|list| Value::List(list.into_iter().rev().collect()))
        }
        ("sort", [one]) => list(one).and_then(|list| {
            let mut texts = list.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            texts.sort_unstable();
            Ok(Value::List(texts.into_iter().map(Value::Text).collect()))
        }),
        ("slice", [one, from, to]) => slice(one, from, to),
        ("chunklist", [one, size]) => chunks(one, size),
        ("coalesce", values) => values
            .iter()
            .find(|value| !matches!(value, Value::Null))
            .cloned()
            .ok_or_else(|| "no non-null arguments".to_owned()),
        ("coalescelist", lists) => {
            let found = lists.iter().find(|one| list(one).is_ok_and(|list| !list.is_empty()));
            found.cloned().ok_or_else(|| "no non-null arguments".to_owned())
        }
        ("merge", maps) => merge(maps),
        ("zipmap", [keys, values]) => zip(keys, values),
        ("range", [_, ..]) if given.len() < 4 => range(given),
        ("setunion", lists) => each(lists).map(|lists| set(lists.concat())),
        ("setintersection", [first, rest @ ..]) => combine(first, rest, |one, other| {
            one.into_iter().filter(|part| other.contains(part)).collect()
        }),
        ("setsubtract", [first, other]) => {
            combine(first, std::slice::from_ref(other), |one, other| {
                one.into_iter().filter(|part| !other.contains(part)).collect()
            })
        }
        ("setsymmetricdifference", [first, rest @ ..]) => combine(first, rest, |one, other| {
            let theirs: Vec<Value> =
                other.iter().filter(|part| !one.contains(part)).cloned().collect();
            one.into_iter().filter(|part| !other.contains(part)).chain(theirs).collect()
        }),
        ("setproduct", lists) if lists.len() > 1 => product(lists),
        _ => return None,
    })
}

fn each(lists: &[Value]) -> Result<Vec<Vec<Value>>, String> {
    lists.iter().map(list).collect()
}

fn unique(list: Vec<Value>) -> Vec<Value> {
    let mut seen = std::collections::BTreeSet::new();
    list.into_iter().filter(|part| seen.insert(part.to_json())).collect()
}

fn set(list: Vec<Value>) -> Value {
    let mut parts = unique(list);
    parts.sort_by_cached_key(Value::to_json);
    Value::List(parts)
}

fn combine(first: &Value, rest: &[Value], with: fn(Vec<Value>, &[Value]) -> Vec<Value>) -> Outcome {
    let mut all = list(first)?;
    for other in rest {
        all = with(all, &list(other)?);
    }
    Ok(set(all))
}

fn length(one: &Value) -> Outcome {
    match one {
        Value::List(list) => Ok(count(list.len())),
        Value::Map(map) => Ok(count(map.len())),
        other => Err(format!("a list or a map is required, not {}", other.kind())),
    }
}

fn flatten(list: Vec<Value>, flat: &mut Vec<Value>) {
    for part in list {
        match part {
            Value::List(list) => flatten(list, flat),
            part => flat.push(part),
        }
    }
}

/// Places beyond the end begin again.
fn element(one: &Value, at: &Value) -> Outcome {
    let list = list(one)?;
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Err("cannot use element function with an empty list".to_owned());
    }
    let at = usize::try_from(whole(at)?.rem_euclid(length)).unwrap_or(0);
    Ok(list[at].clone())
}

fn slice(one: &Value, from: &Value, to: &Value) -> Outcome {
    let list = list(one)?;
    let place =
        |value: &Value| usize::try_from(whole(value)?).map_err(|_| "it is negative".to_owned());
    let part = list.get(place(from)?..place(to)?);
    part.map(|part| Value::List(part.to_vec())).ok_or_else(|| "the list is not so long".to_owned())
}

fn chunks(one: &Value, size: &Value) -> Outcome {
    let list = list(one)?;
    let size = usize::try_from(whole(size)?).map_err(|_| "the size argument must be positive")?;
    if size == 0 {
        return Ok(Value::List(vec![Value::List(list)]));
    }
    Ok(Value::List(list.chunks(size).map(|part| Value::List(part.to_vec())).collect()))
}

fn merge(maps: &[Value]) -> Outcome {
    let mut all = BTreeMap::new();
    for one in maps {
        match one {
            Value::Map(map) => all.extend(map.clone()),
            Value::Null => {}
            other => return Err(format!("a map is required, not {}", other.kind())),
        }
    }
    Ok(Value::Map(all))
}

fn zip(keys: &Value, values: &Value) -> Outcome {
    let (keys, values) = (list(keys)?, list(values)?);
    if keys.len() != values.len() {
        let (keys, values) = (keys.len(), values.len());
        return Err(format!("number of keys ({keys}) does not match number of values ({values})"));
    }
    let pair = |(key, value): (Value, Value)| Ok((text(&key)?, value));
    keys.into_iter().zip(values).map(pair).collect::<Result<_, String>>().map(Value::Map)
}

fn range(given: &[Value]) -> Outcome {
    let numbers = given.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let (start, end, step) = match numbers[..] {
        [end] => (0.0, end, None),
        [start, end] => (start, end, None),
        [start, end, step] => (start, end, Some(step)),
        _ => return Err("it takes one to three numbers".to_owned()),
    };
    let step = step.unwrap_or(if end < start { -1.0 } else { 1.0 });
    if step == 0.0 {
        return Err("step must not be zero".to_owned());
    }
    if (end - start) * step < 0.0 {
        return Err("the step leads away from the end".to_owned());
    }
    let mut list = Vec::new();
    let mut at = start;
    while if step > 0.0 { at < end } else { at > end } {
        if list.len() >= MADE_MAX {
            return Err("more than 1024 values were generated; either decrease the difference between start and end or use a smaller step".to_owned());
        }
        list.push(Value::Number(at));
        at += step;
    }
    Ok(Value::List(list))
}

fn product(lists: &[Value]) -> Outcome {
    let mut all: Vec<Vec<Value>> = vec![Vec::new()];
    for parts in each(lists)? {
        if all.len().saturating_mul(parts.len()) > MADE_MAX {
            return Err("too many combinations come of it".to_owned());
        }
        let with = |one: &Vec<Value>| {
            let one = one.clone();
            parts
                .iter()
                .map(move |part| [&one[..], std::slice::from_ref(part)].concat())
                .collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    Ok(Value::List(all.into_iter().map(Value::List).collect()))
}
