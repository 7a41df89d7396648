//! `--filter` of lists of images.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use coracle_image::{Image, Reference};

use super::parse_time;
use crate::filter::{Filters, glob};
use crate::{Now, ViewError};

/// The keys there are.
pub const FILTERS: &[&str] =
    &["before", "dangling", "label", "label!", "reference", "since", "until"];

/// Filters with the moments they refer to looked up.
#[derive(Debug)]
pub(super) struct ImageFilters<'a> {
    filters: &'a Filters,
    before: Vec<DateTime<Utc>>,
    since: Vec<DateTime<Utc>>,
    dangling: Option<bool>,
}

/// What of an image passes: `None` when no filter chose among its names.
pub(super) type ChosenNames = Option<Vec<Reference>>;

impl<'a> ImageFilters<'a> {
    /// `created` says when the image of a name was made.
    pub(super) fn look_up(
        filters: &'a Filters,
        created: impl Fn(&str) -> Result<Option<DateTime<Utc>>, ViewError>,
        now: &Now,
    ) -> Result<Self, ViewError> {
        let mut before = Vec::new();
        for name in filters.values("before") {
            before.extend(created(name)?);
        }
        let mut since = Vec::new();
        for name in filters.values("since") {
            since.extend(created(name)?);
        }
        before.extend(filters.until(now)?);
        Ok(Self { filters, before, since, dangling: filters.truth("dangling")? })
    }

    /// Whether an image passes, and by which of its names; `labels` reads those it has.
    pub(super) fn accept(
        &self,
        image: &Image,
        labels: impl FnOnce() -> BTreeMap<String, String>,
    ) -> Option<ChosenNames> {
        let time = parse_time(&image.created);
        let in_time = self.before.iter().all(|limit| time.is_some_and(|t| t < *limit))
            && self.since.iter().all(|limit| time.is_some_and(|t| t > *limit));
        let by_label = self.filters.has("label") || self.filters.has("label!");
        if !in_time
            || self.dangling.is_some_and(|wanted| wanted != image.is_dangling())
            || (by_label && !self.filters.labels(&labels()))
        {
            return None;
        }
        let patterns = self.filters.values("reference");
        if patterns.is_empty() {
            return Some(None);
        }
        let names = image.names.iter().chain(&image.repo_digests);
        let matches = |name: &&Reference| patterns.iter().any(|text| matches_name(text, name));
        let chosen: Vec<Reference> = names.filter(matches).cloned().collect();
        (!chosen.is_empty()).then_some(Some(chosen))
    }
}

/// A pattern is compared with the whole name and with the repository alone.
fn matches_name(pattern: &str, name: &Reference) -> bool {
    glob(pattern, &name.to_string())
        || glob(pattern, &name.repository())
        || glob(pattern, &name.familiar())
        || glob(pattern, &name.familiar_repository())
        || Reference::parse(pattern).is_ok_and(|wanted| match wanted.is_name_only() {
            true => wanted.repository() == name.repository(),
            false => wanted == *name,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use crate::image::tests::{made_up, now};

    /// The names by which `old`, `middle`, `new` and one without a name pass; that one is `-`.
    fn passing(given: &[(&str, &str)]) -> Result<Vec<String>, ViewError> {
        let given: Vec<Filter> = given
            .iter()
            .map(|(key, value)| Filter { key: (*key).into(), value: (*value).into() })
            .collect();
        let filters = Filters::new(&given, FILTERS)?;
        let digest = format!("registry.example/old@sha256:{}", "d8".repeat(32));
        let images = [
            made_up("2026-11-01T00:00:00Z", &["old:1", "team/old:2"], &[&digest]),
            made_up("2026-11-10T00:00:00Z", &["middle:latest"], &[]),
            made_up("2026-11-20T00:00:00Z", &["new:latest"], &[]),
            made_up("2026-11-10T12:00:00Z", &[], &[]),
        ];
        let created = |name: &str| -> Result<Option<DateTime<Utc>>, ViewError> {
            let named = |image: &&Image| image.names.iter().any(|one| one.familiar() == name);
            let found = images.iter().find(named);
            let missing = ViewError::NoSuchObject { name: name.to_owned() };
            found.map(|image| parse_time(&image.created)).ok_or(missing)
        };
        let chosen = ImageFilters::look_up(&filters, created, &now())?;
        let mut out = Vec::new();
        for image in &images {
            let labels = || match image.names.first().map(Reference::familiar).as_deref() {
                Some("middle:latest") => [("tier".to_owned(), "db".to_owned())].into(),
                _ => BTreeMap::new(),
            };
            if let Some(names) = chosen.accept(image, labels) {
                let names = names.unwrap_or_else(|| image.names.clone());
                match names.is_empty() {
                    true => out.push("-".to_owned()),
                    false => out.extend(names.iter().map(Reference::familiar)),
                }
            }
        }
        Ok(out)
    }

    #[test]
    fn no_filter_passes_everything() {
        let all = ["old:1", "team/old:2", "middle:latest", "new:latest", "-"];
        assert_eq!(passing(&[]).unwrap(), all);
    }

    #[test]
    fn before_and_since_are_the_times_of_images() {
        let old = ["old:1", "team/old:2"];
        assert_eq!(passing(&[("before", "middle:latest")]).unwrap(), old);
        assert_eq!(passing(&[("since", "middle:latest")]).unwrap(), ["new:latest", "-"]);
        // All of them must be agreed with.
        let both = [("before", "new:latest"), ("before", "middle:latest")];
        assert_eq!(passing(&both).unwrap(), old);
        let between = [("since", "old:1"), ("before", "new:latest")];
        assert_eq!(passing(&between).unwrap(), ["middle:latest", "-"]);
        let error = passing(&[("since", "gone:1")]).unwrap_err();
        assert_eq!(error.to_string(), "error: no such object: gone:1");
    }

    #[test]
    fn until_is_a_moment() {
        let until = |text| passing(&[("until", text)]);
        assert_eq!(until("2026-11-10T06:00:00Z").unwrap().last().unwrap(), "middle:latest");
        assert_eq!(until("360h").unwrap(), ["old:1", "team/old:2"]);
        assert!(passing(&[("until", "1h"), ("until", "2h")]).is_err());
        assert!(until("yesterday").is_err());
    }

    #[test]
    fn dangling_is_without_any_name() {
        assert_eq!(passing(&[("dangling", "true")]).unwrap(), ["-"]);
        assert_eq!(passing(&[("dangling", "0")]).unwrap().len(), 4);
        assert!(passing(&[("dangling", "perhaps")]).is_err());
    }

    #[test]
    fn labels_are_there_or_not() {
        assert_eq!(passing(&[("label", "tier")]).unwrap(), ["middle:latest"]);
        assert_eq!(passing(&[("label", "tier=db")]).unwrap(), ["middle:latest"]);
        assert!(passing(&[("label", "tier=web")]).unwrap().is_empty());
        assert!(!passing(&[("label!", "tier")]).unwrap().contains(&"middle:latest".to_owned()));
    }

    #[test]
    fn references_choose_among_the_names() {
        let reference = |text| passing(&[("reference", text)]).unwrap();
        assert_eq!(reference("old"), ["old:1"]);
        assert_eq!(reference("*/old:?"), ["team/old:2"]);
        assert_eq!(reference("docker.io/library/old:1"), ["old:1"]);
        let digest = format!("registry.example/old@sha256:{}", "d8".repeat(32));
        assert_eq!(reference("registry.example/old"), [digest]);
        assert_eq!(reference("[mn]*"), ["middle:latest", "new:latest"]);
        assert!(reference("nothing").is_empty());
        let several = [("reference", "new"), ("reference", "middle:*")];
        assert_eq!(passing(&several).unwrap(), ["middle:latest", "new:latest"]);
    }

    #[test]
    fn other_keys_are_refused() {
        assert_eq!(passing(&[("bogus", "1")]).unwrap_err().to_string(), "invalid filter 'bogus'");
    }
}
