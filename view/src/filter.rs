//! `--filter` of the list and prune commands.
//!
//! A key may be given several times. Values of one key are alternatives, except
//! for labels, which must all match; different keys must all match.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use regex::Regex;

use crate::{Now, ViewError};

/// One `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub key: String,
    pub value: String,
}

/// The filters of one command.
#[derive(Debug, Default)]
pub struct Filters {
    by_key: BTreeMap<String, Vec<String>>,
}

impl Filters {
    /// Refuses keys that the command does not know.
    pub fn new(given: &[Filter], known: &[&str]) -> Result<Self, ViewError> {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Filter { key, value } in given {
            if !known.contains(&key.as_str()) {
                return Err(ViewError::UnknownFilter { key: key.clone() });
            }
            by_key.entry(key.clone()).or_default().push(value.clone());
        }
        Ok(Self { by_key })
    }

    /// The values given for a key.
    pub fn values(&self, key: &str) -> &[String] {
        self.by_key.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn has(&self, key: &str) -> bool {
        !self.values(key).is_empty()
    }

    pub fn add(&mut self, key: &str, value: &str) {
        self.by_key.entry(key.to_owned()).or_default().push(value.to_owned());
    }

    /// True when the key is absent or one of its values is `text`.
    pub fn exact(&self, key: &str, text: &str) -> bool {
        !self.has(key) || self.values(key).iter().any(|value| value == text)
    }

    /// True when the key is absent or one of its values, as a regular expression,
    /// is found in `text`. An expression that does not parse stands for itself.
    pub fn matches(&self, key: &str, text: &str) -> bool {
        !self.has(key)
            || self.values(key).iter().any(|value| coracle_runtime::names::matches(value, text))
    }

    /// True when every `KEY` or `KEY=VALUE` of `label` is there and none of `label!` is.
    pub fn labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |wanted: &String| coracle_words::has_label(labels, wanted);
        self.values("label").iter().all(has) && !self.values("label!").iter().any(has)
    }

    /// A key whose value is true or false; `None` when it is absent.
    pub fn truth(&self, key: &str) -> Result<Option<bool>, ViewError> {
        let mut answer = None;
        for value in self.values(key) {
            answer = match value.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                other => {
                    return Err(ViewError::InvalidFilter {
                        key: key.to_owned(),
                        value: other.to_owned(),
                    });
                }
            };
        }
        Ok(answer)
    }

    /// The moment of `until`: a time, unix seconds, or an age.
    pub fn until(&self, now: &Now) -> Result<Option<DateTime<Utc>>, ViewError> {
        match self.values("until") {
            [] => Ok(None),
            [value] => now.moment(value).map(|time| Some(time.datetime())),
            _ => Err(ViewError::SeveralUntil),
        }
    }
}

/// Shell patterns over names: `*`, `?` and `[…]` do not cross a slash.
pub fn glob(pattern: &str, text: &str) -> bool {
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
        assert_eq!(error.to_string(), "invalid filter 'bogus'");
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
        assert_eq!(error.to_string(), "invalid filter 'dangling=[x]'");
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
