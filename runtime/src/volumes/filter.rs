//! `--filter` of `volume ls` and `volume prune`.

use super::{Volume, VolumeError};

/// Which volumes are wanted. Values of one key are alternatives, except labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    names: Vec<String>,
    drivers: Vec<String>,
    labels: Vec<String>,
    labels_absent: Vec<String>,
    dangling: Option<bool>,
    all: Option<bool>,
}

impl Filter {
    /// For `volume ls`: dangling, driver, label, name.
    ///
    /// # Errors
    /// For another key, or a value that is neither true nor false where it has to be.
    pub fn for_list<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, VolumeError> {
        Self::new(pairs, &["dangling", "driver", "label", "name"])
    }

    /// For `volume prune`: all, label, label!.
    ///
    /// # Errors
    /// As [`Filter::for_list`].
    pub fn for_prune<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, VolumeError> {
        Self::new(pairs, &["all", "label", "label!"])
    }

    fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        known: &[&str],
    ) -> Result<Self, VolumeError> {
        let mut filter = Self::default();
        for (key, value) in pairs {
            let flag = || match value {
                "1" | "t" | "true" | "True" | "TRUE" => Ok(Some(true)),
                "0" | "f" | "false" | "False" | "FALSE" => Ok(Some(false)),
                _ => Err(VolumeError::InvalidFilter { filter: format!("{key}=[{value}]") }),
            };
            match key {
                _ if !known.contains(&key) => {
                    return Err(VolumeError::InvalidFilter { filter: key.to_owned() });
                }
                "dangling" => filter.dangling = flag()?,
                "all" => filter.all = flag()?,
                "driver" => filter.drivers.push(value.to_owned()),
                "label" => filter.labels.push(value.to_owned()),
                "label!" => filter.labels_absent.push(value.to_owned()),
                _ => filter.names.push(value.to_owned()),
            }
        }
        Ok(filter)
    }

    /// Whether `prune` was told `--filter all=true`.
    #[must_use]
    pub fn all(&self) -> bool {
        self.all == Some(true)
    }

    /// Whether `volume` is wanted; `is_used` is asked only if it matters.
    pub fn matches(&self, volume: &Volume, is_used: impl FnOnce() -> bool) -> bool {
        (self.names.is_empty()
            || self.names.iter().any(|pattern| crate::names::matches(pattern, &volume.name)))
            && (self.drivers.is_empty() || self.drivers.iter().any(|driver| driver == "local"))
            && self.labels.iter().all(|label| has_label(volume, label))
            && !self.labels_absent.iter().any(|label| has_label(volume, label))
            && self.dangling.is_none_or(|dangling| dangling != is_used())
    }
}

fn has_label(volume: &Volume, wanted: &str) -> bool {
    volume.labels.as_ref().is_some_and(|labels| coracle_words::has_label(labels, wanted))
}

#[cfg(test)]
mod tests {
    use super::{Filter, Volume};

    fn passes(pairs: &[(&str, &str)], used: bool) -> bool {
        let volume = Volume {
            name: "cpy".to_owned(),
            created: "2026-11-20T23:54:39Z".parse().unwrap(),
            labels: Some([("a".to_owned(), "b".to_owned())].into()),
            options: None,
            data: "/v".into(),
            owner: None,
        };
        Filter::for_list(pairs.iter().copied()).unwrap().matches(&volume, || used)
    }

    #[test]
    fn of_lists() {
        assert!(passes(&[], false));
        assert!(passes(&[("name", "cp")], false));
        assert!(passes(&[("name", "x"), ("name", "py")], false));
        assert!(passes(&[("name", "^cpy$")], false) && !passes(&[("name", "^cp$")], false));
        assert!(!passes(&[("name", "x")], false));
        assert!(passes(&[("label", "a"), ("label", "a=b")], false));
        assert!(!passes(&[("label", "a"), ("label", "b")], false));
        assert!(passes(&[("driver", "local")], false));
        assert!(!passes(&[("driver", "nfs")], false));
        assert!(passes(&[("dangling", "true")], false));
        assert!(!passes(&[("dangling", "true")], true));
        assert!(passes(&[("dangling", "false")], true));
    }

    #[test]
    fn unknown_ones_are_refused() {
        let complaint = |pair| Filter::for_list([pair]).unwrap_err().to_string();
        assert_eq!(complaint(("bogus", "x")), "invalid filter 'bogus'");
        assert_eq!(complaint(("label!", "x")), "invalid filter 'label!'");
        assert_eq!(complaint(("dangling", "x")), "invalid filter 'dangling=[x]'");
        assert!(Filter::for_prune([("all", "1")]).unwrap().all());
    }
}
