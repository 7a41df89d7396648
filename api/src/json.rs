//! Bodies of requests, as clients write them: keys in any case, null for everything, strings for lists.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// The keys of a form: those of its default, and those that it leaves out when they are empty.
pub(crate) fn keys(default: &impl Serialize, left_out: &[&str]) -> Vec<String> {
    let value = serde_json::to_value(default).unwrap_or_default();
    let known =
        value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    known.into_iter().chain(left_out.iter().map(|&key| key.to_owned())).collect()
}

/// The object with its keys as `keys` spell them; members that are null, or of no such key, are left out.
pub(crate) fn spelled(value: Value, keys: &[String]) -> Map<String, Value> {
    let Value::Object(members) = value else { return Map::new() };
    let mut out = Map::new();
    for (key, value) in members {
        let known = keys.iter().find(|known| known.eq_ignore_ascii_case(&key));
        if let Some(known) = known.filter(|_| !value.is_null()) {
            out.insert(known.clone(), value);
        }
    }
    out
}

/// Takes a member out of an object, whatever the case of its key.
pub(crate) fn take(value: &mut Value, key: &str) -> Value {
    let Some(members) = value.as_object_mut() else { return Value::Null };
    let found = members.keys().find(|known| known.eq_ignore_ascii_case(key)).cloned();
    found.and_then(|found| members.shift_remove(&found)).unwrap_or_default()
}

/// A member that is text; empty when it is not there.
pub(crate) fn text(value: &mut Value, key: &str) -> String {
    take(value, key).as_str().unwrap_or_default().to_owned()
}

/// A member that is a truth.
pub(crate) fn truth(value: &mut Value, key: &str) -> bool {
    take(value, key).as_bool().unwrap_or(false)
}

/// A string in place of a list of one.
pub(crate) fn listed(members: &mut Map<String, Value>, key: &str) {
    if let Some(value) = members.get_mut(key)
        && value.is_string()
    {
        *value = Value::Array(vec![value.take()]);
    }
}

/// Reads a form.
pub(crate) fn read<T: DeserializeOwned>(value: Value, what: &str) -> Result<T, ApiError> {
    serde_json::from_value(value)
        .map_err(|error| ApiError::bad(format!("invalid JSON: {what}: {error}")))
}

/// Reads one that may be missing.
pub(crate) fn read_or_default<T: DeserializeOwned + Default>(
    value: Value,
    what: &str,
) -> Result<T, ApiError> {
    if value.is_null() { Ok(T::default()) } else { read(value, what) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_have_any_case_and_nulls_are_nothing() {
        let keys = vec!["Image".to_owned(), "Cmd".to_owned()];
        let out = spelled(json!({ "image": "x", "CMD": null, "other": 1 }), &keys);
        assert_eq!(Value::Object(out), json!({ "Image": "x" }));
        let mut value = json!({ "hostCONFIG": { "Binds": null } });
        assert_eq!(take(&mut value, "HostConfig"), json!({ "Binds": null }));
        assert_eq!(take(&mut value, "HostConfig"), Value::Null);
    }

    #[test]
    fn a_string_is_a_list_of_one() {
        let mut members = Map::from_iter([("Cmd".to_owned(), json!("ls"))]);
        listed(&mut members, "Cmd");
        assert_eq!(members["Cmd"], json!(["ls"]));
    }
}
