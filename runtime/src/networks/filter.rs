//! `--filter` of `network ls` and `network prune`.

use std::collections::BTreeMap;

use coracle_words::has_label;

use super::{Network, NetworkError};
use crate::model::Timestamp;

/// Which networks are wanted. Values of one key are alternatives, except labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    values: BTreeMap<&'static str, Vec<String>>,
    dangling: Option<bool>,
    until: Option<Timestamp>,
}

const FOR_LIST: [&str; 7] = ["dangling", "driver", "id", "label", "name", "scope", "type"];
const FOR_PRUNE: [&str; 3] = ["label", "label!", "until"];

impl Filter {
    /// For `network ls`.
    ///
    /// # Errors
    /// For another key, or a value that is not one of those it may have.
    pub fn for_list<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, NetworkError> {
        Self::new(pairs, &FOR_LIST)
    }

    /// For `network prune`; `until` is its filter of that name, as a moment.
    ///
    /// # Errors
    /// As [`Filter::for_list`].
    pub fn for_prune<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        until: Option<Timestamp>,
    ) -> Result<Self, NetworkError> {
        Ok(Self { until, ..Self::new(pairs, &FOR_PRUNE)? })
    }

    fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        known: &[&'static str],
    ) -> Result<Self, NetworkError> {
        let mut filter = Self::default();
        for (key, value) in pairs {
            let Some(key) = known.iter().find(|known| **known == key) else {
                return Err(NetworkError::InvalidFilter { filter: key.to_owned() });
            };
            let invalid = || NetworkError::InvalidFilter { filter: format!("{key}=[{value}]") };
            match *key {
                "dangling" => {
                    filter.dangling = Some(match value {
                        "1" | "t" | "true" | "True" | "TRUE" => true,
                        "0" | "f" | "false" | "False" | "FALSE" => false,
                        _ => return Err(invalid()),
                    });
                }
                "type" if !matches!(value, "custom" | "builtin") => return Err(invalid()),
                _ => filter.values.entry(key).or_default().push(value.to_owned()),
            }
        }
        Ok(filter)
    }

    /// Whether `network` is wanted; `is_used` is asked only if it matters.
    pub fn matches(&self, network: &Network, is_used: impl FnOnce() -> bool) -> bool {
        let kind = if network.is_predefined() { "builtin" } else { "custom" };
        self.any("name", |pattern| crate::names::matches(pattern, &network.name))
            && self.any("id", |pattern| crate::names::matches(pattern, &network.id))
            && self.any("driver", |driver| network.driver == driver)
            && self.any("scope", |scope| scope == network.scope())
            && self.any("type", |wanted| wanted == kind)
            && self.values("label").iter().all(|label| has_label(&network.labels, label))
            && !self.values("label!").iter().any(|label| has_label(&network.labels, label))
            && self.until.is_none_or(|until| network.created <= until)
            // Docker never calls its own three dangling.
            && self.dangling.is_none_or(|dangling| {
                dangling == (!network.is_predefined() && !is_used())
            })
    }

    fn values(&self, key: &str) -> &[String] {
        self.values.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    fn any(&self, key: &str, test: impl Fn(&str) -> bool) -> bool {
        let values = self.values(key);
        values.is_empty() || values.iter().any(|value| test(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: &str) -> Network {
        Network {
            name: name.to_owned(),
            id: "9fe25c5032cd".to_owned(),
            driver: "bridge".to_owned(),
            created: "2026-11-20T23:59:02Z".parse().unwrap(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            ..Network::default()
        }
    }

    fn passes(pairs: &[(&str, &str)], name: &str) -> bool {
        Filter::for_list(pairs.iter().copied()).unwrap().matches(&network(name), || false)
    }

    #[test]
    fn of_lists() {
        assert!(passes(&[], "n1"));
        assert!(passes(&[("name", "n")], "n1") && !passes(&[("name", "x")], "n1"));
        assert!(passes(&[("name", "^n1$")], "n1") && !passes(&[("name", "^n$")], "n1"));
        assert!(passes(&[("id", "9f")], "n1") && !passes(&[("id", "^fe")], "n1"));
        assert!(passes(&[("driver", "bridge")], "n1") && !passes(&[("driver", "host")], "n1"));
        assert!(passes(&[("type", "custom")], "n1") && !passes(&[("type", "custom")], "none"));
        assert!(passes(&[("type", "builtin")], "bridge"));
        assert!(passes(&[("scope", "local")], "n1") && !passes(&[("scope", "swarm")], "n1"));
        let swarms = Network { swarm: true, ..network("n1") };
        let filter = Filter::for_list([("scope", "swarm")]).unwrap();
        assert!(filter.matches(&swarms, || false));
        assert!(passes(&[("label", "a=b"), ("label", "a")], "n1"));
        assert!(!passes(&[("label", "zz")], "n1"));
        assert!(passes(&[("dangling", "true")], "n1") && !passes(&[("dangling", "true")], "host"));
        assert!(passes(&[("dangling", "false")], "host"));
    }

    #[test]
    fn of_prune() {
        let prune = |pairs: &[(&str, &str)], until: &str| {
            let until = until.parse().ok();
            let filter = Filter::for_prune(pairs.iter().copied(), until).unwrap();
            filter.matches(&network("n1"), || false)
        };
        assert!(prune(&[], "2026-11-21T00:00:00Z"));
        assert!(!prune(&[], "2026-11-20T00:00:00Z"));
        assert!(!prune(&[("label!", "a")], "2026-11-21T00:00:00Z"));
    }

    #[test]
    fn unknown_ones_are_refused() {
        let complaint = |pair| Filter::for_list([pair]).unwrap_err().to_string();
        assert_eq!(complaint(("bogus", "1")), "invalid filter 'bogus'");
        assert_eq!(complaint(("type", "x")), "invalid filter 'type=[x]'");
        assert_eq!(complaint(("dangling", "x")), "invalid filter 'dangling=[x]'");
    }
}
