//! What each route does: it reads the request, asks `view` or the engine, and writes the answer. It decides nothing.

pub(crate) mod build;
pub(crate) mod containers;
pub(crate) mod create;
pub(crate) mod exec;
pub(crate) mod files;
pub(crate) mod images;
pub(crate) mod networks;
pub(crate) mod streams;
pub(crate) mod swarm;
pub(crate) mod system;
pub(crate) mod transfers;
pub(crate) mod volumes;

use coracle_image::Reference;
use coracle_runtime::Home;
use coracle_view::filter::Filter;
use serde_json::Value;

use crate::error::ApiError;
use crate::request::Request;

/// The filters of the query: `{"name":["x"]}`, or as old clients write it, `{"name":{"x":true}}`.
pub(crate) fn filters(request: &Request) -> Result<Vec<Filter>, ApiError> {
    let Some(text) = request.given("filters") else { return Ok(Vec::new()) };
    let bad = || ApiError::bad("invalid filter");
    let Ok(Value::Object(all)) = serde_json::from_str(text) else { return Err(bad()) };
    let mut filters = Vec::new();
    for (key, values) in all {
        let values: Vec<String> = match values {
            Value::Array(values) => values
                .into_iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(bad)?,
            Value::Object(values) => values
                .into_iter()
                .filter(|(_, wanted)| wanted.as_bool() == Some(true))
                .map(|(value, _)| value)
                .collect(),
            _ => return Err(bad()),
        };
        filters.extend(values.into_iter().map(|value| Filter { key: key.clone(), value }));
    }
    Ok(filters)
}

/// A name that may have its tag apart.
pub(crate) fn with_tag(name: &str, tag: Option<&str>) -> String {
    match tag {
        Some(tag) => format!("{name}:{tag}"),
        None => name.to_owned(),
    }
}

/// The image that a name means.
pub(crate) fn reference(home: &Home, name: &str) -> Result<Reference, ApiError> {
    home.names().resolve(name).map_err(|error| ApiError::bad(error.to_string()))
}

/// The name that `repo` and `tag` of the query give to a new image, if any.
pub(crate) fn new_name(home: &Home, request: &Request) -> Result<Option<Reference>, ApiError> {
    let name = request.given("repo").map(|repository| with_tag(repository, request.given("tag")));
    let name = name.map(|name| reference(home, &name)).transpose()?;
    Ok(name.map(Reference::with_default_tag))
}

/// Filters as pairs.
pub(crate) fn pairs(filters: &[Filter]) -> impl Iterator<Item = (&str, &str)> {
    filters.iter().map(|filter| (filter.key.as_str(), filter.value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<(String, String)>, u16> {
        let query = vec![("filters".to_owned(), text.to_owned())];
        let filters =
            filters(&Request { query, ..Request::default() }).map_err(|error| error.status)?;
        Ok(filters.into_iter().map(|filter| (filter.key, filter.value)).collect())
    }

    #[test]
    fn filters_have_two_forms() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of(r#"{"name":["x","y"]}"#).unwrap(), [pair("name", "x"), pair("name", "y")]);
        assert_eq!(of(r#"{"label":{"a":true,"b":false}}"#).unwrap(), [pair("label", "a")]);
        assert_eq!(of("").unwrap(), []);
        for bad in ["[]", "x", r#"{"a":1}"#, r#"{"a":[1]}"#] {
            assert_eq!(of(bad).unwrap_err(), 400, "{bad}");
        }
    }
}
