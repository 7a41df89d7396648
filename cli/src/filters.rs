//! `--filter` of the list and prune commands.
//!
//! A key may be given several times. Values of one key are alternatives, except
//! for labels, which must all match; different keys must all match.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use coracle_runtime::model::Timestamp;
use regex::Regex;

use crate::app::App;
use crate::args::values::Filter;
use crate::error::CliError;

/// The filters of a prune, and those that the client's configuration file adds to each of them.
/// What the command line says of a label wins over the contrary there.
pub(crate) fn for_prune(app: &App, given: &[Filter]) -> Vec<Filter> {
    let mut all = given.to_vec();
    for (key, value) in app.settings.client.prune_filters() {
        let contrary = match key {
            "label" => "label!",
            "label!" => "label",
            _ => "",
        };
        let has = |key: &str| all.iter().any(|f| f.key == key && f.value == value);
        if !has(key) && !has(contrary) {
            all.push(Filter { key: key.to_owned(), value: value.to_owned() });
        }
    }
    all
}

/// The filters of one command.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    by_key: BTreeMap<String, Vec<String>>,
}

impl Filters {
    /// Refuses keys that the command does not know.
    pub(crate) fn new(given: &[Filter], known: &[&str]) -> Result<Self, CliError> {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Filter { key, value } in given {
            if !known.contains(&key.as_str()) {
                return Err(CliError::engine(format!("invalid filter '{key}'")));
            }
            by_key.entry(key.clone()).or_default().push(value.clone());
        }
        Ok(Self { by_key })
    }

    /// The values given for a key.
    pub(crate) fn values(&self, key: &str) -> &[String] {
        self.by_key.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        !self.values(key).is_empty()
    }

    pub(crate) fn add(&mut self, key: &str, value: &str) {
        self.by_key.entry(key.to_owned()).or_default().push(value.to_owned());
    }

    /// True when the key is absent or one of its values is `text`.
    pub(crate) fn exact(&self, key: &str, text: &str) -> bool {
        !self.has(key) || self.values(key).iter().any(|value| value == text)
    }

    /// True when the key is absent or one of its values, as a regular expression,
    /// is found in `text`. An expression that does not parse stands for itself.
    pub(crate) fn matches(&self, key: &str, text: &str) -> bool {
        !self.has(key)
            || self.values(key).iter().any(|value| coracle_runtime::names::matches(value, text))
    }

    /// True when every `KEY` or `KEY=VALUE` of `label` is there and none of `label!` is.
    pub(crate) fn labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
            None => labels.contains_key(wanted),
        };
        self.values("label").iter().all(has) && !self.values("label!").iter().any(has)
    }

    /// A key whose value is true or false; `None` when it is absent.
    pub(crate) fn truth(&self, key: &str) -> Result<Option<bool>, CliError> {
        let mut answer = None;
        for value in self.values(key) {
            answer = match value.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                other => return Err(CliError::engine(format!("invalid filter '{key}=[{other}]'"))),
            };
        }
        Ok(answer)
    }

    /// The moment of `until`: a time, unix seconds, or an age.
    pub(crate) fn until(&self) -> Result<Option<DateTime<Utc>>, CliError> {
        match self.values("until") {
            [] => Ok(None),
            [value] => moment(value).map(|time| Some(time.datetime())),
            _ => Err(CliError::engine("more than one until filter specified")),
        }
    }
}

/// A moment as `--since`, `--until` and `until=` take it: a time, unix seconds, or
/// an age such as `42m`.
pub(crate) fn moment(text: &str) -> Result<Timestamp, CliError> {
    coracle_words::moment::parse(text, coracle_runtime::clock::now(), &chrono::Local)
        .map_err(|error| CliError::plain(error.to_string()))
}

/// Shell patterns over names: `*`, `?` and `[…]` do not cross a slash.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut expression = String::from("^");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '[' | ']' | '-' => expression.push(c),
            '\\' => expression.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            c => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    Regex::new(&expression).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(given: &[(&str, &str)]) -> Filters {
        let given: Vec<Filter> = given
            .iter()
            .map(|(key, value)| Filter { key: (*key).into(), value: (*value).into() })
            .collect();
        Filters::new(&given, &["name", "label", "label!", "dangling", "until"]).unwrap()
    }

    #[test]
    fn an_unknown_key() {
        let given = [Filter { key: "bogus".into(), value: "1".into() }];
        let error = Filters::new(&given, &["name"]).unwrap_err();
        assert_eq!(error.message, "Error response from daemon: invalid filter 'bogus'");
    }

    #[test]
    fn names_are_expressions() {
        assert!(filters(&[("name", "p")]).matches("name", "p2"));
        assert!(!filters(&[("name", "^p1$")]).matches("name", "p10"));
        assert!(filters(&[("name", "^p1$"), ("name", "p10")]).matches("name", "p10"));
        assert!(filters(&[]).matches("name", "x"));
    }

    #[test]
    fn labels_must_all_match() {
        let labels = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())].into();
        assert!(filters(&[("label", "a=1"), ("label", "b")]).labels(&labels));
        assert!(!filters(&[("label", "a=2")]).labels(&labels));
        assert!(!filters(&[("label!", "b")]).labels(&labels));
    }

    #[test]
    fn truth_is_checked() {
        let error = filters(&[("dangling", "x")]).truth("dangling").unwrap_err();
        assert_eq!(error.message, "Error response from daemon: invalid filter 'dangling=[x]'");
        assert_eq!(filters(&[("dangling", "false")]).truth("dangling").unwrap(), Some(false));
    }

    #[test]
    fn patterns() {
        assert!(glob("al*", "alpine"));
        assert!(!glob("*", "a/b"));
        assert!(glob("*/b:?", "a/b:1"));
        assert!(glob("a[l-m]pine", "alpine"));
        assert!(!glob("al.ine", "alpine"));
    }
}
